"""A Markdown cell as Typst: what Jupyter shows, or a note that names the cell and says what is not shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from coursework.notebooks.pages import formulas_in_html
from coursework.submit import formulas
from coursework.submit.formulas import Formula
from coursework.submit.pictures import WIDTH, Pictures, fetch

COLUMNS = 103  # of code between the margins
WORD = 60  # letters after which a word may be broken
# What is shown, or has nothing to show; a browser does more with the others than a page can.
ELEMENTS = (
    "a abbr address article aside b blockquote body br caption center cite code col colgroup dd del details dfn div dl "
    "dt em figcaption figure footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li main mark nav ol p pre q s "
    "samp section small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr"
)
SHOWN = frozenset(ELEMENTS.split())


@dataclass(frozen=True)
class Place:
    """Where a cell is: the notebook's folder, the repository, and the folder of pictures of the document."""

    folder: Path
    root: Path
    pictures: Pictures


class _Renderer(IPythonRenderer):
    """Markdown to HTML with a numbered mark for each formula."""

    def __init__(self) -> None:
        super().__init__(escape=False, anchor_link_text="")
        self.found: list[Formula] = []

    def _mark(self, latex: str, display: bool = False) -> str:
        self.found.append(Formula(latex.strip(), display))
        return f'<code class="formula">{len(self.found) - 1}</code>'

    def block_math(self, body: str) -> str:
        return f"<p>{self._mark(body, display=True)}</p>"

    def inline_math(self, body: str) -> str:
        return self._mark(body)

    def latex_environment(self, name: str, body: str) -> str:
        return self._mark(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    def block_html(self, html: str) -> str:
        return formulas_in_html(html, self._mark)

    def inline_html(self, html: str) -> str:
        return html

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f'<img src="{_escape(url)}" alt="{_escape(re.sub("<[^>]*>", "", text))}">'

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        return f"<h{level}>{text}</h{level}>"

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{_escape(code)}</code></pre>"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


class _Tags(HTMLParser):
    """Collects what a page cannot show."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SHOWN:
            self.notes[f"the HTML element <{tag}> is not shown as in a browser"] = None
        if any(name in ("style", "color", "bgcolor") for name, _ in attrs):
            self.notes[f"the style of the HTML element <{tag}> is left out, its text is kept"] = None


def convert(source: str, place: Place, attachments: Mapping[str, Any] | None = None) -> tuple[str, list[str]]:
    """Convert a cell.

    Args:
        source: its Markdown.
        place: where it stands.
        attachments: its own pictures.

    Returns:
        Typst, and notes: clauses on what is not shown as Jupyter shows it.
    """
    renderer = _Renderer()
    html = MarkdownWithMath(renderer).render(source)
    tags = _Tags()
    tags.feed(html)
    tree = json.loads(formulas.run_pandoc(html, "html", "json"))
    walk = _Walk(renderer.found, place, attachments or {}, list(tags.notes))
    return formulas.write_typst(walk.visit(tree["blocks"])), list(dict.fromkeys(walk.notes))


class _Walk:
    """Goes through the document tree, puts formulas and pictures in, and notes what is left over."""

    def __init__(self, found: list[Formula], place: Place, attachments: Mapping[str, Any], notes: list[str]) -> None:
        self.formulas = list(zip(found, formulas.to_typst(found), strict=True))
        self.place, self.attachments, self.notes = place, attachments, notes

    def visit(self, node: Any) -> Any:
        """Return the tree with its nodes replaced."""
        if isinstance(node, list):
            return [self.visit(child) for child in node]
        if not isinstance(node, dict) or "t" not in node:
            return node
        change: Callable[[Any], Any] | None = getattr(self, f"_{node['t'].lower()}", None)
        if change:
            return change(node["c"])
        return {**node, "c": self.visit(node["c"])} if "c" in node else node

    def _str(self, text: str) -> Any:
        if "$$" in text:
            self.notes.append("a $$ without its partner: what follows is shown as typed")
        elif re.search(r"\\[A-Za-z]{2,}", text):
            self.notes.append(f"LaTeX outside of a formula is shown as typed: {text[:40]}")
        elif text.count("$") % 2 and not re.match(r"^\$\d", text):
            self.notes.append(f"a $ without its partner: what follows is shown as typed: {text[:40]}")
        return {"t": "Str", "c": re.sub(rf"([^\s\u200b]{{{WORD}}})(?=\S)", "\\1\u200b", text)}

    def _code(self, content: Any) -> Any:
        (_, classes, _), text = content
        if "formula" in classes and text.isdecimal() and int(text) < len(self.formulas):
            return self._formula(*self.formulas[int(text)])
        return {"t": "Code", "c": [["", [], []], re.sub(rf"([^\s\u200b]{{{WORD}}})(?=\S)", "\\1\u200b", text)]}

    def _formula(self, formula: Formula, typst: str | None) -> Any:
        if re.search(r"\\(?:text)?color\b", formula.latex):
            self.notes.append("the colour of a formula is left out")
        if typst is None:
            self.notes.append(f"a formula holds something unknown and is shown as typed: {_short(formula.latex)}")
            dollars = "$$" if formula.display else "$"
            return {"t": "Code", "c": [["", [], []], f"{dollars}{formula.latex}{dollars}"]}
        return {"t": "RawInline", "c": ["typst", typst]}

    def _codeblock(self, content: Any) -> Any:
        return {"t": "RawBlock", "c": ["typst", raw_text(content[1])]}

    def _image(self, content: Any) -> Any:
        (_, _, pairs), words, (source, _) = content
        try:
            picture = fetch(source, self.place.folder, self.place.root, self.attachments)
            typst = self.place.pictures.place(picture, _width(dict(pairs).get("width", "")))
        except ValueError as error:
            self.notes.append(f"{error}: {_short(source)}")
            text = re.sub(r"\s+", " ", "".join(_words(words))) or "picture"
            return {"t": "RawInline", "c": ["typst", f"#absent({quoted(f'{text}: {error}: {_short(source)}')})"]}
        return {"t": "RawInline", "c": ["typst", typst]}

    def _header(self, content: Any) -> Any:
        level, _, words = content
        return {"t": "Header", "c": [min(level + 2, 6), ["", [], []], self.visit(words)]}

    def _link(self, content: Any) -> Any:
        _, words, (target, title) = content
        if re.match(r"https?://|mailto:", target):
            return {"t": "Link", "c": [["", [], []], self.visit(words), [target, title]]}
        return self._span([None, words])  # to a place in the notebook, or to a file beside it

    def _span(self, content: Any) -> Any:
        return {"t": "Span", "c": [["", [], []], self.visit(content[1])]}

    def _div(self, content: Any) -> Any:
        return {"t": "Div", "c": [["", [], []], self.visit(content[1])]}


def _words(inlines: Any) -> list[str]:
    return [str(node.get("c", " ")) for node in inlines if node["t"] in ("Str", "Space")]


def _width(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(px|%|in|cm|)", text)
    if not found:
        return WIDTH
    points = {"px": 0.75, "": 0.75, "%": WIDTH / 100, "in": 72.0, "cm": 28.35}[found[2]]
    return max(1.0, min(float(found[1]) * points, WIDTH))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def quoted(text: str) -> str:
    """Return a string of Typst."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def raw_text(text: str) -> str:
    """Return Typst for text in a typewriter's letters, its lines as :func:`wrapped` breaks them."""
    return f"#raw(block: true, {quoted(chr(10).join(wrapped(text)))})"


def wrapped(text: str) -> list[str]:
    """Return lines that fit a page: one that is too long goes on in the next, with a mark."""
    lines = []
    for line in text.expandtabs(4).splitlines():
        lines.append(line[:COLUMNS])
        rest, width = line[COLUMNS:], COLUMNS - 2
        lines += [f"↪ {rest[start : start + width]}" for start in range(0, len(rest), width)]
    return lines
