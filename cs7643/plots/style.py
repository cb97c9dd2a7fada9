"""The common style of all pictures: Matplotlib's default settings, the palette, and the final touches."""

from __future__ import annotations

import sys

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

IPYTHON = sys.modules.get("IPython")  # without importing it
if not (IPYTHON and IPYTHON.get_ipython()):
    matplotlib.use("agg")  # to files; in a notebook, the kernel draws
matplotlib.rcdefaults()  # ignore any matplotlibrc

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE)
GREY = "#777777"


def clean(figure: Figure) -> Figure:
    """Finish a picture with axes: remove the top and right spines, and avoid overlaps."""
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return done(figure)


def done(figure: Figure) -> Figure:
    """Close the figure, so that a notebook shows it only once; it remains usable."""
    plt.close(figure)
    return figure
