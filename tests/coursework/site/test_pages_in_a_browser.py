"""Pages for every reader: axe-core finds nothing in them, pictures have words, and a keyboard and a phone suffice."""

from __future__ import annotations

import importlib
import re
from html import unescape
from types import SimpleNamespace

import axe
import chromium
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coursework import site_pages
from coursework.check.case import SEED
from coursework.check.report import Report
from coursework.check.verdict import try_function
from coursework.homework import homework
from coursework.notebooks import execute, kernels
from coursework.notebooks.figures import moves, text_of
from coursework.root import ROOT
from coursework.submit import notebooks

DESK, PHONE, ZOOMED = 1280, 390, 640  # 1280 at 200 % is laid out as 640
CELLS = {
    "imports": "from coursework.notebooks.results import record\nfrom coursework.explorable import frames\n"
    "from cs7643 import plots",
    "curves": "plots.compare_losses({'SGD': [3.0, 2.5], 'momentum': [3.0, 1.25]}, 'Momentum < SGD', top=3.0)",
    "live": "bars = lambda k: plots.speed_bars({'slow': 1.0, 'fast': 1 / k}, f'{k} times as fast')\n"
    "frames(bars, {'factor': [2, 4, 8]}, start=[1])",
    "figure": "record('made-up network', 0.75)",
    "own": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "long": f"print({'0.123, ' * 30})",
    "wrong": "raise ValueError('a traceback with colours')",
}


