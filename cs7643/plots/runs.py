"""Pictures of training runs in PyTorch: their curves, the development of their filters, and their calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from cs7643.plots.images import visualize_grid
from cs7643.plots.style import BLUE, GREY, ORANGE, PALETTE, SKY, VERMILION, clean, done, listed, smoothness
from cs7643.plots.training import draw_losses, fell

Array = NDArray[Any]


def loss_curve(losses: Sequence[float], per_epoch: int, title: str) -> Figure:
    """Draw the loss of each batch and its running mean against the epochs."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    draw_losses(axis, np.arange(1, len(losses) + 1) / per_epoch, losses, len(losses) // 40)
    axis.set(xlabel="epoch", ylabel="training loss (nats)", title=title)
    return clean(figure, f"{title}. {fell(losses)} in {len(losses) / per_epoch:g} epochs.")


def accuracy_curves(histories: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Draw accuracies (fractions) after each epoch, one line per run."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    for number, (name, history) in enumerate(histories.items()):
        again, place = divmod(number, len(PALETTE))  # the colours repeat with dashed lines
        epochs, percent, line = np.arange(1, len(history) + 1), np.multiply(history, 100), ("-", "--", ":")[again % 3]
        axis.plot(epochs, percent, color=PALETTE[place], ls=line, marker="o", ms=3, label=name)
    axis.set(xlabel="epoch", ylabel="validation accuracy (%)", title=title)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(histories) > 1:
        axis.legend(frameon=False, fontsize=8)
    said = listed(
        f"{name}: {history[0]:.1%} after the first, {history[-1]:.1%} after the last, at best {max(history):.1%}, "
        f"after epoch {int(np.argmax(history)) + 1}"
        for name, history in histories.items()
    )
    return clean(figure, f"{title}. Validation accuracy after each epoch. {said}")


def same_curves(ours: Sequence[float], theirs: Sequence[float], names: tuple[str, str], title: str) -> Figure:
    """Draw two loss curves in one panel, and below it their difference, on a logarithmic axis."""
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(6.5, 4.8), sharex=True, height_ratios=(3, 2))
    steps = np.arange(1, len(ours) + 1)
    top.plot(steps, ours, color=ORANGE, lw=4, label=names[0])
    top.plot(steps, theirs, color=BLUE, lw=1, label=names[1])
    top.set(ylabel="loss (nats)", title=title)
    top.legend(frameon=False)
    apart = np.abs(np.subtract(ours, theirs))
    bottom.semilogy(steps, np.maximum(apart, 1e-17), ".", ms=3, color=VERMILION)
    bottom.set(xlabel="step", ylabel="difference (nats)\n0 drawn at 1e-17")
    bottom.set_ylim(bottom=1e-18)
    return clean(
        figure,
        f"{title}. {fell(ours)} in {len(ours)} steps, for {names[0]} as for {names[1]}: the two curves lie on each "
        f"other and differ by {apart.max():.1e} nats at most.",
    )


def filter_evolution(snapshots: Sequence[Array], title: str) -> Figure:
    """Show how the first ten filters develop: a column for each, and six rows, evenly spaced in time.

    The snapshots, (F, 3, HH, WW) each, are one before training and one after each epoch.
    """
    chosen = np.unique(np.linspace(0, len(snapshots) - 1, 6).round().astype(int))
    filters = min(10, len(snapshots[0]))
    size = (0.75 * filters + 1.1, 0.75 * len(chosen) + 0.5)
    figure, axes = plt.subplots(len(chosen), filters, figsize=size, squeeze=False)
    for row, moment in zip(axes, chosen, strict=True):
        for axis, image in zip(row, snapshots[moment], strict=False):
            axis.imshow(visualize_grid(image[np.newaxis].transpose(0, 2, 3, 1)).astype(np.uint8))
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(f"epoch {moment}", rotation=0, ha="right", va="center")
    figure.suptitle(title, size=11)
    figure.tight_layout(pad=0.4)
    first, last = (s - s.mean(axis=(2, 3), keepdims=True) for s in (snapshots[0], snapshots[-1]))
    return done(
        figure,
        f"{title}. {filters} filters after epochs {', '.join(map(str, chosen))}. The correlation of their "
        f"neighbouring pixels goes from {smoothness(first):.2f} to {smoothness(last):.2f}: noise has 0, a smooth "
        "filter 1.",
    )


