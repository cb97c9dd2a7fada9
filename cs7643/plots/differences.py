"""Problem 5: the errors of numerical derivatives."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from cs7643.plots.style import BLUE, GREEN, GREY, VERMILION, clean, listed

FLOOR = 1e-17  # where an error of exactly zero is drawn


def difference_errors(deltas: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw the relative error of each scheme over delta, log-log, one panel for each derivative."""
    figure, axes = plt.subplots(1, len(panels), figsize=(4.8 * len(panels), 3.8), sharey=True, squeeze=False)
    for axis, (title, errors) in zip(axes[0], panels.items(), strict=True):
        for (name, error), colour in zip(errors.items(), (VERMILION, BLUE, GREEN), strict=False):
            axis.loglog(deltas, np.maximum(np.asarray(error), FLOOR), "o-", ms=3, lw=1, color=colour, label=name)
        axis.axvline(0.01, color=GREY, lw=0.8, ls=":")
        axis.axhline(np.finfo(float).eps, color=GREY, lw=0.8, ls="--")
        axis.set(xlabel="delta", title=title, ylim=(FLOOR / 2, 1e3))
    axes[0, 0].set_ylabel("relative error")
    axes[0, 0].text(1e-15, 3e-16, "one rounding", size=8, color=GREY)
    axes[0, 0].legend(frameon=False, fontsize=8, loc="upper center")
    figure.suptitle("Differences fail at both ends, by truncation and by rounding; the complex step only at one")
    d = np.asarray(deltas)
    found = {(title, name): np.asarray(error) for title, errors in panels.items() for name, error in errors.items()}
    return clean(
        figure,
        f"The relative error of numerical derivatives over delta, from {d.min():.1g} to {d.max():.1g}, log-log. "
        + listed(
            f"{title}, {name}: at best {error.min():.1g}, at delta = {d[error.argmin()]:.1g}; at the smallest delta "
            f"{error[d.argmin()]:.1g}"
            for (title, name), error in found.items()
        ),
    )
