"""The places of the boxes and lines of a computation graph: layers from left to right, with few crossings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.autodiff.graph import Graph

Array = NDArray[Any]
Columns = list[list[int]]  # the nodes in each layer from top to bottom, and those whose edges pass through it
Links = list[list[tuple[int, int]]]  # the pieces of edges between two layers; (k, k) where an edge passes through

GAP, MARGIN = 0.2, 0.12  # inches
BESIDE = 0.2  # inches of a line to be seen on either side of its label
SWEEPS, SETTLING = 8, 60


@dataclass(frozen=True)
class Layout:
    """The places of everything, in inches from the upper left corner (y grows downwards).

    Args:
        centres: the centre of each node's box, (N, 2).
        sizes: the width and the height of each box, (N, 2).
        wires: for each edge the source, the target, and the points of its line, (M, 2), from left to right.
    """

    centres: Array
    sizes: Array
    wires: tuple[tuple[int, int, Array], ...]


def layout(graph: Graph, sizes: Array, labels: Sequence[float] = ()) -> Layout:
    """Place the boxes and the lines: layers by the longest path, few crossings, and long edges nearly straight.

    An edge over several layers has a place of its own in each layer between; edges from the same node share it, and
    separate at the end.

    Args:
        graph: the computation.
        sizes: (N, 2), the width and height of the box of each node, in inches.
        labels: for each node the width of the widest label on a line that ends there, in inches; none without labels.

    Returns:
        The places of the boxes, which do not overlap, and of the lines, which do not pass under a box.
    """
    depth = _depths(graph)
    columns, links = _columns(graph, depth)
    columns = _order(columns, links)
    sizes = sizes.copy()
    ports: dict[tuple[int, int], list[float]] = {}
    for t, node in enumerate(graph.nodes):
        steps = np.linspace(-0.4, 0.4, len(node.inputs) + 2)[1:-1] * sizes[t, 1]
        for s, step in zip(sorted(node.inputs, key=columns[depth[t] - 1].index), steps, strict=True):
            ports.setdefault((s, t), []).append(float(step))
    y = _heights(columns, links, depth, sizes[:, 1], ports)

    left, right = np.zeros((2, len(columns)))
    for c, column in enumerate(columns):
        climb = max((abs(y[c][t] - y[c - 1][s]) for s, t in links[c - 1]), default=0.0) if c else 0.0
        label = max((labels[t] for s, t in links[c - 1] if s != t), default=0.0) if c and len(labels) else 0.0
        left[c] = right[c - 1] + max(min(0.42 + 0.12 * climb, 1.1), label + 2 * BESIDE) if c else MARGIN
        right[c] = left[c] + max(sizes[k, 0] for k in column if depth[k] == c)
    for k, node in enumerate(graph.nodes):
        if node.operation != "constant":
            sizes[k, 0] = right[depth[k]] - left[depth[k]]
    centres = np.array([(right[c] - sizes[k, 0] / 2, y[c][k]) for k, c in enumerate(depth)])

    wires = []
    for (s, t), steps_in in ports.items():
        for step in steps_in:
            points = [np.array([(right[depth[s]], y[depth[s]][s])])]
            for c in range(depth[s] + 1, depth[t]):
                points += [_bend(points[-1][-1], left[c], y[c][s]), np.array([(right[c], y[c][s])])]
            points.append(_bend(points[-1][-1], left[depth[t]], centres[t, 1] + step))
            wires.append((s, t, np.concatenate(points)))
    return Layout(centres, sizes, tuple(wires))


def _depths(graph: Graph) -> list[int]:
    """Return each node's layer: the longest path from the inputs; a constant stands one layer before its first use."""
    depth: list[int] = []
    for node in graph.nodes:
        depth.append(1 + max((depth[i] for i in node.inputs), default=-1))
    for k, node in enumerate(graph.nodes):
        if node.operation == "constant":
            depth[k] = min((depth[t] - 1 for t, user in enumerate(graph.nodes) if k in user.inputs), default=0)
    return depth


