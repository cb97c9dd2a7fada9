"""A computation graph, and its picture: layers from left to right, with as few crossing edges as can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

Array = NDArray[Any]

BLUE, VERMILION, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#777777", "#222222"
FACES = {"input": "#DCEBF5", "constant": "#EEEEEE", "inner": "white", "output": "#FFF3CC"}
EDGES = {"input": BLUE, "constant": "#BBBBBB", "inner": GREY, "output": BLACK}
SIGNS = {"+": "+", "-": "-", "*": r"\cdot", "/": "/"}
ESCAPES = str.maketrans(
    {**{sign: f"\\{sign}" for sign in "_$#%&{} "}, "\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim "}
)
FONT, LINE, PAD, GAP, MARGIN = 11.0, 0.215, 0.09, 0.2, 0.12  # points, and inches
STARTS, SWEEPS, SETTLING = 12, 8, 60


@dataclass(frozen=True)
class Node:
    """One step of a computation.

    Args:
        name: what the node is called, "w1" or "a"; "" for a constant.
        operation: "input", "constant", a sign ("+", "-", "*", "/", "**") or the name of a function.
        inputs: positions of earlier nodes in the graph; one may occur twice, as in x * x.
        value: the number that the step gives.
        adjoint: the derivative of the output by this node, where it is known.
        tangent: the derivative of this node along the chosen direction, where it is known.
    """

    name: str
    operation: str
    inputs: tuple[int, ...]
    value: float
    adjoint: float | None = None
    tangent: float | None = None


@dataclass(frozen=True)
class Graph:
    """A computation, step by step.

    Args:
        nodes: the steps, each after its inputs.
        outputs: positions of the results.

    Raises:
        ValueError: there is no node, a node uses one that does not come before it, an input or a constant has
            inputs, or an output is not a node.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what is no graph."""
        if not self.nodes:
            raise ValueError("a graph needs at least one node")
        for k, node in enumerate(self.nodes):
            if not all(0 <= i < k for i in node.inputs):
                raise ValueError(f"node {k} ({node.name!r}) must come after its inputs {node.inputs}")
            if node.inputs and node.operation in ("input", "constant"):
                raise ValueError(f"node {k} ({node.name!r}) is an {node.operation}: it takes no inputs")
        if not all(0 <= k < len(self.nodes) for k in self.outputs):
            raise ValueError(f"the outputs {self.outputs} must be positions of the {len(self.nodes)} nodes")


@dataclass(frozen=True)
class Layout:
    """Where everything stands, in inches from the upper left corner (y grows downward).

    Args:
        centres: the middle of each node's box, (N, 2).
        sizes: the width and the height of each box, (N, 2).
        wires: for each edge the source, the target, and the points of its line, (M, 2), from left to right.
    """

    centres: Array
    sizes: Array
    wires: tuple[tuple[int, int, Array], ...]


def layout(graph: Graph) -> Layout:
    """Place the boxes and the lines: layers by the longest path, few crossings, and long edges nearly straight.

    An edge over several layers passes each layer between at a place of its own; edges from one node share it, and
    part at the end. The result depends on nothing but the graph.

    Args:
        graph: the computation.

    Returns:
        The boxes, of which no two overlap, and the lines, none of which passes under a box.
    """
    nodes = graph.nodes
    depth = _depths(graph)
    edges = [(i, k) for k, node in enumerate(nodes) for i in node.inputs]
    last = [max([depth[k], *(depth[t] - 1 for s, t in edges if s == k)]) for k in range(len(nodes))]
    columns = [[k for k in range(len(nodes)) if depth[k] <= c <= last[k]] for c in range(max(depth) + 1)]
    links: list[list[tuple[int, int]]] = [[] for _ in columns[1:]]
    for s, t in edges:
        for c in range(depth[s], depth[t]):
            links[c].append((s, t if c + 1 == depth[t] else s))
    columns = _order(columns, links)

    sizes = np.array([_size(graph, k) for k in range(len(nodes))])
    y = _heights(columns, links, depth, sizes[:, 1])
    left, right = np.zeros(len(columns)), np.zeros(len(columns))
    for c in range(len(columns)):
        here = [k for k in columns[c] if depth[k] == c]
        climb = max((abs(y[c][t] - y[c - 1][s]) for s, t in links[c - 1]), default=0.0) if c else 0.0
        left[c] = right[c - 1] + min(0.42 + 0.12 * climb, 1.1) if c else MARGIN
        right[c] = left[c] + sizes[here, 0].max()
        for k in here:
            if nodes[k].operation != "constant":
                sizes[k, 0] = right[c] - left[c]
    centres = np.array([(right[depth[k]] - sizes[k, 0] / 2, y[depth[k]][k]) for k in range(len(nodes))])

    wires = []
    for t, node in enumerate(nodes):
        ranked = sorted(range(len(node.inputs)), key=lambda n, t=t: y[depth[t] - 1][nodes[t].inputs[n]])
        for n, s in enumerate(node.inputs):
            port = ((ranked.index(n) + 1) / (len(ranked) + 1) - 0.5) * 0.8 * sizes[t, 1]
            points = [np.array([(right[depth[s]], y[depth[s]][s])])]
            for c in range(depth[s] + 1, depth[t]):
                points += [_bend(points[-1][-1], (left[c], y[c][s])), np.array([(right[c], y[c][s])])]
            points.append(_bend(points[-1][-1], (left[depth[t]], centres[t, 1] + port)))
            wires.append((s, t, np.concatenate(points)))
    return Layout(centres, sizes, tuple(wires))


def crossings(plan: Layout) -> int:
    """Count the pairs of lines that cross, by their final coordinates; lines that only meet at an end do not.

    Args:
        plan: what ``layout`` returns.

    Returns:
        The number of pairs.
    """
    count = 0
    for n, (_, _, first) in enumerate(plan.wires):
        for _, _, second in plan.wires[:n]:
            x = np.union1d(first[:, 0], second[:, 0])
            x = x[(x >= max(first[0, 0], second[0, 0])) & (x <= min(first[-1, 0], second[-1, 0]))]
            above = np.interp(x, *first.T) - np.interp(x, *second.T)
            count += bool(np.any(above > 1e-9) and np.any(above < -1e-9))
    return count


def draw(graph: Graph, title: str = "", upto: int | None = None) -> Figure:
    """Draw a computation from left to right: what each node computes, its value, and its derivatives where given.

    Inputs are blue and round, outputs yellow with a thick border; adjoints have a bar, tangents a dot.

    Args:
        graph: the computation.
        title: what the picture shows; a general line where it is empty.
        upto: the position of the last node that has been computed; what comes after it is faded.

    Returns:
        The figure, closed, so that a notebook shows it once.
    """
    plan = layout(graph)
    lines = (title or _general_title(graph)).split("\n")
    top = MARGIN + 0.25 * len(lines)
    corner = (plan.centres + plan.sizes / 2).max(axis=0)
    width = max(corner[0], *(_text_width(line, FONT + 1) + MARGIN for line in lines)) + MARGIN
    height, shift = corner[1] + top + MARGIN, np.array([(width - corner[0] - MARGIN) / 2, top])
    figure = plt.figure(figsize=(width, height))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axis.set_axis_off()
    axis.text(width / 2, MARGIN, "\n".join(lines), size=FONT + 1, ha="center", va="top", linespacing=1.3, gid="title")
    for s, t, points in plan.wires:
        alpha = 0.2 if upto is not None and t > upto else 1.0
        style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 11, "shrinkA": 0, "shrinkB": 0}
        arrow = FancyArrowPatch(
            path=Path(points + shift), color=GREY, lw=1.3, alpha=alpha, gid=f"edge-{s}-{t}", **style
        )
        axis.add_patch(arrow)
    for k in range(len(graph.nodes)):
        kind, (wide, high), (x, y) = _kind(graph, k), plan.sizes[k], plan.centres[k] + shift
        alpha = 0.2 if upto is not None and k > upto else 1.0
        rounding = {"input": min(high / 2, 0.25), "output": 0.03}.get(kind, 0.08)
        box = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, f"round,pad=0,rounding_size={rounding}")
        box.set(fc=FACES[kind], ec=EDGES[kind], lw=2.4 if kind == "output" else 1.2, alpha=alpha, gid=f"node-{k}")
        axis.add_patch(box)
        texts = _texts(graph, k)
        for n, (text, colour) in enumerate(texts):
            base = y + (n - len(texts) / 2 + 0.68) * LINE
            axis.text(x, base, text, size=FONT, color=colour, ha="center", alpha=alpha, gid=f"text-{k}-{n}")
    plt.close(figure)
    return figure


def _depths(graph: Graph) -> list[int]:
    """Find each node's layer: the longest path from the inputs; a constant stands one before its first use."""
    depth: list[int] = []
    for node in graph.nodes:
        depth.append(1 + max((depth[i] for i in node.inputs), default=-1))
    for k, node in enumerate(graph.nodes):
        users = [depth[t] - 1 for t, user in enumerate(graph.nodes) if k in user.inputs]
        if node.operation == "constant" and users:
            depth[k] = min(users)
    return depth


