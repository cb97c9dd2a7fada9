"""Problems 6.4 to 6.6: wrong programs beside the right one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from coursework.explorable import Drawing, Explorable, drawing_of, frames
from cs7643.plots.marks import dots, frame, label, legible, line
from cs7643.plots.style import BLUE, VERMILION, clean

if TYPE_CHECKING:  # it would bring PyTorch
    from cs7643.pytorch.bugs import Curves

WINDOW = 10  # losses in a mean
TOP = 5.0  # nats; what is above leaves the picture


@legible
def live_bugs(right: Curves, wrong: Mapping[str, Curves], lines: Mapping[str, str]) -> Explorable:
    """Show the loss and the accuracy of the right program, and of the wrong one that is chosen.

    Args:
        right: the curves of the right program.
        wrong: those of each mistake, by its name.
        lines: the line of the wrong program, by the same names.
    """
    figure, (falls, rises) = plt.subplots(1, 2, figsize=(6.2, 3.5))
    steps, epochs = len(right.losses), len(right.accuracies)
    falls.set(xlim=(0, steps), ylim=(0, TOP), xlabel="step", title=f"loss (nats), mean of {WINDOW}")
    rises.set(xlim=(0.7, epochs + 0.3), ylim=(0, 60), xlabel="epoch", title="validation accuracy (%)")
    for name, colour, style in (("right", BLUE, "-"), ("wrong", VERMILION, "--")):
        falls.plot([], [], style, color=colour, label=name)
    rises.legend(*falls.get_legend_handles_labels(), loc="upper left", ncols=2)
    clean(figure, "")
    figure.subplots_adjust(top=0.8)
    base = drawing_of(figure)
    base = base.under(frame(falls) + frame(rises), "")

    def curve(of: Curves, colour: str, dashes: str = "") -> str:
        smooth = np.convolve(np.nan_to_num(of.losses, nan=1e9, posinf=1e9), np.full(WINDOW, 1 / WINDOW), mode="valid")
        percent, at = np.multiply(of.accuracies, 100), np.arange(1, epochs + 1)
        marks = line(falls, np.arange(WINDOW, steps + 1), np.minimum(smooth, 2 * TOP), colour, 2, dashes)
        marks += line(rises, at, percent, colour, 2, dashes)
        return marks + dots(rises, np.column_stack([at, percent]), colour, 6, "square" if dashes else "round")

    known = curve(right, BLUE)

    def draw(mistake: str) -> Drawing:
        found = wrong[mistake]
        code = label(8, 20, lines[mistake], 10.5, more='font-family="DejaVu Sans Mono,monospace" font-weight="bold"')
        ended = "; ".join(
            f"{name}: {_loss(each)}, accuracy ≈ {each.accuracies[-1]:.3f}"
            for name, each in (("Right", right), ("wrong", found))
        )
        return base.under(known + code + curve(found, VERMILION, 'stroke-dasharray="6 4" '), f"{mistake}. {ended}.")

    return frames(draw, {"mistake": list(wrong)})


def _loss(of: Curves) -> str:
    last = float(np.mean(of.losses[-WINDOW:]))
    return f"loss ≈ {last:.3g}" if last < 100 else "the loss diverges"
