"""The picture of a computation graph, drawn with Matplotlib alone."""

from __future__ import annotations

import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from cs7643.autodiff.graph import Graph, formula
from cs7643.autodiff.layout import MARGIN, layout

BLUE, VERMILION, GREEN, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#777777", "#222222"
LOOKS = {  # of each kind of box: face, edge, line width, radius of the corners
    "input": ("#DCEBF5", BLUE, 1.2, 0.25),
    "constant": ("#EEEEEE", "#BBBBBB", 1.2, 0.08),
    "inner": ("white", GREY, 1.2, 0.08),
    "output": ("#FFF3CC", BLACK, 2.4, 0.03),
}
SIGNS = {"+": "+", "-": "-", "*": r"\cdot", "/": "/"}
FONT = 11.0  # points
LINE, PAD = 0.215, 0.1  # inches


def draw(graph: Graph, title: str = "", upto: int | None = None) -> Figure:
    """Draw a computation from left to right: the formula of each node, its value, and its derivatives if known.

    Inputs are blue and round, outputs yellow with a thick border; adjoints have a bar, tangents a dot.

    Args:
        graph: the computation.
        title: one line or several.
        upto: the position of the last node that has been computed; the nodes after it are faded.

    Returns:
        The figure, closed, so that a notebook shows it once.
    """
    plan, headings = layout(graph, box_sizes(graph)), title.split("\n") if title else []
    corner = (plan.centres + plan.sizes / 2).max(axis=0) + MARGIN
    width = max(corner[0], *(_text_width(heading, FONT + 1) + 2 * MARGIN for heading in headings), 0.0)
    shift = np.array([(width - corner[0]) / 2, MARGIN + 0.25 * len(headings) + 0.05 * bool(headings)])
    figure = plt.figure(figsize=(width, corner[1] + shift[1]))
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(corner[1] + shift[1], 0))
    axis.set_axis_off()
    axis.text(width / 2, MARGIN, title, size=FONT + 1, ha="center", va="top", linespacing=1.3)
    alphas = [0.2 if upto is not None and k > upto else 1.0 for k in range(len(graph.nodes))]
    for s, t, points in plan.wires:
        line: dict[str, Any] = {"color": GREY, "lw": 1.3, "alpha": alphas[t], "gid": f"edge-{s}-{t}"}
        path = Path(points + shift)
        axis.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=11, shrinkA=0, shrinkB=0, **line))
    for k, (node, alpha) in enumerate(zip(graph.nodes, alphas, strict=True)):
        kind = "output" if k in graph.outputs else node.operation
        face, edge, thickness, radius = LOOKS.get(kind, LOOKS["inner"])
        (x, y), (wide, high) = plan.centres[k] + shift, plan.sizes[k]
        box = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, f"round,pad=0,rounding_size={radius}")
        box.set(fc=face, ec=edge, lw=thickness, alpha=alpha, gid=f"node-{k}")
        axis.add_patch(box)
        texts = _texts(graph, k)
        for n, (text, colour) in enumerate(texts):
            base = y + (n - len(texts) / 2 + 0.68) * LINE
            axis.text(x, base, text, size=FONT, color=colour, ha="center", alpha=alpha, gid=f"text-{k}-{n}")
    plt.close(figure)
    figure.set_label(_in_words(graph, title, upto))
    return figure


def _in_words(graph: Graph, title: str, upto: int | None) -> str:
    """Return the text alternative of a picture: each step with its formula, its value and its derivatives."""
    steps = []
    for k, node in enumerate(graph.nodes):
        if node.operation != "constant" and (upto is None or k <= upto):
            known = (("adjoint", node.adjoint), ("tangent", node.tangent))
            derivatives = (f", {name} {value:.4g}" for name, value in known if value is not None)
            steps.append(f"{formula(graph, k)} = {node.value:.4g}" + "".join(derivatives))
    return f"{' '.join(title.split()) or 'A computation'}. Graph of the steps: {'; '.join(steps)}."


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
    for value, accent, colour in ((node.adjoint, r"\bar", VERMILION), (node.tangent, r"\dot", GREEN)):
        if value is not None:
            texts.append((f"${_symbol(graph, k, accent)}$ = {value:.4g}", colour))
    return texts


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
