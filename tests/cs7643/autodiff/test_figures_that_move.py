"""The figures of notebook 2 that move: small, and their numbers are those of the functions that they show."""

from __future__ import annotations

import re

import numpy as np
import pytest

from coursework.explorable import LIMIT
from cs7643 import autodiff, plots
from cs7643.autodiff import by_hand
from cs7643.autodiff.steps import draw_step, moments

DELTAS = np.logspace(-15, -1, 43)
SCHEMES = ("forward", "central", "complex")


@pytest.fixture(scope="module")
def errors():
    def f(w):
        return autodiff.f1(*w)

    (right,) = autodiff.backward_jacobian(f, (1.0, 2.0))
    found = {s: [autodiff.numerical_jacobian(f, (1.0, 2.0), d, s)[0, 1] for d in DELTAS] for s in SCHEMES}
    return {scheme: abs(np.array(values) / right[1] - 1) for scheme, values in found.items()}


@pytest.fixture(scope="module")
def curve(errors):
    return plots.difference_errors(DELTAS, errors, "df1/dw2")


def test_the_words_hold_the_errors_and_name_the_kind(errors, curve):
    assert len(curve.texts) == len(DELTAS)
    for k, text in enumerate(curve.texts):
        assert text.startswith(f"delta = {DELTAS[k]:.1e}.")
        for scheme in SCHEMES:
            said, kind = re.search(rf"{scheme} ([-+\d.e]*\d)(?: \((\w+)\))?[;.]", text).groups()
            assert float(said) == pytest.approx(errors[scheme][k], rel=0.06)
            if scheme != "complex":
                assert kind == "truncation" or k < 36
                assert kind == "rounding" or k > 6


def test_the_slopes_that_the_picture_names_are_those_of_the_curves(errors):
    def slope(scheme, low, high):
        part = (low <= DELTAS) & (high >= DELTAS)
        return np.polyfit(np.log(DELTAS[part]), np.log(errors[scheme][part]), 1)[0]

    assert slope("forward", 1e-7, 1e-3) == pytest.approx(1, abs=0.1)
    assert slope("central", 1e-5, 1e-3) == pytest.approx(2, abs=0.1)
    assert slope("complex", 1e-5, 1e-3) == pytest.approx(2, abs=0.1)
    assert slope("forward", 1e-15, 1e-10) == pytest.approx(-1, abs=0.25)
    assert slope("central", 1e-15, 1e-10) == pytest.approx(-1, abs=0.25)


def test_the_marks_lie_on_the_curves(errors, monkeypatch):
    drawn, place = [], []

    def frames(draw, parameters, *, start, drag):
        drawn.extend(draw(value) for value in parameters["delta"])
        place.extend(drag)

    monkeypatch.setattr("cs7643.plots.differences.frames", frames)
    plots.difference_errors(DELTAS, errors, "df1/dw2")
    left, right, bottom, top = place
    low, high = np.log10(1e-17 / 3), 4.0
    for k, drawing in enumerate(drawn):
        marks = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawing.svg)
        for scheme, (x, y) in zip(("complex", "forward", "central"), marks, strict=True):
            assert (float(x) - left) / (right - left) == pytest.approx(k / (len(DELTAS) - 1), abs=1e-3)
            error = np.log10(max(errors[scheme][k], 1e-17))
            assert (float(y) - bottom) / (top - bottom) == pytest.approx((error - low) / (high - low), abs=1e-3)


@pytest.mark.parametrize(("name", "w"), [("f1", (0.1, -0.3)), ("warm_up", (2.0, 3.0))])
def test_the_sweeps_are_those_of_the_steps(name, w):
    graph = by_hand.differentiated(by_hand.program(name, w), (1.0, 0.0))
    shown = plots.both_sweeps(graph)
    assert shown.texts == tuple(draw_step(graph, k + 1)[1] for k in range(len(moments(graph))))
    assert len(shown.html) < LIMIT


def test_the_curve_is_small(curve):
    assert len(curve.html) < LIMIT
    assert "delta = 1.0e-02" in curve.still.text
