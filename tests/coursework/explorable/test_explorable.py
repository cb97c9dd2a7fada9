"""Figures that move: a state is what Python drew, by slider, key, button and finger; without scripts one stays."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from xml.etree import ElementTree

import axe
import chromium
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from coursework.explorable import LIMIT, Drawing, drawing_of, frames, place, png, strip
from coursework.explorable.drawing import dark_of, themed
from coursework.notebooks import figures, kernels

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Figures</title><meta name="viewport" content="width=device-width">
<style>:root { color-scheme: light dark; --ground: #fbfbfd; } body { color: #1d2433; background: #fbfbfd; }
@media (prefers-color-scheme: dark) { body { color: #e4e7ee; background: #14171d; } }</style></head>
<body><main><h1>Figures</h1>BODY</main></body></html>"""
VALUES = [1.0, 2.0, 4.0, 7.0]
GRID = {"w": [-1.0, 0.0, 1.0], "eta": [0.5, 1.0]}
STAIRS = {"deep": [False, True], "row": [1, 2, 3], "place": range(4)}


def curve(value):
    """Return a figure in which a curve, a point and a text depend on the value."""
    figure, axis = plt.subplots(figsize=(6, 3.6))
    axis.plot(range(9), [value * t for t in range(9)], color="#D55E00", label=r"$\lambda t$")
    axis.plot([value], [30], "o", color="black")
    axis.set(ylim=(0, 60), title=f"slope {value:g} </script><!-- \u03bb", xlabel="t")
    axis.legend()
    plt.close(figure)
    figure.set_label(f"A line of slope {value:g} </script> & <b>")
    return figure


def square(w, eta):
    mark = f'<circle cx="{50 + 40 * w:g}" cy="{100 - 80 * eta:g}" r="4" fill="#0072B2"/>'
    return Drawing('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"></svg>', "").under(
        mark, f"At w = {w:g}, eta = {eta:g}."
    )


def stair(deep, row, place):
    """Return a square; there are as many places as rows, and one more if it is deep."""
    words = f"Row {row}, place {place} of {row + deep}."
    return Drawing(square(row / 4, place / 4).svg, words) if place < row + deep else None


@pytest.fixture(scope="module")
def line():
    return frames(curve, {"slope": VALUES}, start=[1])


@pytest.fixture(scope="module")
def plane():
    return frames(square, GRID, start=(1, 0), drag=(10, 90, 60, 20))


@pytest.fixture(scope="module")
def stairs():
    return frames(stair, STAIRS, start=(1, 2, 3))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    browser = chromium.Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser, tmp_path):
    """Open a page with these explorables, and return the browser."""

    def show(*shown, scripts=True, scheme="light"):
        path = tmp_path / "page.html"
        path.write_text(PAGE.replace("BODY", "\n".join(each.html for each in shown)), encoding="utf-8")
        browser.said.clear()
        browser.resize(800)
        browser.scheme(scheme)
        browser.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        browser.open(path.as_uri())
        for _ in range(100):
            if not scripts or browser.ask("document.querySelector('.explorable:not([data-live])') === null"):
                return browser
            time.sleep(0.05)
        raise TimeoutError(browser.said)

    yield show
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def seen(browser, number=0):
    """Return what an explorable on the page shows: its SVG, its words, its values, and what a screen reader says."""
    found = browser.ask(f"""(() => {{ const f = document.querySelectorAll('.explorable')[{number}];
      return JSON.stringify([f.querySelector('svg').outerHTML, f.querySelector('p').textContent,
      [...f.querySelectorAll('output')].map(o => o.textContent), [...f.querySelectorAll('input')].map(i =>
      i.getAttribute('aria-valuetext')), f.querySelector('[role=img]').getAttribute('aria-label')]); }})()""")
    svg, words, values, said, label = json.loads(found)
    assert values == said
    assert label == words
    return canonical(svg), words, values


def canonical(svg):
    """Return SVG in one form, whoever wrote it, without the names of the ids and the variables of colours."""
    svg = re.sub(r"x[0-9a-f]{10}-", "", re.sub(r"var\(--c([0-9a-f]{6})\)", r"#\1", svg))
    svg = re.sub(r"#[0-9A-Fa-f]{6}\b", lambda found: found[0].lower(), svg)
    return ElementTree.canonicalize(svg.replace(' xmlns="http://www.w3.org/2000/svg"', ""), strip_text=False)


def move(browser, to, number=0, slider=0):
    browser.ask(f"""(() => {{ const i = document.querySelectorAll('.explorable')[{number}]
      .querySelectorAll('input')[{slider}]; i.value = {to}; i.dispatchEvent(new Event('input')); }})()""")


