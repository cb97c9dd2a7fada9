"""The loop that trains a model: batches, learning rates, measurements, logs and checkpoints, in one process or several.

Everything random in a step follows from the seed and the step's number alone: the batch, its augmentation, a dropout.
So a run that was killed and continues from its checkpoint ends with the same bits on the CPU, and several processes
together see what one process sees.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursework.progress import progress_bar
from cs7643.data.dataset import Dataset
from cs7643.fast.memory import keep_freed_memory
from cs7643.pytorch.evaluation import Measurement, evaluate, warn_of_probabilities
from cs7643.pytorch.images import Augmentation, DeviceImages, PixelStatistics
from cs7643.pytorch.networks import MixedPrecision, build_model, first_filters
from cs7643.pytorch.processes import Processes, share_batch_norm
from cs7643.pytorch.runfiles import RunFiles, RunLog, load, save
from cs7643.pytorch.settings import Settings, require
from cs7643.pytorch.steps import make_optimizer, update_step
from cs7643.trainer import BatchOrder, TrainingDivergedError, check_same_run

NUM_VALIDATION = 1000
SNAPSHOT_FILTERS = 16  # this many filters are kept after every epoch, for the picture of how they developed


@dataclass(kw_only=True)
class Progress:
    """Everything that changes during a run, besides the model and the optimiser.

    An epoch has "epoch", "train_loss" (the mean of its batches), "val_loss", "val_accuracy" and "lr".
    """

    iteration: int = 0  # the number of steps taken
    seconds: float = 0.0  # of training, without the set-up
    losses: list[float] = field(default_factory=list)  # of each batch, before its step
    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0  # after which the validation accuracy was highest
    best_val_accuracy: float = -1.0
    best_model: dict[str, Tensor] = field(default_factory=dict)  # the weights then, on the CPU
    snapshots: list[Tensor] = field(default_factory=list)  # the first filters at the start and after each epoch


@dataclass(kw_only=True)
class Run(Progress):
    """A finished run."""

    settings: Settings
    model: nn.Module  # with the weights that did best on the validation images
    statistics: PixelStatistics  # what the images were normalised with
    test: Measurement  # loss and accuracy on all test images

    @property
    def val_accuracies(self) -> list[float]:
        """The validation accuracy after each epoch."""
        return [epoch["val_accuracy"] for epoch in self.epochs]


def train(
    dataset: Dataset,
    settings: Settings,
    *,
    device: torch.device | str = "cpu",
    files: RunFiles | None = None,
    resume: bool = False,
    where: Processes | None = None,
    test_batch_size: int = 1000,
    log_interval: int = 10,
    checkpoint_every: int = 200,
    compiled: bool = False,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Train a model, keep the weights that do best on the validation images, and test those.

    Args:
        dataset: the images.
        settings: what to train, and how.
        device: where to compute.
        files: the run's files; None to write none.
        resume: continue from the checkpoint, if there is one; it must belong to the same settings and images.
        where: the processes that train together; None for this one alone.
        test_batch_size: the number of images measured at a time.
        log_interval: the number of steps between two lines in the logs; the loss is looked at only then.
        checkpoint_every: the number of steps between two checkpoints; there is also one after every epoch.
        compiled: compile the model with torch.compile first.
        say: shows a line of the log; None to show nothing.

    Raises:
        ValueError: if the settings do not fit the images or the number of processes, or the checkpoint does not fit.
        TrainingDivergedError: if the loss is no longer a finite number.
    """
    where, device = where or Processes(), torch.device(device)
    keep_freed_memory()
    counts = {"test_batch_size": test_batch_size, "log_interval": log_interval, "checkpoint_every": checkpoint_every}
    for name, value in counts.items():
        require(value >= 1, name, "at least 1", value)
    most = len(dataset.X_train) - NUM_VALIDATION
    require(settings.num_training <= most, "num_training", f"at most {most}", settings.num_training)
    divisible = f"a multiple of the number of processes, {where.count}"
    require(settings.batch_size % where.count == 0, "batch_size", divisible, settings.batch_size)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        loop = _Loop(dataset, settings, device, where, test_batch_size, compiled)
        saved = load(files.checkpoint) if resume and files is not None and files.checkpoint.exists() else None
        position = loop.restore(saved) if saved else (0, 0)
        where.wait()  # until all have looked for the checkpoint
        files = files if where.is_first else None
        shown = say if say is not None and where.is_first else lambda _: None
        if saved:
            shown(f"continuing from step {loop.progress.iteration} of {loop.steps}")
        elif files is not None and resume:
            shown("no checkpoint yet: starting from the beginning")
        elif files is not None and files.checkpoint.exists():
            files.checkpoint.unlink()  # it belongs to the log that is about to be overwritten
            shown("starting over: the checkpoint of an earlier run is removed (--resume would have continued it)")
        with RunLog(files, shown, position) as log:
            if not saved:
                loop.announce(log)
                loop.save_checkpoint(files, log)
            loop.run(log, files, log_interval, checkpoint_every)
            return loop.finish(log, files)


