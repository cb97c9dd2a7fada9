"""Problem 5: a computation to step through, forward and backward."""

from __future__ import annotations

from coursework.explorable import Drawing, Explorable, frames
from cs7643.autodiff.graph import Graph
from cs7643.autodiff.steps import draw_step, moments


def both_sweeps(graph: Graph) -> Explorable:
    """Show a computation step by step, first forward, then backward, with the row of the step in the table.

    Args:
        graph: with the values, the tangents, the adjoints and the local derivatives of all nodes.

    Returns:
        The figure; it begins where the values and tangents are known, and the still picture is that after both sweeps.
    """
    count = len(moments(graph))
    last = Drawing(*draw_step(graph, count))
    steps = range(1, count + 1)
    return frames(lambda step: Drawing(*draw_step(graph, step)), {"step": steps}, start=(count // 2 - 1,), still=last)
