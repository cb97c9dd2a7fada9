"""What each cell of a notebook is for, according to its tags, or to an outline where an editor has dropped them.

Every cell that students are given carries tags: the numbers of its tasks with its role in them (``ROLES``), the
functions to which its hints belong, or the word ``given``. Ids are not used: some editors change, drop or move them.
Where tags are missing too, the outline of the notebooks, a file beside them, identifies cells by their text, or else by
their order and the heading above them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.homework import homework

ROLES = ("statement", "answer", "result", "settings", "guess")
NEEDED = ("answer", "result", "settings")  # in the PDF
SHOWN = (*NEEDED, "guess")  # there, too: what a reader expected, before seeing it; nobody misses it
GIVEN = "given"
NAME = "outline.json"
BLANK = re.compile(r"your +answer +here", re.I)
DRAWING = "To answer with a drawing or a photograph, drag the image into this cell."
_OFFER = r"\s+".join(map(re.escape, DRAWING.removesuffix(".").split()))
UNTOUCHED = re.compile(
    rf"^[^\w\n]*(\*\*Task\b[^*\n]+\*\*)?[^\w\n]*(your +answer +here)?[^\w\n]*({_OFFER})?[^\w\n]*$", re.I | re.M
)
REGION = re.compile(r"^[^\w\n]*BEGIN\s[A-Z]{8}\b.*?^[^\w\n]*END\s[A-Z]{8}\b[^\n]*$", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.M)
WRITTEN_IN = re.compile(r"^\W*BEGIN\s[A-Z]{8}\b|your (code|lines|answer|guess) here", re.I | re.M)
ANSWER = "*Your answer here*"
NAMED = re.compile(r"^\*\*Task \S+, (?P<name>[^*]+)\.\*\*", re.M)  # above a blank


@dataclass(frozen=True)
class Entry:
    """A given cell: its kind, the heading above it, its tags, and a digest of its text.

    Of an answer it is the digest of what stands around the blank; of code that students change it is empty.
    """

    kind: str
    under: str
    tags: tuple[str, ...]
    digest: str = ""

    def __str__(self) -> str:
        """Return its name in messages."""
        roles = " and ".join(tag for tag in self.tags if tag in ROLES) or "given"
        tasks = ", ".join(tag for tag in self.tags if tag in _numbers())
        return f"the {roles} cell of task {tasks}, under the heading {self.under!r}"


@dataclass(frozen=True)
class Unwritten:
    """An answer as it was given out: its place among the cells, its task, the heading above the blank, its name."""

    number: int
    task: str
    under: str
    name: str


def known(cell: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags of a cell that have a meaning here, in a fixed order."""
    tags = cell.get("metadata", {}).get("tags", ())
    return tuple(sorted({tag for tag in tags if isinstance(tag, str)} & _words())) if isinstance(tags, list) else ()


