"""Derivatives by hand: tables to be filled in, as on paper, and what is said of each entry.

A table is a text. Its rows are the steps of a computation, or in reverse mode the uses of its variables, and a ``?``
stands where a number belongs. :func:`sheet` makes it, and :func:`look` reads it. The steps are those of ``PROGRAMS``,
and the derivatives come from the rules of :mod:`~cs7643.autodiff.primitives` alone, so nothing here waits for a task.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from cs7643.autodiff import primitives
from cs7643.autodiff.graph import Graph, formula, trace
from cs7643.autodiff.mistaken import (
    IN_PAIRS,
    MISTAKES,
    Step,
    Suspect,
    explained,
    in_adjoint,
    in_jacobian,
    in_product,
    in_slope,
    in_sum,
    in_tangent,
    in_value,
    operation,
)

PROGRAMS = {  # each step: its name, its operation, and what it takes
    "warm_up": "x y: a + x y; b + y 1; c * a b",
    "f1": "w1 w2: a exp w1; b * 2 w2; c exp b; d + a c; e exp d; f sin d; g + e f",
    "f1_as_typeset": "w1 w2: a exp w1; b * 2 w2; c exp b; d + w1 c; e exp d; f + a c; g sin f; h + e g",
    "f2": "w1 w2: a * w1 w2; b sigmoid w1; c + a b",
}
KINDS = ("forward", "backward", "jacobian")
OPEN = "?"
DIGITS = 3
GREEN, RED, GREY = "#2A8C4A", "#C2334D", "#808080"  # 3:1 or more on white and on black
SIGNS = {  # of each state of a number: what stands behind it, and its colour
    "right": ("\u2713", GREEN),
    "open": ("\u00b7", GREY),
    "follows": ("\u2192", GREY),
    "wrong": ("\u2717", RED),
    "short": ("\u2717", RED),
    "none": ("\u2717", RED),
}
SAID = {
    "none": f"expected a number with {DIGITS} digits, got {{}}.",
    "short": f"expected a number with {DIGITS} digits, got {{}}.",
    "follows": "it follows from the numbers above it, and one of these is off: mend that first.",
    "wrong": "this number is off.",
}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.I)


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


def sheet(kind: str, name: str, w: Sequence[float]) -> str:
    """Return an empty table as a text, with ``?`` in the place of each number that is not given.

    Args:
        kind: "forward": the values, and the tangents in one column for each input. "backward": one row for each use of
            a variable. "jacobian": the derivatives of several functions.
        name: of one of ``PROGRAMS``; for the Jacobian of several, with spaces between.
        w: the point.

    Raises:
        ValueError: if there is no such kind or program.
    """
    return _aligned(table(kind, name, w).lines(lambda _, entry: f"{entry.right:g}" if entry.given else OPEN))


def table(kind: str, name: str, w: Sequence[float]) -> Table:
    """Return a table with the right numbers; the arguments are those of :func:`sheet`."""
    if kind not in KINDS:
        raise ValueError(f"table: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    at = f"at ({', '.join(f'{x:g}' for x in w)})"
    graphs = [differentiated(program(each, w)) for each in name.split()]
    if kind == "forward":
        return _forward(f"Forward mode, {name} {at}", graphs[0])
    if kind == "backward":
        return _backward(f"Reverse mode, {name} {at}", graphs[0])
    return _jacobian(f"The Jacobian of ({name.replace(' ', ', ')}) {at}", dict(zip(name.split(), graphs, strict=True)))


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(" | ".join(map(str.ljust, line, widths)).rstrip(" |") for line in lines)


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


@dataclass(frozen=True)
class Look:
    """What is said of a table: the state of each number, and sentences.

    Attributes:
        table: with the right numbers, which are not shown.
        texts: what stands at each place.
        states: of the entries that are not given: a key of ``SIGNS``.
        remarks: the sentences, each with its place.
    """

    table: Table
    texts: Mapping[Place, str]
    states: Mapping[Place, str]
    remarks: tuple[str, ...]

    @property
    def heading(self) -> str:
        """Say how many numbers are right, and how many are left to fill in."""
        right, unfilled = (sum(each == state for each in self.states.values()) for state in ("right", "open"))
        wrong = len(self.states) - right - unfilled
        left = [f"{unfilled} to fill in"] * bool(unfilled) + [f"{wrong} to mend"] * bool(wrong)
        return f"{self.table.title}: " + ", ".join([f"{right} of {len(self.states)} right", *left])

    def _shown(self, place: Place, entry: Entry) -> str:
        return f"{entry.right:g}" if entry.given else f"{self.texts[place]} {SIGNS[self.states[place]][0]}"

    def __str__(self) -> str:
        """Return the table with a sign behind each number, and the sentences."""
        shown = [] if set(self.states.values()) <= {"open"} else [_aligned(self.table.lines(self._shown))]
        return "\n".join([self.heading, *shown, *self.remarks])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        text = html.escape(str(self))
        for sign, colour in set(SIGNS.values()):
            text = text.replace(f" {sign}", f' <b style="color: {colour}">{sign}</b>')
        return f'<pre style="line-height: 1.4">{text}</pre>'


def look(text: str, kind: str, name: str, w: Sequence[float]) -> Look:
    """Read a table that was filled in, and compare it number by number.

    A number needs three digits. It is right if it is the right one, up to rounding, or if it follows from right ones
    above it that were rounded.

    Args:
        text: the table of :func:`sheet` with numbers in the place of the question marks; some may be left.
        kind: the kind of the table.
        name: the program, or programs.
        w: the point.

    Raises:
        TypeError: if the text is none.
        ValueError: if there is no such kind or program.
    """
    if not isinstance(text, str):
        raise TypeError(f"look: expected the table as a text, got {type(text).__name__}")
    wanted = table(kind, name, w)
    texts, remarks = _read(text, wanted)
    numbers = {place: _number(each) for place, each in texts.items()}
    numbers |= {place: entry.right for place, entry in wanted.entries.items() if entry.given}
    states: dict[Place, str] = {}
    names: dict[Place, set[str]] = {}
    with np.errstate(over="ignore", invalid="ignore"):  # a mistake may make numbers that no float can hold
        for place in (place for place, entry in wanted.entries.items() if not entry.given):
            states[place], names[place] = _judged(place, wanted.entries, texts[place], numbers, states)
    for place, state in states.items():
        if state in SAID:
            sentence = _named(place, names) or SAID[state]
            remarks.append(f"{place[0]}, {place[1]}: {sentence.format(texts[place])}")
    return Look(wanted, texts, states, tuple(remarks))


def _read(text: str, wanted: Table) -> tuple[dict[Place, str], list[str]]:
    """Return what stands at each place, and what is wrong with the rows."""
    rows = {" ".join(row.split()): row for row in wanted.rows}
    texts = dict.fromkeys(wanted.entries, OPEN)
    found, remarks = set(), []
    for line in filter(str.strip, text.splitlines()):
        label, *cells = (" ".join(cell.split()) for cell in line.split("|"))
        if label in rows:
            found.add(label)
            for column, cell in zip(wanted.head[1:], cells, strict=False):
                if (rows[label], column) in texts and cell:
                    texts[rows[label], column] = cell
        elif label != wanted.head[0]:
            remarks.append(f"expected a row that begins with one of {', '.join(rows)}; got {label!r}.")
    remarks += [f"the row {row!r} is missing: write it again." for row in rows if row not in found]
    return texts, remarks


def _number(text: str) -> float | None:
    """Return the number that a text is; None if it is none."""
    text = text.replace("\u2212", "-").replace(" ", "")
    return float(text) if NUMBER.fullmatch(text) else None


def _digits(text: str) -> int:
    """Return how many significant digits a number was written with."""
    return len(re.sub(r"e.*|\D", "", text.lower()).lstrip("0"))


def _close(number: float, right: float, digits: int = DIGITS) -> bool:
    """Tell whether two numbers agree up to the rounding of one, and a little of what it was computed from."""
    return abs(number - right) <= 0.6 * 10.0 ** (1 - digits) * abs(right)


def _judged(
    place: Place,
    entries: Mapping[Place, Entry],
    text: str,
    numbers: Mapping[Place, float | None],
    states: Mapping[Place, str],
) -> tuple[str, set[str]]:
    """Return the state of a number, and the mistakes that would explain it."""
    entry, number = entries[place], numbers[place]
    if text == OPEN:
        return "open", set()
    if number is None:
        return "none", set()
    above = [numbers[need] for need in entry.needs]
    own = [entries[need].right if x is None else x for need, x in zip(entry.needs, above, strict=True)]
    expected = entry.follow(*own)
    exact = math.isclose(number, entry.right, rel_tol=1e-9)
    if not exact and _digits(text) < DIGITS and _close(number, entry.right, max(_digits(text), 1)):
        return "short", set()
    if _close(number, entry.right):
        return "right", set()
    if entry.needs and _close(number, expected):
        sound = all(states.get(need, "right") in ("right", "open") for need in entry.needs)
        return "right" if sound else "follows", set()
    suspects = entry.suspects(*own)
    names = explained(number, expected, suspects, _close)
    if len(names) > 1:  # more digits may tell them apart
        finer = partial(_close, digits=min(_digits(text), DIGITS + 1))
        names = explained(number, expected, suspects, finer) or names
    return "wrong", names


def _named(place: Place, names: Mapping[Place, set[str]]) -> str:
    """Return the sentence for a mistake, if the numbers are evidence of it and of no other."""
    for name in names[place] & set(IN_PAIRS):
        same_row = name == "columns"
        others = (other for at, other in names.items() if at != place and (at[0] == place[0]) == same_row)
        if any(name in other for other in others):
            return MISTAKES[name]
    alone = names[place] - set(IN_PAIRS)
    return MISTAKES[next(iter(alone))] if len(alone) == 1 else ""
