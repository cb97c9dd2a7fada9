"""The common style of all pictures: Matplotlib's default settings, the palette, and the final touches."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from coursework.notebooks import figures

IPYTHON = sys.modules.get("IPython")  # without importing it
if not (IPYTHON and IPYTHON.get_ipython()):
    matplotlib.use("agg")  # to files; in a notebook, the kernel draws
figures.register()
matplotlib.rcdefaults()  # ignore any matplotlibrc

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
BLACK, GREY = "#222222", "#707070"
# Of lines that a legend tells apart: the first five have 3:1 on white, as graphics need. Darker shades of the last two,
# which have not, would be vermilion and blue for some readers.
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, BLACK, ORANGE, SKY)


def clean(figure: Figure, text: str) -> Figure:
    """Finish a picture with axes: remove the top and right spines, avoid overlaps, and describe it as `done` does."""
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return done(figure, text)


def done(figure: Figure, text: str) -> Figure:
    """Close the figure, so that a notebook shows it only once; it remains usable.

    Args:
        figure: what was drawn.
        text: its text alternative: what it shows, with the numbers, for a reader who does not see it.
    """
    plt.close(figure)
    figure.set_label(text)
    return figure


def listed(parts: Iterable[str]) -> str:
    """Return parts of a text alternative as the end of a sentence."""
    return "; ".join(parts) + "."


def smoothness(images: NDArray[Any]) -> float:
    """Return the correlation of horizontal neighbours in images (..., W) of mean 0: near 0 for noise, 1 if smooth."""
    left, right = images[..., :-1], images[..., 1:]
    return float(np.vdot(left, right) / max(np.sqrt(np.vdot(left, left) * np.vdot(right, right)), 1e-300))