def test_each_position_of_the_slider_shows_what_python_drew(line, page):
    browser = page(line)
    for k in (1, 3, 0, 2, 3, 1):
        move(browser, k)
        expected = drawing_of(curve(VALUES[k]))
        assert seen(browser) == (canonical(expected.svg), expected.text, [f"{VALUES[k]:.4g}"])
    assert browser.said == []


def test_it_starts_where_asked_and_the_keyboard_and_the_buttons_move_it(line, page):
    browser = page(line)
    assert seen(browser)[2] == ["2"]
    browser.press("Tab", 9)
    assert browser.ask("document.activeElement.type") == "range"
    for key, code, value in (("ArrowRight", 39, "4"), ("End", 35, "7"), ("ArrowLeft", 37, "4"), ("Home", 36, "1")):
        browser.press(key, code)
        assert seen(browser)[2] == [value]
    click = "document.querySelectorAll('button')[{}].click()"
    for button, value in ((0, "1"), (1, "2"), (1, "4"), (1, "7"), (1, "7"), (0, "4")):
        browser.ask(click.format(button))
        assert seen(browser)[2] == [value]
    browser.press("Tab", 9)
    browser.press("Enter", 13)
    assert seen(browser)[2] == ["2"]
    # JupyterLab takes arrows that reach a cell, and moves on to the next one.
    browser.ask("document.querySelector('main').addEventListener('keydown', event => event.preventDefault())")
    browser.ask("document.querySelector('input').focus()")
    browser.press("ArrowRight", 39)
    assert seen(browser)[2] == ["4"]


def test_the_last_of_several_sliders_ends_where_its_states_end(stairs, page):
    assert len(stairs.texts) == 2 + 3 + 4 + 1 + 2 + 3
    browser = page(stairs)
    most, click = "document.querySelectorAll('input')[2].max", "document.querySelectorAll('button')[5].click()"
    disabled = "document.querySelectorAll('button')[5].getAttribute('aria-disabled')"
    assert (seen(browser)[2], browser.ask(most), browser.ask(disabled)) == (["True", "3", "3"], "3", "true")
    for slider, to, state in (
        (1, 0, (True, 1, 1)),
        (0, 0, (False, 1, 0)),
        (1, 2, (False, 3, 0)),
        (2, 2, (False, 3, 2)),
    ):
        move(browser, to, slider=slider)
        assert seen(browser) == (canonical(stair(*state).svg), stair(*state).text, [str(value) for value in state])
        assert browser.ask(most) == str(state[0] + state[1] - 1)
    for _ in range(2):
        browser.ask(click)
        assert seen(browser)[2] == ["False", "3", "2"]
    assert browser.said == []


HOSTS = {  # put HTML into a cell, and run the scripts in it afterwards, each in its way
    "JupyterLab": "old.parentNode.replaceChild(script, old)",
    "VS Code": "cell.appendChild(script).parentNode.removeChild(script)",
}


@pytest.mark.parametrize("host", HOSTS)
def test_it_is_alive_in_an_editor_that_runs_scripts_later(host, line, page):
    browser = page()
    browser.ask(f"""(() => {{ const cell = document.querySelector('main').appendChild(document.createElement('div'));
      window.cell = cell;
      cell.innerHTML = {json.dumps(line.html)};
      for (const old of cell.querySelectorAll('script')) {{ const script = document.createElement('script');
        script.text = old.textContent; {HOSTS[host]}; }} }})()""")
    for _ in range(100):
        if words := browser.ask("(cell.querySelector('p') || {}).textContent"):
            break
        time.sleep(0.05)
    assert words == "A line of slope 2 </script> & <b>"
    browser.ask("cell.querySelectorAll('button')[1].click()")
    assert browser.ask("cell.querySelector('p').textContent") == "A line of slope 4 </script> & <b>"
    assert browser.said == []


def test_two_on_a_page_do_not_collide_and_the_same_twice_is_alive_twice(line, plane, page):
    browser = page(line, plane, line)
    move(browser, 3, number=0)
    move(browser, 2, number=1)
    assert [seen(browser, k)[2] for k in range(3)] == [["7"], ["1", "0.5"], ["2"]]
    other = page(frames(curve, {"slope": VALUES[:2]}), frames(curve, {"slope": VALUES[2:]}))
    ids = other.ask(
        "JSON.stringify([...document.querySelectorAll('.explorable')].map(f => [...f.querySelectorAll("
        "'[id]')].map(e => e.id)))"
    )
    first, second = map(set, json.loads(ids))
    assert first
    assert first.isdisjoint(second)
    assert other.ask("document.querySelectorAll('style').length") == 3  # a drawing brings no style for the whole page


