"""What all pictures share: Matplotlib's own settings, the palette, and how a picture is finished."""

from __future__ import annotations

import sys

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

IPYTHON = sys.modules.get("IPython")  # not imported for this
if not (IPYTHON and IPYTHON.get_ipython()):
    matplotlib.use("agg")  # into files; in a notebook its kernel draws
matplotlib.rcdefaults()  # whatever a matplotlibrc says, in the working folder or at home

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
PALETTE = (BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE)
GREY = "#777777"


def clean(figure: Figure) -> Figure:
    """Finish a picture with axes: no frame above and on the right, and nothing that overlaps."""
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return done(figure)


def done(figure: Figure) -> Figure:
    """Close the figure: it stays usable, and is shown where it is returned, once."""
    plt.close(figure)  # an open one would be shown a second time at the end of a notebook's cell
    return figure
