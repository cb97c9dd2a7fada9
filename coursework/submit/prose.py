"""A Markdown cell as Typst: it looks as in Jupyter, and a note names what does not."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from nbconvert.filters.markdown_mistune import MarkdownWithMath
from pandocfilters import Code, Div, Header, Link, RawBlock, RawInline, Span, Str, stringify, walk

from coursework.notebooks.run_pages import MathRenderer
from coursework.submit import formulas
from coursework.submit.formulas import Formula
from coursework.submit.pictures import WIDTH, Pictures, fetch
from coursework.submit.text import quoted

COLUMNS = 103  # of code that fit between the margins
WORD = 60  # letters after which a word may be broken
# Elements that a page can show, or that show nothing. The others do things that only a browser can.
ELEMENTS = (
    "a abbr address article aside b blockquote body br caption center cite code col colgroup dd del details dfn div dl "
    "dt em figcaption figure footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li main mark nav ol p pre q s "
    "samp section small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr"
)
SHOWN = frozenset(ELEMENTS.split())
PLAIN: tuple[str, list[str], list[str]] = ("", [], [])  # the attributes of a node that has none
Noting = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where a cell is: the notebook's folder, the repository, and the document's pictures."""

    folder: Path
    root: Path
    pictures: Pictures


class _Renderer(MathRenderer):
    """Markdown to HTML with a numbered mark for each formula."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self.found: list[Formula] = []
        self.diagrams = 0

    def formula(self, latex: str, display: bool = False) -> str:
        self.found.append(Formula(latex.strip(), display))
        return f'<code class="formula">{len(self.found) - 1}</code>'

    def block_math(self, body: str) -> str:
        return f"<p>{super().block_math(body)}</p>"

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f'<img src="{escape(url)}" alt="{escape(unescape(re.sub("<[^>]*>", "", text)))}">'

    def block_code(self, code: str, info: str | None = None) -> str:
        if (info or "").strip() == "mermaid":
            self.diagrams += 1
        return f"<pre><code>{escape(code)}</code></pre>"


class _Tags(HTMLParser):
    """Notes what a page cannot show."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SHOWN:
            self.notes[f"the HTML element <{tag}> is not shown as in a browser"] = None
        if any(name in ("style", "color", "bgcolor") for name, _ in attrs):
            self.notes[f"the style of the HTML element <{tag}> is left out, its text is kept"] = None


def convert(source: str, place: Place, note: Noting, attachments: Mapping[str, Any] | None = None) -> str:
    """Convert the Markdown of a cell to Typst; ``note`` is told in a clause what is not shown as Jupyter shows it."""
    renderer = _Renderer()
    html = MarkdownWithMath(renderer).render(_with_brackets(source, attachments or {}))
    tags = _Tags()
    tags.feed(html)
    tree = json.loads(formulas.run_pandoc(html, "html", "json"))
    for what in tags.notes:
        note(what)
    if renderer.diagrams:
        note("a Mermaid diagram is shown as its text: insert it as a picture")
    change = _Change(renderer.found, place, attachments or {}, note)
    return formulas.write_typst(walk(tree["blocks"], change, "typst", {}))


