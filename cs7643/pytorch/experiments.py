"""Experiments: short runs before a training, and what five pairs of runs say about a change."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.special import stdtrit

from cs7643.data.dataset import Dataset
from cs7643.pytorch.images import DeviceImages, PixelStatistics
from cs7643.pytorch.networks import build_model
from cs7643.pytorch.settings import Settings
from cs7643.pytorch.steps import make_optimizer, update_step
from cs7643.pytorch.training import train
from cs7643.trainer import BatchOrder, TrainingDivergedError

CONFIDENCE = 0.95


def short_run(dataset: Dataset, settings: Settings, rates: Sequence[float], *, one_batch: bool = False) -> list[float]:
    """Take one step at each of these learning rates, and return the loss of each batch before its step.

    It ends early where a loss is no longer a finite number; that one is the last.

    Args:
        dataset: the images.
        settings: the model, its seed, the batches, momentum and weight decay; the rest is not used.
        rates: the learning rates, all positive.
        one_batch: take every step on the first batch.
    """
    n, losses = settings.num_training, []
    statistics = PixelStatistics.of(dataset.X_train[:n])
    images = DeviceImages(dataset.X_train[:n], dataset.y_train[:n], statistics, torch.device("cpu"))
    model = build_model(settings, images.size, len(dataset.class_names)).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(model, rates[0], settings.momentum, settings.weight_decay)
    order = BatchOrder(n, settings.batch_size, settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)  # of what the model draws: a dropout
        for step, rate in enumerate(rates):
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch = images.batch(order.indices(0 if one_batch else step))
            losses.append(update_step(model, optimizer, *batch).item())
            if not np.isfinite(losses[-1]):
                break
    return losses


@dataclass(frozen=True)
class Trials:
    """What runs came to that differ in the seed alone.

    Attributes:
        histories: for each seed, the validation accuracies after each epoch; chance, once, if the loss diverged.
        parameters: of the model.
        steps: of each run.
        seconds: of computing, by all threads, for all runs together.
    """

    histories: tuple[tuple[float, ...], ...]
    parameters: int
    steps: int
    seconds: float

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The validation accuracy at the end of each run."""
        return tuple(history[-1] for history in self.histories)


def repeat(dataset: Dataset, settings: Settings, seeds: Iterable[int]) -> Trials:
    """Train once with each seed; arguments and errors as for `train`, but a run that diverges does not end them."""
    histories, start, classes = [], time.process_time(), len(dataset.class_names)
    for seed in seeds:
        try:
            histories.append(tuple(train(dataset, replace(settings, seed=seed)).val_accuracies))
        except TrainingDivergedError:
            histories.append((1 / classes,))
    seconds = time.process_time() - start
    channels, height, width = dataset.X_train.shape[1:]
    model = build_model(settings, (channels, height, width), classes)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    steps = settings.epochs * (settings.num_training // settings.batch_size)
    return Trials(tuple(histories), parameters, steps, seconds)


@dataclass(frozen=True)
class Effect:
    """What a change does to an accuracy, from pairs of runs: the same seed with and without it.

    Attributes:
        differences: of each pair, with minus without, as fractions.
        mean: of the differences.
        low: the lower end of the interval that holds the true mean with 95 % confidence.
        high: its upper end.
    """

    differences: tuple[float, ...]
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, changed: Sequence[float], base: Sequence[float]) -> Effect:
        """Compute it from the accuracies with and without the change, in the same order of seeds.

        The interval is Student's: it holds if the differences of many seeds follow a normal distribution.
        """
        count = len(base)
        if len(changed) != count or count < 2:
            raise ValueError(f"Effect: expected pairs, at least 2 of them, got {len(changed)} and {count} accuracies")
        differences = np.subtract(changed, base)
        mean, error = float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(count))
        half = float(stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
        return cls(tuple(differences.tolist()), mean, mean - half, mean + half)

    def __str__(self) -> str:
        """Say what follows from the interval, in percentage points."""
        count, interval = len(self.differences), f"{100 * self.low:+.1f} to {100 * self.high:+.1f}"
        if self.low <= 0 <= self.high:
            return f"{count} seeds do not decide ({interval} points)"
        return f"{'helps by' if self.mean > 0 else 'costs'} {100 * abs(self.mean):.1f} points ({interval})"
