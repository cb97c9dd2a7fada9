"""The figures of notebook 3 that move: what they say and draw in each state is what the formulas say."""

from __future__ import annotations

import importlib
import json
import re
import time

import chromium
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path
from scipy.special import log_softmax, softmax

from coursework.explorable import LIMIT, place
from coursework.homework import homework
from cs7643 import optim, plots
from cs7643.classifiers.two_layer_net import two_layer_net
from cs7643.plots import learning, marks, optimisers, scores

RNG = np.random.default_rng(0)
STARTS = {
    "tiny": (
        1e-6 * abs(RNG.standard_normal((20, 5))),
        1e-12 * RNG.standard_normal((20, 10)),
        np.geomspace([1e-5, 1e-6], [1.0, 0.5], 60),
        np.r_[np.full(40, 2.3), np.full(20, 1.5)],
    ),
    "other": (np.zeros((20, 5)), np.ones((20, 10)), np.ones((30, 2)), np.full(30, 2.3)),
}
MAKE = {
    "pushes": plots.score_pushes,
    "outer": plots.outer_products,
    "paths": plots.optimiser_paths,
    "saddle": lambda: plots.leaving_the_saddle(STARTS),
    "learning": lambda: plots.learning_network(two_layer_net),
}


@pytest.fixture(scope="module")
def made():
    return {name: make() for name, make in MAKE.items()}


