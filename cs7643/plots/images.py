"""Images, weights as images, and a picture for trying filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cs7643.plots.style import clean, done, listed, smoothness

Array = NDArray[Any]


def visualize_grid(Xs: Array, ubound: float = 255.0, padding: int = 1) -> Array:
    """Arrange images in one nearly square picture, each stretched to the full range of brightness.

    Args:
        Xs: (N, H, W, C), images with any range of values.
        ubound: the largest value of the result.
        padding: the number of empty pixels between images.

    Returns:
        (rows * (H + padding) - padding, columns * (W + padding) - padding, C), float64 from 0 to ubound, with
        columns = ceil(sqrt(N)) and as few rows as possible.
    """
    if Xs.ndim != 4 or len(Xs) == 0:
        raise ValueError(f"visualize_grid: Xs must have shape (N, H, W, C) with N at least 1, got {Xs.shape}")
    low = Xs.min(axis=(1, 2, 3), keepdims=True).astype(np.float64)
    spread = Xs.max(axis=(1, 2, 3), keepdims=True) - low
    stretched = np.where(spread > 0, (Xs - low) / np.where(spread > 0, spread, 1), 0.5)
    columns = int(np.ceil(np.sqrt(len(Xs))))
    return _sheet(ubound * stretched, -(-len(Xs) // columns), columns, padding)


def class_examples(X: Array, y: Array, class_names: Sequence[str], name: str, per_class: int = 6) -> Figure:
    """Show the first ``per_class`` images of each class, one class per row. X: uint8 (N, 3, H, W)."""
    chosen = np.concatenate([np.flatnonzero(y == label)[:per_class] for label in range(len(class_names))])
    if len(chosen) != per_class * len(class_names):
        raise ValueError(f"class_examples: X must hold at least {per_class} images of each class")
    sheet = _sheet(X[chosen].transpose(0, 2, 3, 1), len(class_names), per_class, padding=2)
    figure, axis = _picture(sheet, f"{name}: each class in many places, sizes and colours", margin=90)
    for label, class_name in enumerate(class_names):
        place = (label + 0.5) * sheet.shape[0] / len(class_names)
        axis.text(-5, place, class_name, ha="right", va="center")
    return done(figure, f"{name}: {per_class} images of each class, a row for each: {', '.join(class_names)}.")


def weight_images(weights: Array, title: str, names: Sequence[str] = ()) -> Figure:
    """Show weights as images: the filters (F, 3, HH, WW) of a ConvNet, or the columns (3072, H) of a first layer.

    ``names`` stand above the images, if they are given.
    """
    images = weights if weights.ndim == 4 else weights.T.reshape(-1, 3, 32, 32)
    if names:
        stretched = [visualize_grid(image[np.newaxis]) for image in images.transpose(0, 2, 3, 1)]
        shown = np.stack(stretched).astype(np.uint8).transpose(0, 3, 1, 2)
        figure = captioned_images(shown, names, title, columns=5)
    else:
        grid = visualize_grid(images.transpose(0, 2, 3, 1)).astype(np.uint8)
        figure, _ = _picture(grid, title, scale=max(1, 440 // len(grid)))
    (count, _, height, width), centred = images.shape, images - images.mean(axis=(2, 3), keepdims=True)
    return done(
        figure,
        f"{title}. {count} sets of weights as images of {height} by {width} pixels. Neighbouring pixels have a "
        f"correlation of {smoothness(centred):.2f}: noise would have 0, a smooth template 1.",
    )


def captioned_images(images: Array, captions: Sequence[str], title: str, columns: int = 4) -> Figure:
    """Show images, uint8 (N, 3, H, W), each with a caption."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(1.4 * columns, 1.85 * rows + 0.4), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, image, caption in zip(axes.flat, images, captions, strict=False):
        axis.imshow(image.transpose(1, 2, 0))
        axis.set_title(caption, size=9)
    figure.suptitle(title)
    return clean(figure, f"{title}. {len(images)} images: " + listed(", ".join(text.split("\n")) for text in captions))


def filtered_picture(picture: Array, responses: Array, names: Sequence[str]) -> Figure:
    """Show a picture, (H, W), and beside it the response of each filter, (F, H, W); zero is the middle grey."""
    figure, axes = plt.subplots(1, 1 + len(responses), figsize=(2.1 * (1 + len(responses)), 2.5))
    axes[0].imshow(picture, cmap="gray")
    axes[0].set_title("the picture", size=9)
    for axis, response, name in zip(axes[1:], responses, names, strict=True):
        limit = np.abs(response).max()
        axis.imshow(response, cmap="gray", vmin=-limit, vmax=limit)
        axis.set_title(name, size=9)
    for axis in axes:
        axis.set_axis_off()
    figure.suptitle("One picture, several filters: each responds to something else")
    return clean(
        figure,
        "A picture in grey, and beside it the response of each filter; zero is the middle grey. "
        + listed(
            f"{name}: from {response.min():.2g} to {response.max():.2g}, "
            f"{np.mean(abs(response) < 0.1 * abs(response).max()):.0%} of it near zero"
            for name, response in zip(names, responses, strict=True)
        ),
    )


def draw_scene(size: int = 96) -> Array:
    """Draw a house, a tree and the sun in grey: (size, size), float64 from 0 (black) to 1 (white)."""
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


def _sheet(images: Array, rows: int, columns: int, padding: int) -> Array:
    """Arrange images (N, H, W, C) row by row, with zeros between them and in the remaining places."""
    _, H, W, C = images.shape
    sheet = np.zeros((rows * (H + padding) - padding, columns * (W + padding) - padding, C), images.dtype)
    for k, image in enumerate(images):
        top, left = k // columns * (H + padding), k % columns * (W + padding)
        sheet[top : top + H, left : left + W] = image
    return sheet


def _picture(pixels: Array, title: str, scale: int = 2, margin: int = 0) -> tuple[Figure, Axes]:
    """Show an array, with each element a square of ``scale`` pixels, below a title and right of a margin (pixels)."""
    height, width = scale * pixels.shape[0], scale * pixels.shape[1]
    figure = plt.figure(figsize=((margin + max(width, 420)) / 100, (height + 30) / 100), dpi=100)
    total_width, total_height = 100 * figure.get_figwidth(), 100 * figure.get_figheight()
    axis = figure.add_axes((margin / total_width, 0, width / total_width, height / total_height))
    axis.imshow(pixels, interpolation="nearest")
    axis.set_axis_off()
    figure.text(0.005, 1 - 8 / total_height, title, ha="left", va="top", size=11)
    return figure, axis