def failing_check():
    """Return a notebook with the table of a check of which one function is right, one wrong and one not begun."""

    def missing(*_):
        raise NotImplementedError("Task")

    task = homework().tasks[0]
    importlib.import_module(task.cases)
    right = getattr(importlib.import_module(task.functions[0][0]), task.functions[0][1])
    functions = zip((name for _, name in task.functions), (lambda *a, **b: 1.0, missing), strict=False)
    verdicts = [try_function(name, function, SEED) for name, function in functions]
    verdicts.append(try_function(task.functions[0][1], right, SEED))
    data = {"text/html": Report(task, tuple(verdicts))._repr_html_(), "text/plain": ""}
    shown = new_output("execute_result", data=data, execution_count=1)
    cell = new_code_cell("check(1)", id="check", outputs=[shown], execution_count=1)
    return new_notebook(cells=[new_markdown_cell("# A check", id="top"), cell])


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of a notebook that was really executed, up to the cell that fails."""
    folder = tmp_path_factory.mktemp("report")
    cells = [new_code_cell(source, id=name) for name, source in CELLS.items()]
    long = "$$" + " + ".join(f"x_{{{k}}}^2" for k in range(40)) + "$$ and $" + "a + b + " * 12 + "c$"
    text = new_markdown_cell(
        f"# Pictures\n\n{long}\n\n| a | b |\n| --- | --- |\n| {'word ' * 9} | `{'x' * 70}` |", id="top"
    )
    nbformat.write(new_notebook(cells=[text, *cells]), folder / "1_pictures.ipynb")
    (done,) = execute.run([folder / "1_pictures.ipynb"], folder / "build")
    return SimpleNamespace(folder=folder / "build", notebook=done.notebook)


def test_an_executed_notebook_stores_the_words_of_its_pictures(report):
    outputs = {cell.id: cell.outputs for cell in report.notebook.cells if cell.cell_type == "code"}
    (curves,) = outputs["curves"]
    text = "Momentum < SGD. The loss, first and last: SGD, 3 and 2.5; momentum, 3 and 1.25."
    assert curves.data["text/plain"] == text_of(curves) == text  # VS Code takes the first, nbconvert the second
    (html,) = re.findall(r'alt="([^"]*)"', curves.data["text/html"])  # JupyterLab shows it
    assert unescape(html) == text
    (live,) = outputs["live"]
    assert text_of(live) == "4 times as fast. slow: 1 s; fast: 250 ms."
    assert text_of(outputs["own"][0]) == ""  # a figure without words is shown as ever
    assert "image/png" in outputs["own"][0].data
    page = (report.folder / "1_pictures.html").read_text(encoding="utf-8")
    shown = [unescape(text) for text in re.findall(r'<img alt="([^"]*)"', page)]
    assert shown == [text, text_of(live), "Picture drawn by the cell own"]


def test_a_stored_notebook_holds_each_picture_once(report):
    for cell in execute.normalise(report.notebook).cells:
        for output in cell.get("outputs", []):
            assert moves(output) or len({"image/png", "text/html"} & set(output.get("data", {}))) < 2
            assert text_of(output) == "" or "image/png" in output.data


def test_every_picture_of_the_committed_notebooks_has_words_of_its_own():
    found = {}
    for path in kernels.find():
        for cell in nbformat.read(path, as_version=4).cells:
            for output in cell.get("outputs", []):
                if any(kind.startswith("image/") for kind in output.get("data", {})):
                    found[f"{path.stem}: {cell.id}"] = text_of(output)
    assert found
    assert {place: text for place, text in found.items() if not 40 < len(text) < 1200} == {}
    assert len(set(found.values())) == len(found)


def test_every_picture_in_a_text_has_words():
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in (*ROOT.glob("*.md"), *ROOT.glob("*/*.md"))]
    texts += [(path.name, cell.source) for path in kernels.find() for cell in nbformat.read(path, as_version=4).cells]
    for name, text in texts:
        assert not re.search(r"!\[\s*\]\(|<img (?![^>]*alt=\"[^\"]{10})", text), name
    for path in ROOT.glob("docs/*.svg"):
        assert re.search(
            r'role="img" aria-labelledby="(\S+)".*<title id="\1">.{40,}</title>', path.read_text("utf-8"), re.S
        )


@pytest.fixture(scope="module")
def pages(report, tmp_path_factory):
    """Every kind of page: the report, the instructions with every notebook, a check that fails."""
    folder = tmp_path_factory.mktemp("pages")
    sources = {path.stem: notebooks.read(path) for path in kernels.find()}
    for name, text in [*site_pages.write(sources, ROOT), ("check.html", site_pages.copy_of(failing_check(), ROOT))]:
        (folder / name).write_text(text, encoding="utf-8")
    return [*sorted(report.folder.glob("*.html")), *sorted(folder.glob("*.html"))]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.program() is None:
        pytest.skip("Chromium is not installed")
    browser = chromium.Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.mark.slow
def test_axe_finds_nothing(pages, browser, tmp_path):
    program = axe.source(tmp_path)
    if program is None:
        pytest.skip(f"npm cannot bring axe-core {axe.VERSION}: it is not installed, or there is no network")
    browser.resize(DESK)
    browser.open("data:text/html,<img src=x>")
    assert any(found.startswith("image-alt") for found in axe.violations(browser, program))  # it does look
    found = []
    for page in pages:
        for width, scheme in ((DESK, "light"), (PHONE, "dark")):  # colours do not depend on the width
            browser.resize(width, mobile=width == PHONE)
            browser.scheme(scheme)
            browser.open(page.as_uri())
            found += [f"{page.name}, {width}, {scheme}: {what}" for what in axe.violations(browser, program)]
    assert not found, "\n".join(found)


SCROLLS = """[...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0
  && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)).map(e => e.outerHTML.slice(0, 200))"""


@pytest.mark.slow
def test_a_page_fits_at_twice_the_size_and_what_scrolls_can_be_reached(pages, browser):
    for page in pages:
        for width in (ZOOMED, PHONE):
            browser.resize(width, mobile=width == PHONE)
            browser.open(page.as_uri())
            assert browser.ask("document.documentElement.scrollWidth") <= width, page.name
            assert browser.ask(SCROLLS) == [], page.name


FOCUS = """(() => { const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
  return [[...document.querySelectorAll('*')].indexOf(e), s.outlineStyle, parseFloat(s.outlineWidth), r.right > 0
  && r.left < innerWidth && r.bottom > 0 && r.top < innerHeight]; })()"""
REACHABLE = """[...document.querySelectorAll('*')].map((e, k) => [e, k])
  .filter(([e]) => e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true})).map(([e, k]) => k)"""


@pytest.mark.slow
def test_the_tab_key_reaches_everything_and_what_has_the_focus_is_framed(pages, browser):
    browser.resize(DESK)
    for page in (path for path in pages if path.stem in ("index", "check", "1_pictures")):
        browser.open(page.as_uri())
        reachable, visited = browser.ask(REACHABLE), []
        for _ in reachable:
            browser.press("Tab", 9)
            place, *seen = browser.ask(FOCUS)
            assert seen == ["solid", 3, True], f"{page.name}: {browser.ask('document.activeElement.outerHTML')[:200]}"
            visited.append(place)
        assert visited == reachable, page.name
