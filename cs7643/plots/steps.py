"""Problem 5: a computation to step through, forward and backward."""

from __future__ import annotations

from coursework.explorable import Drawing, Explorable, frames
from cs7643.autodiff.graph import Graph
from cs7643.autodiff.steps import draw_step, draw_strip, moments


def both_sweeps(graph: Graph) -> Explorable:
    """Show a computation step by step, first forward, then backward, with the row of the step in the table.

    Args:
        graph: with the values, the tangents, the adjoints and the local derivatives of all nodes.

    Returns:
        The figure. It begins after the sweep forward; the still picture shows that moment, and the end.
    """
    count = len(moments(graph))
    still = Drawing(*draw_strip(graph, (count // 2, count)))
    steps = range(1, count + 1)
    return frames(lambda step: Drawing(*draw_step(graph, step)), {"step": steps}, start=(count // 2 - 1,), still=still)
