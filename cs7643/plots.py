"""Every picture that a notebook shows. Each function returns its figure; titles state what is to be seen.

The colours are those of Okabe and Ito, which people with any colour vision tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE)


def visualize_grid(Xs: Array, ubound: float = 255.0, padding: int = 1) -> Array:
    """Lay images out in one square picture, each stretched to the whole range of brightness.

    Args:
        Xs: (N, H, W, C), images of any range of values.
        ubound: the largest value of the result.
        padding: the number of empty pixels between images.

    Returns:
        (side * (H + padding) - padding, ...), float64 from 0 to ubound, with side = ceil(sqrt(N)).
    """
    if Xs.ndim != 4 or len(Xs) == 0:
        raise ValueError(f"visualize_grid: Xs must have shape (N, H, W, C) with N at least 1, got {Xs.shape}")
    low = Xs.min(axis=(1, 2, 3), keepdims=True).astype(np.float64)
    spread = Xs.max(axis=(1, 2, 3), keepdims=True) - low
    stretched = np.where(spread > 0, (Xs - low) / np.where(spread > 0, spread, 1), 0.5)
    side = int(np.ceil(np.sqrt(len(Xs))))
    return _sheet(ubound * stretched, side, side, padding)


def _sheet(images: Array, rows: int, columns: int, padding: int) -> Array:
    """Lay (N, H, W, C) images out row by row, with zeros between them and in the places that are left."""
    _, H, W, C = images.shape
    sheet = np.zeros((rows * (H + padding) - padding, columns * (W + padding) - padding, C), images.dtype)
    for k, image in enumerate(images):
        top, left = k // columns * (H + padding), k % columns * (W + padding)
        sheet[top : top + H, left : left + W] = image
    return sheet


def _picture(pixels: Array, title: str, scale: int = 2, margin: int = 0) -> tuple[Figure, Axes]:
    """Show an array of pixels, each ``scale`` pixels wide and sharp, below a title and beside a margin (pixels)."""
    height, width = scale * pixels.shape[0], scale * pixels.shape[1]
    figure = plt.figure(figsize=((margin + max(width, 420)) / 100, (height + 30) / 100), dpi=100)
    total_width, total_height = 100 * figure.get_figwidth(), 100 * figure.get_figheight()
    axis = figure.add_axes((margin / total_width, 0, width / total_width, height / total_height))
    axis.imshow(pixels, interpolation="nearest")
    axis.set_axis_off()
    figure.text(0.005, 1 - 8 / total_height, title, ha="left", va="top", size=11)
    return figure, axis


def class_examples(X: Array, y: Array, class_names: Sequence[str], name: str, per_class: int = 6) -> Figure:
    """Show the first few images of each class, a class a row. X: uint8 (N, 3, H, W), with as many of each class."""
    chosen = np.concatenate([np.flatnonzero(y == label)[:per_class] for label in range(len(class_names))])
    if len(chosen) != per_class * len(class_names):
        raise ValueError(f"class_examples: X must hold at least {per_class} images of each class")
    sheet = _sheet(X[chosen].transpose(0, 2, 3, 1), len(class_names), per_class, padding=2)
    figure, axis = _picture(sheet, f"{name}: each class in many places, sizes and colours", margin=90)
    for label, class_name in enumerate(class_names):
        place = (label + 0.5) * sheet.shape[0] / len(class_names)
        axis.text(-5, place, class_name, ha="right", va="center")
    return _done(figure)


def compare_losses(histories: Mapping[str, Sequence[float]], title: str, top: float | None = None) -> Figure:
    """Draw several loss histories (one value an iteration) over one another, up to ``top``."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    for (label, history), colour in zip(histories.items(), PALETTE, strict=False):
        axis.plot(np.arange(1, len(history) + 1), history, label=label, color=colour)
    axis.set(xlabel="iteration", ylabel="loss (nats)", title=title)
    axis.set_ylim(top=top)
    axis.legend(frameon=False)
    return _clean(figure)


