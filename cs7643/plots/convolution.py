"""One step of a convolution, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from cs7643.plots.style import VERMILION, clean

Array = NDArray[Any]


def convolution_example(x: Array, w: Array, out: Array, at: tuple[int, int]) -> Figure:
    """Draw one step of a convolution: a window of the image (H, W), the filter (HH, WW), an element of the output."""
    i, j = at
    figure, axes = plt.subplots(1, 3, figsize=(6.5, 2.9), width_ratios=[x.shape[1], w.shape[1], out.shape[1]])
    number_grid(axes[0], x, "image x", (slice(i, i + w.shape[0]), slice(j, j + w.shape[1])))
    number_grid(axes[1], w, "filter w", rows=len(x))
    number_grid(axes[2], out, "output", (slice(i, i + 1), slice(j, j + 1)), rows=len(x))
    figure.suptitle(f"Forward: output[{i}, {j}] is the sum of the framed window times the filter, {out[i, j]:g}")
    window = x[i : i + w.shape[0], j : j + w.shape[1]]
    return clean(
        figure,
        f"One step of a convolution: the window of the image at row {i}, column {j}, {_rows(window)}, times the "
        f"filter, {_rows(w)}, adds up to {out[i, j]:g}, the element [{i}, {j}] of the output.",
    )


def convolution_gradient_example(w: Array, dout: Array, parts: Sequence[Array], dx: Array) -> Figure:
    """Draw how the gradient of an image adds up: each element of dout adds a copy of the filter at its window."""
    figure, axes = plt.subplots(1, 1 + len(parts), figsize=(2.1 * (1 + len(parts)), 2.9))
    for axis, part, (place, upstream) in zip(axes, parts, np.ndenumerate(dout), strict=False):
        i, j = place
        window = (slice(i, i + w.shape[0]), slice(j, j + w.shape[1]))
        number_grid(axis, part, f"dout[{i}, {j}] = {upstream:g}", window)
    number_grid(axes[-1], dx, "their sum: dx")
    figure.suptitle(
        "Backward: each output sends its gradient back through its own window; where windows overlap, it adds"
    )
    sent = (f"dout[{i}, {j}] = {upstream:g}" for (i, j), upstream in np.ndenumerate(dout))
    return clean(
        figure,
        f"The gradient of an image as a sum: each of {', '.join(sent)} adds itself times the filter, {_rows(w)}, at "
        f"its own window. The sum dx is {_rows(dx)}.",
    )


def _rows(values: Array) -> str:
    """Return a small matrix in words."""
    return " / ".join(" ".join(f"{value:g}" for value in row) for row in values)


def number_grid(
    axis: Axes, values: Array, title: str, frame: tuple[slice, slice] | None = None, rows: int | None = None
) -> None:
    """Draw a small matrix as squares with numbers, with a frame around a part, in a field ``rows`` squares high."""
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