def outline(cells: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Return the outline of a notebook with all its tags."""
    return [
        Entry(cell["cell_type"], under, known(cell), _given(cell))
        for cell, under in zip(cells, headings_above(cells), strict=True)
    ]


def labels(cells: Sequence[Mapping[str, Any]], entries: Sequence[Entry]) -> tuple[list[tuple[str, ...]], list[Entry]]:
    """Return the tags of each cell, including those that it has lost; a student's own cell has none.

    Beside them return the entries, of the notebook as it was given out, that the PDF should show and that have no cell.
    """
    found = [known(cell) for cell in cells]
    place: dict[int, int] = {}  # of an entry among the cells

    def take(entry: int, cell: int | None) -> None:
        if cell is not None:
            place[entry], found[cell] = cell, entries[entry].tags

    def left() -> list[int]:
        return [number for number in range(len(entries)) if number not in place]

    for number, entry in enumerate(entries):
        taken = set(place.values())
        take(number, next((k for k, tags in enumerate(found) if tags and tags == entry.tags and k not in taken), None))
    digests = [_digest(cell) for cell in cells]
    for number in left():
        digest = entries[number].digest
        take(number, next((k for k, own in enumerate(digests) if not found[k] and digest and own == digest), None))

    def between(number: int) -> tuple[int, ...]:
        """Return the cells between those of the nearest entries that have a cell."""
        ends = {-1: -1, len(entries): len(cells), **place}
        before, after = max(other for other in ends if other < number), min(other for other in ends if other > number)
        return tuple(range(ends[before] + 1, ends[after]))

    headings = headings_above(cells)

    def below(number: int) -> tuple[int, ...]:
        """Return the cells below the heading of an entry."""
        return tuple(k for k, heading in enumerate(headings) if heading == entries[number].under)

    for where in (between, below):
        together: dict[tuple[int, ...], list[int]] = {}
        for number in left():
            together.setdefault(where(number), []).append(number)
        for candidates, numbers in together.items():
            free = iter([k for k in candidates if not found[k]])
            chosen = [next((k for k in free if cells[k]["cell_type"] == entries[n].kind), None) for n in numbers]
            if None not in chosen:  # any cell left over is the student's own
                for number, cell in zip(numbers, chosen, strict=True):
                    take(number, cell)
    return found, [entries[number] for number in left() if set(NEEDED) & set(entries[number].tags)]


def unwritten(cells: Sequence[Mapping[str, Any]], entries: Sequence[Entry]) -> list[Unwritten]:
    """Return the answers that are as they were given out: no word, no attachment, no cell of the student's below."""
    tags, _ = labels(cells, entries)
    given = {"", *(entry.digest for entry in entries if "answer" in entry.tags)}
    found = []
    for number, words in enumerate(tags):
        if "answer" not in words or cells[number].get("attachments") or _digest(cells[number]) not in given:
            continue
        added = itertools.takewhile(lambda k: not tags[k], range(number + 1, len(cells)))
        if not any(_digest(cells[k]) or cells[k].get("attachments") for k in added):
            named = NAMED.search(_text(cells[number]))
            name = named["name"] if named else "the answer"
            found.append(Unwritten(number, own([words])[0], _heading_above_blank(cells, number), name))
    return found


def own(found: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the task of each cell: its own first task, or for a student's cell that of the shown cell above.

    A student's cell above these belongs to the notebook's first task. A given cell that is not shown has "".
    """
    shown = [next((tag for tag in tags if tag in _numbers()), "") if set(SHOWN) & set(tags) else "" for tags in found]
    last = next(filter(None, shown), "")
    tasks = []
    for tags, task in zip(found, shown, strict=True):
        last = task or last
        tasks.append(task if tags else last)
    return tasks


def read(folder: Path) -> dict[str, list[Entry]]:
    """Return the outlines of the notebooks in a folder, by file name; a notebook without one has []."""
    outlines: dict[str, list[Entry]] = defaultdict(list)
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        for name, entries in json.loads((folder / NAME).read_text(encoding="utf-8")).items():
            outlines[name] = [Entry(kind, under, tuple(tags), digest) for kind, under, tags, digest in entries]
    return outlines


def dump(notebooks: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the text of the outline file, from the cells of each notebook by its file name."""
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


def _given(cell: Mapping[str, Any]) -> str:
    """Return the digest of a cell as it is given out, whatever its blank holds."""
    if cell["cell_type"] == "markdown":
        return _digest({**cell, "source": REGION.sub("", _text(cell))})
    return "" if WRITTEN_IN.search(_text(cell)) else _digest(cell)


def _digest(cell: Mapping[str, Any]) -> str:
    """Return a digest of a text without untouched blanks, whatever its white space; "" of one without a word."""
    words = UNTOUCHED.sub("", _text(cell)).split()
    text = " ".join([cell["cell_type"], *words])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12] if words else ""


def _heading_above_blank(cells: Sequence[Mapping[str, Any]], number: int) -> str:
    before = [_text(cell) for cell in cells[:number] if cell["cell_type"] == "markdown"]
    found = HEADING.findall("\n".join([*before, BLANK.split(_text(cells[number]))[0]]))
    return found[-1] if found else ""


def headings_above(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the heading above each cell, or the first one in it."""
    found, last = [], ""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            inside = HEADING.findall(_text(cell))
            last = inside[0] if inside else last
        found.append(last)
    return found
