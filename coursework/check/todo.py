"""What is left to do in a notebook: its last cell shows it."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path

from coursework.check.hints import function_of
from coursework.check.report import COLOURS, MARKS
from coursework.check.run import run_apart
from coursework.homework import homework, path_of
from coursework.notebooks import outline
from coursework.notebooks.waiting import BLANK
from coursework.root import ROOT

TOLD = {"wrong": "wrong", "begun": "begun, and a part is not written yet", "not started": "not started"}


@dataclass(frozen=True)
class Item:
    """Something left to do: what, its state (a key of ``MARKS``) and that in words, and its file, or its heading."""

    what: str
    status: str
    said: str
    file: str = ""
    heading: str = ""

    def text(self, as_html: bool = False) -> str:
        """Return it as a line, in HTML with a link to its place."""
        place = self.file or f"“{self.heading}”"
        line = f"{self.what}: {self.said}, {'in' if self.file else 'under'} "
        if as_html:
            link = f"../{self.file}" if self.file else "#" + self.heading.replace(" ", "-")
            line, place = html.escape(line), f'<a href="{html.escape(link)}">{html.escape(place)}</a>'
        return f"{_mark(self.status, as_html)} {line}{place}"


@dataclass(frozen=True, repr=False)
class ToDo:
    """What is left of a notebook, and which of its functions are right: text in a terminal, a list in a notebook."""

    title: str
    right: tuple[str, ...]
    items: tuple[Item, ...]

    def _parts(self, as_html: bool = False) -> tuple[str, list[str], str]:
        """Return how much is left, a line for each item and one for what is right, and what to do after a change."""
        left = f"Left to do in {self.title}: {len(self.items)}"
        advice = "After a change, save it, and run the cells that wait for it, and this one, again."
        lines = [item.text(as_html) for item in self.items]
        lines += [f"{_mark('right', as_html)} right: {', '.join(self.right)}"] if self.right else []
        return (left, lines, advice) if self.items else (f"Everything in {self.title} is done.", lines, "")

    def __str__(self) -> str:
        """Return it as lines of text."""
        heading, lines, advice = self._parts()
        return "\n".join([heading, *(f"  {line}" for line in lines), *filter(None, [advice])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heading, lines, advice = self._parts(as_html=True)
        listed = "".join(f"<li>{line}</li>" for line in lines)
        return (
            f'<div style="border-left: 3px solid {COLOURS["wrong" if self.items else "right"]}; padding: 2px 10px; '
            f'line-height: 1.5"><b>{html.escape(heading)}</b>'
            f'<ul style="margin: 2px 0; padding-left: 4px; list-style: none">{listed}</ul>{html.escape(advice)}</div>'
        )


def _mark(status: str, as_html: bool) -> str:
    mark = MARKS[status]
    return f'<span style="color: {COLOURS[status]}; font-weight: bold">{mark}</span>' if as_html else mark


def todo(notebook: int | str, root: Path = ROOT) -> ToDo:
    """Tell what is left to do in a notebook, by its number or file name: functions, settings and answers.

    Functions are checked as their files are saved, and answers read from the notebook as it is saved.
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
    entries = outline.read(root / "notebooks")[Path(paths[0]).name]
    words = {word for each in outline.labels(cells, entries)[0] for word in each}
    right, items = [], []
    for task in (task for task in homework().all_tasks if task.number in words):
        files = {name: path_of(module) for module, name in task.functions}
        names = [name for name in files if name in words] or list(files)
        for name, verdict in (run_apart(task, names, root=root) if names else {}).items():
            if verdict.status == "right":
                right.append(name)
            else:
                items.append(Item(name, verdict.status, TOLD[verdict.status], files[name]))
        for file in filter(lambda file: (root / file).is_file(), homework().code_files()):
            blanks = BLANK.finditer((root / file).read_text(encoding="utf-8", errors="replace"))
            names = [each["name"] for each in blanks if each["task"] == task.number]
            items += [_not_started(task.number, name, file=file) for name in names if function_of(name) not in files]
    answers = {answer.number: answer for answer in outline.unwritten(cells, entries)}
    for number, (cell, heading) in enumerate(zip(cells, outline.headings_above(cells), strict=True)):
        if answer := answers.get(number):
            what = f"task {answer.task}, {answer.name}"
            items.append(Item(what, "not started", "no answer yet", heading=answer.under))
        blanks = BLANK.finditer("".join(cell["source"]) if cell["cell_type"] == "code" else "")
        items += [_not_started(each["task"], each["name"], heading=heading) for each in blanks]
    return ToDo(f"notebook {Path(paths[0]).stem.partition('_')[0]}", tuple(right), tuple(items))


def _not_started(task: str, name: str, **place: str) -> Item:
    return Item(f"task {task}, {name.replace('_', ' ')}", "not started", "not started", **place)
