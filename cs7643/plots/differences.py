"""Problem 5: the errors of numerical derivatives over delta, which can be dragged."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from coursework.explorable import Drawing, Explorable, drawing_of, frames, place
from cs7643.plots.style import BLACK, BLUE, GREEN, GREY, VERMILION, done

Array = NDArray[np.float64]
FLOOR = 1e-17  # where an error of exactly zero is drawn
COLOURS = {"forward": VERMILION, "central": BLUE, "complex": GREEN}
SIZE = (6.4, 4.2)  # inches
GUIDES = (  # of a dashed line: its scheme, its slope, the delta at which it touches the curve, from where to where
    ("forward", 1, 1e-5, (1e-11, 1e-2)),
    ("central", 2, 1e-4, (1e-9, 1e-2)),
    ("forward", -1, 1e-13, (1e-15, 1e-7)),
)
NEAR = 0.75  # decades of delta around the smallest error where neither kind of error dominates


def difference_errors(deltas: ArrayLike, errors: Mapping[str, ArrayLike], name: str) -> Explorable:
    """Draw the relative error of each scheme over delta, log-log, with a delta to drag.

    Args:
        deltas: evenly spaced on a logarithmic scale, in ascending order.
        errors: the relative errors of the schemes "forward", "central" and "complex", one for each delta.
        name: of the derivative.
    """
    at, found = np.asarray(deltas), {scheme: np.asarray(error) for scheme, error in errors.items()}
    figure, axis = _curves(at, found, f"relative error of {name}")
    (left, bottom), (right, top) = (
        place(axis, *corner) for corner in zip(axis.get_xlim(), axis.get_ylim(), strict=True)
    )
    base = drawing_of(figure)
    named = {f"{delta:.1e}": k for k, delta in enumerate(at)}

    def draw(delta: str) -> Drawing:
        k = named[delta]
        x = place(axis, at[k], 1.0)[0]
        marks = [f'<path d="M{x} {bottom}V{top}" stroke="{BLACK}"/>']
        for scheme in ("complex", "forward", "central"):  # the last one on top
            y, radius = place(axis, at[k], max(found[scheme][k], FLOOR))[1], 7 if scheme == "complex" else 4
            marks.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{COLOURS[scheme]}"/>')
        said = [f"{scheme} {error[k]:.1e}{_why(at, error, k)}" for scheme, error in found.items()]
        return base.under("".join(marks), f"delta = {delta}. Relative errors: {'; '.join(said)}.")

    start = int(np.argmin(abs(np.log(at / 0.01))))
    return frames(draw, {"delta": list(named)}, start=(start,), drag=(left, right, bottom, top))


def _curves(at: Array, errors: Mapping[str, Array], label: str) -> tuple[Figure, Axes]:
    """Draw the curves, and dashed lines with the slopes that the two kinds of error have."""
    with plt.rc_context({"font.size": 11}):
        figure = plt.figure(figsize=SIZE)
        axis = figure.add_axes((0.13, 0.13, 0.84, 0.77))
    for scheme, slope, touch, (low, high) in GUIDES:
        log = np.interp(np.log(touch), np.log(at), np.log(np.maximum(errors[scheme], FLOOR)))
        ends = np.array([low, high])
        axis.loglog(ends, np.exp(log) * (ends / touch) ** slope, ls="--", lw=1, color=GREY)
    for scheme, error in errors.items():
        title, width = ("complex step", 4.0) if scheme == "complex" else (f"{scheme} difference", 1.7)
        order = 1 if scheme == "complex" else 2  # below the central difference, with which it coincides on the right
        axis.loglog(at, np.maximum(error, FLOOR), lw=width, color=COLOURS[scheme], label=title, zorder=order)
    for x, y, text in (
        (3e-15, 3.0, "rounding,\nslope -1"),
        (3e-6, 5e-3, "truncation,\nslope 1"),
        (1e-5, 3e-12, "truncation,\nslope 2"),
    ):
        axis.text(x, y, text, color=BLACK, size=10, ha="left")
    axis.set(xlim=(at[0], at[-1]), ylim=(FLOOR / 3, 1e4), xlabel="delta", ylabel=label)
    axis.set_title("Large delta gives truncation error, small delta rounding error", size=11.5)
    axis.set_xticks([1e-15, 1e-12, 1e-9, 1e-6, 1e-3])
    axis.minorticks_off()
    axis.legend(frameon=False, fontsize=10, loc="upper center")
    axis.spines[["top", "right"]].set_visible(False)
    return done(figure, ""), axis


def _why(at: Array, error: Array, k: int) -> str:
    """Say which kind of error dominates: the side of the smallest one shows it."""
    best = int(error.argmin())
    decades = np.log10(at[k] / at[best])
    if not error[best]:  # nothing but truncation, down to the last digit
        return ""
    return " (truncation)" if decades > NEAR else " (rounding)" if decades < -NEAR else " (both)"
