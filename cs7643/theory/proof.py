"""Proofs that answer: ``prove("2", chain)`` tries each line of a chain, and tells whether the chain reaches the claim.

A line that is false gets a counterexample (:mod:`cs7643.theory.trial`). This is a sieve and no formal proof: it finds
lines that are false, but cannot tell whether the reason of a line that holds is a reason.
:mod:`cs7643.theory.notation` says how a chain is written, and :mod:`cs7643.theory.flawed` has false ones.
"""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cs7643.theory.claims import CLAIMS, equal, is_claim
from cs7643.theory.instances import instances
from cs7643.theory.notation import FREE, Definition, Line, names, read, show
from cs7643.theory.trial import counterexample, refuted_by
from cs7643.theory.values import FUNCTIONS

WIDTH = 110
SIEVE = "This is a sieve, not a formal proof: no line could be refuted. Whether each reason is one, a person decides."
BLANK = re.compile(r"Task (?P<task>\S+): (?P<name>\w+)")


@dataclass(frozen=True)
class Verdict:
    """What came of a chain.

    Attributes:
        accepted: no line could be refuted, each has a reason, and the chain reaches the claim.
        refuted: the number of the first line that is false, counted from 1; 0 if none is.
        text: all of it in words.
    """

    accepted: bool
    refuted: int
    text: str

    def __repr__(self) -> str:
        """Return the words."""
        return self.text


def prove(problem: str, chain: str | Callable[[], str]) -> Verdict:
    """Try a chain, and tell what came of it.

    Args:
        problem: "1", "2" or "3".
        chain: the lines as a text, or a function that returns it.

    Raises:
        ValueError: if a line is not written in the notation; it says which, and what was expected.
    """
    if str(problem) not in CLAIMS:
        raise ValueError(f"prove: problem must be one of {', '.join(CLAIMS)}, got {problem!r}")
    claim = CLAIMS[str(problem)]
    text = _text(chain)
    if text is None:
        return Verdict(False, 0, f"No chain yet. To show: {claim.said}\nYour lines go into this cell.")
    definitions, lines = read(text)
    _refuse_taken_names(str(problem), definitions)
    found = [counterexample(str(problem), definitions, line, k) for k, line in enumerate(lines, 1)]
    first = next((k for k, each in enumerate(found, 1) if each), 0)
    rows = [f"To show: {claim.said}", *written(lines, [each is None for each in found])]
    if first:
        refutation = found[first - 1]
        assert refutation
        end, accepted = f"Line {first} is false. {refuted_by(refutation, lines[first - 1], definitions)}", False
    else:
        end, accepted = _conclusion(str(problem), definitions, lines)
    return Verdict(accepted, first, "\n".join([*map(wrapped, rows), "", *map(wrapped, end.split("\n"))]))


def _text(chain: str | Callable[[], str]) -> str | None:
    """Return the text of a chain; None if it is a blank."""
    try:
        text = chain() if callable(chain) else chain
    except NotImplementedError as error:
        if BLANK.fullmatch(str(error)):
            return None
        raise
    if not isinstance(text, str):
        raise ValueError(f"prove: expected the chain as a text, got {type(text).__name__}")
    return text


def _refuse_taken_names(problem: str, definitions: Mapping[str, Definition]) -> None:
    world = instances(problem)[0].world
    taken = {*world.symbols, *world.sequences, *world.functions, *FUNCTIONS, *FREE, "sum"}
    for name in definitions:
        if name in taken:
            raise ValueError(f"let {name}: {name} has a meaning already; expected another name")
    if problem == "1" and "eta" in definitions:
        used = names(definitions["eta"].expression, definitions) - {"lam", "sqrt"}
        if used:
            raise ValueError(f"let eta: expected a formula in lam alone, got one with {', '.join(sorted(used))}")


def written(lines: Sequence[Line], holds: Sequence[bool] = ()) -> list[str]:
    """Return the lines with their numbers, and with marks if it is known which of them hold."""
    rows = []
    for number, line in enumerate(lines, 1):
        mark = ("✗ ", "✓ ")[holds[number - 1]] if holds else ""
        left = "   " if line.continues else f"{show(line.left)} "
        reason = f"   # {line.reason}" if line.reason else ""
        rows.append(f"{number:2d} {mark}{left}{line.relation} {show(line.right)}{reason}")
    return rows


def wrapped(row: str) -> str:
    """Return a row in lines of at most ``WIDTH`` characters."""
    indent = " " * (10 if re.match(r" *\d+ ", row) else 4 if row.startswith(" ") else 0)
    return textwrap.fill(row, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _conclusion(problem: str, definitions: Mapping[str, Definition], lines: list[Line]) -> tuple[str, bool]:
    """Return what follows from lines that all hold, and whether it is the claim."""
    holds = f"Every line holds in all {len(instances(problem))} instances that were tried, and in those of a search."
    claim = CLAIMS[problem]
    missing = problem == "1" and "eta" not in definitions
    eta = " And which eta belongs to lam? Name it: let eta = ..." if missing else ""
    reached = functools.partial(is_claim, problem, definitions)
    for number, line in enumerate(lines, 1):
        if reached(line.left, line.relation, line.right):
            return f"Line {number} is the claim itself, or a multiple of it. Why does it hold?", False
    ends = _ends(lines)
    for first, last in ends:
        if reached(lines[first].left, _joint(lines[first : last + 1]), lines[last].right):
            silent = [str(k) for k, line in enumerate(lines, 1) if not line.reason]
            if silent:
                return (
                    f"{holds} But no reason stands in line {', '.join(silent)}: end a line with # and a reason.",
                    False,
                )
            return (
                f"{holds} Lines {first + 1} to {last + 1} lead from one side of the claim to the other. {SIEVE}",
                True,
            )
    sides = {"left": (claim.low, claim.high), "right": (claim.high, claim.low)}
    if problem == "1":
        sides = {"left": (claim.high, claim.low), "right": (claim.low, claim.high)}
    for first, last in ends:
        for name, (side, other) in sides.items():
            if not equal(problem, definitions, lines[first].left, side):
                continue
            if _joint(lines[first : last + 1]) == "":
                why = "but it goes up in one line and down in another, so nothing follows from both"
            elif equal(problem, definitions, lines[last].right, other):
                why = "and reaches the other, but in the wrong direction"
            else:
                why = f"and line {last + 1} stops at {show(lines[last].right)}, which is not yet {show(other)}"
            return (
                f"{holds} But it leads nowhere yet: the chain begins at the {name} side of the claim, {why}.{eta}",
                False,
            )
    return (
        f"{holds} But it leads nowhere yet: no chain begins at one side of the claim. "
        f"A line that begins with its relation goes on from the line above.{eta}",
        False,
    )


def _ends(lines: list[Line]) -> list[tuple[int, int]]:
    """Return the first and the last line of each chain, the longest chain first."""
    starts = [k for k, line in enumerate(lines) if not line.continues]
    pairs = zip(starts, [*(k - 1 for k in starts[1:]), len(lines) - 1], strict=True)
    return sorted(pairs, key=lambda pair: pair[0] - pair[1])


def _joint(lines: list[Line]) -> str:
    """Return the relation of both ends of a chain; "" if there is none."""
    kinds = {line.relation for line in lines} - {"="}
    return "=" if not kinds else kinds.pop() if len(kinds) == 1 else ""
