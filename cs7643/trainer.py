"""Training a classifier: batches, the learning rate's decay, the history, and checkpoints."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from coursework.files import atomic_writer, stand_in
from coursework.progress import progress_bar
from cs7643 import optim
from cs7643.arrays import Array, Model
from cs7643.fast.memory import keep_freed_memory

UpdateRule = Callable[..., tuple[Array, Array]]
UPDATE_RULES: dict[str, UpdateRule] = {"sgd": optim.sgd, "momentum": optim.momentum, "rmsprop": optim.rmsprop}
LossFunction = Callable[..., Any]  # net(X, model) -> scores; net(X, model, y, reg) -> (loss, gradients)
TrainResult = tuple[Model, list[float], list[float], list[float]]

ACCURACY_SAMPLE = 1000  # the training accuracy is measured on at most this many images
GROUPS = ("model", "optimiser", "best_model")
HISTORIES = ("loss_history", "train_acc_history", "val_acc_history")
EVALUATION_BATCH = 500  # scores are computed for this many images at a time, which limits the memory


class TrainingDivergedError(FloatingPointError):
    """The loss is no longer a finite number. ``iteration`` says since when, ``loss_history`` holds all losses."""

    def __init__(self, message: str, iteration: int, loss_history: list[float]) -> None:
        super().__init__(message)
        self.iteration = iteration
        self.loss_history = loss_history


@dataclass
class TrainingState:
    """Everything that changes while a classifier trains; a checkpoint holds nothing else."""

    model: Model
    optimiser: Model  # what the update rule keeps for each parameter
    best_model: Model
    best_val_acc: float = -1.0
    iteration: int = 0
    loss_history: list[float] = field(default_factory=list)
    train_acc_history: list[float] = field(default_factory=list)
    val_acc_history: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, model: Model) -> TrainingState:
        """Return the state before the first step, with a copy of the model."""
        zeros = {name: np.zeros_like(w) for name, w in model.items()}
        return cls(model=_copied(model), optimiser=zeros, best_model=_copied(model))

    def save(self, path: Path, run: dict[str, Any]) -> None:
        """Write the state to ``path``, completely or not at all, with a description of its run."""
        arrays = {f"{group}/{name}": array for group in GROUPS for name, array in getattr(self, group).items()}
        arrays |= {name: np.array(getattr(self, name), dtype=np.float64) for name in HISTORIES}
        header = {"run": run, "iteration": self.iteration, "best_val_acc": self.best_val_acc}
        with atomic_writer(path) as stream:
            np.savez(stream, header=np.array(json.dumps(header)), allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path, run: dict[str, Any]) -> TrainingState:
        """Read a state from ``path``; it must belong to the same ``run``."""
        instead = stand_in(path)
        if instead:
            raise ValueError(f"train: checkpoint {path} is {instead}")
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            header = json.loads(str(arrays.pop("header")))
            saved_run = header.pop("run")
            histories: dict[str, Any] = {name: arrays.pop(name).tolist() for name in HISTORIES}
        except (EOFError, ValueError, KeyError, BadZipFile, zlib.error) as error:
            raise ValueError(f"train: checkpoint {path} cannot be read ({error}); delete it to start over") from error
        check_same_run(f"checkpoint {path}", saved_run, run, "delete it, or give another path")
        models: dict[str, Any] = {group: {} for group in GROUPS}
        for name, array in arrays.items():
            group, _, parameter = name.partition("/")
            models[group][parameter] = array
        return cls(**models, **histories, **header)


def check_same_run(checkpoint: str, saved: dict[str, Any], run: dict[str, Any], advice: str) -> None:
    """Check that a checkpoint, as named in the error, was saved by the same run; ``advice`` says what else to do.

    Raises:
        ValueError: if it was saved by another run; it names what differs.
    """
    differing = [f"{key} was {saved.get(key)}, is {run[key]}" for key in run if saved.get(key) != run[key]]
    if differing:
        raise ValueError(f"train: {checkpoint} belongs to another run ({'; '.join(differing)}); {advice}")


class ClassifierTrainer:
    """Trains a model by minimising a loss function with a form of stochastic gradient descent."""

    def train(
        self,
        X: Array,
        y: Array,
        X_val: Array,
        y_val: Array,
        model: Model,
        loss_function: LossFunction,
        reg: float = 0.0,
        learning_rate: float = 1e-2,
        momentum: float = 0,
        learning_rate_decay: float = 0.95,
        update: str = "momentum",
        sample_batches: bool = True,
        num_epochs: int = 30,
        batch_size: int = 100,
        acc_frequency: int | None = None,
        verbose: bool = False,
        *,
        seed: int = 0,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int = 100,
    ) -> TrainResult:
        """Train ``model`` and return the parameters that did best on the validation images.

        The same arguments give the same bits on the same machine: the batches depend on ``seed`` and the number of the
        iteration alone. So a run that was killed and continues from its checkpoint ends as if it had not been killed.

        Args:
            X: (N, ...), the training images, in the shape that ``loss_function`` takes.
            y: (N,), their labels.
            X_val: (N_val, ...), the validation images.
            y_val: (N_val,), their labels.
            model: the parameters to start from; left unchanged.
            loss_function: ``loss_function(X, model)`` returns scores (N, C) and ``loss_function(X, model, y, reg)``
                the loss and a dictionary of gradients.
            reg: the strength of the regularisation, passed to ``loss_function``.
            learning_rate: that of the first epoch.
            momentum: the fraction of the velocity that is kept, for ``update="momentum"``.
            learning_rate_decay: the learning rate is multiplied by it after every epoch.
            update: "sgd", "momentum" or "rmsprop".
            sample_batches: whether a step uses a batch (each image once per epoch, in random order; an incomplete last
                batch is dropped) or all images (then an epoch is one step).
            num_epochs: the number of passes over the training images.
            batch_size: the number of images in a batch.
            acc_frequency: also measure the accuracies every ``acc_frequency`` iterations, not only after the first
                iteration and after every epoch.
            verbose: print a line at every measurement.
            seed: that of the batches.
            checkpoint: a file that keeps the state. If it exists, training continues from it; it must belong to the
                same run, except that num_epochs may differ.
            checkpoint_every: the number of iterations between two checkpoints; there is also one at the end.

        Returns:
            best_model, loss_history (one value per iteration), train_acc_history (on up to 1,000 images) and
            val_acc_history (one value per measurement).

        Raises:
            ValueError: if an argument does not fit, or a checkpoint belongs to another run or is damaged.
            TrainingDivergedError: if the loss is not finite; the message names the iteration and the likely cause.
        """
        _check_data(X, y, X_val, y_val, model)
        if update not in UPDATE_RULES:
            raise ValueError(f"train: update must be one of {', '.join(UPDATE_RULES)}, got {update!r}")
        at_least_1 = {"num_epochs": num_epochs, "batch_size": batch_size, "checkpoint_every": checkpoint_every}
        for name, value in {**at_least_1, "acc_frequency": acc_frequency}.items():
            if value is not None and value < 1:
                raise ValueError(f"train: {name} must be at least 1, got {value}")
        if sample_batches and batch_size > len(X):
            raise ValueError(f"train: batch_size must be at most the number of images, {len(X)}, got {batch_size}")

        batches = BatchOrder(len(X), batch_size if sample_batches else None, seed)
        num_iterations = num_epochs * batches.per_epoch
        rule = UPDATE_RULES[update]
        options = {"momentum": momentum} if update == "momentum" else {}
        path = None if checkpoint is None else Path(checkpoint)
        run = {
            "loss_function": getattr(loss_function, "__name__", type(loss_function).__name__),
            "reg": reg,
            "learning_rate": learning_rate,
            "learning_rate_decay": learning_rate_decay,
            "update": update,
            "momentum": momentum,
            "sample_batches": sample_batches,
            "batch_size": batch_size,
            "acc_frequency": acc_frequency,
            "seed": seed,
            "images": _digest(X, y, X_val, y_val),
            "model": _digest(*model.values()),
        }
        state = TrainingState.load(path, run) if path is not None and path.exists() else TrainingState.start(model)

        keep_freed_memory()
        bar = progress_bar(total=num_iterations, initial=min(state.iteration, num_iterations), unit="batch")
        with bar, _saying_what_is_kept(state, path):
            for it in range(state.iteration, num_iterations):
                batch = batches.indices(it)
                loss, grads = loss_function(X[batch], state.model, y[batch], reg)
                state.loss_history.append(float(loss))
                if not np.isfinite(loss):
                    raise _diverged(state, X[batch])

                epoch = it // batches.per_epoch
                rate = float(learning_rate * learning_rate_decay**epoch)
                for name, w in state.model.items():
                    step, state.optimiser[name] = rule(grads[name], state.optimiser[name], rate, **options)
                    w += step

                state.iteration = it + 1
                epoch_ends = state.iteration % batches.per_epoch == 0
                if it == 0 or epoch_ends or (acc_frequency is not None and it % acc_frequency == 0):
                    chosen = np.random.default_rng([seed, it]).permutation(len(X))[:ACCURACY_SAMPLE]
                    _measure(state, loss_function, X[chosen], y[chosen], X_val, y_val)
                    bar.set_postfix_str(_report(state))
                    if verbose:
                        print(f"epoch {state.iteration / batches.per_epoch:.1f} of {num_epochs}: {_report(state)}")
                if path is not None and (state.iteration % checkpoint_every == 0 or state.iteration == num_iterations):
                    state.save(path, run)
                bar.update()
        return state.best_model, state.loss_history, state.train_acc_history, state.val_acc_history


class BatchOrder:
    """Which images each step uses; depends on the seed and the number of the iteration alone.

    In an epoch each image is used once, in random order; an incomplete last batch is dropped.
    """

    def __init__(self, num_images: int, batch_size: int | None, seed: int) -> None:
        """Divide ``num_images`` into batches of ``batch_size``; with None, all images in order are one batch."""
        self.num_images = num_images
        self.batch_size = batch_size
        self.seed = seed
        self.per_epoch = 1 if batch_size is None else num_images // batch_size
        self._epoch = -1
        self._order = np.empty(0, dtype=np.intp)

    def indices(self, iteration: int) -> Array | slice:
        """Return the indices of the images that step ``iteration``, counted from 0, uses."""
        if self.batch_size is None:
            return slice(None)
        epoch, place = divmod(iteration, self.per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self.seed, epoch]).permutation(self.num_images)
        return self._order[place * self.batch_size : (place + 1) * self.batch_size]


def accuracy(loss_function: LossFunction, model: Model, X: Array, y: Array) -> float:
    """Return the fraction of the images whose highest score is that of their label."""
    return float(np.mean(predict(loss_function, model, X) == y))


def predict(loss_function: LossFunction, model: Model, X: Array) -> NDArray[np.intp]:
    """Return the class with the highest score for each image, (N,)."""
    blocks = [
        np.argmax(loss_function(X[start : start + EVALUATION_BATCH], model), axis=1)
        for start in range(0, len(X), EVALUATION_BATCH)
    ]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.intp)


@contextmanager
def _saying_what_is_kept(state: TrainingState, path: Path | None) -> Iterator[None]:
    """After Ctrl-C, or the stop button of a notebook, say where the same call would continue."""
    try:
        yield
    except KeyboardInterrupt:
        kept = "the same call starts over" + ("" if path else " (`checkpoint` names a file that keeps the state)")
        if path is not None and path.exists():
            kept = f"the same call continues from {path}"
        raise KeyboardInterrupt(f"train: stopped after {state.iteration} batches; {kept}") from None


def _measure(state: TrainingState, net: LossFunction, X: Array, y: Array, X_val: Array, y_val: Array) -> None:
    """Append the two accuracies to the history, and keep the model if it is the best so far."""
    state.train_acc_history.append(accuracy(net, state.model, X, y))
    state.val_acc_history.append(accuracy(net, state.model, X_val, y_val))
    if state.val_acc_history[-1] > state.best_val_acc:
        state.best_val_acc = state.val_acc_history[-1]
        state.best_model = _copied(state.model)


def _copied(model: Model) -> Model:
    return {name: w.copy() for name, w in model.items()}


def _report(state: TrainingState) -> str:
    loss, train, val = state.loss_history[-1], state.train_acc_history[-1], state.val_acc_history[-1]
    return f"loss ≈ {loss:.4f}, training accuracy ≈ {train:.3f}, validation accuracy ≈ {val:.3f}"


def _diverged(state: TrainingState, X_batch: Array) -> TrainingDivergedError:
    """Return the error for a loss that is not finite, with the likely cause."""
    it, history = state.iteration, state.loss_history
    not_finite = [name for name, w in state.model.items() if not np.isfinite(w).all()]
    if not np.isfinite(X_batch).all():
        cause = "this batch of images holds values that are not finite"
    elif it == 0:
        cause = "no step has been taken yet: look at the initial weights and at the loss function"
    elif not_finite or max(history[:-1]) > 2 * history[0]:
        grown = f"the loss had gone from {history[0]:.4g} to {history[-2]:.4g}"
        cause = f"the steps are too large ({grown}): try a learning rate ten times smaller"
    else:
        cause = "the weights and images are finite: look in the loss function for a log(0) or an exp that overflows"
    return TrainingDivergedError(f"train: the loss is {history[-1]} at iteration {it}; {cause}", it, history)


def _digest(*arrays: Array) -> str:
    """Return a checksum of arrays: of their shapes, dtypes and the values in about a thousand rows of each."""
    crc = 0
    for array in arrays:
        rows = np.ascontiguousarray(array[:: max(1, len(array) // 1000)])
        crc = zlib.crc32(rows.tobytes(), zlib.crc32(f"{array.shape}{array.dtype}".encode(), crc))
    return f"{crc:08x}"


def _check_data(X: Array, y: Array, X_val: Array, y_val: Array, model: Model) -> None:
    for name, images, labels in (("X", X, y), ("X_val", X_val, y_val)):
        if len(images) == 0 or labels.shape != (len(images),):
            found = f"{len(images)} and {labels.shape}"
            raise ValueError(f"train: {name} and its labels must have the same length, at least 1, got {found}")
        if not np.issubdtype(images.dtype, np.floating):
            raise ValueError(f"train: {name} must hold floating-point numbers, got {images.dtype}: preprocess it first")
    if X.shape[1:] != X_val.shape[1:]:
        raise ValueError(f"train: X and X_val must hold images of one size, got {X.shape[1:]} and {X_val.shape[1:]}")
    if not model:
        raise ValueError("train: model must hold at least one array, got an empty dictionary")
