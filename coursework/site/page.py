"""The pages: the handout, with what it takes from the tasks and the notebooks, and a copy of each notebook."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode

from coursework.homework import PERSON, Task, homework, path_of
from coursework.notebooks import outline, pages
from coursework.root import ROOT
from coursework.submit.text import decode


def handout(notebooks: Mapping[str, NotebookNode], root: Path) -> str:
    """Return the page of instructions.

    Args:
        notebooks: by their names without folder and ending.
        root: the repository.
    """
    text, found = decode((ROOT / "docs" / "handout.md").read_bytes()), stated(notebooks, root)
    parts = {
        "points": str(homework().points),
        "a_function": homework().tasks[-1].functions[0][1],
        "overview": _overview(found),
        "problems": _problems(found),
        "picture": f'<div class="figure" tabindex="0">{decode((ROOT / "docs" / "handing_in.svg").read_bytes())}</div>',
        "files": _files(root),
        "notebooks": _notebooks(notebooks),
    }
    marks = {name: f"<!--{name}-->" for name in ("overview", "problems", "picture", "files", "notebooks")}
    source = re.sub(r"\{(\w+)\}", lambda found: marks.get(found[1]) or parts[found[1]], text)
    body = pages.markdown(source)
    for name, mark in marks.items():
        assert body.count(mark) == 1, name
        body = body.replace(mark, parts[name])
    headings = re.findall(r'<h2 id="([^"]+)">(.*?)<a', body)
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in headings)
    contents = f'<nav class="contents" aria-label="Contents"><ul>{links}</ul></nav>'
    head, rest = body.split("</h1>", 1)
    main = f'<main id="text" class="text">\n{head}</h1>\n{contents}\n{rest}</main>'
    skip = '<a class="skip" href="#text">To the text</a>'
    return pages.document(
        homework().title, f"{skip}\n<p>{html.escape(homework().title)}</p>\n{main}", pages.PAGE_STYLE + STYLE
    )


def copy_of(name: str, notebook: NotebookNode) -> str:
    """Return the page of a notebook, as it lies there: executed, or with its blanks."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    done = sum(cell.execution_count is not None for cell in cells)
    row = pages.Row(name, _title(notebook) or name, (done, len(cells)), 0.0, (), ())
    return pages.page(notebook, row, home=homework().title)


def _title(notebook: NotebookNode) -> str:
    found = re.match(r"# +(.+)", next((c.source for c in notebook.cells if c.cell_type == "markdown"), ""))
    return found[1].strip() if found else ""


def _points(task: Task) -> str:
    return f"{task.points} point{'s' * (task.points != 1)}"


Stated = Mapping[str, tuple[str, Sequence[str]]]


def stated(notebooks: Mapping[str, NotebookNode], root: Path) -> Stated:
    """Return for each task, by number, the notebook that states it and the texts of the cells in which it does."""
    found: dict[str, tuple[str, list[str]]] = {}
    cells = {name: notebook.cells for name, notebook in notebooks.items()}
    for name, (tags, _) in outline.labelled(cells, root).items():
        for cell, words in zip(cells[name], tags, strict=True):
            for task in homework().all_tasks:
                if {task.number, "statement"} <= set(words):
                    found.setdefault(task.number, (name, []))[1].append(cell.source)
    return found


