"""What is left to do in a notebook: its last cell shows it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.check.hints import function_of
from coursework.check.report import COLOURS, MARKS
from coursework.check.run import run_apart
from coursework.homework import Task, homework, path_of
from coursework.notebooks import outline
from coursework.root import ROOT

TOLD = {"wrong": "wrong", "begun": "begun, and a part is not written yet", "not started": "not started"}


@dataclass(frozen=True)
class Item:
    """Something left to do: what, in which state (a key of ``MARKS``), and where.

    Attributes:
        what: the name of a function, of an answer, or of settings.
        status: a key of ``MARKS``.
        said: the state in words.
        file: the path of the file, from the root of the repository; "" for a cell of the notebook.
        heading: above the cell; "" for a file.
    """

    what: str
    status: str
    said: str
    file: str = ""
    heading: str = ""

    def text(self, as_html: bool = False) -> str:
        """Return it as a line, in HTML with a link to its place."""
        place = self.file or f"“{self.heading}”"
        line = f"{self.what}: {self.said}, "
        if not as_html:
            return f"{MARKS[self.status]} {line}{'in' if self.file else 'under'} {place}"
        link = f"../{self.file}" if self.file else "#" + self.heading.replace(" ", "-")
        mark = f'<span style="color: {COLOURS[self.status]}; font-weight: bold">{MARKS[self.status]}</span>'
        return (
            f"{mark} {html.escape(line)}{'in' if self.file else 'under'} "
            f'<a href="{html.escape(link)}">{html.escape(place)}</a>'
        )


@dataclass(frozen=True)
class ToDo:
    """What is left of a notebook, and which of its functions are right: text in a terminal, a list in a notebook."""

    title: str
    right: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def heading(self) -> str:
        """Say how much is left, in a line."""
        if self.items:
            return f"Left to do in {self.title}: {len(self.items)}"
        return f"Everything in {self.title} is done."

    @property
    def praise(self) -> str:
        """Name the functions that are right; "" if there are none."""
        return f"right: {', '.join(self.right)}" if self.right else ""

    @property
    def advice(self) -> str:
        """Say what to do after a change; "" if nothing is left."""
        return "After a change, save it, and run the cells that wait for it, and this one, again." if self.items else ""

    def __str__(self) -> str:
        """Return it as lines of text."""
        done = [f"{MARKS['right']} {self.praise}"] if self.praise else []
        lines = [*(item.text() for item in self.items), *done]
        return "\n".join([self.heading, *(f"  {line}" for line in lines), *filter(None, [self.advice])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = COLOURS["wrong" if self.items else "right"]
        done = f'<span style="color: {COLOURS["right"]}; font-weight: bold">{MARKS["right"]}</span> '
        lines = [item.text(as_html=True) for item in self.items]
        lines += [done + html.escape(self.praise)] if self.praise else []
        listed = "".join(f"<li>{line}</li>" for line in lines)
        return (
            f'<div style="border-left: 3px solid {colour}; padding: 2px 10px; line-height: 1.5">'
            f"<b>{html.escape(self.heading)}</b>"
            f'<ul style="margin: 2px 0; padding-left: 4px; list-style: none">{listed}</ul>'
            f"{html.escape(self.advice)}</div>"
        )


def todo(notebook: int | str, root: Path = ROOT) -> ToDo:
    """Tell what is left to do in a notebook: functions, settings and answers, each with its place.

    Functions are checked as their files are saved, and answers read from the notebook as it is saved.

    Args:
        notebook: its number, such as 3, or the name of its file.
        root: the repository.

    Raises:
        ValueError: if there is no such notebook.
    """
    stem = Path(str(notebook)).stem
    paths = [path for path in homework().notebooks if Path(path).stem == stem or Path(path).stem.startswith(f"{stem}_")]
    if len(paths) != 1:
        known = ", ".join(Path(path).stem for path in homework().notebooks)
        raise ValueError(f"todo: expected the number of a notebook ({known}), got {notebook!r}")
    try:
        cells = json.loads((root / paths[0]).read_text(encoding="utf-8-sig"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"todo: {paths[0]} cannot be read: {error}") from error
    tags = outline.labelled({Path(paths[0]).stem: cells}, root)[Path(paths[0]).stem][0]
    words = {word for each in tags for word in each}
    right, items = [], []
    for task in (task for task in homework().all_tasks if task.number in words):
        names = [name for _, name in task.functions if name in words or _names_none(task, words)]
        files = {name: path_of(module) for module, name in task.functions}
        for name, verdict in (run_apart(task, names, root=root) if names else {}).items():
            if verdict.status == "right":
                right.append(name)
            else:
                items.append(Item(name, verdict.status, TOLD[verdict.status], files[name]))
        items += _blanks(task, root)
    return ToDo(f"notebook {Path(paths[0]).stem.partition('_')[0]}", tuple(right), (*items, *_in_cells(cells)))


def _names_none(task: Task, words: set[str]) -> bool:
    return not words & {name for _, name in task.functions}


def _blanks(task: Task, root: Path) -> list[Item]:
    """Return the blanks of a task in files that no check looks at."""
    checked = {name for _, name in task.functions}
    items = []
    for file in homework().code_files():
        text = (root / file).read_text(encoding="utf-8", errors="replace") if (root / file).is_file() else ""
        for name in re.findall(rf"Task {re.escape(task.number)}: (\w+)", text):
            if function_of(name) not in checked:
                items.append(Item(f"task {task.number}, {name.replace('_', ' ')}", "not started", "not started", file))
    return items


def _in_cells(cells: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Return the settings and answers of a notebook that are not written yet."""
    items = []
    for cell, heading in zip(cells, outline.headings_above(cells), strict=True):
        text = "".join(cell["source"])
        pattern = outline.EMPTY_ANSWER if cell["cell_type"] == "markdown" else outline.BLANK_IN_CODE
        said = "no answer yet" if cell["cell_type"] == "markdown" else "not started"
        for found in pattern.finditer(text):
            what = f"task {found['task']}, {found['name'].replace('_', ' ')}"
            items.append(Item(what, "not started", said, heading=heading))
    return items
