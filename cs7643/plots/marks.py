"""Marks in SVG that are drawn over a figure which moves, and letters in it that can be read on a phone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from coursework.explorable import place

P = ParamSpec("P")
R = TypeVar("R")
LEGIBLE: Any = {"font.size": 10.5, "axes.titlesize": 11.5, "legend.fontsize": 9, "legend.frameon": False}


def legible(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function draw with letters that can be read on a phone."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with plt.rc_context(LEGIBLE):
            return draw(*args, **kwargs)

    return drawn


def dot(axis: Axes, x: float, y: float, colour: str, size: float = 4, fill: str = "") -> str:
    """Return a circle at a point of an axis; ``fill`` is by default its colour."""
    across, down = place(axis, x, y)
    return f'<circle cx="{across}" cy="{down}" r="{size}" fill="{fill or colour}" stroke="{colour}"/>'


def dots(axis: Axes, points: ArrayLike, colour: str, size: float, cap: str = "square") -> str:
    """Return points (N, 2) of an axis as squares, or as discs if ``cap`` is round: one path for all of them."""
    places = (place(axis, x, y) for x, y in np.asarray(points))
    path = "".join(f"M{across:g} {down:g}h0" for across, down in places)
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{size:g}" stroke-linecap="{cap}"/>'


def line(axis: Axes, x: ArrayLike, y: ArrayLike, colour: str, width: float = 1.6, more: str = "") -> str:
    """Return a line through points of an axis, in steps of a tenth of a point, which are short to write.

    Args:
        axis: whose ``frame`` cuts the line off, if that stands before it.
        x: (N,), finite.
        y: (N,), finite.
        colour: a hexadecimal number.
        width: in points.
        more: attributes.
    """
    corners = axis.bbox.get_points() * 72 / axis.figure.dpi
    size = np.ptp(corners)
    low, high = corners[0] - size, corners[1] + size  # what is far outside is cut off anyhow
    points = axis.transData.transform(np.column_stack([x, y])) * 72 / axis.figure.dpi
    points = np.clip(points, low, high) * [1, -1] + [0, axis.figure.bbox.height * 72 / axis.figure.dpi]
    tenths = np.round(10 * points).astype(int)
    moves = np.diff(tenths, axis=0, prepend=0)
    moved = np.r_[True, moves[1:].any(axis=1)]  # a step that is too short to be seen is left out
    (left, top), *others = moves[moved] / 10
    path = f"M{left:g} {top:g}l" + (" ".join(f"{across:g},{down:g}" for across, down in others) or "0,0")
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" {more}{_clip(axis)}/>'


def bar(axis: Axes, x: tuple[float, float], y: tuple[float, float], colour: str, more: str = "") -> str:
    """Return a rectangle between two places of an axis in x, and two in y."""
    left, right = sorted(place(axis, end, y[0])[0] for end in x)
    top, bottom = sorted(place(axis, x[0], end)[1] for end in y)
    size = f'width="{right - left:.1f}" height="{bottom - top:.1f}"'
    return f'<rect x="{left}" y="{top}" {size} fill="{colour}" {more}/>'


def label(x: float, y: float, text: str, size: float = 10.5, anchor: str = "start", more: str = "") -> str:
    """Return a text at a point of the picture; ``anchor`` is start, middle or end."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}" {more}>{text}</text>'


def frame(axis: Axes) -> str:
    """Return the frame of an axis, which cuts off the lines drawn later."""
    (left, low), (right, high) = axis.bbox.get_points() * 72 / axis.figure.dpi
    top = axis.figure.bbox.height * 72 / axis.figure.dpi - high
    box = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{high - low:.1f}"'
    return f'<clipPath id="{_name(axis)}"><rect {box}/></clipPath>'


def _clip(axis: Axes) -> str:
    return f'clip-path="url(#{_name(axis)})"'


def _name(axis: Axes) -> str:
    return f"frame{axis.figure.axes.index(axis)}"
