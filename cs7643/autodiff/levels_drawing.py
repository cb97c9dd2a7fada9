"""The picture of ranks and levels: which ``apply`` handles which layer of a number."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from cs7643.autodiff.drawing import BLACK, BLUE, FONT, GREEN, GREY, SMALL, VERMILION
from cs7643.autodiff.forward import Dual
from cs7643.autodiff.reverse import Variable

LAYERS = (  # from the outside in: what it is, its rank, its colours, who handles it, and what this one does
    (
        "Variable",
        Variable.rank,
        ("#FBE6D9", VERMILION),
        "Variable.apply",
        "writes a record on the tape, and hands the values on",
    ),
    (
        "Dual, level 2",
        Dual.rank,
        ("#DDF2EA", GREEN),
        "Dual.apply",
        "adds up the tangents of level 2, and hands the values on",
    ),
    (
        "Dual, level 1",
        Dual.rank,
        ("#EDF7F3", GREEN),
        "Dual.apply",
        "adds up the tangents of level 1, and hands the values on",
    ),
    ("3.0", 0, ("#DCEBF5", BLUE), "primitive.value", "computes the number"),
)
ROW, LEFT, WIDE, STEP = 0.78, 4.0, 9.6, 0.96  # inches; a layer begins a step to the right of the one around it


def draw_levels() -> Figure:
    """Draw how an operation on a number with several layers is applied: a row for each layer, the outermost first."""
    high = ROW * len(LAYERS) + 0.5
    figure = plt.figure(figsize=(WIDE, high))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDE), ylim=(high, 0))
    axis.set_axis_off()
    axis.text(
        WIDE / 2, 0.28, "apply peels a number from the outside in: the highest rank first", size=FONT + 1, ha="center"
    )
    said = []
    for k, (name, rank, (_, edge), handler, does) in enumerate(LAYERS):
        y = 0.5 + ROW * (k + 0.5)
        _onion(axis, k, y)
        axis.add_patch(FancyArrowPatch((LEFT, y), (LEFT + 0.5, y), arrowstyle="-|>", mutation_scale=11, color=GREY))
        ranked = f"rank {rank}" if rank else "no rank"
        axis.text(LEFT + 0.62, y - 0.06, handler, size=FONT, color=edge, weight="bold", family="monospace")
        axis.text(LEFT + 0.62, y + 0.18, f"{ranked}: {does}", size=SMALL + 1, color=BLACK)
        said.append(f"{name} ({ranked}): {handler} {does}")
        if k + 1 < len(LAYERS):
            down = FancyArrowPatch((LEFT + 0.75, y + 0.24), (LEFT + 0.75, y + ROW - 0.24), arrowstyle="-|>")
            down.set(color=GREY, mutation_scale=9)
            axis.add_patch(down)
            axis.text(LEFT + 0.87, y + ROW / 2 + 0.03, "apply", size=SMALL, color=GREY, family="monospace", va="center")
    plt.close(figure)
    figure.set_label("apply peels a number from the outside in, the highest rank first. " + "; ".join(said) + ".")
    return figure


def _onion(axis: Axes, first: int, y: float) -> None:
    """Draw what is left of the number from a layer on: boxes inside boxes."""
    for k, (name, _, (face, edge), _, _) in enumerate(LAYERS[first:], first):
        inside = len(LAYERS) - 1 - k
        x, width, height = 0.15 + STEP * (k - first), 0.62 + (STEP + 0.08) * inside, 0.3 + 0.09 * inside
        box = FancyBboxPatch((x, y - height / 2), width, height, "round,pad=0,rounding_size=0.06", fc=face, ec=edge)
        axis.add_patch(box)
        axis.text(x + 0.07, y, name, size=SMALL, color=BLACK, va="center")
