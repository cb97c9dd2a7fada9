"""The tables of derivatives by hand, with the right numbers, and with what the usual mistakes would make of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cs7643.autodiff.graph import Graph, formula
from cs7643.autodiff.mistaken import (
    Step,
    Suspect,
    in_adjoint,
    in_jacobian,
    in_product,
    in_slope,
    in_sum,
    in_tangent,
    in_value,
)
from cs7643.autodiff.programs import differentiated, program, uses

KINDS = ("forward", "backward", "jacobian")
Place = tuple[str, str]  # of a number in a table: its row, and its column
BAR, LOCAL, PART = "bar of the step", "local derivative", "contribution"


@dataclass(frozen=True)
class Entry:
    """A number of a table.

    Attributes:
        right: the number that belongs here.
        given: whether the table states it.
        needs: the places of the entries that it is computed from.
        follow: computes it from these.
        suspects: what the usual mistakes make of these.
    """

    right: float
    given: bool = False
    needs: tuple[Place, ...] = ()
    follow: Callable[..., float] = lambda: math.nan
    suspects: Callable[..., list[Suspect]] = lambda *_: []


@dataclass(frozen=True)
class Table:
    """A table with the right numbers.

    Attributes:
        title: what it is about.
        head: the titles of its columns, the first one that of the labels.
        rows: the labels.
        entries: the numbers at their places; a row need not have one in each column.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[str, ...]
    entries: dict[Place, Entry]

    def lines(self, show: Callable[[Place, Entry], str]) -> list[tuple[str, ...]]:
        """Return the head and the rows, with what is shown of each entry."""
        cells = {place: show(place, entry) for place, entry in self.entries.items()}
        return [self.head, *((row, *(cells.get((row, column), "") for column in self.head[1:])) for row in self.rows)]


def table(kind: str, name: str, w: Sequence[float]) -> Table:
    """Return a table with the right numbers; the arguments are those of :func:`~cs7643.autodiff.by_hand.sheet`."""
    if kind not in KINDS:
        raise ValueError(f"table: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    at = f"at ({', '.join(f'{x:g}' for x in w)})"
    graphs = [differentiated(program(each, w)) for each in name.split()]
    if kind == "forward":
        return _forward(f"Forward mode, {name} {at}", graphs[0])
    if kind == "backward":
        return _backward(f"Reverse mode, {name} {at}", graphs[0])
    return _jacobian(f"The Jacobian of ({name.replace(' ', ', ')}) {at}", dict(zip(name.split(), graphs, strict=True)))


def _inputs(graph: Graph) -> list[int]:
    return [k for k, node in enumerate(graph.nodes) if node.operation == "input"]


def _step(graph: Graph, k: int) -> tuple[Step, list[int]]:
    """Return a step that can be done again, and its arguments that are no constants."""
    nodes, node = graph.nodes, graph.nodes[k]
    constants = (nodes[s].value if nodes[s].operation == "constant" else None for s in node.inputs)
    return Step(node, tuple(constants)), [s for s in node.inputs if nodes[s].operation != "constant"]


def _forward(title: str, graph: Graph) -> Table:
    """Return the table of values and tangents: one row for each step."""
    inputs = _inputs(graph)
    columns = [f"dot along {graph.nodes[k].name}" for k in inputs]
    moved = [differentiated(graph, [float(k == each) for k in inputs]).nodes for each in inputs]
    rows = {k: formula(graph, k) for k, node in enumerate(graph.nodes) if node.operation != "constant"}
    entries = {}
    for k, row in rows.items():
        step, arguments = _step(graph, k)
        given, values = k in inputs, tuple((rows[s], "value") for s in arguments)
        entries[row, "value"] = Entry(step.node.value, given, values, step.value, partial(in_value, step))
        speeds = [float(nodes[k].tangent or 0.0) for nodes in moved]
        for n, column in enumerate(columns):
            needs, other = (*values, *((rows[s], column) for s in arguments)), speeds[n - 1]
            entries[row, column] = Entry(speeds[n], given, needs, step.tangent, partial(in_tangent, step, other))
    return Table(title, ("step", "value", *columns), tuple(rows.values()), entries)


def _backward(title: str, graph: Graph) -> Table:
    """Return the table of adjoints: one row for each use of a variable, and the sum where there are several."""
    nodes, entries = graph.nodes, dict[Place, Entry]()
    bars: dict[int, tuple[Place, ...]] = {}  # where the bar of each node stands, once all its uses are there
    for t in reversed(range(len(nodes))):
        if nodes[t].operation == "constant":
            continue
        own, bar = uses(graph, t), float(nodes[t].adjoint or 0.0)
        parts = tuple((_use(graph, *each), PART) for each in own)
        bars[t] = parts
        if len(parts) > 1:
            bars[t] = ((f"{nodes[t].name}, all uses", PART),)
            entries[bars[t][0]] = Entry(bar, False, parts, lambda *x: math.fsum(x), in_sum)
        shares = [float(nodes[u].adjoint or 0.0) * float(nodes[u].local[n] or 0.0) for u, n in own]
        step, arguments = _step(graph, t)
        places = [n for n, s in enumerate(nodes[t].inputs) if nodes[s].operation != "constant"]
        for place, (n, s) in enumerate(zip(places, arguments, strict=True)):
            row, slope = _use(graph, t, n), float(nodes[t].local[n] or 0.0)
            near, values = (bar, float(nodes[s].adjoint or 0.0)), [nodes[s].value for s in arguments]
            suspects = partial(_in_bar, shares, nodes[t].value)
            entries[row, BAR] = Entry(bar, False, bars[t], lambda *x: x[0] if x else 1.0, suspects)
            suspects = partial(in_slope, step, place, near, values)
            entries[row, LOCAL] = Entry(slope, False, (), lambda slope=slope: slope, suspects)
            needs = ((row, BAR), (row, LOCAL))
            entries[row, PART] = Entry(bar * slope, False, needs, lambda bar, slope: bar * slope, in_product)
    rows = tuple(dict.fromkeys(row for row, _ in entries))
    return Table(title, ("use", BAR, LOCAL, PART), rows, entries)


def _in_bar(shares: Sequence[float], value: float, own: float = 1.0) -> list[Suspect]:
    return in_adjoint(own, shares, value)


def _use(graph: Graph, t: int, n: int) -> str:
    """Return the label of a use: the variable, and the step; which of two, if the step takes it twice."""
    inputs = graph.nodes[t].inputs
    which = f" ({('first', 'second')[inputs[:n].count(inputs[n])]})" if inputs.count(inputs[n]) > 1 else ""
    return f"{graph.nodes[inputs[n]].name} in {formula(graph, t)}{which}"


def _jacobian(title: str, graphs: Mapping[str, Graph]) -> Table:
    """Return the table of the derivatives of several functions of the same inputs: one row for each."""
    matrix = [[float(graph.nodes[k].adjoint or 0.0) for k in _inputs(graph)] for graph in graphs.values()]
    entries = {}
    for i, (name, graph) in enumerate(graphs.items()):
        for j, k in enumerate(_inputs(graph)):
            across = matrix[j][i] if i != j and j < len(matrix) and i < len(matrix[j]) else math.nan
            follow, suspects = partial(float, matrix[i][j]), partial(in_jacobian, graph, k, across)
            entries[name, f"by {graph.nodes[k].name}"] = Entry(matrix[i][j], False, (), follow, suspects)
    return Table(title, ("", *dict.fromkeys(column for _, column in entries)), tuple(graphs), entries)