def training_curves(
    loss_history: Sequence[float], train_acc: Sequence[float], val_acc: Sequence[float], title: str
) -> Figure:
    """Draw a training run: the loss of each batch with its running mean, and both accuracies after each epoch."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    iterations = np.arange(1, len(loss_history) + 1)
    left.plot(iterations, loss_history, color=SKY, alpha=0.6, lw=0.8, label="one batch")
    window = max(1, len(loss_history) // 30)
    smooth = np.convolve(loss_history, np.full(window, 1 / window), mode="valid")
    left.plot(iterations[window - 1 :], smooth, color=BLUE, label=f"mean of {window}")
    left.set(xlabel="iteration", ylabel="loss (nats)", title="loss")
    left.legend(frameon=False)
    measurements = np.arange(len(train_acc))
    right.plot(measurements, np.multiply(train_acc, 100), "o-", ms=3, color=VERMILION, label="training")
    right.plot(measurements, np.multiply(val_acc, 100), "s-", ms=3, color=GREEN, label="validation")
    right.set(xlabel="measurement (0: first iteration, then every epoch)", ylabel="accuracy (%)", title="accuracy")
    right.legend(frameon=False)
    figure.suptitle(title)
    return _clean(figure)


def accuracy_map(accuracies: ArrayLike, rows: Sequence[object], columns: Sequence[object], title: str) -> Figure:
    """Draw a table of accuracies (parts of 1) as a coloured map; rows and columns are (name, values...)."""
    values = 100 * np.asarray(accuracies)
    figure, axis = plt.subplots(figsize=(1.4 * len(columns), 0.75 * len(rows) + 1.2))
    axis.imshow(values, cmap="cividis", aspect="auto")
    middle = (values.min() + values.max()) / 2
    for (i, j), value in np.ndenumerate(values):
        axis.text(j, i, f"{value:.1f}", ha="center", va="center", color="black" if value > middle else "white")
    axis.set(xlabel=str(columns[0]), ylabel=str(rows[0]), title=title)
    axis.set_xticks(range(len(columns) - 1), [str(value) for value in columns[1:]])
    axis.set_yticks(range(len(rows) - 1), [str(value) for value in rows[1:]])
    return _clean(figure)


def weight_images(weights: Array, title: str) -> Figure:
    """Show weights as pictures: the filters (F, 3, HH, WW) of a ConvNet, or the columns (3072, H) of a first layer."""
    images = weights if weights.ndim == 4 else weights.T.reshape(-1, 3, 32, 32)
    grid = visualize_grid(images.transpose(0, 2, 3, 1)).astype(np.uint8)
    figure, _ = _picture(grid, title, scale=max(1, 440 // len(grid)))
    return _done(figure)


def confusion_matrix(y: Array, predicted: Array, class_names: Sequence[str], title: str) -> Figure:
    """Draw how often each class (a row) was taken for each other (a column), in percent of the row."""
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
    return _clean(figure)


def captioned_images(images: Array, captions: Sequence[str], title: str, columns: int = 6) -> Figure:
    """Show images, uint8 (N, 3, H, W), each with a caption."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.5 * columns, 2.0 * rows + 0.4), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image.transpose(1, 2, 0))
        axis.set_title(caption, size=8)
    figure.suptitle(title)
    return _clean(figure)


def filtered_picture(picture: Array, responses: Array, names: Sequence[str]) -> Figure:
    """Show a picture, (H, W), and beside it what each filter makes of it, (F, H, W); zero is the middle grey."""
    figure, axes = plt.subplots(1, 1 + len(responses), figsize=(2.1 * (1 + len(responses)), 2.5))
    axes[0].imshow(picture, cmap="gray")
    axes[0].set_title("the picture", size=9)
    for axis, response, name in zip(axes[1:], responses, names, strict=True):
        limit = np.abs(response).max()
        axis.imshow(response, cmap="gray", vmin=-limit, vmax=limit)
        axis.set_title(name, size=9)
    for axis in axes:
        axis.set_axis_off()
    figure.suptitle("One picture, several filters: each answers to what it looks like")
    return _clean(figure)


def number_grid(
    axis: Axes, values: Array, title: str, frame: tuple[slice, slice] | None = None, rows: int | None = None
) -> None:
    """Draw a small matrix as squares with numbers, a frame around a part of it, in a field ``rows`` squares high."""
    axis.pcolormesh(np.zeros(values.shape), cmap="Greys", vmin=0, vmax=1, edgecolors="#999999", linewidth=0.8)
    for (i, j), value in np.ndenumerate(values):
        axis.text(j + 0.5, i + 0.5, f"{value:g}", ha="center", va="center")
    if frame is not None:
        down, across = frame
        size = (across.stop - across.start, down.stop - down.start)
        axis.add_patch(Rectangle((across.start, down.start), *size, fill=False, ec=VERMILION, lw=2.5, clip_on=False))
    axis.set(xlim=(0, values.shape[1]), ylim=(rows or values.shape[0], 0), aspect="equal")
    axis.set_title(title, size=10)
    axis.set_axis_off()