class _Loop:
    """One run: the model, its optimiser, the images, and the progress."""

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        device: torch.device,
        where: Processes,
        test_batch_size: int,
        compiled: bool,
    ) -> None:
        self.settings, self.device, self.where = settings, device, where
        self.dataset, self.test_batch_size = dataset, test_batch_size
        n = settings.num_training
        training, validation = slice(n), slice(n, n + NUM_VALIDATION)
        self.statistics = PixelStatistics.of(dataset.X_train[training])
        self.training = self.images(dataset.X_train[training], dataset.y_train[training])
        self.validation = self.images(dataset.X_train[validation], dataset.y_train[validation])
        self.augmentation = Augmentation(settings.flip, settings.translate, settings.seed)
        self.order = BatchOrder(n, settings.batch_size, settings.seed)
        self.steps = settings.epochs * self.order.per_epoch
        self.progress = Progress()

        model = build_model(settings, self.training.size, len(dataset.class_names))
        self.model = model.to(device).to(memory_format=torch.channels_last)
        if where.count > 1:
            self.model = share_batch_norm(self.model)
        self.optimizer = make_optimizer(self.model, settings.lr, settings.momentum, settings.weight_decay)
        self.network = MixedPrecision(self.model, device.type) if settings.amp else self.model
        if compiled:
            self.network = torch.compile(self.network)  # type: ignore[assignment]
        self.trained = where.share(self.network)
        self.loss_function = functools.partial(F.cross_entropy, label_smoothing=settings.label_smoothing)

    def images(self, X: Any, y: Any) -> DeviceImages:
        return DeviceImages(X, y, self.statistics, self.device)

    def announce(self, log: RunLog) -> None:
        """Begin the logs: what is trained, and on which images."""
        mean, std = ("/".join(f"{value:.4f}" for value in values) for values in asdict(self.statistics).values())
        parameters = sum(parameter.numel() for parameter in self.model.parameters())
        log.line(f"{self.dataset.name}: {len(self.training)} training, {len(self.validation)} validation images")
        log.line(f"pixels: mean {mean}, standard deviation {std}")
        log.line(f"{type(self.model).__name__}: {parameters} parameters, on {self.device.type}")
        log.line(f"settings: {self.settings}")
        log.record("run", dataset=self.dataset.name, settings=asdict(self.settings), parameters=parameters)
        if self.where.is_first:
            warn_of_probabilities(self.model, self.training.batch(slice(0, 8))[0])
        self.progress.snapshots.append(self.snapshot())

    def run(self, log: RunLog, files: RunFiles | None, log_interval: int, checkpoint_every: int) -> None:
        """Take all remaining steps."""
        progress, per_epoch = self.progress, self.order.per_epoch
        pending: list[Tensor] = []  # losses still on the device: reading each one would mean waiting for it
        self.model.train()
        start = time.perf_counter() - progress.seconds
        bar_options: dict[str, Any] = {} if self.where.is_first else {"disable": True}
        with progress_bar(total=self.steps, initial=progress.iteration, unit="step", **bar_options) as bar:
            for iteration in range(progress.iteration, self.steps):
                pending.append(self.step(iteration))
                progress.iteration = iteration + 1
                epoch_ends = progress.iteration % per_epoch == 0
                checkpoint = progress.iteration % checkpoint_every == 0
                if epoch_ends or checkpoint or progress.iteration % log_interval == 0:
                    self.look_at(pending, log)
                    bar.set_postfix_str(f"loss {progress.losses[-1]:.4f}", refresh=False)
                if epoch_ends:
                    self.measure(log)
                    bar.set_postfix_str(f"validation accuracy {progress.epochs[-1]['val_accuracy']:.3f}")
                if epoch_ends or checkpoint:
                    progress.seconds = time.perf_counter() - start
                    self.save_checkpoint(files, log)
                bar.update()
        progress.seconds = time.perf_counter() - start

    def step(self, iteration: int) -> Tensor:
        """Take one step and return its loss, still on the device."""
        settings, where = self.settings, self.where
        whole = self.order.indices(iteration)
        assert isinstance(whole, np.ndarray)
        epoch = iteration // self.order.per_epoch
        mirrored = self.augmentation.mirrored(whole, len(self.training), epoch) if settings.flip else None
        shifts = self.augmentation.shifts(len(whole), iteration) if settings.translate else None
        images, labels = self.training.batch(*map(where.part, (whole, mirrored, shifts)))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate(iteration / self.steps)
        seed = np.random.SeedSequence([settings.seed, 3, iteration, where.rank])  # of what the model draws: a dropout
        torch.manual_seed(int(seed.generate_state(1, np.uint32)[0]))
        return update_step(self.trained, self.optimizer, images, labels, self.loss_function)

    def look_at(self, pending: list[Tensor], log: RunLog) -> None:
        """Read the losses from the device, log them, and stop if one is not finite."""
        losses = self.where.mean(torch.stack(pending).cpu().double()).tolist()
        pending.clear()
        progress, first = self.progress, len(self.progress.losses)
        progress.losses += losses
        log.record("steps", iteration=progress.iteration, losses=losses)
        epoch, place = divmod(progress.iteration - 1, self.order.per_epoch)
        log.line(f"epoch {epoch + 1}, step {place + 1} of {self.order.per_epoch}: loss {losses[-1]:.4f}")
        bad = next((k for k, loss in enumerate(losses, first) if not math.isfinite(loss)), None)
        if bad is not None:
            advice = "try a learning rate ten times smaller" if bad else "look at the images and the initial weights"
            message = f"train: the loss is {progress.losses[bad]} at step {bad + 1} of {self.steps}: {advice}"
            log.line(message)
            raise TrainingDivergedError(message, bad, progress.losses)

    def measure(self, log: RunLog) -> None:
        """Measure on the validation images, and keep the weights if they are the best so far."""
        progress, per_epoch = self.progress, self.order.per_epoch
        found = evaluate(self.network, self.validation, self.test_batch_size, self.where)
        epoch, train_loss = progress.iteration // per_epoch, float(np.mean(progress.losses[-per_epoch:]))
        measured = {"epoch": epoch, "train_loss": train_loss, "val_loss": found.loss, "val_accuracy": found.accuracy}
        measured["lr"] = float(self.optimizer.param_groups[0]["lr"])
        progress.epochs.append(measured)
        progress.snapshots.append(self.snapshot())
        log.record("epoch", **measured)
        log.line(
            f"epoch {epoch} of {self.settings.epochs}: training loss {train_loss:.4f}, "
            f"validation loss {found.loss:.4f}, validation accuracy {found.accuracy:.4f}"
        )
        if found.accuracy > progress.best_val_accuracy:
            progress.best_epoch, progress.best_val_accuracy = epoch, found.accuracy
            progress.best_model = {name: w.to("cpu", copy=True) for name, w in self.model.state_dict().items()}

    def finish(self, log: RunLog, files: RunFiles | None) -> Run:
        """Test the best weights, and write the last lines and the model's file."""
        progress, dataset = self.progress, self.dataset
        self.model.load_state_dict(progress.best_model)
        test = evaluate(self.network, self.images(dataset.X_test, dataset.y_test), self.test_batch_size, self.where)
        log.line(f"best validation accuracy {progress.best_val_accuracy:.4f}, after epoch {progress.best_epoch}")
        log.line(f"test accuracy {test.accuracy:.4f}, test loss {test.loss:.4f} ({len(dataset.X_test)} images)")
        log.record("test", epoch=progress.best_epoch, seconds=progress.seconds, **asdict(test))
        if files is not None:
            content = {
                **{"model": progress.best_model, "epoch": progress.best_epoch, "snapshots": progress.snapshots},
                **{"settings": asdict(self.settings), "statistics": asdict(self.statistics), "test": asdict(test)},
                **{"dataset": dataset.name, "im_size": self.training.size, "n_classes": len(dataset.class_names)},
            }
            save(files.model, content)
        self.where.wait()
        return Run(settings=self.settings, model=self.model, statistics=self.statistics, test=test, **vars(progress))

    def snapshot(self) -> Tensor:
        """Return a copy of the first filters."""
        return first_filters(self.model, self.training.size)[:SNAPSHOT_FILTERS].to("cpu", torch.float16, copy=True)

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must have in common with the run that continues from it."""
        return {**asdict(self.settings), "images": f"{self.dataset.name}, {self.statistics.mean}"}

    def save_checkpoint(self, files: RunFiles | None, log: RunLog) -> None:
        """Write everything that the run needs to continue."""
        if files is not None:
            states = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
            progress = {"run": self.identity(), "position": log.position(), "progress": vars(self.progress)}
            save(files.checkpoint, {**states, **progress})

    def restore(self, saved: dict[str, Any]) -> tuple[int, int]:
        """Take over the state of a checkpoint, and return the lengths of the logs when it was written."""
        try:
            advice = "leave out --resume to start over, or give another --output"
            check_same_run("the checkpoint", saved["run"], self.identity(), advice)
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.progress = Progress(**saved["progress"])
            first, second = saved["position"]
        except (KeyError, TypeError, RuntimeError) as error:
            raise ValueError(f"train: the checkpoint does not fit this program ({error}); start over") from error
        return first, second
