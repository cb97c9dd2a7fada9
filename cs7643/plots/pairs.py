"""Problem 6.7: what a change does to the accuracy, and how certain that is after two pairs of runs, three, or more."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from coursework.explorable import Drawing, Explorable, drawing_of, frames, place
from cs7643.plots.marks import dot, frame, legible, line
from cs7643.plots.style import BLACK, BLUE, GREY, VERMILION, done

if TYPE_CHECKING:  # it would bring PyTorch
    from cs7643.pytorch.experiments import Effect

MOST = 100.0  # points: no accuracy changes by more, however far an interval reaches
LINE = 0.26  # inches, the height of a row


def paired_differences(effects: Mapping[str, Sequence[Effect]], title: str) -> Explorable:
    """Show the intervals of all changes after a number of pairs, and below them the pairs of one change.

    It begins with all pairs of the change whose mean is the smallest.

    Args:
        effects: for each change, what the first two pairs say, the first three, and so on, up to all; seeds from 0 on.
        title: of the picture.
    """
    names, rows = list(effects), list(effects.values())
    counts = [len(effect.differences) for effect in rows[0]]
    height = LINE * (len(names) + counts[-1] + 1) + 1.75

    @functools.cache
    @legible
    def panels(change: str) -> tuple[Drawing, Axes, Axes]:
        """Return what stays while the number of pairs changes."""
        shares = len(names), counts[-1] + 1
        figure, (above, below) = plt.subplots(2, 1, figsize=(6.2, height), height_ratios=shares)
        for axis, shown in ((above, [each for row in rows for each in row]), (below, effects[change])):
            ends = np.clip([0, *(100 * end for each in shown for end in (each.low, each.high))], -MOST, MOST)
            margin = 0.06 * max(np.ptp(ends), 1)
            axis.set_xlim(ends.min() - margin, ends.max() + margin)
            axis.axvline(0, color=GREY, lw=0.8)
            axis.spines[["top", "right"]].set_visible(False)
        above.set_yticks(range(len(names)), names)
        above.get_yticklabels()[names.index(change)].set_fontweight("bold")
        below.set_yticks(range(counts[-1] + 1), [*(f"seed {k}" for k in range(counts[-1])), "interval"])
        below.set(xlabel="difference in validation accuracy (percentage points)")
        below.set_title(change, fontweight="bold")
        for axis, share in zip((above, below), shares, strict=True):
            axis.set_ylim(share - 0.4, -0.6)
        figure.suptitle(title, y=1 - 0.08 / height, va="top", size=11.5)
        figure.subplots_adjust(left=0.3, right=0.97, bottom=0.54 / height, top=1 - 0.36 / height, hspace=0.42)
        base = drawing_of(done(figure, ""))
        return base.under(frame(above) + frame(below), ""), above, below

    def draw(change: str, pairs: int) -> Drawing:
        base, above, below = panels(change)
        now = [row[counts.index(pairs)] for row in rows]
        found = now[names.index(change)]
        marks = [_interval(above, each, k) for k, each in enumerate(now)] + [_interval(below, found, counts[-1])]
        for k, difference in enumerate(effects[change][-1].differences):
            marks.append(dot(below, 100 * difference, k, BLACK, 4, "" if k < pairs else "none"))
        listed = ", ".join(f"{100 * each:+.1f}" for each in found.differences)
        said = str(found)
        return base.under(
            "".join(marks),
            f"{change}, {pairs} pairs: {listed}, mean {100 * found.mean:+.1f}. {said[0].upper()}{said[1:]}.",
        )

    start = int(np.argmin([abs(row[-1].mean) for row in rows]))
    return frames(draw, {"change": names, "pairs": counts}, start=(start, len(counts) - 1))


def _interval(axis: Axes, effect: Effect, row: float) -> str:
    """Return the mean of the differences and its interval, grey where it does not decide."""
    colour = GREY if effect.low <= 0 <= effect.high else BLUE if effect.mean > 0 else VERMILION
    across, down = place(axis, 100 * effect.mean, row)
    ends = line(axis, [100 * effect.low, 100 * effect.high], [row, row], colour, 3)
    return f'{ends}<path d="M{across} {down - 6:.1f}v12" stroke="{colour}" stroke-width="3"/>'