def _tangle(links: list[tuple[int, int]], left: list[int], right: list[int]) -> int:
    """Count the crossings between two neighbouring columns."""
    first, second = ({k: n for n, k in enumerate(column)} for column in (left, right))
    s, t = np.array([first[a] for a, _ in links]), np.array([second[b] for _, b in links])
    return int(np.count_nonzero((s[:, None] < s) & (t[:, None] > t)))


def _order(columns: list[list[int]], links: list[list[tuple[int, int]]]) -> list[list[int]]:
    """Order each column for few crossings: sweeps by barycentre, then local search, from several seeded starts."""
    rng = np.random.default_rng(0)

    def around(order: list[list[int]], c: int, column: list[int]) -> int:
        before = _tangle(links[c - 1], order[c - 1], column) if c else 0
        return before + (_tangle(links[c], column, order[c + 1]) if c + 1 < len(order) else 0)

    def total(order: list[list[int]]) -> int:
        return sum(_tangle(links[c], order[c], order[c + 1]) for c in range(len(links)))

    best, fewest = columns, total(columns)
    for start in range(STARTS):
        if not fewest:
            break
        order = [[int(k) for k in (rng.permutation(column) if start else column)] for column in columns]
        for sweep in range(SWEEPS):
            step = 1 if sweep % 2 == 0 else -1
            for c in range(len(order))[::step][1:]:
                pairs = links[c - 1] if step == 1 else [(t, s) for s, t in links[c]]
                place = {k: n for n, k in enumerate(order[c - step])}
                pulls = {k: [place[s] for s, t in pairs if t == k] or [n] for n, k in enumerate(order[c])}
                order[c].sort(key=lambda k, pulls=pulls: float(np.mean(pulls[k])))
        better = True
        while better:
            better = False
            for c in range(len(order)):
                found = min(_neighbours(order[c]), key=lambda column, c=c, order=order: around(order, c, column))
                if around(order, c, found) < around(order, c, order[c]):
                    order[c], better = found, True
        if total(order) < fewest:
            best, fewest = order, total(order)
    return best


