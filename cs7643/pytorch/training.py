"""The loop that trains a model: batches, schedule, measurements, logs, checkpoints, one process or several.

Whatever is random in a step follows from the seed and the step's number alone: the batch, its augmentation, a dropout.
So a run that was killed and goes on from its checkpoint ends with the same bits on the CPU, and several processes see
together what one process sees.
"""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
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
from cs7643.pytorch.models import CNN, MyModel, Softmax, TwoLayerNN
from cs7643.pytorch.processes import Processes, share_batch_norm
from cs7643.pytorch.runfiles import RunFiles, RunLog, load, save
from cs7643.pytorch.settings import Settings, require
from cs7643.pytorch.steps import make_optimizer, update_step
from cs7643.trainer import BatchOrder, TrainingDivergedError

NUM_VALIDATION = 1000
SNAPSHOT_FILTERS = 16  # so many filters are kept after every epoch, for the picture of how they came about


@dataclass
class Progress:
    """All that changes while a model trains; with the model and the optimiser, all that a checkpoint holds."""

    iteration: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_val_accuracy: float = -1.0
    best_model: dict[str, Tensor] = field(default_factory=dict)
    snapshots: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        settings: what was trained, and how.
        model: with the weights that did best on the validation images.
        statistics: what the images were normalised with.
        losses: of each batch, before its step.
        epochs: for each epoch "epoch", "train_loss" (mean of its batches), "val_loss", "val_accuracy", "lr".
        best_epoch: after which epoch the weights were those of ``model``.
        test: loss and accuracy on all test images.
        seconds: of the training, without the set-up.
        snapshots: the first filters before training and after each epoch, (up to 16, C, HH, WW) each.
    """

    settings: Settings
    model: nn.Module
    statistics: PixelStatistics
    losses: list[float]
    epochs: list[dict[str, float]]
    best_epoch: int
    test: Measurement
    seconds: float
    snapshots: list[Tensor]

    @property
    def val_accuracies(self) -> list[float]:
        """The validation accuracy after each epoch."""
        return [epoch["val_accuracy"] for epoch in self.epochs]


def build_model(settings: Settings, im_size: tuple[int, int, int], n_classes: int) -> nn.Module:
    """Make the model that the settings name, with initial weights from their seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if settings.model == "softmax":
            return Softmax(im_size, n_classes)
        if settings.model == "twolayernn":
            return TwoLayerNN(im_size, settings.hidden_dim, n_classes)
        maker = CNN if settings.model == "convnet" else MyModel
        return maker(im_size, settings.hidden_dim, settings.kernel_size, n_classes)


class MixedPrecision(nn.Module):
    """A model whose products and convolutions are computed in bfloat16; weights and logits stay float32."""

    def __init__(self, model: nn.Module, device_type: str) -> None:
        super().__init__()
        self.model = model
        self.device_type = device_type

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, in float32."""
        with torch.autocast(self.device_type, torch.bfloat16):
            logits: Tensor = self.model(images)
        return logits.float()


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
        device: where.
        files: the run's files; None for none.
        resume: go on from the checkpoint, if there is one; it must belong to the same settings and images.
        where: the processes that train together; None for this one alone.
        test_batch_size: so many images are measured at a time.
        log_interval: a line in the logs every so many steps; only then is the loss looked at.
        checkpoint_every: write the checkpoint every so many steps, and after every epoch.
        compiled: compile the model with torch.compile first.
        say: shows a line of the log; None for silence.

    Raises:
        ValueError: if the settings do not fit the images or the number of processes, or the checkpoint does not fit.
        TrainingDivergedError: if the loss is not a finite number any more.
    """
    where, device = where or Processes(), torch.device(device)
    keep_freed_memory()
    for name, value in (
        ("test_batch_size", test_batch_size),
        ("log_interval", log_interval),
        ("checkpoint_every", checkpoint_every),
    ):
        require(value >= 1, name, "at least 1", value)
    most = len(dataset.X_train) - NUM_VALIDATION
    require(settings.num_training <= most, "num_training", f"at most {most}", settings.num_training)
    if settings.batch_size % where.count:
        raise ValueError(
            f"train: batch_size must be a multiple of the number of processes, {where.count}, got {settings.batch_size}"
        )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        loop = _Loop(dataset, settings, device, where, test_batch_size, compiled)
        saved = load(files.checkpoint) if resume and files is not None and files.checkpoint.exists() else None
        position = loop.restore(saved) if saved else (0, 0)
        shown = say if say is not None and where.is_first else lambda _: None
        where.wait()  # all have looked
        if saved is None and files is not None and where.is_first:
            if resume:
                shown("no checkpoint yet: starting from the beginning")
            elif files.checkpoint.exists():
                files.checkpoint.unlink()  # it belongs to the log that is about to go
                shown("starting over: the checkpoint of an earlier run is removed (--resume would have continued it)")
        with RunLog(files if where.is_first else None, shown, position) as log:
            if saved is None:
                loop.announce(log)
                loop.save_checkpoint(files, log)
            elif where.is_first:
                shown(f"going on from step {loop.progress.iteration} of {loop.steps}")
            loop.run(log, files, log_interval, checkpoint_every)
            return loop.finish(log, files)


