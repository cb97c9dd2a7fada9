"""The markers of the regions that students do not get: one grammar, one parser, and what looks like a marker is one.

In code (Python, shell, TOML, make) a region stands between two comments with the same indentation::

    # BEGIN SOLUTION TASK NAME
    return np.maximum(x, 0), x
    # END SOLUTION

in Markdown between ``<!-- BEGIN SOLUTION 6.1 templates -->`` and ``<!-- END SOLUTION -->``. The first word after
SOLUTION is the task, the second the name of the region. ``BEGIN STAFF`` and ``END STAFF`` enclose what only the staff's
edition has, and what leaves no blank.

A marker that nobody recognises would publish a solution. So a line that is nearly one is an error: other letter case,
other spacing, a letter off, another comment sign, a marker in a string.
"""

from __future__ import annotations

import functools
import io
import re
import tokenize
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

BLOCKS = {
    "SOLUTION": "BEGIN SOLUTION TASK NAME and END SOLUTION",
    "STAFF": "BEGIN STAFF and END STAFF",
}
GRAMMAR = (
    r"BEGIN SOLUTION (?P<task>[1-9](?:\.[1-9]|[a-e])?) (?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<begin>BEGIN STAFF)|END (?P<end>SOLUTION|STAFF)"
)


@dataclass(frozen=True)
class Syntax:
    """How comments are written where the markers stand, and where a comment would be none."""

    marker: re.Pattern[str]
    shelter: Callable[[str], frozenset[int]]


def plain_python(cell: str) -> str:
    """Return the source of a notebook's cell without what is IPython's, line for line."""
    cell = re.sub(r"^( *)[%!].*$", r"\1pass", cell, flags=re.M)
    return re.sub(r"^( *[\w, ]+ = )[%!].*$", r"\1None", cell, flags=re.M)


def _strings(text: str) -> frozenset[int]:
    """Return the numbers of the lines that begin inside a string. A text that is no Python has none."""
    inside: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(plain_python(text)).readline):
            inside.update(range(token.start[0], token.end[0]))  # no other token goes on in the next line
    except (tokenize.TokenError, SyntaxError):
        return frozenset()
    return frozenset(inside)


def _fences(text: str) -> frozenset[int]:
    """Return the numbers of the lines of Markdown that stand between fences, where a comment is no comment."""
    inside: set[int] = set()
    fence = ""
    for number, line in enumerate(text.split("\n")):
        found = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence:
            inside.add(number)
            fence = "" if found and found[1].startswith(fence) else fence
        elif found:
            fence = found[1]
    return frozenset(inside)


PYTHON = Syntax(re.compile(rf"(?P<indent> *)# (?:{GRAMMAR})"), _strings)
CODE = Syntax(PYTHON.marker, lambda _: frozenset())  # another language with this comment sign
MARKDOWN = Syntax(re.compile(rf"(?P<indent>)<!-- (?:{GRAMMAR}) -->"), _fences)


class ReleaseError(Exception):
    """Why there is no student edition: one or more sentences, each with its file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the sentences."""
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Region:
    """Lines that students do not get, markers included.

    Attributes:
        kind: "SOLUTION" or "STAFF".
        task: the task that it solves, "" for the staff's.
        name: its own name, "" for the staff's.
        start: the line of the first marker, counted from 0.
        end: the line after the last marker.
        indent: how far the markers are indented.
    """

    kind: str
    task: str
    name: str
    start: int
    end: int
    indent: int


@dataclass(frozen=True)
class Place:
    """Where a text begins: a file, and a line of it, for messages."""

    path: str
    line: int = 1

    def says(self, offset: int, message: str) -> str:
        """Return the message with the file and the line."""
        return f"{self.path}:{self.line + offset}: {message}"