def numbers(text):
    return [float(found) for found in re.findall(r"(?<![\w^])-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def test_each_is_small_and_says_what_it_shows(made):
    assert plt.get_fignums() == []
    for explorable in made.values():
        assert len(explorable.html.encode()) < LIMIT
        assert all(25 < len(text) < 300 for text in explorable.texts)
        assert len(set(explorable.texts)) == len(explorable.texts)
        assert not re.search(r"[$\\]|\bnan\b|\binf\b", " ".join(explorable.texts))


def test_the_pushes_are_y_minus_p(made):
    y = np.eye(3)[scores.RIGHT]
    for score, text in zip(scores.DRAGGED, made["pushes"].texts, strict=True):
        s = np.array([1.0, score, -1.0])
        expected = [*s, *softmax(s), -log_softmax(s)[scores.RIGHT], *(y - softmax(s))]
        np.testing.assert_allclose(numbers(text), expected, atol=6e-3)


def test_the_outer_products_add_up_to_the_gradient(made):
    slopes = (scores.PROBABILITIES - np.eye(3)[scores.LABELS]) / 4
    whole = scores.HIDDEN.T @ slopes
    for k, text in enumerate(made["outer"].texts, 1):
        so_far = scores.HIDDEN[:k].T @ slopes[:k]
        np.testing.assert_allclose(numbers(text.split("The sum so far: ")[1]), so_far.ravel(), atol=6e-3)
        assert numbers(text)[1:6] == pytest.approx([*scores.HIDDEN[k - 1], *slopes[k - 1]], abs=6e-3)
    np.testing.assert_allclose(so_far, whole)
    assert "A transposed" in text


def stepped(rule, **settings):
    """Return the points that an update rule of problem 6.1 reaches in the bowl."""
    w, state, points = optimisers.START, np.zeros(2), [optimisers.START]
    for _ in range(optimisers.STEPS):
        step, state = rule(optimisers.CURVATURES * w, state, **settings)
        w = w + step
        points.append(w)
    return np.array(points)


@pytest.mark.parametrize("rate", optimisers.RATES)
def test_the_paths_are_those_of_the_rules(rate):
    plain = optimisers.momentum_path(rate, 0.0)
    np.testing.assert_allclose(plain, stepped(optim.sgd, learning_rate=rate), rtol=1e-9)
    for momentum in optimisers.MOMENTA:
        found = optimisers.momentum_path(rate, momentum)
        expected = stepped(optim.momentum, learning_rate=rate, momentum=momentum)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    expected = stepped(optim.rmsprop, learning_rate=rate, decay=optimisers.DECAY, eps=optimisers.EPS)
    np.testing.assert_allclose(optimisers.rmsprop_path(rate), expected, rtol=1e-6, atol=1e-9)


def states(explorable):
    pairs = [(rate, momentum) for rate in optimisers.RATES for momentum in optimisers.MOMENTA]
    return zip(pairs, explorable.texts, strict=True)


def test_what_diverges_is_beyond_the_limit_of_stability(made):
    for (rate, momentum), text in states(made["paths"]):
        after = np.array([[1 - rate * 100, momentum], [-rate * 100, momentum]])
        grows = abs(np.linalg.eigvals(after)).max() > 1
        assert ("momentum diverges" in text) == grows
        assert ("SGD diverges" in text) == (rate > 0.02)
        lowest = optimisers.momentum_path(rate, momentum)[:, 0].min()
        if not grows and lowest < -0.006:
            assert f"reaches {lowest:.2f}, at step" in text


def test_no_rate_of_the_slider_beats_the_best_one(made):
    best, ended = {}, {}
    for (_, momentum), text in states(made["paths"]):
        now, then = text.split("Each at its best η:")
        for name in optimisers.COLOURS:
            own = (name, momentum if name == "momentum" else 0)
            best.setdefault(own, set()).add(float(re.search(rf"{name} (\S+) at", then)[1]))
            if found := re.search(rf"{name} ([\d.e-]+\d)", now):
                ended.setdefault(own, []).append(float(found[1]))
    for own, values in best.items():
        (value,) = values
        assert value <= min(ended[own])


def test_rmsprop_rescales_axes_and_not_directions():
    """As notebook 3 says: in the bowl turned by 45 degrees it is hardly better than SGD."""
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    bowl = turn @ np.diag(optimisers.CURVATURES) @ turn.T
    ended = {"turned": [], "as it is": [], "SGD": []}
    for rate in optimisers.FINE:
        w, mean_square, heights = turn @ optimisers.START, np.zeros(2), []
        for _ in range(optimisers.STEPS):
            step, mean_square = optim.rmsprop(bowl @ w, mean_square, rate, optimisers.DECAY)
            w = w + step
            heights.append(w @ bowl @ w / 2)
        ended["turned"].append(max(heights[-optimisers.LAST :]))
        ended["as it is"].append(optimisers.reached(optimisers.rmsprop_path(rate)))
        ended["SGD"].append(optimisers.reached(optimisers.momentum_path(rate, 0.0)))
    best = {name: min(values) for name, values in ended.items()}
    assert best == {
        "turned": pytest.approx(0.04, abs=5e-3),
        "as it is": pytest.approx(1e-3, abs=5e-4),
        "SGD": pytest.approx(0.07, abs=5e-3),
    }


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(-5, 5)), min_size=2, max_size=30),
)
def test_a_line_goes_through_its_points(points):
    figure, axis = plt.subplots()
    axis.set(xlim=(-1, 1), ylim=(-5, 5))
    plt.close(figure)
    drawn = marks.line(axis, *np.transpose(points), "#000000")
    found = re.search(r'd="M(\S+) (\S+?)l([^"]*)"', drawn)
    moves = [(float(found[1]), float(found[2])), *(map(float, move.split(",")) for move in found[3].split())]
    corners = np.cumsum([list(move) for move in moves], axis=0)
    for point in points:
        assert np.abs(corners - place(axis, *point)).max(axis=1).min() < 0.11


def test_the_start_is_told_as_it_is(made):
    tiny, other = made["saddle"].texts
    hidden, found, norms, _ = STARTS["tiny"]
    sizes = [f"{np.sqrt(np.mean(part**2)):.1g}" for part in (hidden, found)]
    assert f"the hidden units are ≈ {sizes[0]}, the scores ≈ {sizes[1]}." in tiny
    assert "falls below 2.25 after ≈ 31 steps" in tiny  # the first ten batches of which one is below
    assert f"‖W1‖ goes from ≈ {norms[0, 0]:.2g} to ≈ 1, ‖W2‖ from ≈ {norms[0, 1]:.2g} to ≈ 0.5." in tiny
    assert "falls below 2.25 not within 30 steps" in other


