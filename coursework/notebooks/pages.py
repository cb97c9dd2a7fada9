"""The HTML pages of a run: one for each executed notebook, with its formulas, and an index. They load nothing."""

from __future__ import annotations

import html
import re
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

from coursework.homework import homework

IMAGES = ("image/png", "image/jpeg")


@dataclass(frozen=True)
class Row:
    """What the index says about a notebook.

    Attributes:
        name: the notebook's file name without its ending; its page is ``name + ".html"``.
        title: its first heading.
        cells: how many of its code cells ran, and how many it has.
        seconds: how long they took.
        datasets: the data sets that its cells said they use.
        figures: (name, value, unit) of what it recorded.
        problem: why it ended early; None if it did not.
        problem_cell: the id of the cell that ended it.
    """

    name: str
    title: str
    cells: tuple[int, int]
    seconds: float
    datasets: tuple[str, ...]
    figures: tuple[tuple[str, float, str], ...]
    problem: str | None = None
    problem_cell: str | None = None


def formula(latex: str, display: bool = False) -> str:
    """Turn a LaTeX formula into MathML; what cannot be turned is shown as its source.

    Args:
        latex: without the dollars.
        display: on a line of its own.
    """
    # `split` is the name under which the converter knows `aligned`.
    source = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{split}", latex.strip())
    try:
        mathml = convert(source, display="block" if display else "inline")
        mathml = _space_operators(mathml.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', ""))
        texts = "".join(ElementTree.fromstring(mathml).itertext())  # also fails where an `&` or a `<` is left over
        if re.search(r"\\[A-Za-z]", texts):
            raise ValueError(f"a command is not known: {texts}")
    except Exception:  # the converter fails in many ways, and a page with one source in it is still a page
        dollars = "$$" if display else "$"
        return f'<code class="tex">{html.escape(dollars + latex + dollars)}</code>'
    return mathml.replace("<math ", f'<math alttext="{html.escape(latex.strip())}" ', 1)


def _space_operators(mathml: str) -> str:
    """Set log, max and their like as LaTeX does: a thin space around the word, none beside operators."""

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


class _Renderer(IPythonRenderer):
    """Markdown to HTML with MathML."""

    def block_math(self, body: str) -> str:
        return formula(body, display=True)

    def inline_math(self, body: str) -> str:
        return formula(body)

    def latex_environment(self, name: str, body: str) -> str:
        return formula(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    def block_html(self, html: str) -> str:
        return str(super().block_html(formulas_in_html(html)))


def formulas_in_html(source: str, turn: Callable[[str, bool], str] = formula) -> str:
    """Replace the formulas in hand-written HTML, as in a hint that folds out, but not those in code.

    Args:
        source: HTML with formulas between dollars.
        turn: makes HTML of a formula, given its LaTeX and whether it is on a line of its own.
    """
    kept = re.split(
        r"(<(?:code|pre|script|style)\b.*?</(?:code|pre|script|style)>|<!--.*?-->|</?[A-Za-z][^>]*>)",
        source,
        flags=re.S,
    )

    def replace(found: re.Match[str]) -> str:
        return turn(html.unescape(found[1] or found[2]), found[1] is not None)

    dollars = r"(?<!\\)\$\$(.+?)\$\$|(?<![\\$])\$([^$\s](?:[^$]*[^$\s\\])?)\$"
    return "".join(
        part if number % 2 else re.sub(dollars, replace, part, flags=re.S) for number, part in enumerate(kept)
    )


def markdown(source: str, attachments: dict[str, Any] | None = None) -> str:
    """Turn a Markdown cell into HTML, its formulas into MathML."""
    renderer = _Renderer(escape=False, attachments=attachments or {}, anchor_link_text="#")
    return MarkdownWithMath(renderer).render(source)


def page(notebook: NotebookNode, row: Row, home: str = "All notebooks") -> str:
    """Return the page of a notebook.

    Args:
        notebook: with the outputs that it has.
        row: what is said about it; a time of 0 is not.
        home: what the link to index.html says.
    """
    problems = {row.problem_cell: row.problem}
    body = "\n".join(_cell(cell, problems.get(cell.get("id"))) for cell in notebook.cells)
    facts = [*row.datasets, f"{row.cells[0]} of {row.cells[1]} cells"]
    facts += [f"{row.seconds:.1f} s"] if row.seconds else []
    top = f'<nav><a href="index.html">{html.escape(home)}</a><span>{html.escape(" · ".join(facts))}</span></nav>'
    if row.problem:
        top += f'<p class="problem"><a href="{_place(row)}">{html.escape(row.problem)}</a></p>'
    return document(row.title, f"{top}\n<main>\n{body}\n</main>", PAGE_STYLE + _code_style())


def _place(row: Row) -> str:
    return f"#cell-{html.escape(row.problem_cell)}" if row.problem_cell else "#"


def _cell(cell: NotebookNode, problem: str | None) -> str:
    name = f'id="cell-{html.escape(str(cell.get("id", "")))}"'
    if cell.cell_type == "markdown":
        return f'<section class="text" {name}>\n{markdown(cell.source, cell.get("attachments"))}</section>'
    if cell.cell_type != "code":
        return f'<section {name}><pre class="output">{html.escape(cell.source)}</pre></section>'
    number = cell.execution_count or "\u2007"
    lexer = get_lexer_by_name("ipython3")
    code = highlight(cell.source, lexer, HtmlFormatter(nowrap=True)).rstrip()
    outputs = "\n".join(_output(output, cell) for output in cell.outputs)
    if problem and not any(output.output_type == "error" for output in cell.outputs):
        outputs += f'<p class="problem">{html.escape(problem)}</p>'
    source = f'<pre class="source" data-number="{number}"><code>{code}</code></pre>'
    return f'<section class="code" {name}>\n{source}\n{outputs}</section>'


def _output(output: NotebookNode, cell: NotebookNode) -> str:
    if output.output_type == "stream":
        return f'<pre class="output {output.name}">{_coloured(output.text.rstrip())}</pre>'
    if output.output_type == "error":
        return f'<pre class="output error">{_coloured(chr(10).join(output.traceback))}</pre>'
    data = output.data
    if "text/html" in data:
        return f'<div class="output rich">{data["text/html"]}</div>'
    if "image/svg+xml" in data:
        return f'<div class="output picture">{data["image/svg+xml"]}</div>'
    for kind in IMAGES:
        if kind in data:
            encoded = re.sub(r"\s", "", data[kind])
            alternative = f"Picture drawn by the cell {cell.get('id', '')}"
            return (
                f'<div class="output picture"><img alt="{html.escape(alternative)}" '
                f'src="data:{kind};base64,{encoded}"></div>'
            )
    if "text/markdown" in data or "text/latex" in data:
        return f'<div class="output text">{markdown(data.get("text/markdown") or data["text/latex"])}</div>'
    result = " figure" if "coursework" in output.get("metadata", {}) else ""
    return f'<pre class="output{result}">{_coloured(data.get("text/plain", ""))}</pre>'


def _coloured(text: str) -> str:
    """Turn a terminal's colours into HTML."""
    return str(ansi2html(text))  # type: ignore[no-untyped-call]


def index(rows: Sequence[Row], waiting: Sequence[str], versions: dict[str, str]) -> str:
    """Return the page that links the others.

    Args:
        rows: a row for each notebook that ran, wholly or in part.
        waiting: the names of those that did not.
        versions: of the software that ran them.
    """
    problems = [row for row in rows if row.problem]
    if problems:
        state = f'<p class="problem">Ended early: {html.escape(problems[0].problem or "")}</p>'
    elif waiting:
        state = '<p class="problem">Not complete</p>'
    else:
        seconds = sum(row.seconds for row in rows)
        number = "One notebook" if len(rows) == 1 else f"{len(rows)} notebooks"
        state = f'<p class="fine">{number} ran without an error, in {_duration(seconds)}.</p>'
    names = dict.fromkeys(name for row in rows for name in row.datasets)
    used = f"<p>Data: <strong>{html.escape(', '.join(names))}</strong></p>" if names else ""
    lines = [_row(row) for row in rows]
    lines += [
        f'<tr class="waiting"><td>{html.escape(name)}</td><td colspan="4">did not run</td></tr>' for name in waiting
    ]
    head = "".join(f"<th>{word}</th>" for word in ("Notebook", "Cells", "Seconds", "Data set", "Figures reached"))
    facts = "".join(f"<li>{html.escape(f'{name} {version}')}</li>" for name, version in versions.items())
    body = (
        f"<header><p>{html.escape(homework().title)}</p><h1>The notebooks, executed</h1>{state}{used}</header>\n"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + f"\n</tbody></table></div>\n<footer><p>The executed notebooks are in the folder <code>notebooks</code>. "
        f"They ran with</p><ul>{facts}</ul></footer>"
    )
    return document(f"{homework().title}, executed", body, INDEX_STYLE)


def _row(row: Row) -> str:
    page = html.escape(f"{_quote(row.name)}.html")
    title = formulas_in_html(html.escape(row.title))
    done, cells = row.cells
    count = str(cells) if done == cells and not row.problem else f"{done} of {cells}"
    problem = ""
    if row.problem:
        problem = f'<a class="problem" href="{page}{_place(row)}">{html.escape(row.problem)}</a>'
    figures = "".join(_figure(*figure) for figure in row.figures)
    return (
        f'<tr><td><a href="{page}">{title}</a><small>{html.escape(row.name)}.ipynb</small>{problem}'
        f'</td><td class="number">{count}</td><td class="number">{row.seconds:.1f}</td>'
        f"<td>{html.escape(', '.join(row.datasets)) or '–'}</td>"
        f"<td>{f'<dl>{figures}</dl>' if figures else '–'}</td></tr>"
    )


def _figure(name: str, value: float, unit: str) -> str:
    if unit == "accuracy":
        part = min(max(value, 0.0), 1.0)
        shown = f'{value:.1%}<i style="--part: {part:.3f}"></i>'
    else:
        shown = html.escape(f"{value:.4g} {unit}".rstrip())
    return f"<div><dt>{html.escape(name)}</dt><dd>{shown}</dd></div>"


def _quote(name: str) -> str:
    return urllib.parse.quote(name)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} minutes"


def _code_style() -> str:
    light = HtmlFormatter(style="default").get_style_defs("pre.source")
    dark = HtmlFormatter(style="github-dark").get_style_defs("pre.source")
    return "\n".join(
        [*_colours_only(light), "@media (prefers-color-scheme: dark) {", *_colours_only(dark), "}"],
    )


def _colours_only(rules: str) -> list[str]:
    """Keep the rules of the tokens, and leave the background of the whole to the page."""
    return [rule for rule in rules.splitlines() if re.match(r"pre\.source \.\w", rule)]


def document(title: str, body: str, style: str) -> str:
    """Return a whole page, with its style in it.

    Args:
        title: for the tab.
        body: HTML.
        style: the page's own, after that of all pages.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}\n{style}\n</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


STYLE = """\
:root { color-scheme: light dark; --text: #1d2433; --quiet: #5b6475; --ground: #fbfbfd; --card: #ffffff;
  --line: #dfe3ea; --link: #0b57a4; --bad: #a61b29; --bad-ground: #fdecee; --good: #117733; --bar: #4477aa; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ee; --quiet: #a0a9ba; --ground: #14171d; --card: #1c2028;
  --line: #343a46; --link: #83b7f2; --bad: #ff9aa5; --bad-ground: #3a1d22; --good: #6cc58b; --bar: #77a6d8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; color: var(--text); background: var(--ground);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: var(--link); }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem; }
code, pre, kbd { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
table { border-collapse: collapse; }
th, td { padding: 0.5rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.problem, .problem > a { color: var(--bad); }
.problem { background: var(--bad-ground); padding: 0.5rem 0.75rem; border-radius: 6px; }
"""

PAGE_STYLE = """\
body { max-width: 68rem; } .text { max-width: 50rem; }
nav { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1rem; margin-bottom: 2rem;
  padding-bottom: 0.5rem; border-bottom: 1px solid var(--line); color: var(--quiet); font-size: 0.9rem; }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.4rem; } h3 { margin: 1.75rem 0 0.5rem; }
.anchor-link { visibility: hidden; margin-left: 0.4em; text-decoration: none; color: var(--quiet); }
:is(h1, h2, h3, h4):hover .anchor-link { visibility: visible; }
section { margin: 1rem 0; }
.text table { display: block; max-width: 100%; overflow-x: auto; margin: 1rem 0; }
.text td > strong:only-child { white-space: nowrap; }
.text thead:not(:has(th:not(:empty))) { display: none; }
.text :not(pre) > code, kbd { padding: 0.1em 0.3em; border-radius: 4px; background: var(--line); }
.text :not(pre, td) > code { overflow-wrap: anywhere; } .text td code { overflow-wrap: normal; }
.text pre { padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 6px; overflow-x: auto; }
details { margin: 0.3rem 0; } summary { cursor: pointer; color: var(--link); }
.text details > :not(summary) { margin-left: 1.1rem; }
math { font-family: "Cambria Math", "STIX Two Math", "Latin Modern Math", "Noto Sans Math", math; font-size: 1.08em; }
math[display="block"] { margin: 1rem 0; padding: 0.2rem 0; overflow-x: auto; overflow-y: hidden; max-width: 100%; }
.tex { white-space: pre-wrap; }
pre { margin: 0; line-height: 1.45; } pre code { font-size: inherit; }
pre.source { position: relative; padding: 0.75rem 1rem; overflow-x: auto; background: var(--card);
  border: 1px solid var(--line); border-left: 3px solid var(--bar); border-radius: 6px; }
pre.source::after { content: attr(data-number); position: absolute; top: 0.3rem; right: 0.6rem; color: var(--quiet);
  font-size: 0.75rem; }
.output { margin: 0.5rem 0 0; padding: 0.25rem 1rem; overflow-x: auto; }
pre.output { white-space: pre-wrap; overflow-wrap: anywhere; }
pre.stderr { color: var(--quiet); border-left: 3px solid var(--line); }
pre.error { padding: 0.75rem 1rem; background: var(--bad-ground); border-radius: 6px; }
pre.figure { color: var(--good); font-weight: 600; }
.picture img { display: block; max-width: 100%; height: auto; padding: 0.5rem; background: #ffffff; border-radius: 6px;
  border: 1px solid var(--line); }
.rich table { font-size: 0.95rem; }
.rich caption { text-align: left; white-space: nowrap; font-weight: 600; padding: 0.3rem 0; }
.ansi-bold { font-weight: 700; } .ansi-italic { font-style: italic; } .ansi-underline { text-decoration: underline; }
.ansi-red-fg, .ansi-red-intense-fg { color: var(--bad); } .ansi-green-fg, .ansi-green-intense-fg { color: var(--good); }
.ansi-blue-fg, .ansi-blue-intense-fg, .ansi-cyan-fg, .ansi-cyan-intense-fg { color: var(--link); }
.ansi-yellow-fg, .ansi-yellow-intense-fg { color: #9a6700; } .ansi-yellow-bg { background: #e8c54766; }
@media (prefers-color-scheme: dark) { .ansi-yellow-fg, .ansi-yellow-intense-fg { color: #e3b341; } }
@media (prefers-color-scheme: dark) { .rich :is(span, td)[style*="color: #"] { filter: brightness(1.7); } }
@media (max-width: 40rem) { section.text { overflow-x: auto; } }
@media print { nav, .anchor-link { display: none; } section.code { break-inside: avoid; } }
"""

INDEX_STYLE = """\
body { max-width: 68rem; }
header > p:first-child { margin: 0; color: var(--quiet); letter-spacing: 0.02em; }
.fine { color: var(--good); font-weight: 600; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; } tbody tr:last-child td { border-bottom: 0; }
th { color: var(--quiet); font-size: 0.85rem; font-weight: 600; white-space: nowrap; }
td > a:first-child { font-weight: 600; text-decoration: none; } td > a:first-child:hover { text-decoration: underline; }
td small { display: block; color: var(--quiet); } td .problem { display: block; margin-top: 0.4rem; font-size: 0.9rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; } .waiting { color: var(--quiet); }
dl { margin: 0; } dl div { display: flex; justify-content: space-between; gap: 1.5rem; }
dd { position: relative; margin: 0; min-width: 5.5rem; text-align: right; font-weight: 600; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
dd i { display: block; height: 3px; border-radius: 2px; margin-bottom: 0.35rem;
  background: linear-gradient(to right, var(--bar) calc(var(--part) * 100%), var(--line) 0); }
footer { margin-top: 1.5rem; color: var(--quiet); font-size: 0.9rem; }
footer p { display: inline; } footer ul { display: inline; padding: 0 0 0 0.3rem; }
footer li { display: inline; } footer li + li::before { content: " · "; }
"""
