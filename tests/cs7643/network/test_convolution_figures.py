"""The figures of notebook 4 that move: in each state, the numbers drawn are those of PyTorch."""

from __future__ import annotations

import itertools
import json
import re

import chromium
import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, max_pool2d, unfold

from coursework.explorable import LIMIT
from cs7643 import plots
from cs7643.plots.style import VERMILION

RNG = np.random.default_rng(0)
X = RNG.integers(-3, 4, (4, 4)).astype(float)
FILTERS = [RNG.integers(-2, 3, (k, k)).astype(float) for k in (3, 2)]
DOUT = RNG.integers(-3, 4, (4, 4)).astype(float)
TIED = np.array([[1.0, 3, 0, 0], [2, 1, 0, 0], [0, 5, 4, 2], [1, 1, 2, 6]])
DOUTS = {2: np.array([[1.0, 2], [-1, 3]]), 1: RNG.integers(1, 5, (3, 3)).astype(float)}
FIGURES = {
    "convolution": lambda: plots.convolution_forward(X, FILTERS, 1.0),
    "pooling": lambda: plots.pooling_routes(TIED, 2, DOUTS),
    "convolution backward": lambda: plots.convolution_backward(X, FILTERS[0], DOUT),
    "turned": lambda: plots.turned_filter(FILTERS[0], DOUT[:2, :2]),
    "rows": lambda: plots.windows_as_rows(X, np.array([FILTERS[1], FILTERS[1].T])),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_is_small_and_says_what_it_shows(name):
    figure = FIGURES[name]()
    assert len(figure.html.encode()) < LIMIT / 2
    assert all(25 < len(text) < 300 for text in figure.texts)
    assert not re.search(r"[$\\]|\bnan\b|\binf\b|-0\b", " ".join(figure.texts))
    assert figure.still.text in figure.texts


@pytest.fixture
def drawn(monkeypatch):
    """Return a function that makes a figure, and returns the values and the drawing of each of its states."""

    def states(name):
        found = []

        def frames(draw, parameters, **_):
            every = ((values, draw(*values)) for values in itertools.product(*parameters.values()))
            found.extend((values, drawing) for values, drawing in every if drawing)

        for module in ("convolution", "pooling"):
            monkeypatch.setattr(f"cs7643.plots.{module}.frames", frames)
        FIGURES[name]()
        return found

    return states


def grids(drawing):
    """Return the numbers of each grid by the first words of its title, in the order in which they are read."""
    found, numbers = {}, []
    for look, text in re.findall(r"<text ([^>]*)>([^<]*)</text>", drawing.svg):
        if 'font-size="11"' in look:
            numbers = found[text.partition(",")[0]] = []
        elif re.fullmatch(r"-?[\d.]+", text):
            numbers.append(float(text))
    return found


def framed(drawing):
    """Return the numbers inside of each frame, in the order in which the frames are drawn."""
    boxes = re.findall(
        rf'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)" fill="none" stroke="{VERMILION}"', drawing.svg
    )
    texts = re.findall(r'<text x="(\S+)" y="([\d.]+)"[^>]*>(-?[\d.]+)</text>', drawing.svg)
    found = []
    for left, top, wide, high in (map(float, box) for box in boxes):
        inside = ((float(x) - left, float(y) - 4 - top, float(text)) for x, y, text in texts)
        found.append([text for x, y, text in inside if 0 < x < wide and 0 < y < high])
    return found


def tensor(array, grad=False):
    return torch.tensor(array, dtype=torch.float64, requires_grad=grad)


def same(numbers, array):
    return np.array_equal(numbers, np.asarray(array).ravel())


def first(shape, count):
    """Return a mask of the first elements, row by row."""
    return tensor(np.arange(np.prod(shape)).reshape(shape) < count)


def test_each_position_of_the_convolution_is_that_of_pytorch(drawn):
    states = drawn("convolution")
    counts = {values[:3]: 0 for values, _ in states}
    for (size, stride, pad, position), drawing in states:
        w = next(w for w in FILTERS if size == f"{len(w)} × {len(w)}")
        padded = np.pad(X, pad)
        out = conv2d(tensor(padded)[None, None], tensor(w)[None, None], tensor([1.0]), stride)[0, 0].numpy()
        counts[size, stride, pad] += 1
        found = grids(drawing)
        windows = unfold(tensor(padded)[None, None], len(w), stride=stride)[0].T
        products = windows[position - 1].numpy() * w.ravel()
        assert same(found["image x"], padded)
        assert same(found["filter w"], w)
        assert same(found["window ⊙ filter"], products)
        assert same(found["out"], out.ravel()[:position])
        assert [list(windows[position - 1]), list(products), [out.ravel()[position - 1]]] == framed(drawing)
        assert drawing.text.startswith(f"Position {position} of {out.size}, row {(position - 1) // len(out)}")
        assert f" add up to {products.sum():g}, and b = 1 makes that {out.ravel()[position - 1]:g}." in drawing.text
        left = (len(padded) - len(w)) % stride
        assert drawing.text.endswith("No window covers the last row and column.") == bool(left)
        assert ("padded by 1" in drawing.svg) == bool(pad)
    assert sorted(counts.values()) == [1, 4, 4, 4, 9, 9, 16, 25]


def test_each_step_of_the_backward_pass_is_that_of_autograd(drawn):
    states = drawn("convolution backward")
    assert len(states) == 4 + 16 + 1 + 4
    for (stride, pad, step), drawing in states:
        x, w, b = tensor(np.pad(X, pad), True), tensor(FILTERS[0], True), tensor([0.0], True)
        out = conv2d(x[None, None], w[None, None], b, stride)[0, 0]
        sent, dout = first(out.shape, step), tensor(DOUT[: len(out), : len(out)])
        dx, dw, db = torch.autograd.grad(out, (x, w, b), sent * dout)
        ones = torch.ones_like(w)[None, None]
        (times,) = torch.autograd.grad(conv2d(x[None, None], ones, stride=stride)[0, 0], x, sent)
        found = grids(drawing)
        assert same(found["x"], x.detach())
        assert same(found["w"], w.detach())
        assert same(found["dout"], dout)
        assert same(found["dx so far"], dx[times > 0])
        assert same(found["dw so far"], dw)
        assert same(found["db so far"], db)
        window, dweights, part, upstream, dbias = framed(drawing)
        i, j = divmod(step - 1, len(out))
        place = np.s_[i * stride : i * stride + 3, j * stride : j * stride + 3]
        assert same(window, x.detach()[place])
        assert same(part, dx[place])
        assert (dweights, upstream, dbias) == (dw.ravel().tolist(), [float(dout[i, j])], db.tolist())
        assert f" {int((times > 1).sum())} elements of dx are sums" in drawing.text
        assert ("cut off" in drawing.text) == (bool(pad) and step == out.numel())


def test_the_turned_filter_gives_the_gradient_of_the_image(drawn):
    x = tensor(X, True)
    out = conv2d(x[None, None], tensor(FILTERS[0])[None, None])[0, 0]
    (dx,) = torch.autograd.grad(out, x, tensor(DOUT[:2, :2]))
    for (element,), drawing in drawn("turned"):
        found = grids(drawing)
        assert same(found["dx"], dx.ravel()[:element])
        assert same(found["w"], FILTERS[0][::-1, ::-1])
        assert same(found["dout"], np.pad(DOUT[:2, :2], 2))


def test_the_windows_as_rows_are_those_of_unfold_and_their_product_is_the_convolution(drawn):
    bank = np.array([FILTERS[1], FILTERS[1].T])
    rows = unfold(tensor(X)[None, None], 2)[0].T
    out = conv2d(tensor(X)[None, None], tensor(bank)[:, None])[0]
    for (window,), drawing in drawn("rows"):
        found = grids(drawing)
        assert same(found["windows"], rows[:window])
        assert same(found["filters"], bank.reshape(2, -1).T)
        assert same(found["product"], out.reshape(2, -1).T[:window])
        for f in range(2):
            assert same(found[f"output {f}"], out[f].ravel()[:window])


def test_each_route_of_pooling_is_that_of_autograd(drawn):
    states = drawn("pooling")
    assert len(states) == 4 + 9
    for (stride, window), drawing in states:
        x, dout = tensor(TIED, True), tensor(DOUTS[stride])
        out, places = max_pool2d(x[None, None], 2, stride, return_indices=True)
        out, places = out[0, 0], places[0, 0]
        sent = first(out.shape, window)
        dx, times = (torch.autograd.grad(out, x, g, retain_graph=True)[0] for g in (sent * dout, sent.double()))
        found = grids(drawing)
        assert same(found["x"], TIED)
        assert same(found["output"], out.detach().ravel()[:window])
        assert same(found["dout"], dout)
        assert same(found["dx so far"], dx[times > 0])
        row, column = divmod(int(places.ravel()[window - 1]), 4)
        windows = unfold(x.detach()[None, None], 2, stride=stride)[0].T
        expected = [
            windows[window - 1],
            *(each.ravel()[window - 1 : window] for each in (out.detach(), dout)),
            dx[row, column],
        ]
        assert framed(drawing) == [each.ravel().tolist() for each in expected]
        assert f", at row {row}, column {column}" in drawing.text
        assert ("what is there already" in drawing.text) == bool(times[row, column] > 1)
        assert drawing.svg.count("<path") == 4 + 1 + window  # the lines of the grids, the routes until now, this one


def test_the_tie_goes_to_the_first():
    (text,) = (text for text in FIGURES["pooling"]().texts if text.startswith("Window 2 of 4"))
    assert "at row 0, column 2, the first of 4 equal ones, row by row. All of dout[0, 1] = 2 goes there." in text


OVERLAPS = """(() => {
  const svg = document.querySelector('svg'), [x, y, w, h] = svg.getAttribute('viewBox').split(' ').map(Number);
  const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBBox()]), found = [];
  for (const [text, b] of boxes) {
    if (b.x < x || b.y < y || b.x + b.width > x + w || b.y + b.height > y + h) found.push(text + ' outside');
    for (const [other, c] of boxes) if (b !== c && b.x < c.x + c.width && c.x < b.x + b.width
      && b.y + b.height / 2 > c.y && b.y + b.height / 2 < c.y + c.height) found.push(text + ' on ' + other);
  }
  return JSON.stringify(found);
})()"""
MOVE = """(() => {{
  const input = document.querySelectorAll('input')[{}];
  input.value = {};
  input.dispatchEvent(new Event('input'));
}})()"""


@pytest.mark.slow
def test_no_number_and_no_title_covers_another_in_any_state(tmp_path):
    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    browser = chromium.Browser(tmp_path / "profile")
    try:
        for name, make in FIGURES.items():
            figure, page = make(), tmp_path / f"{name}.html"
            page.write_text(f"<!DOCTYPE html><html><body>{figure.html}</body></html>", encoding="utf-8")
            browser.open(page.as_uri())
            while not browser.ask("document.querySelector('svg') !== null"):
                pass
            inputs = "JSON.stringify([...document.querySelectorAll('input')].map(input => Number(input.max) + 1))"
            *switches, _ = json.loads(browser.ask(inputs))
            seen = set()
            for places in itertools.product(*map(range, switches)):
                for k, place in enumerate(places):
                    browser.ask(MOVE.format(k, place))
                for place in range(json.loads(browser.ask(inputs))[-1]):
                    browser.ask(MOVE.format(len(places), place))
                    assert json.loads(browser.ask(OVERLAPS)) == [], (name, places, place)
                    seen.add(browser.ask("document.querySelector('p').textContent"))
            assert seen == set(figure.texts), name
        assert browser.said == []
    finally:
        browser.close()