def parse(text: str, syntax: Syntax, place: Place, tasks: Collection[str] | None = None) -> list[Region]:
    """Find the regions of a text.

    Args:
        text: a file, or the source of a notebook's cell.
        syntax: what its comments look like.
        place: where it begins, for messages.
        tasks: the tasks whose solutions may stand in this file; None: any.

    Returns:
        The regions, in their order.

    Raises:
        ReleaseError: if a marker is wrong, or nearly one, or has no partner; with all that is wrong in this text.
    """
    lines = text.split("\n")
    shelter = syntax.shelter(text)
    regions: list[Region] = []
    problems: list[str] = []
    opened: tuple[int, re.Match[str]] | None = None
    for number, line in enumerate(lines):
        found = syntax.marker.fullmatch(line)
        if found is None:
            block = nearly(line)
            if block:
                advice = f"write {BLOCKS[block]}, or use other words"
                problems.append(place.says(number, f"this is nearly a marker: {advice}: {line.strip()!r}"))
            continue
        if number in shelter:
            problems.append(place.says(number, f"this marker is no comment where it stands: {line.strip()!r}"))
        elif found["end"]:
            if opened is None:
                problems.append(place.says(number, f"END {found['end']} without BEGIN {found['end']}"))
            else:
                start, begin = opened
                region, wrong = _region(lines, start, begin, number, found)
                regions.append(region)
                problems += [place.says(at, message) for at, message in wrong]
            opened = None
        else:
            if opened is not None:
                outer = place.line + opened[0]
                problems.append(place.says(number, f"BEGIN inside the region that begins at line {outer}"))
            elif found["task"] and tasks is not None and found["task"] not in tasks:
                known = f"this file belongs to {', '.join(sorted(tasks))}" if tasks else "this file belongs to no task"
                problems.append(place.says(number, f"task {found['task']}: {known}"))
            opened = (number, found)
    if opened is not None:
        problems.append(place.says(opened[0], "BEGIN without END"))
    if problems:
        raise ReleaseError(problems)
    return regions


def _region(
    lines: Sequence[str], start: int, begin: re.Match[str], last: int, end: re.Match[str]
) -> tuple[Region, list[tuple[int, str]]]:
    """Return a region, and what is wrong with it: line and message."""
    kind = "SOLUTION" if begin["task"] else "STAFF"
    indent, wrong = len(begin["indent"]), []
    if end["end"] != kind:
        wrong.append((last, f"END {end['end']} of a region that is {kind}"))
    if len(end["indent"]) != indent:
        wrong.append((last, f"END {kind} is indented by {len(end['indent'])}, its BEGIN by {indent}"))
    if not any(line.strip() for line in lines[start + 1 : last]):
        wrong.append((start, "the region is empty"))
    for number in range(start + 1, last):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip(" ")) < indent:
            wrong.append((number, "this line is indented less than the region that it stands in"))
            break
    return Region(kind, begin["task"] or "", begin["name"] or "", start, last + 1, indent), wrong


LOUD = re.compile(r"\b(?:BEGIN|END)[^A-Za-z]{0,3}(SOLUTION|STAFF)")
BEGINNINGS, ENDINGS = ("BEGIN", "START"), ("END", "STOP")


@functools.lru_cache(maxsize=1 << 17)
def nearly(line: str) -> str | None:
    """Tell which kind of marker a line is nearly, if any, whatever its comment sign.

    In capitals, letters that differ from a marker's in two places are enough, wherever the spaces are. Otherwise the
    line, or its comment, must have the form of a marker, with nothing after it but a task and a name, so that prose may
    speak of solutions.
    """
    loud = LOUD.search(line)
    if loud:
        return loud[1]
    return next((block for text in _candidates(line) for block in BLOCKS if _is_near(text, block)), None)


def _is_near(text: str, block: str) -> bool:
    letters = "".join(letter for letter in text[:60] if letter.isalpha())
    for word in (*BEGINNINGS, *ENDINGS):
        for marker in (word + block, block + word):
            for length in range(len(marker) - 2, len(marker) + 3):
                if letters[:length].isupper() and _distance(letters[:length], marker) <= len(marker) // 5:
                    return True
    text = re.sub(r"\b(BEGIN|START|END|STOP)(?=SOLUTION|STAFF)", r"\1 ", text.upper())
    words = re.findall(r"[^\W\d_]+|\d[\w.]*", text)
    for first, second in (words[:2], words[1::-1]) if len(words) >= 2 else ():
        opening, closing = (any(_distance(first, word) <= 1 for word in these) for these in (BEGINNINGS, ENDINGS))
        numbered = opening and len(words) <= 5 and words[2:3] and words[2][0].isdigit()
        near = (opening or closing) and first != "AND" and _distance(second, block) <= len(block) // 4
        if near and (numbered or len(words) == 2):
            return True
    return False


def _candidates(line: str) -> Iterator[str]:
    """Yield what might be a marker of a line: all of it, and its comment."""
    yield line
    for sign in ("#", "<!--", "//", "%"):
        if sign in line:
            yield line.split(sign)[-1]


@functools.lru_cache(maxsize=1 << 17)
def _distance(a: str, b: str) -> int:
    """Count the letters to insert, delete, replace or exchange with a neighbour between two words."""
    if abs(len(a) - len(b)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, above = row, before
        row = [i]
        for j, other in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other)))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                row[j] = min(row[j], above[j - 2] + 1)
    return row[-1]