def _neighbours(column: list[int]) -> Iterator[list[int]]:
    """Give the orders to try instead of one: all of a short column, else those one swap of neighbours away."""
    if len(column) <= 4:
        yield from map(list, permutations(column))
        return
    for n in range(len(column) - 1):
        yield [*column[:n], column[n + 1], column[n], *column[n + 2 :]]


def _heights(
    columns: list[list[int]], links: list[list[tuple[int, int]]], depth: list[int], high: Array
) -> list[dict[int, float]]:
    """Find the y of each place: least squares along the edges, long ones first, with room between neighbours."""
    size = [[high[k] if depth[k] == c else 0.0 for k in column] for c, column in enumerate(columns)]
    rooms = [np.cumsum([0.0, *((a + b) / 2 + GAP for a, b in zip(s, s[1:], strict=False))]) for s in size]
    y = [
        {k: float(v) for k, v in zip(column, room - room[-1] / 2, strict=True)}
        for column, room in zip(columns, rooms, strict=True)
    ]
    pulls: list[dict[int, list[tuple[int, int, float]]]] = [{k: [] for k in column} for column in columns]
    for c, pairs in enumerate(links):
        for s, t in pairs:
            weight = (1.0, 2.0, 8.0)[(depth[s] != c) + (depth[t] != c + 1)]
            pulls[c][s].append((c + 1, t, weight))
            pulls[c + 1][t].append((c, s, weight))
    for c in [*range(len(columns)), *reversed(range(len(columns)))] * SETTLING:
        wanted, weights = [], []
        for k in columns[c]:
            near = pulls[c][k] or [(c, k, 1e-6)]
            weights.append(sum(w for _, _, w in near))
            wanted.append(sum(w * y[b][j] for b, j, w in near) / weights[-1])
        y[c] = dict(zip(columns[c], _ascending(np.array(wanted) - rooms[c], weights) + rooms[c], strict=True))
    top = min(y[c][k] - size[c][n] / 2 for c, column in enumerate(columns) for n, k in enumerate(column))
    return [{k: float(v - top) for k, v in column.items()} for column in y]


