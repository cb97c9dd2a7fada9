"""Problem 6.2: running times, and what limits them."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from cs7643.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, clean, listed


def speed_bars(seconds: Mapping[str, float], title: str, *, logarithmic: bool = True) -> Figure:
    """Draw times as horizontal bars, or as dots on a logarithmic axis, where a bar would have no zero to begin at."""
    figure, axis = plt.subplots(figsize=(6.5, 0.5 * len(seconds) + 1.2))
    times, rows = [1e3 * value for value in seconds.values()], range(len(seconds))
    labels = [f"{time:.3g} ms" if time < 1000 else f"{time / 1e3:.3g} s" for time in times]
    axis.set_yticks(rows, list(seconds))
    axis.set(xlabel="time (milliseconds)", title=title, ylim=(-0.6, len(seconds) - 0.4))
    if logarithmic:
        axis.plot(times, rows, "o", color=BLUE, ms=9)
        axis.set(xscale="log", xlabel="time (milliseconds, logarithmic)", xlim=(0.5 * min(times), 6 * max(times)))
        axis.grid(axis="y", ls=":")
    else:
        axis.barh(rows, times, color=BLUE)
        axis.set_xlim(0, 1.2 * max(times))
    for time, row, text in zip(times, rows, labels, strict=True):
        axis.annotate(text, (time, row), (9, 0), textcoords="offset points", va="center", backgroundcolor="white")
    axis.invert_yaxis()
    return clean(figure, f"{title}. " + listed(f"{name}: {label}" for name, label in zip(seconds, labels, strict=True)))


def roofline(
    flops_rate: float, bytes_rate: float, computations: Mapping[str, tuple[float, float, float]], title: str
) -> Figure:
    """Draw the speed of computations below the roofline of the machine.

    Args:
        flops_rate: the machine's peak, in operations per second.
        bytes_rate: its peak in bytes per second, to and from memory.
        computations: for each name, the operations, the bytes to and from memory, and the seconds.
        title: of the picture.
    """
    figure, axis = plt.subplots(figsize=(7, 4.2))
    points = {name: (flops / size, flops / seconds) for name, (flops, size, seconds) in computations.items()}
    ridge = flops_rate / bytes_rate
    left = min(0.1 * ridge, *(0.4 * x for x, _ in points.values()))
    right = max(10 * ridge, *(6 * x for x, _ in points.values()))
    intensity = np.array([left, ridge, right])
    axis.loglog(intensity, np.minimum(flops_rate, intensity * bytes_rate) / 1e9, color=GREY, lw=2)
    axis.text(
        right, 1.2 * flops_rate / 1e9, "as fast as BLAS multiplies large matrices", ha="right", size=9, color=GREY
    )
    axis.text(left, 9 * left * bytes_rate / 1e9, "as fast as memory delivers", size=9, color=GREY)
    for (name, (x, y)), colour in zip(points.items(), (VERMILION, ORANGE, GREEN, BLUE), strict=False):
        roof = min(flops_rate, x * bytes_rate)
        axis.plot([x, x], [y / 1e9, roof / 1e9], ":", color=BLACK, lw=1.2)
        axis.plot(x, y / 1e9, "o", color=colour, mec="black")
        said = f"{name}: {y / 1e9:.3g},\n{y / roof:.0%} of the roof"
        axis.annotate(said, (x, y / 1e9), (8, 0), textcoords="offset points", va="center")
    axis.set(xlabel="operations per byte to or from memory", ylabel="billion operations per second", title=title)
    axis.set_ylim(top=3 * flops_rate / 1e9)
    return clean(
        figure,
        f"{title}. Billion operations per second over operations per byte, below two limits: memory, up to "
        f"{ridge:.3g} operations per byte, and the {flops_rate / 1e9:.3g} of a product of large matrices. "
        + listed(f"{name}: {y / 1e9:.3g} at {x:.3g}" for name, (x, y) in points.items()),
    )
