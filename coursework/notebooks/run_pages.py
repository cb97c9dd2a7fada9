"""Pages in HTML, from the folders ``templates`` of this package. Formulas are MathML, and a page loads nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader
from latex2mathml.converter import convert
from markupsafe import Markup
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from coursework.notebooks.figures import moves, text_of

NARROW = 25  # characters of a formula that fit the screen of a phone


def formula(latex: str, display: bool = False) -> str:
    r"""Convert a LaTeX formula, without its dollars, to MathML; one that cannot be converted is shown as its source.

    The number of a formula, ``\tag{4}``, is at the right edge.
    """
    tagged = re.fullmatch(r"(.+?)\s*\\tag\{(\w+)\}\s*", latex, re.S) if display else None
    if tagged:
        return f'<div class="numbered">{formula(tagged[1], display)}<span>({tagged[2]})</span></div>'
    # The converter knows `aligned` as `split`.
    source = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{split}", latex.strip())
    try:
        mathml = convert(source, display="block" if display else "inline")
        mathml = _space_operators(mathml.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
        texts = "".join(ElementTree.fromstring(mathml).itertext())  # also fails if an `&` or a `<` is left over
        if re.search(r"\\[A-Za-z]", texts):
            raise ValueError(f"unknown command: {texts}")
    except Exception:  # the converter raises many kinds of error, and one formula should not cost the page
        dollars = "$$" if display else "$"
        return f'<code class="tex">{html.escape(dollars + latex + dollars)}</code>'
    mathml = mathml.replace("<math ", f'<math alttext="{html.escape(latex.strip())}" ', 1)
    if len(texts) <= NARROW:
        return mathml
    kind = "wide-formula displayed" if display else "wide-formula"
    return f'<span class="{kind}" tabindex="0">{mathml}</span>'  # on a narrow screen it scrolls, by keyboard, too


def _space_operators(mathml: str) -> str:
    """Set log, max and other named operators as LaTeX does: thin spaces around the word, none beside operators."""

    def operator(found: re.Match[str]) -> str:
        before = "0" if mathml[: found.start()].endswith(("<mrow>", "</mo>")) else "0.167em"
        after = "0" if found["next"] else "0.167em"
        attributes = f'form="prefix" lspace="{before}" rspace="{after}" movablelimits="true"'
        return f"<mo {attributes}>{found['word']}</mo>{found['next']}"

    word = r"(?:[a-z]{2,}|arg&#x02009;m(?:ax|in))"
    return re.sub(
        rf"<(?P<tag>m[io])(?: movablelimits=\"true\")?>(?P<word>{word})</(?P=tag)>"
        r"(?P<next>(?:<mo stretchy=\"false\">&#x00028;)?)",
        operator,
        mathml,
    )


class MathRenderer(IPythonRenderer):
    """Markdown to HTML, with each formula as :meth:`formula` shows it."""

    def formula(self, latex: str, display: bool = False) -> str:
        """Return a formula as HTML: as MathML, unless a subclass shows it otherwise."""
        return formula(latex, display)

    def block_math(self, body: str) -> str:
        """Show a formula between two dollars on either side."""
        return self.formula(body, display=True)

    def inline_math(self, body: str) -> str:
        """Show a formula in a line."""
        return self.formula(body)

    def latex_environment(self, name: str, body: str) -> str:
        """Show a LaTeX environment as a formula."""
        return self.formula(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show a picture, the file of which may have a name with spaces, or be missing."""
        name = unquote(url)
        is_attached = name.removeprefix("attachment:") in self.attachments
        if name.startswith("attachment:") and not is_attached:
            return f"<em>{html.escape(text)} (the picture {html.escape(name.partition(':')[2])} is missing)</em>"
        is_here = is_attached or (self.embed_images and (Path(self.path) / name).is_file())
        return str(super().image(text, name if is_here else url, title))

    def block_html(self, html: str) -> str:
        """Show the formulas in hand-written HTML."""
        return str(super().block_html(formulas_in_html(html, self.formula)))

    def inline_html(self, html: str) -> str:
        """Show a tag within a line as it is; to embed pictures the base class would close each tag that it opens."""
        return str(super().inline_html(html)) if html[:4].lower() == "<img" else html


def formulas_in_html(source: str, turn: Callable[[str, bool], str] = formula) -> str:
    """Replace the formulas between dollars in hand-written HTML, as in a folded hint, but not those in code.

    ``turn`` returns a formula as HTML, given its LaTeX and whether it is on its own line.
    """
    code = r"<(?:code|pre|script|style)\b.*?</(?:code|pre|script|style)>"
    kept = re.split(rf"({code}|<!--.*?-->|</?[A-Za-z][^>]*>)", source, flags=re.S)

    def replace(found: re.Match[str]) -> str:
        return turn(html.unescape(found[1] or found[2]), found[1] is not None)

    dollars = r"(?<!\\)\$\$(.+?)\$\$|(?<![\\$])\$([^$\s](?:[^$]*[^$\s\\])?)\$"
    kept[::2] = [re.sub(dollars, replace, part, flags=re.S) for part in kept[::2]]
    return "".join(kept)


def markdown(source: str, attachments: Mapping[str, Any] | None = None, folder: Path | None = None) -> Markup:
    """Convert a Markdown cell to HTML: formulas become MathML, and pictures in ``folder`` a part of the page."""
    files: dict[str, Any] = {"embed_images": True, "path": str(folder)} if folder else {}
    renderer = MathRenderer(escape=False, attachments=dict(attachments or {}), anchor_link_text="#", **files)
    shown = MarkdownWithMath(renderer).render(source)
    return Markup(re.sub(r"<table>.*?</table>", r'<div class="scroll" tabindex="0">\g<0></div>', shown, flags=re.S))


def title_of(notebook: NotebookNode) -> str:
    """Return the first heading of a notebook, in Markdown; empty if it has none."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return next((found[1] for text in texts if (found := re.search(r"^# +(.+?) *$", text, re.M))), "")


def page(
    notebook: NotebookNode,
    folder: Path,
    *,
    home: str,
    facts: Sequence[str],
    problem: str = "",
    culprit: NotebookNode | None = None,
) -> str:
    """Return the page of a notebook, with the outputs that it has, and why and in which cell it ended early, if it did.

    The notebook and the pictures that it names are in ``folder``. ``home`` is what the link to index.html says, and the
    facts are at the top.
    """
    values = {"folder": folder, "home": home, "facts": facts, "problem": problem, "culprit": culprit}
    return render("notebook.html", title=title_of(notebook), notebook=notebook, **values)


def render(template: str, **values: Any) -> str:
    """Fill in a template; text is escaped, HTML is :class:`markupsafe.Markup`."""
    return _TEMPLATES.get_template(template).render(values) + "\n"


def _code(source: str) -> Markup:
    return Markup(highlight(source, get_lexer_by_name("ipython3"), HtmlFormatter(nowrap=True)).rstrip())


def _colours(style: str) -> Markup:
    """Return the rules for the tokens of code; the page itself decides on the background."""
    rules = HtmlFormatter(style=style).get_style_defs("pre.source").splitlines()
    return Markup("\n".join(rule for rule in rules if re.match(r"pre\.source \.\w", rule)))


_TEMPLATES = Environment(
    loader=FileSystemLoader(sorted(Path(__file__).parents[1].rglob("templates"))),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "ansi": lambda text: Markup(ansi2html(text)),  # type: ignore[no-untyped-call]
    "code": _code,
    "colours": _colours,
    "formulas": lambda text: Markup(formulas_in_html(html.escape(text))),
    "markdown": markdown,
    "moves": moves,
    "text_alternative": text_of,
}
