"""A computation step by step: the graph at one moment, and below it the table with the row of this step."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cs7643.autodiff.by_hand import uses
from cs7643.autodiff.drawing import BLACK, FONT, GREEN, GREY, VERMILION, Moment, draw
from cs7643.autodiff.graph import Graph, formula
from cs7643.autodiff.layout import MARGIN

ROW, COLUMN, FIRST = 0.24, 1.25, 1.7  # inches
PALE = "#FFE9B8"  # of the row of this step


def moments(graph: Graph) -> list[Moment]:
    """Return each step of the sweep forward, and then each of the sweep backward."""
    steps = [k for k, node in enumerate(graph.nodes) if node.operation != "constant"]
    return [*(Moment(k, False) for k in steps), *(Moment(k, True) for k in reversed(steps))]


def draw_step(graph: Graph, number: int) -> Figure:
    """Draw the graph and the table during the two sweeps.

    Args:
        graph: with the values, the tangents and the adjoints of all nodes.
        number: of the step, from 1.

    Returns:
        The figure; its label says what this step computes, in numbers.

    Raises:
        ValueError: if there is no such step.
    """
    every = moments(graph)
    if not 1 <= number <= len(every):
        raise ValueError(f"draw_step: number must be from 1 to {len(every)}, got {number}")
    moment, half = every[number - 1], len(every) // 2
    rows = sorted({each.node for each in every})
    way = "Backward" if moment.backward else "Forward"
    title = f"{way}, step {number - half * moment.backward} of {half}"
    wide = FIRST + 3 * COLUMN
    figure = draw(graph, title, True, moment, room=(wide + 2 * MARGIN, ROW * (len(rows) + 1) + 0.2))
    (axis,) = figure.axes
    bottom, right = axis.get_ylim()[0] - MARGIN - ROW * len(rows), axis.get_xlim()[1]
    left = (right - wide) / 2
    heads = ("step", "value", "dot", "bar")

    def write(column: int, y: float, text: str, **look: Any) -> None:
        x = left + (FIRST + column * COLUMN - 0.1 if column else 0.1)
        axis.text(x, y, text, size=FONT, ha="right" if column else "left", va="center", **look)

    for column, (head, colour) in enumerate(zip(heads, (BLACK, BLACK, GREEN, VERMILION), strict=True)):
        write(column, bottom - ROW / 2, head, color=colour, weight="bold")
    axis.plot([left, left + wide], [bottom, bottom], color=GREY, lw=1)
    for n, k in enumerate(rows):
        node, y = graph.nodes[k], bottom + (n + 0.5) * ROW
        if k == moment.node:
            axis.add_patch(Rectangle((left, y - ROW / 2), wide, ROW, fc=PALE, ec="none", gid="lit"))
        write(0, y, formula(graph, k), color=BLACK)
        numbers = [(node.value, BLACK), (node.tangent, GREEN), (node.adjoint, VERMILION)]
        for column, (x, colour) in enumerate(numbers, 1):
            known = moment.swept(k) if column == 3 else moment.computed(k)
            if known and x is not None:
                write(column, y, f"{x:.4g}", color=colour, gid=f"cell-{k}-{column}")
    figure.set_label(f"{title}. {in_words(graph, moment)}")
    return figure


def in_words(graph: Graph, moment: Moment) -> str:
    """Say what is computed in a step, with its numbers."""
    node = graph.nodes[moment.node]
    if not moment.backward:
        value = f"{formula(graph, moment.node)} = {node.value:.4g}."
        if node.operation == "input":
            return f"{value} {node.name}-dot = {node.tangent:.4g} is the direction."
        moved = zip(node.inputs, node.local, strict=True)
        parts = [f"{_factor(x)} × {_factor(graph.nodes[s].tangent)}" for s, x in moved if x is not None]
        return f"{value} {node.name}-dot = {' + '.join(parts)} = {node.tangent:.4g}, local derivative times dot."
    if moment.node in graph.outputs:
        return f"{node.name}-bar = 1: the derivative of the output with respect to itself."
    parts = []
    for t, n in uses(graph, moment.node):
        step = graph.nodes[t]
        parts.append(f"{_factor(step.adjoint)} × {_factor(step.local[n])}")
    users = " and ".join(dict.fromkeys(graph.nodes[t].name for t, _ in uses(graph, moment.node)))
    several = (
        f"one contribution for each use, in {users}"
        if len(parts) > 1
        else f"the bar of {users} times the local derivative"
    )
    return f"{node.name}-bar = {' + '.join(parts)} = {node.adjoint:.4g}, {several}."


def _factor(x: float | None) -> str:
    text = f"{x or 0.0:.4g}"
    return f"({text})" if text.startswith("-") else text
