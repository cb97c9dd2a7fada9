"""The computations of the tables by hand, as given programs, so that nothing that explains a task needs the task.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cs7643.autodiff import primitives
from cs7643.autodiff.graph import Graph, trace

PROGRAMS = {  # each step: its name, its operation, and what it takes
    "warm_up": "x y: a + x y; b + y 1; c * a b",
    "f1": "w1 w2: a exp w1; b * 2 w2; c exp b; d + a c; e exp d; f sin d; g + e f",
    "f1_as_typeset": "w1 w2: a exp w1; b * 2 w2; c exp b; d + w1 c; e exp d; f + a c; g sin f; h + e g",
    "f2": "w1 w2: a * w1 w2; b sigmoid w1; c + a b",
}


def operation(symbol: str) -> primitives.Primitive:
    """Return the primitive that a graph shows by this symbol."""
    known = (each for each in vars(primitives).values() if isinstance(each, primitives.Primitive))
    return next(each for each in known if each.symbol == symbol)


def program(name: str, w: Sequence[float]) -> Graph:
    """Return the graph of one of ``PROGRAMS`` at a point, with its values and its local derivatives.

    Raises:
        ValueError: if there is no such program, or the point has another number of coordinates.
    """
    if name not in PROGRAMS:
        raise ValueError(f"program: name must be one of {', '.join(PROGRAMS)}, got {name!r}")
    inputs, steps = PROGRAMS[name].split(":")
    if len(w) != len(inputs.split()):
        raise ValueError(f"program: the point must have {len(inputs.split())} coordinates, got {len(w)}")

    def run(*numbers: Any) -> Any:
        named = dict(zip(inputs.split(), numbers, strict=True))
        for step in steps.split(";"):
            result, symbol, *arguments = step.split()
            taken = [named[each] if each in named else float(each) for each in arguments]
            named[result] = primitives.apply(operation(symbol), *taken)
        return named[result]

    return trace(run, w, inputs.split(), adjoints=False)


def uses(graph: Graph, k: int) -> list[tuple[int, int]]:
    """Return where a node is used: the steps, last one first, each with the place among its arguments."""
    return [(t, n) for t in reversed(range(len(graph.nodes))) for n, s in enumerate(graph.nodes[t].inputs) if s == k]


def differentiated(graph: Graph, direction: Sequence[float] | None = None) -> Graph:
    """Return the graph with the adjoint of each node, and in a direction with its tangent, from the local derivatives.

    An adjoint is the sum over all uses, and a tangent the sum over all arguments, as in the tables.
    """
    nodes = list(graph.nodes)
    speeds = iter(direction or ())
    for k, node in enumerate(nodes):
        if direction is not None and node.operation != "constant":
            moved = [nodes[s].tangent for s in node.inputs]
            parts = [x * v for x, v in zip(node.local, moved, strict=True) if x is not None and v is not None]
            nodes[k] = replace(node, tangent=float(next(speeds)) if node.operation == "input" else math.fsum(parts))
    bars: dict[int, float] = dict.fromkeys(graph.outputs, 1.0)
    for k in reversed(range(len(nodes))):
        if nodes[k].operation != "constant":
            bars.setdefault(k, math.fsum((nodes[t].local[n] or 0.0) * bars[t] for t, n in uses(graph, k)))
            nodes[k] = replace(nodes[k], adjoint=bars[k])
    return Graph(tuple(nodes), graph.outputs)
