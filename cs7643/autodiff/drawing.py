"""The picture of a computation graph, drawn with Matplotlib alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from cs7643.autodiff.graph import Graph, formula
from cs7643.autodiff.layout import MARGIN, Layout, layout

BLUE, VERMILION, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#777777", "#222222"
VIOLET = "#7B3294"  # of local derivatives
LOOKS = {  # of each kind of box: face, edge, line width, radius of the corners
    "input": ("#DCEBF5", BLUE, 1.2, 0.25),
    "constant": ("#EEEEEE", "#BBBBBB", 1.2, 0.08),
    "inner": ("#FFFFFF", GREY, 1.2, 0.08),
    "output": ("#FFF3CC", BLACK, 2.4, 0.03),
}
SIGNS = {"+": "+", "-": "-", "*": r"\cdot", "/": "/"}
FONT, SMALL = 11.0, 9.0  # points
LINE, PAD = 0.215, 0.1  # inches


def draw(graph: Graph, title: str = "", local: bool = False) -> Figure:
    """Draw a computation from left to right: the formula of each node, its value, and its derivatives if known.

    Inputs are blue and round, outputs yellow with a thick border; adjoints have a bar, tangents a dot.

    Args:
        graph: the computation.
        title: one line or several.
        local: whether each arrow carries its local derivative, that of the step by this one of its inputs.

    Returns:
        The figure, closed, so that a notebook shows it once.
    """
    plan, labels = labelled_layout(graph) if local else (layout(graph, box_sizes(graph)), ())
    headings = title.split("\n") if title else []
    corner = (plan.centres + plan.sizes / 2).max(axis=0) + MARGIN
    width = max(corner[0], *(_text_width(heading, FONT + 1) + 2 * MARGIN for heading in headings), 0.0)
    shift = np.array([(width - corner[0]) / 2, MARGIN + 0.25 * len(headings) + 0.05 * bool(headings)])
    figure = plt.figure(figsize=(width, corner[1] + shift[1]))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(corner[1] + shift[1], 0))
    axis.set_axis_off()
    axis.text(width / 2, MARGIN, title, size=FONT + 1, ha="center", va="top", linespacing=1.3)
    for s, t, points in plan.wires:
        arrow = FancyArrowPatch(path=Path(points + shift), arrowstyle="-|>", mutation_scale=11, shrinkA=0, shrinkB=0)
        arrow.set(color=GREY, lw=1.3, gid=f"edge-{s}-{t}")
        axis.add_patch(arrow)
    behind = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"}
    for n, label in enumerate(labels):
        (x, y), gid = label.centre + shift, f"local-{n}-{label.target}"
        axis.text(x, y, label.text, size=SMALL, color=VIOLET, ha="center", va="center", bbox=behind, gid=gid)
    for k, node in enumerate(graph.nodes):
        kind = "output" if k in graph.outputs else node.operation
        face, edge, thickness, radius = LOOKS.get(kind, LOOKS["inner"])
        (x, y), (wide, high) = plan.centres[k] + shift, plan.sizes[k]
        box = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, f"round,pad=0,rounding_size={radius}")
        box.set(fc=face, ec=edge, lw=thickness, gid=f"node-{k}")
        axis.add_patch(box)
        texts = _texts(graph, k)
        for n, (text, colour) in enumerate(texts):
            base = y + (n - len(texts) / 2 + 0.68) * LINE
            axis.text(x, base, text, size=FONT, color=colour, ha="center", gid=f"text-{k}-{n}")
    plt.close(figure)
    figure.set_label(_in_words(graph, title, labels))
    return figure


@dataclass(frozen=True)
class Label:
    """The local derivative on an arrow: its text, where the arrow begins and ends, and the middle of the text."""

    text: str
    source: int
    target: int
    centre: NDArray[Any]


@lru_cache(maxsize=4)  # the same for all steps of a computation
def labelled_layout(graph: Graph) -> tuple[Layout, tuple[Label, ...]]:
    """Return the places of the boxes, with room between them for the local derivatives, and these.

    Each label stands on the last stretch of its line, near the middle, where it covers neither another label nor, if
    there is such a place, another line.
    """
    wanted: dict[tuple[int, int], list[str]] = {}
    for t, node in enumerate(graph.nodes):
        for s, value in zip(node.inputs, node.local, strict=False):
            wanted.setdefault((s, t), []).append("" if value is None else f"{value:.4g}")
    widths = [0.0] * len(graph.nodes)
    for (_, t), texts in wanted.items():
        widths[t] = max(widths[t], *(_text_width(text, SMALL) for text in texts if text), 0.0)
    plan = layout(graph, box_sizes(graph), widths)
    labels: list[Label] = []
    taken: list[NDArray[Any]] = []  # half sizes go with the centres: left, top, right, bottom
    for number, (s, t, points) in enumerate(plan.wires):
        text = wanted[s, t].pop(0) if wanted.get((s, t)) else ""
        if not text:
            continue
        half = np.array([_text_width(text, SMALL) / 2 + 0.04, 0.09])
        others = np.concatenate([other for n, (_, _, other) in enumerate(plan.wires) if n != number] or [points[:0]])
        stretch = points[-17:]
        tries = [_on(stretch, 0.5 + sign * step) for step in np.linspace(0, 0.22, 12) for sign in (1, -1)]

        def cost(centre: NDArray[Any], half: NDArray[Any] = half, others: NDArray[Any] = others) -> tuple[int, int]:
            spot = np.concatenate([centre - half, centre + half])
            covered = sum(bool(np.all(spot[:2] < box[2:]) and np.all(box[:2] < spot[2:])) for box in taken)
            return covered, int(np.sum(np.all(abs(others - centre) < half, axis=1)))

        centre = min(tries, key=cost)
        taken.append(np.concatenate([centre - half, centre + half]))
        labels.append(Label(text, s, t, centre))
    return plan, tuple(labels)


def _on(points: NDArray[Any], part: float) -> NDArray[Any]:
    """Return the point of a line that goes from left to right, at a part of its width."""
    x = points[0, 0] + part * (points[-1, 0] - points[0, 0])
    return np.array([x, np.interp(x, *points.T)])


def _in_words(graph: Graph, title: str, labels: Sequence[Label]) -> str:
    """Return the text alternative of a picture: each step with its formula, its value and its derivatives."""
    steps = []
    for k, node in enumerate(graph.nodes):
        if node.operation != "constant":
            known = (("adjoint", node.adjoint), ("tangent", node.tangent))
            derivatives = (f", {name} {value:.4g}" for name, value in known if value is not None)
            steps.append(f"{formula(graph, k)} = {node.value:.4g}" + "".join(derivatives))
    names = [node.name for node in graph.nodes]
    arrows = [f"from {names[label.source]} to {names[label.target]} {label.text}" for label in labels]
    on_arrows = f" Local derivatives: {'; '.join(arrows)}." if arrows else ""
    return f"{' '.join(title.split()) or 'A computation'}. Graph of the steps: {'; '.join(steps)}.{on_arrows}"


def box_sizes(graph: Graph) -> NDArray[Any]:
    """Return the width and height of the box of each node, (N, 2), in inches."""
    return np.array([_size(graph, k) for k in range(len(graph.nodes))])


def _upright(text: str) -> str:
    """Return any text in mathtext."""
    escaped = re.sub(r"([_$#%{}& ])", r"\\\1", re.sub(r"[\\^~]", "?", text))
    return rf"\mathrm{{{escaped}}}"


def _symbol(graph: Graph, k: int, style: str = r"\mathit") -> str:
    """Return the name of a node in mathtext: digits at the end become an index."""
    node = graph.nodes[k]
    name = node.name or (f"{node.value:.4g}" if node.operation == "constant" else f"v{k}")
    found = re.fullmatch(r"([^\W\d_]+)_?(\d*)", name)
    stem, index = found.groups() if found else (_upright(name), "")
    return f"{style}{{{stem}}}" + (f"_{{{index}}}" if index else "")


def _formula(graph: Graph, k: int) -> str:
    """Return the formula of a node in mathtext."""
    operation, names = graph.nodes[k].operation, [_symbol(graph, i) for i in graph.nodes[k].inputs]
    if operation in SIGNS and len(names) > 1:
        return f" {SIGNS[operation]} ".join(names)
    if operation in ("**", "^", "pow") and len(names) == 2:
        return f"{{{names[0]}}}^{{{names[1]}}}"
    if operation in ("-", "neg") and len(names) == 1:
        return f"-{names[0]}"
    return f"{_upright(operation)}({', '.join(names)})"


def _texts(graph: Graph, k: int) -> list[tuple[str, str]]:
    """Return the lines of text in a box, with their colours."""
    node = graph.nodes[k]
    if node.operation == "constant":
        return [(f"${_symbol(graph, k)}$" + (f" = {node.value:.4g}" if node.name else ""), BLACK)]
    head = _symbol(graph, k, r"\mathbf") + ("" if node.operation == "input" else f" = {_formula(graph, k)}")
    texts = [(f"${head}$", BLACK), (f"= {node.value:.4g}", BLACK)]
    for value, accent, colour in ((node.tangent, r"\dot", GREEN), (node.adjoint, r"\bar", VERMILION)):
        if value is not None:
            texts.append((f"${_symbol(graph, k, accent)}$ = {value:.4g}", colour))
    return texts


@lru_cache(maxsize=1024)
def _text_width(text: str, size: float) -> float:
    """Return the width of a line of text, in inches."""
    return float(TextPath((0, 0), text, size=size).get_extents().width) / 72


def _size(graph: Graph, k: int) -> tuple[float, float]:
    """Return the width and height of the box of a node; all but constants have the same height."""
    width = max(_text_width(text, FONT) for text, _ in _texts(graph, k)) + 2 * PAD
    if graph.nodes[k].operation == "constant":
        return max(width, 0.3), LINE + 0.06
    rows = max(len(_texts(graph, j)) for j in range(len(graph.nodes)))
    return max(width, 0.75), rows * LINE + 2 * PAD
