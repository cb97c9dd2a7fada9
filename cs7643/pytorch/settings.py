"""All that decides what a training run computes. Only the standard library, so that ``--help`` needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

MODELS = ("softmax", "twolayernn", "convnet", "mymodel")
SCHEDULES: dict[str, Callable[[float], float]] = {  # of the part of the run that is done, from 0 to 1
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "triangle": lambda done: min(done / 0.2, (1 - done) / 0.8),  # up for a fifth of the run, then down to zero
}


@dataclass(frozen=True)
class Settings:
    """All that decides what a run computes.

    Attributes:
        model: one of MODELS.
        lr: the highest learning rate.
        momentum: the part of the velocity that is kept.
        weight_decay: the strength of the penalty on all parameters.
        batch_size: of all processes together.
        epochs: the number of passes over the training images.
        hidden_dim: hidden units, or filters, of the models that have them.
        kernel_size: of the filters.
        schedule: how the learning rate changes, one of SCHEDULES.
        flip: mirror every image in every other epoch.
        translate: move every image by up to so many pixels.
        label_smoothing: the part of the label's probability that is spread over all classes.
        amp: compute in bfloat16 where that is safe.
        num_training: the first so many images are trained on, the next 1,000 are validated on.
        seed: of the initial weights and of everything random.
    """

    model: str = "softmax"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch_size: int = 128
    epochs: int = 5
    hidden_dim: int = 64
    kernel_size: int = 5
    schedule: str = "constant"
    flip: bool = False
    translate: int = 0
    label_smoothing: float = 0.0
    amp: bool = False
    num_training: int = 49_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        _one_of("model", self.model, MODELS)
        _one_of("schedule", self.schedule, tuple(SCHEDULES))
        for name in ("batch_size", "epochs", "hidden_dim", "kernel_size", "num_training"):
            require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        require(0 < self.lr < math.inf, "lr", "positive", self.lr)
        require(0 <= self.momentum < 1, "momentum", "from 0 to below 1", self.momentum)
        require(0 <= self.weight_decay < math.inf, "weight_decay", "at least 0", self.weight_decay)
        require(0 <= self.label_smoothing < 1, "label_smoothing", "from 0 to below 1", self.label_smoothing)
        require(0 <= self.translate <= 16, "translate", "from 0 to 16 pixels", self.translate)
        require(self.seed >= 0, "seed", "at least 0", self.seed)
        require(
            self.batch_size <= self.num_training, "batch_size", f"at most {self.num_training} images", self.batch_size
        )

    def __str__(self) -> str:
        """Return the settings as options of the command line."""
        values = {f.name.replace("_", "-"): getattr(self, f.name) for f in fields(self)}
        return " ".join(
            f"--{name}" if value is True else f"--{name} {value}" for name, value in values.items() if value
        )

    def rate(self, done: float) -> float:
        """Return the learning rate when the part ``done`` of the run is over."""
        return self.lr * SCHEDULES[self.schedule](done)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"train: {name} must be one of {', '.join(allowed)}, got {value!r}")


def require(holds: bool, name: str, what: str, value: object) -> None:
    """Raise a ValueError that says what a setting must be, unless it is."""
    if not holds:
        raise ValueError(f"train: {name} must be {what}, got {value}")
