"""The instructions: complete, from the notebooks, readable offline; and, in a real browser, as they should look."""

from __future__ import annotations

import argparse
import re
import shutil
import urllib.parse
from html.parser import HTMLParser

import chromium
import pytest

from coursework import site_pages
from coursework.homework import PERSON, homework
from coursework.root import ROOT
from coursework.submit import notebooks

PHONE, DESK = 360, 1280


@pytest.fixture(scope="module")
def sources():
    return {path.stem: notebooks.read(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}


@pytest.fixture(scope="module")
def site(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name, text in site_pages.write(sources, ROOT):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


class Parts(HTMLParser):
    """The links, ids and loaded things of a page, and whether its elements are closed."""

    VOID = frozenset(
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
    )

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.loads, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if tag == "a" and "href" in found else []
        self.loads += [found[name] for name in ("src", "srcset", "data") if name in found and tag != "a"]
        self.loads += [found["href"]] if tag == "link" else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def pages_of(site):
    return {path.name: Parts(path.read_text(encoding="utf-8")) for path in site.glob("*.html")}


def test_there_is_a_page_for_each_notebook(site, sources):
    assert {path.stem for path in site.glob("*.html")} == {"index", *sources}


def test_what_a_system_leaves_is_no_notebook_and_what_is_broken_is_named(tmp_path, capsys):
    for name in ("notebooks", "coursework", "cs7643", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (tmp_path / "notebooks" / "._4_layers.ipynb").write_bytes(b"\0\5\26\7")
    (tmp_path / "cs7643" / "layers.py").write_text("def f(:\n", encoding="utf-8")  # of what is being written
    args = argparse.Namespace(output=tmp_path / "site")
    assert site_pages.main(args, root=tmp_path) == 0
    assert not list((tmp_path / "site").glob("*._*"))
    (tmp_path / "notebooks" / "4_layers.ipynb").write_text("{", encoding="utf-8")
    assert site_pages.main(args, root=tmp_path) == 1
    assert "site: notebooks/4_layers.ipynb is not a whole notebook (" in capsys.readouterr().err


def test_no_link_is_broken_and_no_name_is_there_twice(site):
    parts = pages_of(site)
    for name, found in parts.items():
        assert sorted(set(found.ids)) == sorted(found.ids), name
        for link in found.links:
            target, _, place = link.partition("#")
            if urllib.parse.urlsplit(link).scheme in ("http", "https"):
                continue
            target = urllib.parse.unquote(target) or name
            assert target in parts, f"{name}: {link}"
            assert not place or urllib.parse.unquote(place) in parts[target].ids, f"{name}: {link}"


def test_the_pages_load_nothing(site):
    explorable = (ROOT / "coursework/explorable/explorable.js").read_text(encoding="utf-8").partition("ID")[0]
    for name, found in pages_of(site).items():
        assert all(source.startswith("data:") for source in found.loads), name
        text = (site / name).read_text(encoding="utf-8")
        scripts = re.findall(r"<script[^>]*>.*?</script>", text, re.S)
        assert all(explorable in script for script in scripts), "only figures that move have a script of their own"
        assert not re.search(r"@import|url\((?!#)", re.sub(r'src="data:[^"]*"', "", text))


def test_every_task_is_stated_with_its_points(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert sum(task.points for task in homework().all_tasks) == 41
    assert "41 points" in text
    for task in homework().all_tasks:
        assert f"{task.number}. {task.title} <small>{task.points} point" in text


def test_the_statements_are_those_of_the_notebooks(sources):
    texts = [site_pages.without_files(cell.source) for notebook in sources.values() for cell in notebook.cells]
    everything = " ".join(" ".join(text.split()) for text in texts)
    for task in homework().all_tasks:
        text = site_pages.statement(task.number, site_pages.stated(sources, ROOT))
        assert "Task" in text or "- " in text
        assert all(" ".join(part.split()) in everything for part in text.split("\n\n") if not part.startswith("- "))
        assert "SOLUTION" not in text
        assert all(line[2:] in everything for line in text.splitlines() if line.startswith("- "))


def test_all_formulas_became_mathml(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert text.count("<math ") > 40
    assert 'class="tex"' not in text


def test_the_map_names_what_is_handed_in(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    for path in (*homework().notebooks, *homework().code_files(), PERSON):
        assert f"<code>{path}</code></td><td>" in text
    assert "<td>.<" not in text  # each with its purpose


def test_text_has_enough_contrast_in_both_colours():
    style = (ROOT / "coursework" / "templates" / "base.css").read_text(encoding="utf-8")

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    schemes = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part)) for part in style.split("@media")[:2]]
    for colours in schemes:
        for ground in ("ground", "card"):
            for ink in ("text", "quiet", "link", "bad", "good"):
                light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


@pytest.mark.slow
@pytest.mark.skipif(chromium.program() is None, reason="Chromium is not installed")
def test_in_a_browser(site, tmp_path):
    browser = chromium.Browser(tmp_path / "profile")
    try:
        for path in sorted(site.glob("*.html")):
            for width, scheme in ((DESK, "light"), (PHONE, "dark")):
                browser.resize(width, mobile=width == PHONE)
                browser.scheme(scheme)
                browser.open(path.as_uri())
                flat = browser.ask(
                    "[...document.querySelectorAll('math')].filter(m => m.checkVisibility())"
                    ".filter(m => m.getBoundingClientRect().height < 5 || m.getBoundingClientRect().width < 3)"
                    ".map(m => m.outerHTML)"
                )
                assert flat == [], path.name
                assert browser.ask("document.documentElement.scrollWidth") <= width, path.name
                broken = "[...document.images].filter(i => i.naturalWidth === 0).length"
                assert browser.ask(broken) == 0
                assert browser.ask("document.title") != ""
        assert browser.said == []

        index = (site / "index.html").as_uri()
        grounds = set()
        for scheme in ("light", "dark"):
            browser.scheme(scheme)
            browser.open(index)
            grounds.add(browser.ask("getComputedStyle(document.body).backgroundColor"))
        assert len(grounds) == 2

        assert browser.ask("document.querySelector('svg.handing-in').getBoundingClientRect().height") > 50
        browser.press("Tab", 9)
        assert browser.ask("document.activeElement.className") == "skip"
        assert browser.ask("document.activeElement.getBoundingClientRect().left") >= 0
        browser.press("Tab", 9)
        assert browser.ask("document.activeElement.closest('nav') !== null")
        browser.press("Enter", 13)
        assert browser.ask("location.hash") == "#Set-up"
        browser.ask("document.querySelector('summary').focus()")
        browser.press("Enter", 13)
        assert browser.ask("document.querySelector('details').open")
        assert browser.said == []
    finally:
        browser.close()