def test_the_network_is_trained_by_plain_descent(made):
    (X, y), models = learning.rings(), learning.recorded(two_layer_net, 3)
    model = models[0][0]
    for _ in range(learning.MOMENTS[2]):
        _, slopes = two_layer_net(X, model, y)
        model = {name: model[name] - learning.RATE * slopes[name] for name in model}
    for name, values in models[0][2].items():
        np.testing.assert_allclose(values, model[name], rtol=1e-12)
    shown = {text.split(" of the points")[0].split(", ")[-1] for text in made["learning"].texts[11::12]}
    assert shown == {"83%", "100%"}  # two lines cannot close around the disc; three can


def test_gradients_of_the_wrong_sign_are_named():
    def wrong(X, model, y=None, reg=0.0):
        loss, slopes = two_layer_net(X, model, y, reg)
        return loss, {name: -10 * slope for name, slope in slopes.items()}

    with pytest.raises(FloatingPointError, match=r"the loss is \w+ at step \d+; are the gradients right"):
        plots.learning_network(wrong)


def test_what_explains_a_task_does_not_need_it(monkeypatch):
    def blank(*_, **__):
        raise NotImplementedError

    (task,) = [task for task in homework().tasks if task.number == "6.1"]
    for module, name in task.functions:
        monkeypatch.setattr(importlib.import_module(module), name, blank)
    for name in ("pushes", "outer", "paths"):
        MAKE[name]()


def test_the_shaded_region_is_where_the_ring_scores_higher(monkeypatch):
    drawn, kept = [], []
    monkeypatch.setattr(learning, "frames", lambda draw, parameters, **_: drawn.append(draw))
    original = learning._region
    monkeypatch.setattr(learning, "_region", lambda axis, *rest: kept.append(axis) or original(axis, *rest))
    plots.learning_network(two_layer_net)
    points = RNG.uniform(-2.3, 2.3, (400, 2))
    for width in learning.WIDTHS:
        svg = drawn[0](width, 100).svg
        polygons = re.search(r'<path d="([^"]*)" fill="#D55E00" fill-opacity="0.2"', svg)[1].split("M")[1:]
        corners = [[list(map(float, at.split())) for at in each.strip("z").split("L")] for each in polygons]
        inside = sum(
            Path(each).contains_points([place(kept[0], *point) for point in points]).astype(int) for each in corners
        )
        model = learning.recorded(two_layer_net, width)[0][learning.MOMENTS.index(100)]
        margin = np.diff(two_layer_net(points, model), axis=1)[:, 0]
        clear = abs(margin) > 0.3
        assert clear.sum() > 200
        assert np.array_equal(inside[clear] % 2 == 1, margin[clear] > 0)


def test_all_are_alive_on_a_page_and_the_score_is_dragged_to_its_place(made, tmp_path):
    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    page = tmp_path / "page.html"
    body = "\n".join(each.html for each in made.values())
    page.write_text(f"<!DOCTYPE html><html><body>{body}</body></html>", encoding="utf-8")
    browser = chromium.Browser(tmp_path / "profile")
    try:
        browser.resize(900)
        browser.open(page.as_uri())
        while browser.ask("document.querySelector('.explorable:not([data-live])') !== null"):
            time.sleep(0.05)
        places = json.loads(
            browser.ask("""JSON.stringify([...document.querySelector('svg').querySelectorAll('text')].map(t => {
          const r = t.getBoundingClientRect(); return [t.textContent, r.x + r.width / 2, r.y]; }))""")
        )
        ticks = {text.replace("\u2212", "-"): x for text, x, _ in places[:5]}
        (down,) = [y for text, _, y in places if text == "ring"]
        for score in ("2", "0", "4"):
            browser.call(
                "Input.dispatchMouseEvent", type="mousePressed", button="left", buttons=1, x=ticks[score], y=down
            )
            assert browser.ask("document.querySelector('p').textContent").startswith(f"Scores 1, {score}, -1:")
            browser.call("Input.dispatchMouseEvent", type="mouseReleased", button="left", x=ticks[score], y=down)
        browser.ask(
            "document.querySelectorAll('input').forEach(i => { i.value = 0; i.dispatchEvent(new Event('input')); })"
        )
        words = json.loads(
            browser.ask("JSON.stringify([...document.querySelectorAll('figure p')].map(p => p.textContent))")
        )
        assert words == [explorable.texts[0] for explorable in made.values()]
        assert browser.said == []
    finally:
        browser.close()
