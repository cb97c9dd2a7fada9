"""The settings that decide what a training run computes. Only the standard library, so that ``--help`` is fast."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TypeVar

T = TypeVar("T")

MODELS = ("softmax", "twolayernn", "convnet", "mymodel")
SCHEDULES: dict[str, Callable[[float], float]] = {  # of the fraction of the run that is done, from 0 to 1
    "constant": lambda done: 1.0,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
    "triangle": lambda done: min(done / 0.2, (1 - done) / 0.8),  # up for a fifth of the run, then down to zero
}


def _setting(default: T, what: str, choices: tuple[str, ...] | None = None) -> T:
    return field(default=default, metadata={"what": what, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a run computes; the texts are also those of ``train --help``."""

    model: str = _setting("softmax", "which model", MODELS)
    lr: float = _setting(1e-3, "the highest learning rate")
    momentum: float = _setting(0.9, "the fraction of the velocity that is kept")
    weight_decay: float = _setting(0.0, "the strength of the penalty on all parameters")
    batch_size: int = _setting(128, "images per step, over all processes together")
    epochs: int = _setting(5, "passes over the training images")
    hidden_dim: int = _setting(64, "hidden units, or filters, in the models that have them")
    kernel_size: int = _setting(5, "the height and width of a filter")
    schedule: str = _setting("constant", "how the learning rate changes", tuple(SCHEDULES))
    flip: bool = _setting(False, "mirror every training image in every other epoch")
    translate: int = _setting(0, "move each training image by up to this many pixels")
    label_smoothing: float = _setting(0.0, "the fraction of the label's probability that is spread over all classes")
    amp: bool = _setting(False, "compute in bfloat16, on devices that support it; otherwise it is ignored")
    num_training: int = _setting(49_000, "train on the first this many images, and validate on the next 1,000")
    seed: int = _setting(0, "the seed of the initial weights and of everything random")

    def __post_init__(self) -> None:
        """Check every value."""
        for f in fields(self):
            value, choices = getattr(self, f.name), f.metadata["choices"]
            require(choices is None or value in choices, f.name, f"one of {', '.join(choices or ())}", repr(value))
        for name in ("batch_size", "epochs", "hidden_dim", "kernel_size", "num_training"):
            require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        require(0 < self.lr < math.inf, "lr", "positive", self.lr)
        require(0 <= self.momentum < 1, "momentum", "from 0 to below 1", self.momentum)
        require(0 <= self.weight_decay < math.inf, "weight_decay", "at least 0", self.weight_decay)
        require(0 <= self.label_smoothing < 1, "label_smoothing", "from 0 to below 1", self.label_smoothing)
        require(0 <= self.translate <= 16, "translate", "from 0 to 16 pixels", self.translate)
        require(self.seed >= 0, "seed", "at least 0", self.seed)
        most = self.num_training
        require(self.batch_size <= most, "batch_size", f"at most {most} images", self.batch_size)

    def __str__(self) -> str:
        """Return the settings as options of the command line."""
        values = {f.name.replace("_", "-"): getattr(self, f.name) for f in fields(self)}
        return " ".join(
            f"--{name}" if value is True else f"--{name} {value}" for name, value in values.items() if value
        )

    def rate(self, done: float) -> float:
        """Return the learning rate when the fraction ``done`` of the run is over."""
        return self.lr * SCHEDULES[self.schedule](done)


def require(holds: bool, name: str, what: str, value: object) -> None:
    """Raise a ValueError that says what a setting must be, unless it is."""
    if not holds:
        raise ValueError(f"train: {name} must be {what}, got {value}")
