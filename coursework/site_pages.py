"""The command `site`: the instructions and a copy of each notebook as pages in build/site, which load nothing.

The text of the instructions is ``docs/handout.md``; the statements come from the notebooks.
"""

from __future__ import annotations

import argparse
import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup, escape
from nbformat import NotebookNode

from coursework.files import atomic_writer
from coursework.homework import PERSON, Task, homework, hours_of, path_of
from coursework.notebooks import kernels, outline, run_pages
from coursework.root import ROOT
from coursework.submit import notebooks as submitted
from coursework.submit.text import decode
from coursework.terminal import complain, explain

Stated = Mapping[str, tuple[str, Sequence[str]]]


def main(args: argparse.Namespace, *, root: Path = ROOT) -> int:
    """Write the pages and say where; return 0, or 1 if a notebook cannot be read or a page cannot be written."""
    found = {}
    try:
        for path in kernels.find(root / "notebooks"):
            try:
                found[path.stem] = submitted.read(path)
            except ValueError as error:
                raise ValueError(f"notebooks/{path.name} is not a whole notebook ({error})") from error
        for name, text in write(found, root):
            with atomic_writer(args.output / name, "w") as stream:
                stream.write(text)
    except (ValueError, OSError) as error:
        return complain("site", explain(error) or str(error))
    print(f"Open {args.output / 'index.html'}")
    return 0


def write(notebooks: Mapping[str, NotebookNode], root: Path) -> Sequence[tuple[str, str]]:
    """Return the name and the text of each page, of notebooks by their names without folder and ending."""
    copies = [(f"{name}.html", copy_of(notebook, root / "notebooks")) for name, notebook in notebooks.items()]
    return [("index.html", handout(notebooks, root)), *copies]


def handout(notebooks: Mapping[str, NotebookNode], root: Path) -> str:
    """Return the page of instructions: ``docs/handout.md``, with a part of the template for each name in braces."""
    words = {
        "{points}": str(homework().points),
        "{a_function}": homework().tasks[-1].functions[0][1],
        "{hours}": hours_of(*homework().hours),
        "{package}": homework().package,
        "{python}": homework().python,
    }
    source = decode((ROOT / "docs" / "handout.md").read_bytes())
    for name, word in words.items():
        source = source.replace(name, word)
    head, end, body = run_pages.markdown(source).partition("</h1>")
    return run_pages.render(
        "handout.html",
        title=homework().title,
        head=head + end,
        headings=[tuple(map(Markup, found)) for found in re.findall(r'<h2 id="([^"]+)">(.*?)<a', body)],
        pieces=map(Markup, re.split(r"<p>\{(\w+)\}</p>", body)),
        tasks=homework().all_tasks,
        stated=stated(notebooks, root),
        statement=statement,
        written=_written,
        picture=Markup(decode((ROOT / "docs" / "handing_in.svg").read_bytes())),
        files=_files(notebooks, root),
        notebooks=notebooks,
        title_of=run_pages.title_of,
        hours_of=hours_of,
    )


def copy_of(notebook: NotebookNode, folder: Path) -> str:
    """Return the page of a notebook of a folder as it is: executed, or with blanks."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    fact = f"{sum(count is not None for count in counts)} of {len(counts)} cells"
    shown = copy.deepcopy(notebook)
    for cell in shown.cells:
        if cell.cell_type == "markdown":
            cell.source = without_files(cell.source)
    return run_pages.page(shown, folder, home=homework().title, facts=[fact])


def without_files(markdown: str) -> str:
    """Return Markdown with code in the place of links to files, which are beside the notebooks but not the pages."""
    return re.sub(r"(?<!!)\[([^]]*)\]\(\.\./[^)]*\)", lambda found: f"`{found[1].strip('`')}`", markdown)


def stated(notebooks: Mapping[str, NotebookNode], root: Path) -> Stated:
    """Return for each task, by number, the notebook that states it and the texts of the cells that do."""
    found: dict[str, tuple[str, list[str]]] = {}
    outlines = outline.read(root / "notebooks")
    for name, notebook in notebooks.items():
        tags, _ = outline.labels(notebook.cells, outlines[f"{name}.ipynb"])
        for cell, words in zip(notebook.cells, tags, strict=True):
            for task in homework().all_tasks:
                if {task.number, "statement"} <= set(words):
                    found.setdefault(task.number, (name, []))[1].append(cell.source)
    return found


def statement(number: str, found: Stated) -> str:
    """Return the statement of a task as Markdown: the cell that states it, or what several cells ask for."""
    if number not in found:
        return "The notebook with this statement is not here."
    first, *others = (re.sub(r"\A#+ .*\n", "", without_files(text)) for text in found[number][1])
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


def _written(task: Task) -> Markup:
    """Return what students write for a task, with paths as code, relative to the package."""
    files = dict.fromkeys(path_of(module) for module, _ in task.functions)
    words = str(escape(", ".join([*files, *task.also])))
    path = re.compile(r"[\w./]+/[\w.]+")
    return Markup(path.sub(lambda found: f"<code>{found[0].removeprefix(homework().package + '/')}</code>", words))


def _files(notebooks: Mapping[str, NotebookNode], root: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Return each file that students complete: its path, its purpose, and the functions to write in it."""
    for path in (*homework().notebooks, *homework().code_files(), PERSON, "writeup/sol1.tex", "collect_submission.sh"):
        if (root / path).is_file():
            notebook = notebooks.get(Path(path).stem)
            content = (root / path).read_bytes()
            purpose = run_pages.title_of(notebook) if notebook else _first_words(decode(content), path)
            names = [name for task in homework().tasks for module, name in task.functions if path_of(module) == path]
            yield path, re.sub(r"(?<=\.)\s.*", "", " ".join(purpose.split())).rstrip(":.") + ".", names


def _first_words(text: str, path: str) -> str:
    """Return the first paragraph of a module's docstring, or else the first comment of a file."""
    if path.endswith(".py"):
        try:
            return (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].replace("``", "")
        except SyntaxError:  # in unfinished code of a student
            return ""
    found = re.search(r"^[#%] ?(?!!)(.+)$", text, re.M)
    return found[1] if found else ""
