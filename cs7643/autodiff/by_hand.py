"""Derivatives by hand: tables to be filled in, as on paper, and what is said of each number.

A table is a text. Its rows are the steps of a computation, or in reverse mode the uses of its variables, and a ``?``
stands where a number belongs. :func:`sheet` makes it, and :func:`look` reads it. The steps are those of
:mod:`~cs7643.autodiff.programs`, and the derivatives come from the rules of :mod:`~cs7643.autodiff.primitives` alone.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from cs7643.autodiff.mistaken import IN_PAIRS, MISTAKES, explained
from cs7643.autodiff.programs import differentiated, program
from cs7643.autodiff.tables import Entry, Place, Table, table

__all__ = ["Look", "differentiated", "look", "program", "sheet", "table"]

OPEN = "?"
DIGITS = 3
GREEN, RED, GREY = "#2A8C4A", "#C2334D", "#808080"  # 3:1 or more on white and on black
SIGNS = {  # of each state of a number: what stands behind it, and its colour
    "right": ("\u2713", GREEN),
    "open": ("\u00b7", GREY),
    "follows": ("\u2192", GREY),
    "wrong": ("\u2717", RED),
    "short": ("\u2717", RED),
    "none": ("\u2717", RED),
}
SAID = {
    "none": "expected a number such as 0.815, -4.06 or 3.02e23, got {}.",
    "short": f"expected a number with {DIGITS} significant digits, got {{}}.",
    "wrong": "this number is off.",
}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.I)


def sheet(kind: str, name: str, w: Sequence[float]) -> str:
    """Return an empty table as a text, with ``?`` in the place of each number that is not given.

    Args:
        kind: "forward": the values, and the tangents in one column for each input. "backward": one row for each use of
            a variable. "jacobian": the derivatives of several functions.
        name: of one of ``PROGRAMS``; for the Jacobian of several, with spaces between.
        w: the point.

    Raises:
        ValueError: if there is no such kind or program.
    """
    return _aligned(table(kind, name, w).lines(lambda _, entry: f"{entry.right:g}" if entry.given else OPEN))


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(" | ".join(map(str.ljust, line, widths)).rstrip(" |") for line in lines)


@dataclass(frozen=True)
class Look:
    """What is said of a table: the state of each number, and sentences.

    Attributes:
        table: with the right numbers, which are not shown.
        texts: what stands at each place.
        states: of the entries that are not given: a key of ``SIGNS``.
        remarks: the sentences, each with its place.
    """

    table: Table
    texts: Mapping[Place, str]
    states: Mapping[Place, str]
    remarks: tuple[str, ...]

    @property
    def heading(self) -> str:
        """Say how many numbers are right, and how many are left to fill in."""
        right, unfilled = (sum(each == state for each in self.states.values()) for state in ("right", "open"))
        wrong = len(self.states) - right - unfilled
        left = [f"{unfilled} to fill in"] * bool(unfilled) + [f"{wrong} to fix"] * bool(wrong)
        return f"{self.table.title}: " + ", ".join([f"{right} of {len(self.states)} right", *left])

    def _shown(self, place: Place, entry: Entry) -> str:
        return f"{entry.right:g}" if entry.given else f"{self.texts[place]} {SIGNS[self.states[place]][0]}"

    def __str__(self) -> str:
        """Return the table with a sign behind each number, and the sentences."""
        shown = [] if set(self.states.values()) <= {"open"} else [_aligned(self.table.lines(self._shown))]
        return "\n".join([self.heading, *shown, *self.remarks])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        text = html.escape(str(self))
        for sign, colour in set(SIGNS.values()):
            text = text.replace(f" {sign}", f' <b style="color: {colour}">{sign}</b>')
        return f'<pre style="line-height: 1.4">{text}</pre>'


def look(text: str, kind: str, name: str, w: Sequence[float]) -> Look:
    """Read a table that was filled in, and compare it number by number.

    A number needs three digits. It is right if it is the right one, up to rounding, or if it follows from right ones
    above it that were rounded.

    Args:
        text: the table of :func:`sheet` with numbers in the place of the question marks; some may be left.
        kind: the kind of the table.
        name: the program, or programs.
        w: the point.

    Raises:
        TypeError: if the text is none.
        ValueError: if there is no such kind or program.
    """
    if not isinstance(text, str):
        raise TypeError(f"look: expected the table as a text, got {type(text).__name__}")
    wanted = table(kind, name, w)
    texts, remarks = _read(text, wanted)
    numbers = {place: _number(each) for place, each in texts.items()}
    numbers |= {place: entry.right for place, entry in wanted.entries.items() if entry.given}
    states: dict[Place, str] = {}
    names: dict[Place, set[str]] = {}
    with np.errstate(over="ignore", invalid="ignore"):  # a mistake may make numbers that no float can hold
        for place in (place for place, entry in wanted.entries.items() if not entry.given):
            states[place], names[place] = _judged(place, wanted.entries, texts[place], numbers, states)
    for place, state in states.items():
        if state in SAID:
            sentence = _named(place, names) or SAID[state]
            remarks.append(f"{place[0]}, {place[1]}: {sentence.format(texts[place])}")
    if "follows" in states.values():
        remarks.append("\u2192: computed correctly from a number above it that is off. Fix that one first.")
    return Look(wanted, texts, states, tuple(remarks))


def _read(text: str, wanted: Table) -> tuple[dict[Place, str], list[str]]:
    """Return what stands at each place, and what is wrong with the rows."""
    rows = {" ".join(row.split()): row for row in wanted.rows}
    texts = dict.fromkeys(wanted.entries, OPEN)
    found, remarks = set(), []
    for line in filter(str.strip, text.splitlines()):
        label, *cells = (" ".join(cell.split()) for cell in line.split("|"))
        if label in rows:
            found.add(label)
            for column, cell in zip(wanted.head[1:], cells, strict=False):
                if (rows[label], column) in texts and cell:
                    texts[rows[label], column] = cell
        elif label != wanted.head[0]:
            remarks.append(f"expected a row that begins with one of {', '.join(rows)}; got {label!r}.")
    remarks += [f"the row {row!r} is missing: write it again." for row in rows if row not in found]
    return texts, remarks


def _number(text: str) -> float | None:
    """Return the number that a text is; None if it is none."""
    text = text.replace("\u2212", "-").replace(" ", "")
    return float(text) if NUMBER.fullmatch(text) else None


def _digits(text: str) -> int:
    """Return how many significant digits a number was written with."""
    return len(re.sub(r"e.*|\D", "", text.lower()).lstrip("0"))


def _close(number: float, right: float, digits: int = DIGITS) -> bool:
    """Tell whether two numbers agree up to the rounding of one, and a little of what it was computed from."""
    return abs(number - right) <= 0.6 * 10.0 ** (1 - digits) * abs(right)


def _judged(
    place: Place,
    entries: Mapping[Place, Entry],
    text: str,
    numbers: Mapping[Place, float | None],
    states: Mapping[Place, str],
) -> tuple[str, set[str]]:
    """Return the state of a number, and the mistakes that would explain it."""
    entry, number = entries[place], numbers[place]
    if text == OPEN:
        return "open", set()
    if number is None:
        return "none", set()
    above = [numbers[need] for need in entry.needs]
    own = [entries[need].right if x is None else x for need, x in zip(entry.needs, above, strict=True)]
    expected = entry.follow(*own)
    exact = math.isclose(number, entry.right, rel_tol=1e-9)
    if not exact and _digits(text) < DIGITS and _close(number, entry.right, max(_digits(text), 1)):
        return "short", set()
    if _close(number, entry.right):
        return "right", set()
    if entry.needs and _close(number, expected):
        sound = all(states.get(need, "right") in ("right", "open") for need in entry.needs)
        return "right" if sound else "follows", set()
    suspects = entry.suspects(*own)
    names = explained(number, expected, suspects, _close)
    if len(names) > 1:  # more digits may tell them apart
        finer = partial(_close, digits=min(_digits(text), DIGITS + 1))
        names = explained(number, expected, suspects, finer) or names
    return "wrong", names


def _named(place: Place, names: Mapping[Place, set[str]]) -> str:
    """Return the sentence for a mistake, if the numbers are evidence of it and of no other."""
    for name in names[place] & set(IN_PAIRS):
        same_row = name == "columns"
        others = (other for at, other in names.items() if at != place and (at[0] == place[0]) == same_row)
        if any(name in other for other in others):
            return MISTAKES[name]
    alone = names[place] - set(IN_PAIRS)
    return MISTAKES[next(iter(alone))] if len(alone) == 1 else ""
