"""A computation step by step: what is known at each, the row of the table, and the words with their arithmetic."""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from coursework.explorable.drawing import dark_of
from cs7643.autodiff import by_hand, programs
from cs7643.autodiff.drawing import BLACK, LOOKS, labelled_layout
from cs7643.autodiff.graph import formula
from cs7643.autodiff.steps import ADJOINT, PALE, TANGENT, UNIT, _curve, draw_step, draw_strip, in_words, moments

POINTS = {"f1": (0.1, -0.3), "f1_as_typeset": (1.0, 2.0), "f2": (0.1, -0.3), "warm_up": (2.0, 3.0)}
EVERY = pytest.mark.parametrize("name", POINTS)


@cache
def graph_of(name):
    return by_hand.differentiated(by_hand.program(name, POINTS[name]), (1.0, 0.0))


def visible(svg):
    """Return the texts that are shown, and those that are faint."""
    found = {"1": [], "0.2": [], "0": []}

    def look(element, opacity):
        opacity = min(opacity, element.get("opacity", "1"), key=float)
        if element.tag.endswith("text"):
            found[opacity].append("".join(element.itertext()))
        for child in element:
            look(child, opacity)

    look(ElementTree.fromstring(svg), "1")
    return found


@EVERY
def test_both_sweeps_have_a_step_for_each_node(name):
    graph = graph_of(name)
    forward = [k for k, node in enumerate(graph.nodes) if node.operation != "constant"]
    assert [moment.node for moment in moments(graph)] == [*forward, *reversed(forward)]
    with pytest.raises(ValueError, match=f"from 1 to {2 * len(forward)}, got 0"):
        draw_step(graph, 0)


@EVERY
def test_steps_differ_in_what_is_shown_alone(name):
    """So nothing moves, and a step costs few bytes."""
    steps = [draw_step(graph_of(name), k + 1)[0] for k in range(len(moments(graph_of(name))))]
    bare = {re.sub(r' opacity="[\d.]+"|>(Forward|Backward), step \d+', "", step) for step in steps}
    assert len(bare) == 1
    assert len(set(steps)) == len(steps)


@EVERY
def test_what_is_not_yet_computed_is_faint_or_invisible(name):
    graph = graph_of(name)
    for number, moment in enumerate(moments(graph), 1):
        shown = visible(draw_step(graph, number)[0])
        known = [text for text in shown["1"] if "=" in text or re.fullmatch(r"-?[\d.e+]+", text)]
        for k, node in enumerate(graph.nodes):
            if node.operation == "constant":
                continue
            parts = {"= ": node.value, f"{node.name[0]}\u0307": node.tangent, f"{node.name[0]}\u0304": node.adjoint}
            for sign, x in parts.items():
                texts = [text for text in known if text.startswith(sign) and text.endswith(f"= {x:.4g}")]
                due = moment.swept(k) if sign.endswith("\u0304") else moment.computed(k)
                assert texts or not due, (moment, node.name, sign)
        count = sum(moment.swept(k) for k, node in enumerate(graph.nodes) if node.operation != "constant")
        assert sum("\u0304" in text for text in known) == count
        assert not [text for text in shown["0.2"] if "\u0307" in text or "\u0304" in text]


@EVERY
def test_the_row_of_the_step_is_lit(name):
    graph = graph_of(name)
    for number, moment in enumerate(moments(graph), 1):
        root = ElementTree.fromstring(draw_step(graph, number)[0])
        lit = [g for g in root.iter() if g.get("opacity") == "1" and any(e.get("fill") == PALE for e in g)]
        (row,) = (each for each in lit[0] if each.get("fill") == PALE)
        assert len(lit) == 1
        low, high = float(row.get("y")), float(row.get("y")) + float(row.get("height"))
        texts = [t for t in root.iter() if t.tag.endswith("text") and low < float(t.get("y")) - 4 < high]
        assert formula(graph, moment.node).replace("*", "·") in [
            "".join(text.itertext()).translate(str.maketrans("₁₂", "12")) for text in texts
        ]


@EVERY
def test_the_words_of_a_step_are_its_arithmetic(name):
    graph = graph_of(name)
    for moment in moments(graph):
        found = re.search(r"(\w+)-(dot|bar) = (?:(.* × .*) = )?(-?[\d.]*\d(?:e\+\d+)?)", in_words(graph, moment))
        node = graph.nodes[moment.node]
        assert found[1] == node.name
        assert float(found[4]) == pytest.approx(node.adjoint if moment.backward else node.tangent, rel=1e-3)
        terms = [re.sub("[()]", "", term).split(" × ") for term in (found[3] or "").split(" + ")] if found[3] else []
        if moment.backward:
            assert len(terms) == len(programs.uses(graph, moment.node))
        if terms:
            total = sum(float(x) * float(y) for x, y in terms)
            assert total == pytest.approx(float(found[4]), rel=2e-3, abs=2e-3)


@EVERY
def test_the_curves_are_the_lines_of_the_layout(name):
    for _, _, points in labelled_layout(graph_of(name))[0].wires:
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", _curve(points * UNIT).partition("l-6")[0])]
        for at in (0, len(points) - 1):
            assert np.allclose(numbers[:2] if at == 0 else numbers[-2:], points[at] * UNIT, atol=0.06)


def test_a_strip_holds_several_steps():
    svg, words = draw_strip(graph_of("f2"), (2, 5, 10))
    ElementTree.fromstring(svg)
    assert [found[0] for found in re.finditer(r"(Forward|Backward), step \d of 5", svg)] == [
        "Forward, step 2 of 5",
        "Forward, step 5 of 5",
        "Backward, step 5 of 5",
    ]
    assert words.count("step") == 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_texts_stand_out_from_what_is_behind_them(theme):
    def luminance(colour):
        shown = colour if theme == "light" else dark_of(colour)
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(shown)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for ground in ("#FFFFFF", PALE, *(face for face, *_ in LOOKS.values())):
        for colour in (BLACK, TANGENT, ADJOINT):
            low, high = sorted((luminance(colour), luminance(ground)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (colour, ground)