def filters_side_by_side(left: Array, right: Array, names: tuple[str, str], title: str) -> Figure:
    """Show two sets of filters, or their changes, (F, 3, HH, WW), side by side."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 4.3))
    for axis, filters, name in zip(axes, (left, right), names, strict=True):
        axis.imshow(visualize_grid(filters.transpose(0, 2, 3, 1)).astype(np.uint8), interpolation="nearest")
        axis.set_title(name, size=10)
        axis.set_axis_off()
    figure.suptitle(title)
    figure.tight_layout()
    return done(
        figure,
        f"{title}. {len(left)} filters of {names[0]} beside those of {names[1]}. The numbers, "
        f"{np.abs(left).max():.2g} at most, differ by {np.abs(left - right).max():.1e} at most.",
    )


def calibration(probabilities: Array, y: Array, title: str) -> Figure:
    """Draw the accuracy of a model against the probability it gives its answers, and how often it gives each.

    Probabilities that it gives to fewer than 20 images are left out.

    Args:
        probabilities: (N, C), each row adding up to one.
        y: (N,), the labels.
        title: of the picture.
    """
    bins, few = 10, 20  # of the probability; how many images say little about a share
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(places, minlength=bins)
    shown = counts >= min(few, counts.max())
    accuracy = np.bincount(places, right, bins)[shown] / counts[shown]
    middles = ((np.arange(bins) + 0.5) / bins)[shown]
    figure, axis = plt.subplots(figsize=(5.2, 4.2))
    axis.bar(
        100 * middles, 100 * counts[shown] / len(y), width=80 / bins, color=SKY, alpha=0.5, label="share of images"
    )
    axis.plot([0, 100], [0, 100], "--", color=GREY, label="perfectly calibrated")
    axis.plot(100 * middles, 100 * accuracy, "o-", color=VERMILION, label="correct answers")
    axis.set(xlabel="probability of the answer (%)", ylabel="share (%)", title=title, xlim=(0, 100), ylim=(0, 100))
    axis.legend(frameon=False, fontsize=8)
    return clean(
        figure,
        f"{title}. Over all {len(y)} images the model gives its answers a probability of {confidence.mean():.1%} on "
        f"average, and {right.mean():.1%} are correct. "
        + listed(
            f"Around {middle:.0%}: {share:.0%} of the images, {correct:.0%} of them correct"
            for middle, share, correct in zip(middles, counts[shown] / len(y), accuracy, strict=True)
        ),
    )


def rate_ramp(rates: Sequence[float], losses: Sequence[float], window: int, title: str) -> Figure:
    """Draw the loss of each batch against its learning rate; mark where the running mean is lowest, and a tenth of it.

    Args:
        rates: the learning rates, ascending; those after the last loss are not drawn.
        losses: of each batch, before the step at its rate.
        window: the number of losses in a mean.
        title: of the picture.
    """
    smooth, x = running_mean(losses, window), np.asarray(rates[: len(losses)])
    best = int(np.nanargmin(smooth))
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    axis.semilogx(x, losses, ".", ms=3, color=SKY, label="one batch")
    axis.semilogx(x, smooth, color=BLUE, label=f"mean of {window}")
    axis.axvline(x[best], color=GREY, ls="--", lw=1, label=f"lowest: {x[best]:.2g}")
    axis.axvline(x[best] / 10, color=VERMILION, lw=1.5, label=f"a tenth of it: {x[best] / 10:.2g}")
    axis.set(xlabel="learning rate", ylabel="loss (nats)", title=title)
    axis.set_ylim(top=1.5 * float(losses[0]), bottom=0)
    axis.legend(frameon=False, fontsize=8)
    return clean(
        figure,
        f"{title}. The mean loss of {window} batches is {smooth[window - 1]:.2f} nats around a rate of "
        f"{x[window // 2]:.2g}, lowest at {x[best]:.2g}, with {smooth[best]:.2f}, and "
        f"{smooth[np.isfinite(smooth)][-1]:.2f} at the end.",
    )


def running_mean(values: Sequence[float], window: int) -> Array:
    """Return the mean of each value and those around it, ``window`` together (odd); NaN near both ends."""
    means = np.full(len(values), np.nan)
    if len(values) >= window:
        means[window // 2 : len(values) - window // 2] = np.convolve(values, np.full(window, 1 / window), mode="valid")
    return means
