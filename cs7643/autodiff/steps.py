"""A computation step by step, as pictures in SVG: the graph, and below it the table with the row of the step.

All pictures of a computation have the same elements at the same places. What is not known yet is faint or invisible,
and what is done now is marked, so that two pictures differ in a few attributes only.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from cs7643.autodiff.drawing import BLACK, GREY, LOOKS, VIOLET, labelled_layout
from cs7643.autodiff.graph import Graph, formula
from cs7643.autodiff.layout import MARGIN
from cs7643.autodiff.programs import uses

UNIT = 72  # of the pictures, in an inch
LIT, PALE = "#B35900", "#FFE9B8"  # of what is done now, and of its row
TANGENT, ADJOINT = "#00664A", "#A03C00"  # of texts: 5:1 or more, also on the row
HEAD, ROW, FIRST, COLUMN = 26.0, 17.0, 120.0, 90.0  # the title's and a row's height, the columns' widths
LINE = 15.5
TEXT, LARGEST = 11, 1.6  # the size of texts; below a wide graph those of the table are larger, to be read on a phone
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
DOT, BAR = "\u0307", "\u0304"  # combine with the letter before


@dataclass(frozen=True)
class Moment:
    """How far two sweeps have come.

    Attributes:
        node: the step that is done now.
        backward: whether the backward sweep is under way; then all steps have their values and tangents.
    """

    node: int
    backward: bool

    def computed(self, k: int) -> bool:
        """Tell whether the value and the tangent of a node are known."""
        return self.backward or k <= self.node

    def swept(self, k: int) -> bool:
        """Tell whether the adjoint of a node is known."""
        return self.backward and k >= self.node


def moments(graph: Graph) -> list[Moment]:
    """Return each step of the sweep forward, and then each of the sweep backward."""
    steps = [k for k, node in enumerate(graph.nodes) if node.operation != "constant"]
    return [*(Moment(k, False) for k in steps), *(Moment(k, True) for k in reversed(steps))]


def draw_step(graph: Graph, number: int) -> tuple[str, str]:
    """Draw the graph and the table during the two sweeps.

    Args:
        graph: with the values, the tangents, the adjoints and the local derivatives of all nodes.
        number: of the step, from 1.

    Returns:
        The picture in SVG, and what this step computes in words, with its numbers.

    Raises:
        ValueError: if there is no such step.
    """
    inside, size, title = _picture(graph, number)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]:.0f} {size[1]:.0f}">{inside}</svg>'
    return svg, f"{title}. {in_words(graph, moments(graph)[number - 1])}"


def draw_strip(graph: Graph, numbers: tuple[int, ...]) -> tuple[str, str]:
    """Draw several steps, one below the other, for where nothing moves; return the SVG and the words."""
    pictures = [_picture(graph, number) for number in numbers]
    (wide, high), every = pictures[0][1], moments(graph)
    inside = "".join(f'<g transform="translate(0 {k * high:.0f})">{each[0]}</g>' for k, each in enumerate(pictures))
    words = (f"{each[2]}. {in_words(graph, every[n - 1])}" for n, each in zip(numbers, pictures, strict=True))
    box = f"0 0 {wide:.0f} {high * len(pictures):.0f}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{inside}</svg>', " ".join(words)


def _picture(graph: Graph, number: int) -> tuple[str, tuple[float, float], str]:
    """Return the elements of a picture, its size, and its title."""
    every = moments(graph)
    if not 1 <= number <= len(every):
        raise ValueError(f"draw_step: number must be from 1 to {len(every)}, got {number}")
    moment, half = every[number - 1], len(every) // 2
    title = f"{'Backward' if moment.backward else 'Forward'}, step {number - half * moment.backward} of {half}"
    plan, labels = labelled_layout(graph)
    corner = (plan.centres + plan.sizes / 2).max(axis=0) + MARGIN
    table = FIRST + 3 * COLUMN
    wide = max(corner[0] * UNIT, table + 20)
    shift = (wide - corner[0] * UNIT) / 2
    bottom = HEAD + corner[1] * UNIT
    scale = min(wide / (table + 20), LARGEST)
    table, row = table * scale, ROW * scale
    rows = {k: bottom + (n + 1.5) * row for n, k in enumerate(sorted({each.node for each in every}))}
    left = (wide - table) / 2

    lines, lit = [], []  # the arrows, and once more those of this step
    for s, t, points in plan.wires:
        line = _curve(points * UNIT + (shift, HEAD))
        lines.append(_shown(f'<path d="{line}" fill="none"/>', moment.computed(t), "0.2"))
        now = (s if moment.backward else t) == moment.node and graph.nodes[s].operation != "constant"
        lit.append(_shown(f'<path d="{line}" fill="none"/>', now))
    parts = [
        f'<text x="{wide / 2:.0f}" y="16" font-size="12">{title}</text>',
        f'<g stroke="{GREY}" stroke-width="1.3">{"".join(lines)}</g>',
        f'<g stroke="{LIT}" stroke-width="2.6">{"".join(lit)}</g>',
    ]
    for label in labels:
        x, y = label.centre * UNIT + (shift, HEAD)
        ground = f'<rect x="{x - 3 * len(label.text):.1f}" y="{y - 6:.1f}" width="{6 * len(label.text)}" height="12"'
        text = f'<text x="{x:.1f}" y="{y + 3:.1f}" fill="{VIOLET}" font-size="9">{label.text}</text>'
        parts.append(_shown(f'{ground} fill="#ffffff"/>{text}', moment.computed(label.target), "0.2"))
    for k, node in enumerate(graph.nodes):
        (x, y), (box_wide, box_high) = plan.centres[k] * UNIT + (shift, HEAD), plan.sizes[k] * UNIT
        kind = "output" if k in graph.outputs else node.operation
        face, edge, thickness, radius = LOOKS.get(kind, LOOKS["inner"])
        place = f'x="{x - box_wide / 2:.1f}" y="{y - box_high / 2:.1f}" width="{box_wide:.1f}" height="{box_high:.1f}"'
        place += f' rx="{radius * UNIT:.0f}"'
        box = f'<rect {place} fill="{face}" stroke="{edge}" stroke-width="{thickness}"/>'
        head = _named(formula(graph, k)) if node.operation != "constant" else f"{node.value:.4g}"
        top = y - box_high / 2 + 16 if node.operation != "constant" else y + 4
        parts.append(_shown(f'{box}<text x="{x:.1f}" y="{top:.1f}">{head}</text>', moment.computed(k), "0.2"))
        if node.operation == "constant":
            continue
        letter, index = node.name[0], node.name[1:].translate(SUBSCRIPTS)
        value = _text(x, top + LINE, f"= {node.value:.4g}", BLACK) + _cell(left, rows[k], 1, node.value, BLACK, scale)
        tangent = _text(x, top + 2 * LINE, f"{letter}{DOT}{index} = {node.tangent:.4g}", TANGENT)
        tangent += _cell(left, rows[k], 2, node.tangent, TANGENT, scale)
        adjoint = _text(x, top + 3 * LINE, f"{letter}{BAR}{index} = {node.adjoint:.4g}", ADJOINT)
        adjoint += _cell(left, rows[k], 3, node.adjoint, ADJOINT, scale)
        marked = f'<rect {place} fill="none" stroke="{LIT}" stroke-width="3"/>'
        strip = f'<rect x="{left:.0f}" y="{rows[k] - 12.5 * scale:.1f}" width="{table:.0f}" height="{row:.0f}"'
        parts += [
            _shown(f'{marked}{strip} fill="{PALE}"/>', k == moment.node),
            _shown(value + tangent, moment.computed(k)),
        ]
        parts += [_shown(adjoint, moment.swept(k))]
        start = f'<text x="{left + 6 * scale:.0f}" y="{rows[k]:.0f}" text-anchor="start" font-size="{TEXT * scale:.1f}"'
        parts.append(f"{start}>{_named(formula(graph, k))}</text>")
    heads = zip(("value", "dot", "bar"), (BLACK, TANGENT, ADJOINT), strict=True)
    parts += [_cell(left, bottom + 0.4 * row, n, head, colour, scale) for n, (head, colour) in enumerate(heads, 1)]
    rule = bottom + 0.7 * row
    parts.append(f'<path d="M{left:.0f} {rule:.1f}h{table:.0f}" stroke="{GREY}"/>')
    style = f'font-family="DejaVu Sans,Verdana,sans-serif" font-size="{TEXT}" text-anchor="middle" fill="{BLACK}"'
    return f"<g {style}>{''.join(parts)}</g>", (wide, bottom + (len(rows) + 1) * row + 8), title


def _shown(elements: str, shown: bool, otherwise: str = "0") -> str:
    """Return a group of elements that is shown, or not, or only faintly."""
    return f'<g opacity="{"1" if shown else otherwise}">{elements}</g>'


def _text(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{text}</text>'


def _cell(left: float, y: float, column: int, x: Any, colour: str, scale: float) -> str:
    """Return a number of the table, or the head of a column."""
    text = x if isinstance(x, str) else f"{x:.4g}"
    right = left + (FIRST + column * COLUMN - 8) * scale
    place = f'x="{right:.0f}" y="{y:.1f}" font-size="{TEXT * scale:.1f}"'
    return f'<text {place} fill="{colour}" text-anchor="end">{text}</text>'


def _named(step: str) -> str:
    """Return the formula of a step with indices, and with a bold name."""
    name, equals, rest = html.escape(step).replace("*", "·").partition(" = ")
    lowered = [re.sub(r"(?<=[A-Za-z])\d+\b", lambda found: found[0].translate(SUBSCRIPTS), x) for x in (name, rest)]
    return f'<tspan font-weight="bold">{lowered[0]}</tspan>{equals}{lowered[1]}'


def _curve(points: Any) -> str:
    """Return the line of :mod:`layout` as cubic curves, which its bends are, with a head at its end."""
    x, y = points[0]
    path = f"M{x:.1f} {y:.1f}"
    at = 0
    while at + 16 < len(points):
        (x, y), (to, end) = points[at], points[at + 16]
        path += f"C{x + (to - x) / 3:.1f} {y:.1f} {x + (to - x) * 2 / 3:.1f} {end:.1f} {to:.1f} {end:.1f}"
        at += 16
        if at + 1 < len(points):
            at += 1
            path += f"H{points[at][0]:.1f}"
    return f"{path}l-6 -3m6 3l-6 3"


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
    own = uses(graph, moment.node)
    parts = [f"{_factor(graph.nodes[t].adjoint)} × {_factor(graph.nodes[t].local[n])}" for t, n in own]
    users = " and ".join(dict.fromkeys(graph.nodes[t].name for t, _ in own))
    why = (
        f"one contribution for each use, in {users}"
        if len(own) > 1
        else f"the bar of {users} times the local derivative"
    )
    return f"{node.name}-bar = {' + '.join(parts)} = {node.adjoint:.4g}, {why}."


def _factor(x: float | None) -> str:
    text = f"{x or 0.0:.4g}"
    return f"({text})" if text.startswith("-") else text