class _Change:
    """Replaces nodes of the document tree: inserts formulas and pictures, and notes what cannot be shown.

    Each method is named after a kind of node, takes its content, and returns its replacement.
    """

    def __init__(self, found: list[Formula], place: Place, attachments: Mapping[str, Any], note: Noting) -> None:
        self.formulas = list(zip(found, formulas.to_typst(found), strict=True))
        self.place, self.attachments, self.note = place, attachments, note

    def __call__(self, kind: str, content: Any, *_: Any) -> Any:
        """Change a node, as :func:`pandocfilters.walk` asks; None leaves it as it is."""
        method: Callable[[Any], Any] | None = getattr(self, f"_{kind.lower()}", None)
        return method(content) if method else None

    def _str(self, text: str) -> Any:
        if "$$" in text:
            self.note("a $$ without its partner: what follows is shown as typed")
        elif re.search(r"\\[A-Za-z]{2,}", text):
            self.note(f"LaTeX outside of a formula is shown as typed: {text[:40]}")
        elif text.count("$") % 2 and not re.match(r"^\$\d", text):
            self.note(f"a $ without its partner: what follows is shown as typed: {text[:40]}")
        return Str(_breakable(text))

    def _code(self, content: Any) -> Any:
        (_, classes, _), text = content
        if "formula" not in classes or not text.isdecimal() or int(text) >= len(self.formulas):
            return Code(PLAIN, _breakable(text))
        formula, typst = self.formulas[int(text)]
        if re.search(r"\\(?:text)?color\b", formula.latex):
            self.note("the colour of a formula is left out")
        if typst is None:
            self.note(f"a formula holds something unknown and is shown as typed: {_short(formula.latex)}")
            dollars = "$$" if formula.display else "$"
            return Code(PLAIN, f"{dollars}{formula.latex}{dollars}")
        return RawInline("typst", typst)

    def _codeblock(self, content: Any) -> Any:
        return RawBlock("typst", raw_text(content[1]))

    def _image(self, content: Any) -> Any:
        (_, _, pairs), words, (source, _) = content
        try:
            picture = fetch(source, self.place.folder, self.place.root, self.attachments)
            width = _width(dict(pairs).get("width", ""))
            return RawInline("typst", self.place.pictures.place(picture, width, stringify(words)))
        except ValueError as error:
            what = f"{error}: {_short(source)}"
            self.note(what)
            return RawInline("typst", absent(f"{stringify(words) or 'picture'}: {what}"))

    def _header(self, content: Any) -> Any:
        level, _, words = content
        return Header(min(level + 2, 6), PLAIN, words)

    def _link(self, content: Any) -> Any:
        _, words, (target, title) = content
        if re.match(r"https?://|mailto:", target):
            return Link(PLAIN, words, [target, title])
        return Span(PLAIN, words)  # to a place in the notebook, or to a file beside it

    def _span(self, content: Any) -> Any:
        return Span(PLAIN, content[1])

    def _div(self, content: Any) -> Any:
        return Div(PLAIN, content[1])


def _with_brackets(source: str, attachments: Mapping[str, Any]) -> str:
    """Put brackets around names of attachments with spaces in them, which Markdown would take for text."""
    return re.sub(
        r"(!\[[^\]\n]*\]\()attachment:([^<>()\n]* [^<>()\n]*)\)",
        lambda found: f"{found[1]}<attachment:{found[2]}>)" if found[2] in attachments else found[0],
        source,
    )


def _breakable(text: str) -> str:
    """Allow line breaks in very long words."""
    return re.sub(rf"([^\s\u200b]{{{WORD}}})(?=\S)", "\\1\u200b", text)


def _width(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(px|%|in|cm|)", text)
    if not found:
        return WIDTH
    points = {"px": 0.75, "": 0.75, "%": WIDTH / 100, "in": 72.0, "cm": 28.35}[found[2]]
    return max(1.0, min(float(found[1]) * points, WIDTH))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def absent(what: str) -> str:
    """Return Typst that says, in a box, what is not there."""
    return f"#absent({quoted(what)})"


def raw_text(text: str) -> str:
    """Return Typst for text in a monospaced font, its lines wrapped by :func:`wrapped`."""
    return f"#raw(block: true, {quoted(chr(10).join(wrapped(text)))})"


def wrapped(text: str) -> list[str]:
    """Return lines that fit the page: a long one continues on the next, after a mark."""
    lines = []
    for line in text.expandtabs(4).splitlines():
        part, columns = "", 0
        for char in line:
            wide = _columns(char)
            if columns + wide > COLUMNS:
                lines.append(part)
                part, columns = "↪ ", 2
            part, columns = part + char, columns + wide
        lines.append(part)
    return lines


def _columns(char: str) -> int:
    """Return how many columns of monospaced text a character takes: a Chinese one two, a combining accent none."""
    return 0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