def _overview(found: Stated) -> str:
    rows = []
    for task in homework().all_tasks:
        name = found[task.number][0] if task.number in found else ""
        where = f'<a href="{name}.html">{name}</a>' if name else ""
        files = dict.fromkeys(path_of(module) for module, _ in task.functions)
        written = ", ".join([*map(_file_name, files), *(_file_name(also) for also in task.also)])
        rows.append(
            f'<tr><td><a href="#task-{task.number}">{task.number}</a></td><td>{html.escape(task.title)}</td>'
            f'<td class="number">{task.points}</td><td>{where}</td><td>{written}</td></tr>'
        )
    head = "".join(f"<th>{word}</th>" for word in ("Task", "", "Points", "Notebook", "You write"))
    return _wide(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")


def _file_name(words: str) -> str:
    """Return what is written for a task, with the paths in it as code, without the package."""
    path = re.compile(r"[\w./]+/[\w.]+")
    return path.sub(lambda found: f"<code>{found[0].removeprefix(homework().package + '/')}</code>", html.escape(words))


def _wide(table: str) -> str:
    return f'<div class="wide" tabindex="0">{table}</div>'


def _problems(found: Stated) -> str:
    parts = []
    for task in homework().all_tasks:
        text = statement(task.number, found)
        heading = f"{task.number}. {html.escape(task.title)}"
        parts.append(
            f'<section class="problem-text" id="task-{task.number}"><h3>{heading} <small>{_points(task)}</small></h3>\n'
            f"{pages.markdown(text)}</section>"
        )
    return "\n".join(parts)


def statement(number: str, found: Stated) -> str:
    """Return the statement of a task as Markdown: the cell that states it, or what several cells ask for."""
    if number not in found:
        return "The notebook with this statement is not here."
    first, *others = (re.sub(r"\A#+ .*\n", "", text) for text in found[number][1])
    if not others:
        return first.strip()
    introduction = re.split(r"^\|", first, flags=re.M)[0].strip()
    tasks = [
        " ".join(paragraph.split()).removeprefix("**Task.** ")
        for text in (first, *others)
        for paragraph in re.split(r"\n\s*\n", text)
        if paragraph.startswith("**Task.**")
    ]
    return introduction + "\n\n" + "\n".join(f"- {task}" for task in tasks)


def _files(root: Path) -> str:
    rows = []
    for path in (*homework().notebooks, *homework().code_files(), PERSON, "writeup/sol1.tex", "collect_submission.sh"):
        if (root / path).is_file():
            names = [name for task in homework().tasks for module, name in task.functions if path_of(module) == path]
            yours = ", ".join(f"<code>{html.escape(name)}</code>" for name in names)
            about = html.escape(_purpose(root / path))
            rows.append(
                f"<tr><td><code>{path}</code></td><td>{about}{f'<br>You write: {yours}' if yours else ''}</td></tr>"
            )
    return _wide(
        f"<table><thead><tr><th>File</th><th>What it is for</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _purpose(path: Path) -> str:
    """Return the first sentence of a file: of its docstring, its first comment, or its title."""
    text = decode(path.read_bytes())
    if path.suffix == ".py":
        lines = _docstring(text).split("\n\n")[0]
    elif path.suffix == ".ipynb":
        found = re.search(r'"# +(.+?)\\n"', text)
        lines = found[1] if found else ""
    else:
        comments = re.findall(r"^[#%] ?(?!!)(.+)$", text, re.M)
        lines = comments[0] if comments else ""
    return re.sub(r"(?<=\.)\s.*", "", " ".join(lines.replace("``", "").split())).rstrip(":.") + "."


def _docstring(code: str) -> str:
    try:
        return ast.get_docstring(ast.parse(code)) or ""
    except SyntaxError:  # of what a student is writing
        return ""


def _notebooks(notebooks: Mapping[str, NotebookNode]) -> str:
    items = ""
    for name, notebook in notebooks.items():
        title = pages.markdown(_title(notebook) or name).strip().removeprefix("<p>").removesuffix("</p>")
        items += f'<li><a href="{name}.html">{title}</a></li>'
    return f"<ul>{items}</ul>"


def write(notebooks: Mapping[str, NotebookNode], root: Path) -> Sequence[tuple[str, str]]:
    """Return the name and the text of each page."""
    copies = [(f"{name}.html", copy_of(name, notebook)) for name, notebook in notebooks.items()]
    return [("index.html", handout(notebooks, root)), *copies]


STYLE = """\
body { max-width: 54rem; } body > p { color: var(--quiet); margin: 0; } main { overflow-wrap: break-word; }
html { scroll-padding-top: 1rem; }
.skip { position: absolute; left: -100vw; } .skip:focus { position: static; }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; border-radius: 3px; }
.contents ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; margin: 1rem 0;
  background: linear-gradient(90deg, var(--card) 30%, transparent) left / 3rem 100% no-repeat local,
  linear-gradient(270deg, var(--card) 30%, transparent) right / 3rem 100% no-repeat local,
  linear-gradient(90deg, var(--line), transparent) left / 1rem 100% no-repeat scroll,
  linear-gradient(270deg, var(--line), transparent) right / 1rem 100% no-repeat scroll, var(--card); }
.problem-text p { overflow-x: auto; overflow-y: hidden; }
.wide table { display: table; max-width: none; width: 100%; margin: 0; }
.wide tbody tr:last-child td { border-bottom: 0; }
.number { font-variant-numeric: tabular-nums; text-align: right; } .wide td:first-child { white-space: nowrap; }
.problem-text { border-left: 3px solid var(--line); padding-left: 1.1rem; margin: 2rem 0; }
.problem-text h3 small { font-weight: 400; color: var(--quiet); margin-left: 0.4em; }
.figure { overflow-x: auto; margin: 1.5rem 0; }
svg.handing-in { display: block; width: 100%; height: auto; min-width: 34rem; max-width: 44rem; margin: 0 auto;
  color: var(--text); }
@media print { .contents, .skip { display: none; } }
"""