def convolution_example(x: Array, w: Array, out: Array, at: tuple[int, int]) -> Figure:
    """Draw one step of a convolution: a window of the image (H, W), the filter (HH, WW), an element of the output."""
    i, j = at
    figure, axes = plt.subplots(1, 3, figsize=(6.5, 2.9), width_ratios=[x.shape[1], w.shape[1], out.shape[1]])
    number_grid(axes[0], x, "image x", (slice(i, i + w.shape[0]), slice(j, j + w.shape[1])))
    number_grid(axes[1], w, "filter w", rows=len(x))
    number_grid(axes[2], out, "output", (slice(i, i + 1), slice(j, j + 1)), rows=len(x))
    figure.suptitle(f"Forward: output[{i}, {j}] is the sum of the framed window times the filter, {out[i, j]:g}")
    return _clean(figure)


def convolution_gradient_example(w: Array, dout: Array, parts: Sequence[Array], dx: Array) -> Figure:
    """Draw how the gradient of an image adds up: each element of dout sends one copy of the filter, at its window."""
    figure, axes = plt.subplots(1, 1 + len(parts), figsize=(2.1 * (1 + len(parts)), 2.9))
    for axis, part, (place, upstream) in zip(axes, parts, np.ndenumerate(dout), strict=False):
        i, j = place
        window = (slice(i, i + w.shape[0]), slice(j, j + w.shape[1]))
        number_grid(axis, part, f"dout[{i}, {j}] = {upstream:g}", window)
    number_grid(axes[-1], dx, "their sum: dx")
    figure.suptitle(
        "Backward: each output sends its gradient back through its own window; where windows overlap, it adds"
    )
    return _clean(figure)


def speed_bars(seconds: Mapping[str, float], title: str) -> Figure:
    """Draw times as horizontal bars on a logarithmic axis."""
    figure, axis = plt.subplots(figsize=(6.5, 0.5 * len(seconds) + 1.2))
    bars = axis.barh(list(seconds), [1e3 * value for value in seconds.values()], color=BLUE)
    axis.bar_label(bars, [f"{1e3 * value:.3g} ms" for value in seconds.values()], padding=3)
    axis.set(xscale="log", xlabel="time (milliseconds, logarithmic)", title=title)
    axis.set_xlim(right=6e3 * max(seconds.values()))
    axis.invert_yaxis()
    return _clean(figure)


def _clean(figure: Figure) -> Figure:
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return _done(figure)


def _done(figure: Figure) -> Figure:
    plt.close(figure)  # else a notebook shows it twice: as the cell's value, and as an open figure
    return figure


def draw_scene(size: int = 96) -> Array:
    """Draw a house, a tree and the sun in shades of grey: (size, size), float64 from 0 (black) to 1 (white)."""
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    picture: Array = 0.85 - 0.35 * y  # the sky
    picture[(x - 0.82) ** 2 + (y - 0.16) ** 2 < 0.09**2] = 1.0  # the sun
    picture[y > 0.8 + 0.03 * np.sin(9 * x)] = 0.25  # the ground
    picture[(abs(x - 0.38) < 0.2) & (y > 0.48) & (y < 0.84)] = 0.7  # the wall
    picture[(y > 0.24) & (y < 0.48) & (abs(x - 0.38) < 1.05 * (y - 0.24))] = 0.1  # the roof
    picture[(abs(x - 0.3) < 0.045) & (y > 0.62) & (y < 0.84)] = 0.3  # the door
    window = (abs(x - 0.47) < 0.06) & (abs(y - 0.62) < 0.06)
    picture[window] = 0.95
    picture[window & ((abs(x - 0.47) < 0.008) | (abs(y - 0.62) < 0.008))] = 0.2  # its cross
    picture[(abs(x - 0.8) < 0.02) & (y > 0.6) & (y < 0.82)] = 0.2  # the trunk
    crown = (x - 0.8) ** 2 + (y - 0.52) ** 2 < 0.12**2
    picture[crown] = 0.4 + 0.15 * np.sin(60 * x + 40 * y)[crown]
    return picture
