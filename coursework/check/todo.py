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
        mark, place = MARKS[self.status], self.file or f"“{self.heading}”"
        line = f"{self.what}: {self.said}, {'in' if self.file else 'under'} "
        if not as_html:
            return f"{mark} {line}{place}"
        link = f"../{self.file}" if self.file else "#" + self.heading.replace(" ", "-")
        linked = f'<a href="{html.escape(link)}">{html.escape(place)}</a>'
        return (
            f'<span style="color: {COLOURS[self.status]}; font-weight: bold">{mark}</span> {html.escape(line)}{linked}'
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
    """Tell what is left to do in a notebook, by its number or file name: functions, settings and answers.

    Functions are checked as their files are saved, and answers read from the notebook as it is saved.

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
