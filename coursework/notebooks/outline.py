"""What each cell of a notebook is for, told by its tags; and what stands in where an editor has dropped them.

Every cell that is given carries tags: the numbers of its tasks with what it is for them (``ROLES``), the functions to
which its hints belong, or the word ``given``. Ids are not used: some editors draw them anew, drop or move them. Where
tags are gone, too, the outline of the notebooks, a file beside them, knows the cells by their text, and else by their
order and the heading above them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.homework import homework

ROLES = ("statement", "answer", "result", "settings")
SHOWN = ("answer", "result", "settings")  # in the PDF
GIVEN = "given"
NAME = "outline.json"
WRITTEN_IN = re.compile(r"^\W*BEGIN\s[A-Z]{8}\b|your (code|lines|answer) here", re.I | re.M)


@dataclass(frozen=True)
class Entry:
    """A given cell: its kind, the heading above it, its tags, and a digest of its text unless students change it."""

    kind: str
    under: str
    tags: tuple[str, ...]
    digest: str = ""

    def __str__(self) -> str:
        """Return what a message calls it."""
        roles = " and ".join(tag for tag in self.tags if tag in ROLES) or "given"
        tasks = ", ".join(tag for tag in self.tags if tag in _numbers())
        return f"the {roles} cell of task {tasks}, under the heading {self.under!r}"


def known(cell: Mapping[str, Any]) -> tuple[str, ...]:
    """Return those tags of a cell that mean something here, in a fixed order."""
    tags = cell.get("metadata", {}).get("tags", ())
    return tuple(sorted({tag for tag in tags if isinstance(tag, str)} & _words())) if isinstance(tags, list) else ()


def outline(cells: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Return the outline of a notebook with all its tags."""
    return [
        Entry(cell["cell_type"], under, known(cell), "" if WRITTEN_IN.search(_text(cell)) else _digest(cell))
        for cell, under in zip(cells, _headings(cells), strict=True)
    ]


def labels(cells: Sequence[Mapping[str, Any]], entries: Sequence[Entry]) -> tuple[list[tuple[str, ...]], list[Entry]]:
    """Return what each cell is for: its tags, those that it has lost included, and none for a student's own.

    Args:
        cells: of the notebook as it is handed in.
        entries: the outline of the notebook as it was given out.

    Returns:
        The tags of each cell, and the cells that were given out to be shown and cannot be found.
    """
    found = [known(cell) for cell in cells]
    place: dict[int, int] = {}  # of an entry among the cells

    def take(entry: int, cell: int) -> None:
        place[entry] = cell
        found[cell] = entries[entry].tags

    tagged = [k for k, tags in enumerate(found) if tags]
    for number, entry in enumerate(entries):
        cell = next((k for k in tagged if found[k] == entry.tags), None)
        if cell is not None:
            tagged.remove(cell)
            place[number] = cell
    digests = [_digest(cell) for cell in cells]
    for number, entry in enumerate(entries):
        if number not in place and entry.digest:
            same = [k for k, cell in enumerate(cells) if not found[k] and digests[k] == entry.digest]
            if same:
                take(number, same[0])
    headings = _headings(cells)
    for together in (_gaps, _sections):
        for numbers, candidates in together(entries, place, headings):
            left = iter([k for k in candidates if not found[k]])
            chosen = [(n, k) for n in numbers if (k := _next(left, cells, entries[n].kind)) is not None]
            if len(chosen) == len(numbers):  # what is left over is the student's own
                for number, cell in chosen:
                    take(number, cell)
    lost = [entry for n, entry in enumerate(entries) if n not in place and set(SHOWN) & set(entry.tags)]
    return found, lost


def labelled(
    notebooks: Mapping[str, Sequence[Mapping[str, Any]]], root: Path
) -> dict[str, tuple[list[tuple[str, ...]], list[Entry]]]:
    """Return for each notebook what :func:`labels` says of its cells.

    Args:
        notebooks: the cells of each, by the names of the files without their ending.
        root: the repository, whose outlines they are compared with.
    """
    outlines = read(root / "notebooks")
    return {name: labels(cells, outlines.get(f"{name}.ipynb", [])) for name, cells in notebooks.items()}


def _next(left: Iterator[int], cells: Sequence[Mapping[str, Any]], kind: str) -> int | None:
    return next((k for k in left if cells[k]["cell_type"] == kind), None)


def _gaps(
    entries: Sequence[Entry], place: Mapping[int, int], headings: Sequence[str]
) -> list[tuple[list[int], list[int]]]:
    """Return the runs of entries without a cell, each with the cells between those of its neighbours."""
    runs: list[tuple[list[int], list[int]]] = []
    before, run, count = -1, [], len(headings)
    for number in range(len(entries) + 1):
        if number < len(entries) and number not in place:
            run.append(number)
            continue
        after = place.get(number, count)
        if run:
            runs.append((run, list(range(before + 1, after))))
        before, run = after, []
    return runs


def _sections(
    entries: Sequence[Entry], place: Mapping[int, int], headings: Sequence[str]
) -> list[tuple[list[int], list[int]]]:
    """Return for each heading the entries below it without a cell, and the cells below it."""
    numbers: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        if number not in place:
            numbers.setdefault(entry.under, []).append(number)
    return [(run, [k for k, name in enumerate(headings) if name == under]) for under, run in numbers.items()]


def own(found: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the task that each cell belongs to: its own first one; for a student's cell that of the shown one above.

    A cell above all of them belongs to the first task of the notebook; one that shows nothing has "".
    """
    shown = [next((tag for tag in tags if tag in _numbers()), "") if set(SHOWN) & set(tags) else "" for tags in found]
    last = next(filter(None, shown), "")
    tasks = []
    for tags, task in zip(found, shown, strict=True):
        last = task or last
        tasks.append(task if tags else last)
    return tasks


def read(folder: Path) -> dict[str, list[Entry]]:
    """Return the outlines of the notebooks in a folder, by the names of the files; none where there is no file."""
    try:
        document = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return {
            name: [Entry(kind, under, tuple(tags), digest) for kind, under, tags, digest in entries]
            for name, entries in document.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def dump(notebooks: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the text of the file.

    Args:
        notebooks: the cells of each, by the names of the files.
    """
    lines = []
    for name, cells in notebooks.items():
        entries = [json.dumps([e.kind, e.under, list(e.tags), e.digest], ensure_ascii=False) for e in outline(cells)]
        lines.append(f" {json.dumps(name)}: [\n  " + ",\n  ".join(entries) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


@functools.cache
def _numbers() -> frozenset[str]:
    return frozenset(task.number for task in homework().all_tasks)


@functools.cache
def _words() -> frozenset[str]:
    return frozenset({*ROLES, GIVEN, *homework().functions}) | _numbers()


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _digest(cell: Mapping[str, Any]) -> str:
    lines = [cell["cell_type"], *(line.rstrip() for line in _text(cell).strip().splitlines())]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:12]


def _headings(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the heading above each cell, or in it."""
    found, last = [], ""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            inside = re.findall(r"^#{1,6} +(.+?) *$", _text(cell), re.M)
            last = inside[0] if inside else last
        found.append(last)
    return found
