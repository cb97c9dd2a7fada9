"""Pictures of training: losses, accuracies, tuning, and confusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from cs7643.plots.style import BLUE, GREEN, PALETTE, SKY, VERMILION, clean, listed

Array = NDArray[Any]


def compare_losses(histories: Mapping[str, Sequence[float]], title: str, top: float | None = None) -> Figure:
    """Draw several loss histories (one value per iteration) in one panel, up to ``top``; what is above leaves it."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    for (label, history), colour in zip(histories.items(), PALETTE, strict=False):
        shown = np.minimum(history, np.inf if top is None else 2 * top)  # a run that diverges would set the scale
        axis.plot(np.arange(1, len(history) + 1), shown, label=label, color=colour)
    axis.set(xlabel="iteration", ylabel="loss (nats)", title=title)
    if top is not None:
        axis.set_ylim(0, top)
    axis.legend(frameon=False)
    return clean(
        figure,
        f"{title}. The loss, first and last: "
        + listed(f"{label}, {history[0]:.3g} and {history[-1]:.3g}" for label, history in histories.items()),
    )


def training_curves(
    loss_history: Sequence[float],
    train_acc: Sequence[float],
    val_acc: Sequence[float],
    title: str,
    at: Sequence[int] | None = None,
) -> Figure:
    """Draw a training run: the loss of each batch with its running mean, and both accuracies as they were measured.

    Args:
        loss_history: of each iteration.
        train_acc: fractions.
        val_acc: fractions.
        title: of the picture.
        at: the iterations after which the accuracies were measured; by default the first one and every epoch.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2))
    draw_losses(left, np.arange(1, len(loss_history) + 1), loss_history, len(loss_history) // 30)
    left.set(xlabel="iteration", ylabel="loss (nats)", title="loss")
    measurements = np.arange(len(train_acc)) if at is None else np.asarray(at)
    right.plot(measurements, np.multiply(train_acc, 100), "o-", ms=3, color=VERMILION, label="training")
    right.plot(measurements, np.multiply(val_acc, 100), "s-", ms=3, color=GREEN, label="validation")
    right.set(
        xlabel="epoch (0: after one step)" if at is None else "iteration", ylabel="accuracy (%)", title="accuracy"
    )
    right.legend(frameon=False)
    figure.suptitle(title)
    return clean(
        figure,
        f"{title}. {fell(loss_history)} in {len(loss_history)} iterations. The training accuracy rises from "
        f"{train_acc[0]:.1%} to {train_acc[-1]:.1%}, the validation accuracy from {val_acc[0]:.1%} to "
        f"{val_acc[-1]:.1%}.",
    )


def fell(losses: Sequence[float]) -> str:
    """Say from where to where a loss went: the means of its first and its last tenth."""
    tenth = max(1, len(losses) // 10)
    return f"The loss goes from {np.mean(losses[:tenth]):.3g} to {np.mean(losses[-tenth:]):.3g} nats"


def draw_losses(axis: Axes, x: Array, losses: Sequence[float], window: int) -> None:
    """Draw the loss of each batch and, if ``window`` is above 1, the running mean of that many losses."""
    axis.plot(x, losses, color=SKY, alpha=0.6, lw=0.8, label="one batch")
    if window > 1:
        smooth = np.convolve(losses, np.full(window, 1 / window), mode="valid")
        axis.plot(x[window - 1 :], smooth, color=BLUE, label=f"mean of {window}")
    axis.legend(frameon=False)


def accuracy_map(accuracies: ArrayLike, rows: Sequence[object], columns: Sequence[object], title: str) -> Figure:
    """Draw a table of accuracies (fractions) as a coloured map; rows and columns are (name, values...).

    An accuracy that is no number stands for a run that diverged.
    """
    values = 100 * np.asarray(accuracies, dtype=np.float64)
    figure, axis = plt.subplots(figsize=(1.4 * len(columns), 0.75 * len(rows) + 1.2))
    axis.imshow(values, cmap="cividis", aspect="auto")
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (i, j), value in np.ndenumerate(values):
        text, colour = f"{value:.1f}", "black" if value > middle else "white"
        if np.isnan(value):
            text, colour = "diverged", "black"  # the cell has no colour
        axis.text(j, i, text, ha="center", va="center", color=colour)
    axis.set(xlabel=str(columns[0]), ylabel=str(rows[0]), title=title)
    axis.set_xticks(range(len(columns) - 1), [str(value) for value in columns[1:]])
    axis.set_yticks(range(len(rows) - 1), [str(value) for value in rows[1:]])
    best, worst = (
        f"{values[i, j]:.1f} at {rows[0]} {rows[1 + i]} and {columns[0]} {columns[1 + j]}"
        for i, j in (divmod(int(place), values.shape[1]) for place in (np.nanargmax(values), np.nanargmin(values)))
    )
    lost = f" {np.isnan(values).sum()} diverged." if np.isnan(values).any() else ""
    return clean(
        figure, f"{title}, for each {rows[0]} and {columns[0]}. The best is {best}; the worst is {worst}.{lost}"
    )


def confusion_matrix(y: Array, predicted: Array, class_names: Sequence[str], title: str) -> Figure:
    """Draw how often each class (a row) was classified as each other (a column), in percent of the row."""
    counts = np.zeros((len(class_names), len(class_names)))
    np.add.at(counts, (y, predicted), 1)
    percent = 100 * counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    figure, axis = plt.subplots(figsize=(6, 5.4))
    axis.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for (i, j), value in np.ndenumerate(percent):
        if value >= 0.5:
            axis.text(j, i, f"{value:.0f}", ha="center", va="center", size=8, color="white" if value > 55 else "black")
    axis.set_xticks(range(len(class_names)), class_names, rotation=45, ha="right")
    axis.set_yticks(range(len(class_names)), class_names)
    axis.set(xlabel="predicted", ylabel="true", title=title)
    right, off = np.diag(percent), percent - np.diag(np.diag(percent))
    taken, taken_for = np.unravel_index(off.argmax(), off.shape)
    return clean(
        figure,
        f"{title}. Of each class, the percentage that is recognised: "
        + ", ".join(f"{name} {share:.0f}" for name, share in zip(class_names, right, strict=True))
        + f". The most frequent mistake: {off.max():.0f} % of {class_names[taken]} is taken for "
        f"{class_names[taken_for]}.",
    )