class _Loop:
    """One run: the model, its optimiser, the images, and how far it is."""

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
        self.n_classes = len(dataset.class_names)
        n = settings.num_training
        self.statistics = PixelStatistics.of(dataset.X_train[:n])
        self.training = self.images(dataset.X_train[:n], dataset.y_train[:n])
        self.validation = self.images(dataset.X_train[n : n + NUM_VALIDATION], dataset.y_train[n : n + NUM_VALIDATION])
        self.augmentation = Augmentation(settings.flip, settings.translate, settings.seed)
        self.order = BatchOrder(n, settings.batch_size, settings.seed)
        self.steps = settings.epochs * self.order.per_epoch
        self.progress = Progress()

        model = build_model(settings, self.training.size, self.n_classes)
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
        """Put images onto the device."""
        return DeviceImages(X, y, self.statistics, self.device)

    def announce(self, log: RunLog) -> None:
        """Begin the logs: what is trained, on what."""
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
        """Take all steps that are left."""
        progress, per_epoch = self.progress, self.order.per_epoch
        pending: list[Tensor] = []  # losses that are still on the device: looking at each would wait for each
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
        epoch = iteration // self.order.per_epoch
        whole = self.order.indices(iteration)
        assert isinstance(whole, np.ndarray)
        mirrored = self.augmentation.mirrored(whole, len(self.training), epoch) if settings.flip else None
        shifts = self.augmentation.shifts(len(whole), iteration) if settings.translate else None
        images, labels = self.training.batch(*map(where.part, (whole, mirrored, shifts)))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate(iteration / self.steps)
        torch.manual_seed(_seed_of(settings.seed, iteration, where.rank))
        return update_step(self.trained, self.optimizer, images, labels, self.loss_function)

    def look_at(self, pending: list[Tensor], log: RunLog) -> None:
        """Take the losses from the device, write them down, and stop when one is not finite."""
        losses = self.where.mean(torch.stack(pending).cpu().double()).tolist()
        pending.clear()
        progress = self.progress
        progress.losses += losses
        log.record("steps", iteration=progress.iteration, losses=losses)
        epoch, place = divmod(progress.iteration - 1, self.order.per_epoch)
        log.line(f"epoch {epoch + 1}, step {place + 1} of {self.order.per_epoch}: loss {losses[-1]:.4f}")
        looked_at = len(progress.losses) - len(losses)  # those before were finite
        bad = next((k for k, loss in enumerate(losses, start=looked_at) if not math.isfinite(loss)), None)
        if bad is not None:
            cause = (
                "look at the images and the initial weights" if bad == 0 else "try a learning rate ten times smaller"
            )
            message = f"train: the loss is {progress.losses[bad]} at step {bad + 1} of {self.steps}: {cause}"
            log.line(message)
            raise TrainingDivergedError(message, bad, progress.losses)

    def measure(self, log: RunLog) -> None:
        """Measure on the validation images, and keep the weights if they are the best so far."""
        progress = self.progress
        found = evaluate(self.network, self.validation, self.test_batch_size, self.where)
        epoch = progress.iteration // self.order.per_epoch
        train_loss = float(np.mean(progress.losses[-self.order.per_epoch :]))
        rate = self.optimizer.param_groups[0]["lr"]
        progress.epochs.append(
            {
                **{"epoch": epoch, "train_loss": train_loss, "val_loss": found.loss},
                **{"val_accuracy": found.accuracy, "lr": float(rate)},
            }
        )
        progress.snapshots.append(self.snapshot())
        log.record("epoch", **progress.epochs[-1])
        log.line(
            f"epoch {epoch} of {self.settings.epochs}: training loss {train_loss:.4f}, "
            f"validation loss {found.loss:.4f}, validation accuracy {found.accuracy:.4f}"
        )
        if found.accuracy > progress.best_val_accuracy:
            progress.best_epoch, progress.best_val_accuracy = epoch, found.accuracy
            progress.best_model = {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def finish(self, log: RunLog, files: RunFiles | None) -> Run:
        """Test the best weights and write the last lines and the model's file."""
        progress = self.progress
        self.model.load_state_dict(progress.best_model)
        test = evaluate(
            self.network, self.images(self.dataset.X_test, self.dataset.y_test), self.test_batch_size, self.where
        )
        count = len(self.dataset.X_test)
        log.line(f"best validation accuracy {progress.best_val_accuracy:.4f}, after epoch {progress.best_epoch}")
        log.line(f"test accuracy {test.accuracy:.4f}, test loss {test.loss:.4f} ({count} images)")
        log.record("test", epoch=progress.best_epoch, seconds=progress.seconds, **asdict(test))
        if files is not None and self.where.is_first:
            about = {
                **{"settings": asdict(self.settings), "statistics": asdict(self.statistics)},
                **{"im_size": self.training.size, "n_classes": self.n_classes, "dataset": self.dataset.name},
                **{"test": asdict(test), "snapshots": progress.snapshots, "epoch": progress.best_epoch},
            }
            save(files.model, {"model": _on_cpu(progress.best_model), **about})
        self.where.wait()
        return Run(
            settings=self.settings,
            model=self.model,
            statistics=self.statistics,
            losses=progress.losses,
            epochs=progress.epochs,
            best_epoch=progress.best_epoch,
            test=test,
            seconds=progress.seconds,
            snapshots=progress.snapshots,
        )

    def snapshot(self) -> Tensor:
        """Return the first filters as they are now."""
        return first_filters(self.model, self.training.size)[:SNAPSHOT_FILTERS].to("cpu", torch.float16, copy=True)

    def save_checkpoint(self, files: RunFiles | None, log: RunLog) -> None:
        """Write all that the run needs to go on."""
        if files is not None and self.where.is_first:
            content = {
                **{"settings": asdict(self.settings), "images": self._images_name(), "position": log.position()},
                **{"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()},
                "progress": {f.name: getattr(self.progress, f.name) for f in fields(Progress)},
            }
            save(files.checkpoint, content)

    def restore(self, saved: dict[str, Any]) -> tuple[int, int]:
        """Take over the state of a checkpoint and return the lengths of the logs at its time."""
        try:
            theirs = {**saved["settings"], "images": saved["images"]}
            ours = {**asdict(self.settings), "images": self._images_name()}
            differing = [
                f"{name} was {theirs.get(name)}, is {ours[name]}" for name in ours if theirs.get(name) != ours[name]
            ]
            if differing:
                raise ValueError(
                    f"train: the checkpoint belongs to another run ({'; '.join(differing)}); "
                    f"leave out --resume to begin anew, or give another --output"
                )
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.progress = Progress(**saved["progress"])
            first, second = saved["position"]
        except (KeyError, TypeError, RuntimeError) as error:
            raise ValueError(f"train: the checkpoint does not fit this program ({error}); begin anew") from error
        return first, second

    def _images_name(self) -> str:
        return f"{self.dataset.name}, {self.statistics.mean}"


def first_filters(model: nn.Module, im_size: tuple[int, int, int]) -> Tensor:
    """Return the weights that meet the image, as pictures: filters (F, C, HH, WW), or hidden units (F, C, H, W).

    Raises:
        ValueError: if the model's first layer is neither a convolution nor an affine layer on whole images.
    """
    for parameter in model.parameters():
        if parameter.ndim == 4 and parameter.shape[1] == im_size[0]:
            return parameter.detach()
        if parameter.ndim == 2 and parameter.shape[1] == math.prod(im_size):
            return parameter.detach().reshape(-1, *im_size)
    raise ValueError(
        f"first_filters: {type(model).__name__} has no layer whose weights can be shown as images {im_size}"
    )


def choose_device(no_cuda: bool = False) -> torch.device:
    """Return the CUDA card of this process, else an Apple GPU, else the CPU; ``no_cuda`` asks for the CPU."""
    if not no_cuda and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if not no_cuda and sys.platform == "darwin" and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def knows_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16 by itself; a CPU that has to imitate it takes many times longer."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type != "cpu" or any(
        has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16")
    )


def _seed_of(seed: int, iteration: int, rank: int) -> int:
    """Return the seed of whatever PyTorch draws in a step, such as a dropout."""
    return int(np.random.SeedSequence([seed, 3, iteration, rank]).generate_state(1, np.uint32)[0])


def _on_cpu(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in arrays.items()}