def _columns(graph: Graph, depth: list[int]) -> tuple[Columns, Links]:
    """Divide the edges at the layers, and list for each layer the nodes that have a place there."""
    columns: Columns = [[] for _ in range(max(depth) + 1)]
    links: Links = [[] for _ in columns[1:]]
    last = list(depth)
    for t, node in enumerate(graph.nodes):
        for s in node.inputs:
            last[s] = max(last[s], depth[t] - 1)
            for c in range(depth[s], depth[t]):
                links[c].append((s, t if c + 1 == depth[t] else s))
    for k in range(len(depth)):
        for c in range(depth[k], last[k] + 1):
            columns[c].append(k)
    return columns, links


def _tangle(columns: Columns, links: Links) -> int:
    """Count the crossings."""
    count = 0
    for left, right, pairs in zip(columns, columns[1:], links, strict=False):
        s, t = np.array([(left.index(a), right.index(b)) for a, b in pairs]).T
        count += int(np.count_nonzero((s[:, None] < s) & (t[:, None] > t)))
    return count


def _order(columns: Columns, links: Links) -> Columns:
    """Order each column for few crossings: sweeps back and forth put each node at the mean place of its neighbours."""
    best, fewest = columns, _tangle(columns, links)
    order = [list(column) for column in columns]
    for sweep in range(SWEEPS):
        step = -1 if sweep % 2 else 1
        for c in range(len(order))[::step][1:]:
            place = {k: n for n, k in enumerate(order[c - step])}
            pulls: dict[int, list[int]] = {k: [] for k in order[c]}
            for s, t in links[min(c, c - step)]:
                pulls[t if step == 1 else s].append(place[s if step == 1 else t])
            means = {k: np.mean(pulls[k] or [n]) for n, k in enumerate(order[c])}
            order[c].sort(key=means.__getitem__)
        if (count := _tangle(order, links)) < fewest:
            best, fewest = [list(column) for column in order], count
    return best


def _heights(
    columns: Columns, links: Links, depth: list[int], high: Array, ports: dict[tuple[int, int], list[float]]
) -> list[dict[int, float]]:
    """Return the y of each place: least squares along the edges, long ones first, with gaps between neighbours."""
    sizes = [np.array([high[k] * (depth[k] == c) for k in column]) for c, column in enumerate(columns)]
    rooms = [np.cumsum([0.0, *((size[1:] + size[:-1]) / 2 + GAP)]) for size in sizes]
    y = [dict(zip(column, room - room[-1] / 2, strict=True)) for column, room in zip(columns, rooms, strict=True)]
    pulls: list[dict[int, list[tuple[int, int, float, float]]]] = [{k: [] for k in column} for column in columns]
    for c, pairs in enumerate(links):
        for s, t in pairs:
            weight, step = (1.0, 2.0, 8.0)[(depth[s] != c) + (s == t)], float(np.mean(ports.get((s, t), 0.0)))
            pulls[c][s].append((c + 1, t, step, weight))
            pulls[c + 1][t].append((c, s, -step, weight))
    for c in [*range(len(columns)), *reversed(range(len(columns)))] * SETTLING:
        near = [pulls[c][k] or [(c, k, 0.0, 1e-6)] for k in columns[c]]
        weights = [sum(pull[3] for pull in group) for group in near]
        sums = [sum(weight * (y[b][j] + step) for b, j, step, weight in group) for group in near]
        y[c] = dict(zip(columns[c], _ascending(np.divide(sums, weights) - rooms[c], weights) + rooms[c], strict=True))
    top = min(y[c][k] - size / 2 for c, column in enumerate(columns) for k, size in zip(column, sizes[c], strict=True))
    return [{k: float(value - top) for k, value in column.items()} for column in y]


def _ascending(wanted: Array, weights: list[float]) -> Array:
    """Return the ascending numbers closest to the wanted ones, in weighted least squares (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in zip(wanted, weights, strict=True):
        mean, mass, count = float(value), weight, 1
        while pools and pools[-1][0] > mean:
            other, heft, more = pools.pop()
            mean, mass, count = (mean * mass + other * heft) / (mass + heft), mass + heft, count + more
        pools.append((mean, mass, count))
    return np.repeat([pool[0] for pool in pools], [pool[2] for pool in pools])


def _bend(start: Array, x: float, y: float) -> Array:
    """Return the points of a line that starts and ends horizontally; two such lines cross at most once."""
    t = np.linspace(0, 1, 17)[1:, None]
    return np.hstack([start[0] + (x - start[0]) * t, start[1] + (y - start[1]) * t**2 * (3 - 2 * t)])