def _ascending(wanted: Array, weights: list[float]) -> Array:
    """Find the ascending numbers nearest to the wanted ones, in weighted least squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        pool = (float(value), weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, mass, count = pools.pop()
            pool = ((mean * mass + pool[0] * pool[1]) / (mass + pool[1]), mass + pool[1], count + pool[2])
        pools.append(pool)
    return np.repeat([mean for mean, _, _ in pools], [count for _, _, count in pools])


def _bend(start: Array, end: tuple[float, float]) -> Array:
    """Give the points of a line that leaves and arrives horizontally; two such lines cross at most once."""
    t = np.linspace(0, 1, 17)[1:]
    return np.column_stack([start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t**2 * (3 - 2 * t)])


def _kind(graph: Graph, k: int) -> str:
    """Name what the box looks like."""
    return (
        "output"
        if k in graph.outputs
        else {"input": "input", "constant": "constant"}.get(graph.nodes[k].operation, "inner")
    )


def _symbol(graph: Graph, k: int, style: str = r"\mathit") -> str:
    """Write the name of a node in mathtext: closing digits become an index."""
    node = graph.nodes[k]
    name = node.name or (f"{node.value:.4g}" if node.operation == "constant" else f"v{k}")
    found = re.fullmatch(r"([^\W\d_]+)_?(\d*)", name)
    if not found:
        return rf"{style}{{\mathrm{{{name.translate(ESCAPES)}}}}}"
    stem, index = found.groups()
    return f"{style}{{{stem}}}" + (index and f"_{{{index}}}")


def _formula(graph: Graph, k: int) -> str:
    """Write what a node does with its inputs, in mathtext."""
    sign = graph.nodes[k].operation
    names = [_symbol(graph, i) for i in graph.nodes[k].inputs]
    if sign in SIGNS and len(names) > 1:
        return f" {SIGNS[sign]} ".join(names)
    if sign in ("**", "^", "pow") and len(names) == 2:
        return f"{{{names[0]}}}^{{{names[1]}}}"
    if sign in ("-", "neg") and len(names) == 1:
        return f"-{names[0]}"
    return rf"\mathrm{{{sign.translate(ESCAPES)}}}({', '.join(names)})"


def _texts(graph: Graph, k: int) -> list[tuple[str, str]]:
    """Give the lines of text in a box, with their colours."""
    node = graph.nodes[k]
    if node.operation == "constant":
        return [(f"${_symbol(graph, k)}$" + (f" = {node.value:.4g}" if node.name else ""), BLACK)]
    name, formula = _symbol(graph, k, r"\mathbf"), "" if node.operation == "input" else f" = {_formula(graph, k)}"
    texts = [(f"${name}{formula}$", BLACK), (f"= {node.value:.4g}", BLACK)]
    for value, accent, colour in ((node.adjoint, r"\bar", VERMILION), (node.tangent, r"\dot", GREEN)):
        if value is not None:
            texts.append((f"${_symbol(graph, k, accent)}$ = {value:.4g}", colour))
    return texts


def _text_width(text: str, size: float) -> float:
    """Measure a line of text, in inches."""
    return float(TextPath((0, 0), text, size=size).get_extents().width) / 72


def _size(graph: Graph, k: int) -> tuple[float, float]:
    """Give the width and the height that the box of a node needs; all but constants are equally high."""
    width = max(_text_width(text, FONT) for text, _ in _texts(graph, k)) + 2 * PAD
    own = graph.nodes[k].operation == "constant"
    rows = 1 if own else max(len(_texts(graph, j)) for j in range(len(graph.nodes)))
    return max(width, 0.3 if own else 0.75), rows * LINE + (0.06 if own else 2 * PAD)


def _general_title(graph: Graph) -> str:
    """Say what a picture without a title shows."""
    shown = ["value"]
    shown += [r"adjoint $\bar{v}$"] * any(node.adjoint is not None for node in graph.nodes)
    shown += [r"tangent $\dot{v}$"] * any(node.tangent is not None for node in graph.nodes)
    return f"Each node's {' and '.join(shown)}"
