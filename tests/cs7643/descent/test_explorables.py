"""The figures of problems 1 to 4 that move: what they say in each state is what the formulas say."""

from __future__ import annotations

import json
import re

import chromium
import numpy as np
import pytest

from coursework.explorable import LIMIT
from cs7643 import plots
from cs7643.descent import (
    average,
    follow,
    gradient_descent,
    proximal_step,
    rate_bound,
    rate_step_size,
    regret,
    regret_bound,
    sgd_step,
    step_size,
)
from cs7643.plots import explorables
from cs7643.theory import convex, noise

V = np.random.default_rng(0).standard_normal((7, 2))
W_STAR, ETA = np.array([0.5, -1.0]), 0.2


@pytest.fixture(scope="module")
def made():
    return {
        "proximal": plots.proximal_plane(proximal_step, step_size),
        "ledger": plots.regret_ledger(V, W_STAR, ETA, follow, regret, regret_bound),
        "average": plots.running_average(gradient_descent, average, rate_step_size, rate_bound),
        "region": plots.sgd_region(sgd_step),
    }


def numbers(text):
    return [float(found) for found in re.findall(r"(?<![\w^])-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def test_each_is_small_and_says_what_it_shows(made):
    for explorable in made.values():
        assert len(explorable.html.encode()) < LIMIT
        assert 25 < len(explorable.still.text) < 500
        assert all(25 < len(text) < 300 for text in explorable.texts)
        assert not re.search(r"[$\\]|\bnan\b|\binf\b|-0\.0+\b", " ".join(explorable.texts))


def test_the_proximal_step_is_that_of_the_formula(made):
    g = np.array([-2.2, 4.0])
    for lam, text in zip(explorables.LAMBDAS, made["proximal"].texts, strict=True):
        z = np.array([-2.2, 0.8]) - g / lam
        end = (z[0] ** 2 + 5 * z[1] ** 2) / 2
        shown = [lam, np.linalg.norm(g) / lam, 1 / lam, 4.02, end]
        np.testing.assert_allclose(numbers(text), shown, atol=6e-3)
        assert ("f rises" in text) == (end > 4.02)
        assert "in the same point" in text
    trends = ["f rises" in text for text in made["proximal"].texts]
    assert trends == sorted(trends, reverse=True)  # the slider goes to larger λ, and so to shorter steps
    assert any(trends)
    assert not all(trends)


def test_a_step_size_that_does_not_fit_is_seen():
    wrong = plots.proximal_plane(proximal_step, lambda lam: 2 / lam, lams=[4.0] * 4)
    assert "ends 1 away from it" in wrong.texts[0]


def test_the_ledger_balances_after_every_step(made):
    points, spent = follow(V, ETA), 0.0
    for t, text in enumerate(made["ledger"].texts):
        whole = numbers(text.partition("In all:")[2])
        left, owed = sum((points[s] - W_STAR) @ V[s] for s in range(t)), np.sum((points[t] - W_STAR) ** 2) / (2 * ETA)
        start, penalties = np.sum(W_STAR**2) / (2 * ETA), ETA / 2 * np.sum(V[:t] ** 2)
        np.testing.assert_allclose(whole, [left, owed, start, penalties], atol=6e-4)
        assert whole[0] + whole[1] == pytest.approx(whole[2] + whole[3], abs=2e-3)
        if t:
            _, step, paid, penalty = numbers(text.partition("In all:")[0])
            assert step == pytest.approx(left - spent, abs=6e-4)
            assert step == pytest.approx(paid + penalty, abs=2e-3)
        spent = left


def test_the_average_and_the_last_iterate_are_measured_on_both_functions(made):
    for T, text in zip(explorables.TS, made["average"].texts, strict=True):
        shown = numbers(text)[:1] + [float(number) for number in re.findall(r"(?:= |and |, |bound )(\d\.\d{3})", text)]
        expected = [float(T)]
        for f in (convex.absolute_value(), convex.hinge()):
            eta, w, points = f.B / (f.rho * np.sqrt(T)), 0 * f.w_star, []
            for _ in range(T):
                points.append(w)
                w = w - eta * f.subgradient(w)
            expected += [f.gap(np.mean(points, axis=0)), f.gap(w), f.B * f.rho / np.sqrt(T)]
        np.testing.assert_allclose(shown, expected, atol=6e-4)


def states(region):
    pairs = [(w, eta) for w in explorables.POINTS for eta in explorables.RATES]
    return zip(pairs, region.texts, strict=True)


def test_a_step_of_sgd_is_told_as_the_closed_form_has_it(made):
    for (w, eta), text in states(made["region"]):
        to = w - eta * (w + 1)
        shown = [w, round(eta, 2), 2, to, 2, (w + 1) ** 2 / 2, (to + 1) ** 2 / 2, float(noise.f(w)), float(noise.f(to))]
        np.testing.assert_allclose(numbers(text), shown, rtol=6e-3, atol=1e-9)
        trend = re.search(r"f (rises|falls|stays)", text)[1]
        change = float(noise.f(to) - noise.f(w))
        assert trend == ("stays" if abs(change) < 1e-12 else "rises" if change > 0 else "falls")
        assert abs(change) < 1e-12 or (trend == "rises") == bool(noise.raises(w, 2, eta))


def test_a_point_that_is_dragged_to_a_place_is_the_state_of_that_place(made, tmp_path):
    """The axis itself says where a place is: its ticks are on the page."""
    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><html><body>{made['region'].html}</body></html>", encoding="utf-8")
    browser = chromium.Browser(tmp_path / "profile")
    try:
        browser.resize(900)
        browser.open(page.as_uri())
        while not browser.ask("document.querySelector('svg') !== null"):
            pass
        ticks = browser.ask("""JSON.stringify([...document.querySelectorAll('svg text')].map(t => {
          const r = t.getBoundingClientRect(); return [t.textContent, r.x + r.width / 2, r.y + r.height / 2]; }))""")
        places = json.loads(ticks)
        half = len(places) // 2
        across = {t.replace("\u2212", "-"): x for t, x, _ in places[:half] if re.fullmatch("\u2212?\\d", t)}
        up = {t: y for t, _, y in places if re.fullmatch(r"[01]\.\d", t)}
        for w, eta in (("0", "0.4"), ("2", "1.0"), ("-2", "0.4"), ("2", "0.4")):
            browser.call(
                "Input.dispatchMouseEvent", type="mousePressed", button="left", buttons=1, x=across[w], y=up[eta]
            )
            assert browser.ask("document.querySelector('p').textContent").startswith(
                f"From w = {w} with η = {float(eta):g} "
            )
            browser.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", x=across[w], y=up[eta])
        assert browser.said == []
    finally:
        browser.close()


def test_the_worst_cases_are_where_their_numbers_are():
    figure = plots.last_iterates({1: 1.0, 10: 0.316}, {1: 1.125, 10: 0.532})
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    assert lines["worst case, last iterate"] == [1.125, 0.532]
    assert lines["worst case, average iterate"] == [1.0, 0.316]
    assert "T = 10, 0.316 at the average and 0.532 at the last iterate" in figure.get_label()
