"""The markers of the regions that students do not get: the grammar, and the parser.

In code (Python, shell, TOML, make) a region stands between two comments with the same indentation::

    # BEGIN SOLUTION TASK NAME
    return np.maximum(x, 0), x
    # END SOLUTION

in Markdown between ``<!-- BEGIN SOLUTION 6.1 templates -->`` and ``<!-- END SOLUTION -->``. The first word after
SOLUTION is the task, the second the name of the region. ``BEGIN STAFF`` and ``END STAFF`` enclose what only the staff's
edition has; these leave no blank.

A marker that the parser overlooks would publish a solution. So a line that looks like a marker but is not exactly one
is an error (``NEARLY``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

GRAMMAR = (
    r"BEGIN SOLUTION (?P<task>[1-9](?:\.[1-9]|[a-e])?) (?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|BEGIN STAFF|END (?P<end>SOLUTION|STAFF)"
)
HASH = re.compile(rf"(?P<indent> *)# (?:{GRAMMAR})")
ARROWS = re.compile(rf"(?P<indent>)<!-- (?:{GRAMMAR}) -->")
# The words of a marker in any letter case, alone on a line or in a comment; or a comment that begins with two words in
# capitals, which finds misspelt markers.
NEARLY = re.compile(
    r"(?:^|\#|<!--|//|%)[\W_]*"
    r"(?i:(?:BEGIN|START|END|STOP)[\W_]*(?:SOLUTIONS?|STAFF)|(?:SOLUTIONS?|STAFF)[\W_]*(?:BEGIN|START|END|STOP))"
    r"[\W_]*(?:\d.*)?$"
    r"|(?:\#|<!--|//|%)[^a-z]*?[A-Z]+\ +[A-Z]{3,}"
)
ADVICE = "write BEGIN SOLUTION TASK NAME and END SOLUTION, or BEGIN STAFF and END STAFF, or use other words"


@dataclass(frozen=True)
class Syntax:
    """A language, and how a marker is written in it."""

    name: str
    marker: re.Pattern[str]


PYTHON, CODE, MARKDOWN = Syntax("Python", HASH), Syntax("another language", HASH), Syntax("Markdown", ARROWS)


class ReleaseError(ValueError):
    """Why there is no student edition: one or more sentences, each with its file and line."""

    def __init__(self, problems: Iterable[str]) -> None:
        """Keep the sentences."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def refuse(problems: Collection[str]) -> None:
    """Raise a ReleaseError with these problems, if there are any."""
    if problems:
        raise ReleaseError(problems)


def run_all(looks: Iterable[Callable[[], str]]) -> list[str]:
    """Run every test of an edition, and return their lines for the report.

    Raises:
        ReleaseError: with the problems of all tests that fail.
    """
    lines: list[str] = []
    problems: list[str] = []
    for look in looks:
        try:
            lines.append(look())
        except ReleaseError as error:
            problems += error.problems
    refuse(problems)
    return lines


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
        ReleaseError: with all that is wrong: a marker that has no partner, or a line that is nearly a marker.
    """
    regions: list[Region] = []
    problems: list[str] = []
    opened: Region | None = None
    for number, line in enumerate(text.split("\n")):
        found = syntax.marker.fullmatch(line)
        if found is None:
            if NEARLY.search(line):
                problems.append(place.says(number, f"this is nearly a marker: {ADVICE}: {line.strip()!r}"))
            continue
        indent = len(found["indent"])
        if found["end"] is None:
            if opened:
                problems.append(place.says(number, f"BEGIN inside the region of line {place.line + opened.start}"))
            if found["task"] and tasks is not None and found["task"] not in tasks:
                known = ", ".join(sorted(tasks)) or "no task"
                problems.append(place.says(number, f"task {found['task']}: this file belongs to {known}"))
            kind = "SOLUTION" if found["task"] else "STAFF"
            opened = Region(kind, found["task"] or "", found["name"] or "", number, number + 1, indent)
        elif opened is None:
            problems.append(place.says(number, f"END {found['end']} without BEGIN {found['end']}"))
        else:
            if (found["end"], indent) != (opened.kind, opened.indent):
                expected = f"expected END {opened.kind}, indented by {opened.indent}"
                problems.append(place.says(number, f"{expected}, for the BEGIN of line {place.line + opened.start}"))
            regions.append(replace(opened, end=number + 1))
            opened = None
    if opened:
        problems.append(place.says(opened.start, "BEGIN without END"))
    refuse(problems)
    return regions