def test_a_finger_in_the_picture_moves_both_parameters(plane, page):
    browser = page(plane)
    box = json.loads(browser.ask("JSON.stringify(document.querySelector('svg').getBoundingClientRect())"))

    def touch(kind, x, y, buttons=1, button="left"):
        point = {"x": box["x"] + box["width"] * x / 100, "y": box["y"] + box["height"] * y / 100}
        browser.call("Input.dispatchMouseEvent", type=kind, button=button, buttons=buttons, **point)

    for kind, x, y, expected in (
        ("mousePressed", 90, 20, ["1", "1"]),
        ("mouseMoved", 12, 58, ["-1", "0.5"]),
        ("mouseMoved", 52, 0, ["0", "1"]),  # beyond the edge the nearest state
        ("mouseReleased", 52, 0, ["0", "1"]),
    ):
        touch(kind, x, y)
        assert seen(browser)[2] == expected
    touch("mouseMoved", 90, 60, buttons=0, button="none")
    assert seen(browser)[:2] == (canonical(square(0, 1).svg), "At w = 0, eta = 1.")


@pytest.mark.parametrize("kind", ["line", "plane"])
def test_without_scripts_the_still_picture_is_all_there_is(kind, page, request):
    shown = request.getfixturevalue(kind)
    browser = page(shown, scripts=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)  # the page is loaded; now it can be asked
    assert browser.ask("document.querySelector('figure').textContent") == ""
    assert browser.ask("document.querySelector('figure').children.length") == 1
    assert browser.ask("document.querySelector('img').alt") == shown.still.text
    assert browser.ask("document.querySelector('img').naturalWidth") > 0
    assert browser.ask("document.querySelector('img').checkVisibility()")
    assert page(shown).ask("document.querySelector('img').checkVisibility()") is False


def test_the_colours_are_those_of_the_page_around_it(line, page):
    colour = "getComputedStyle(document.querySelector('svg {}')).{}"
    for scheme, text, stroke in (("light", "rgb(29, 36, 51)", "#d55e00"), ("dark", "rgb(228, 231, 238)", None)):
        browser = page(line, scheme=scheme)
        assert browser.ask(colour.format("text", "fill")) == text
        stroke = stroke or dark_of("#d55e00")
        rgb = tuple(int(stroke[k : k + 2], 16) for k in (1, 3, 5))
        path = 'path[style*="d55e00"]'
        assert browser.ask(colour.format(path, "stroke")) == f"rgb{rgb}"


@given(st.sampled_from(["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222", "#707070", "#000000"]))
@settings(max_examples=20)
def test_a_dark_colour_is_as_legible_as_the_light_one(colour):
    assert contrast(dark_of(colour), "#1c2028") >= min(15, 0.97 * contrast(colour, "#ffffff"))


def contrast(one, other):
    """Return the contrast of two colours, as WCAG 2 defines it."""

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_themed_names_every_colour_once():
    svg, css = themed('<a fill="#D55E00"/><b fill="#d55e00" stroke="#ffffff"/><use href="#abc"/>')
    assert svg == '<a fill="var(--cd55e00)"/><b fill="var(--cd55e00)" stroke="var(--cffffff)"/><use href="#abc"/>'
    assert css.count("light-dark(") == 2


@pytest.mark.slow
def test_axe_finds_nothing(line, plane, stairs, page, tmp_path):
    program = axe.source(tmp_path)
    if program is None:
        pytest.skip(f"npm cannot bring axe-core {axe.VERSION}: it is not installed, or there is no network")
    for scheme in ("light", "dark"):
        browser = page(line, plane, stairs, scheme=scheme)
        for width in (1280, 390):
            browser.resize(width, mobile=width == 390)
            assert axe.violations(browser, program) == []
            assert browser.ask("document.documentElement.scrollWidth") <= width


def test_a_notebook_stores_the_words_a_still_picture_and_the_page(line, plane):
    data, metadata = line._repr_mimebundle_()
    assert data["text/plain"] == "A picture to explore: slope from 1 to 7. A line of slope 2 </script> & <b>"
    assert base64.b64decode(data["image/png"], validate=True).startswith(b"\x89PNG")
    assert plt.imread(io.BytesIO(base64.b64decode(data["image/png"]))).ndim == 3
    output = {"data": data, "metadata": metadata}
    assert figures.moves(output)
    assert figures.text_of(output) == line.still.text == "A line of slope 2 </script> & <b>"
    data, metadata = plane._repr_mimebundle_(include=None, exclude=None)  # as IPython calls it
    assert data["image/svg+xml"] == square(0, 0.5).svg
    assert figures.text_of({"data": data, "metadata": metadata}) == "At w = 0, eta = 0.5."
    assert not figures.moves({"data": {"text/html": "<b>"}, "metadata": {}})


def test_the_same_calls_give_the_same_bytes_and_few_of_them(line):
    assert frames(curve, {"slope": VALUES}, start=[1]).html == line.html
    assert len(line.html.encode()) < LIMIT / 2


def test_a_drawing_is_stored_in_fewer_bytes_and_a_photograph_as_it_is():
    before, after = png(curve(2.0)), figures.smaller(png(curve(2.0)))
    assert len(after) < len(before) / 2
    one, other = (plt.imread(io.BytesIO(picture))[..., :3] for picture in (before, after))
    assert abs(one - other).max() < 0.15
    assert abs(one - other).mean() < 1e-3
    with Image.open(io.BytesIO(after)) as picture:
        assert picture.info[figures.DESCRIPTION] == curve(2.0).get_label()
    noise, stream = np.random.default_rng(0).random((100, 100, 3)), io.BytesIO()
    plt.imsave(stream, noise)
    assert figures.smaller(stream.getvalue()) == stream.getvalue()


def test_the_still_picture_can_be_another(line):
    still = strip([curve(1.0), curve(7.0)])
    data, metadata = frames(curve, {"slope": VALUES}, still=still)._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == still.get_label()
    shown = plt.imread(io.BytesIO(base64.b64decode(data["image/png"])))
    assert shown.shape[0] > 1.5 * shown.shape[1] * 0.6


@pytest.mark.parametrize(
    ("parameters", "options", "message"),
    [
        ({}, {}, "must be one to 4"),
        (dict.fromkeys("abcde", VALUES), {}, "must be one to 4"),
        ({"a": [1.0], "b": []}, {}, "each with values"),
        ({"a": VALUES}, {"start": [4]}, r"start must hold a place among \[4\] values, got \(4,\)"),
        ({"a": VALUES}, {"start": (0, 0)}, "start must hold a place"),
        ({"a": VALUES}, {"drag": (1, 2)}, "left, right, bottom and top"),
        ({"a": VALUES, "b": [1], "c": [1]}, {"drag": (0, 1, 0, 1)}, "for up to two parameters"),
    ],
)
def test_a_wrong_call_says_what_was_expected(parameters, options, message):
    with pytest.raises(ValueError, match=f"frames: .*{message}"):
        frames(curve, parameters, **options)


@pytest.mark.parametrize(
    ("there", "start", "message"),
    [
        ([1, 0, 1], 0, "None for the last values of the last parameter only"),
        ([0, 0, 0], 0, "None for the last values of the last parameter only"),
        ([1, 1, 0], 2, r"must be a state for which draw returns a picture, got \(2,\)"),
    ],
)
def test_a_state_that_is_missed_is_named(there, start, message):
    with pytest.raises(ValueError, match=f"frames: .*{message}"):
        frames(lambda k: square(k, 1) if there[k] else None, {"k": range(3)}, start=[start])


@pytest.mark.parametrize(
    "svg",
    ["", "<svg></svg>", '<svg viewBox="0 0 1 1"></svg>', '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">'],
)
def test_svg_that_a_browser_would_not_show_is_refused(svg):
    with pytest.raises(ValueError, match="Drawing: svg must be <svg xmlns"):
        Drawing(svg, "words")


def test_a_drawing_keeps_what_matplotlib_drew_and_a_place_on_it_is_known():
    figure = curve(2.0)
    svg = drawing_of(figure).svg
    root = ElementTree.fromstring(svg)
    texts = "".join(root.itertext())
    assert "slope 2 </script><!-- \u03bb" in texts
    x, y = place(figure.axes[0], 2.0, 30)
    assert f'x="{x:g}" y="{y:g}"' in svg  # the marker of the point
    for unwanted in ("<style", "<metadata", "xlink", "DOCTYPE", "\n"):
        assert unwanted not in svg


def test_a_strip_shows_the_pictures_pixel_by_pixel_below_one_another():
    pictures = [plt.imread(io.BytesIO(png(curve(value)))) for value in (1.0, 7.0)]
    whole = strip([curve(1.0), curve(7.0)])
    assert whole.get_label().startswith("1: A line of slope 1 </script> & <b> 2: A line")
    assert plt.get_fignums() == []
    stream = io.BytesIO()
    whole.savefig(stream, format="png")
    shown = plt.imread(io.BytesIO(stream.getvalue()))
    assert shown.shape[:2] == (sum(p.shape[0] for p in pictures), max(p.shape[1] for p in pictures))
    top = 0
    for picture in pictures:
        rows, columns = picture.shape[:2]
        assert abs(shown[top : top + rows, :columns, :3] - picture[..., :3]).mean() < 1e-2
        top += rows


def test_the_committed_notebooks_are_small():
    for path in kernels.find():
        assert path.stat().st_size < 1_000_000, path.name
        for cell in nbformat.read(path, as_version=4).cells:
            for output in filter(figures.moves, cell.get("outputs", [])):
                assert len(output.data["text/html"].encode()) < LIMIT, (path.name, cell.id)
                assert figures.text_of(output), (path.name, cell.id)
