"""Proofs that answer: ``prove("2", chain)`` tries each line of a chain, and tells whether the chain reaches the claim.

A line that is false gets a counterexample (:mod:`cs7643.theory.trial`). This is a sieve and no formal proof: it finds
lines that are false, but cannot tell whether the reason of a line that holds is a reason.
:mod:`cs7643.theory.notation` says how a chain is written, and :mod:`cs7643.theory.flawed` has false ones.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cs7643.theory.claims import CLAIMS, equal, is_claim, whole_way
from cs7643.theory.instances import instances
from cs7643.theory.notation import FREE, Definition, Line, names, read, show
from cs7643.theory.trial import counterexample, refuted_by
from cs7643.theory.values import FUNCTIONS

WIDTH, COLUMN = 96, 80  # of a row, as the write-up shows it whole, and of its part before the reason
SIEVE = "This is a sieve, not a formal proof: a person decides whether each reason is valid."
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
    problem, claim, text = str(problem), CLAIMS[str(problem)], _text(chain)
    if text is None:
        said = "No chain yet: it is yours to write, in this cell. It carries no points; an empty text leaves it out."
        return Verdict(False, 0, f"{said}\nTo show: {claim}")
    definitions, lines = read(text)
    _refuse_taken_names(problem, definitions)
    found = [counterexample(problem, definitions, line, k) for k, line in enumerate(lines, 1)]
    first, refutation = next(((k, each) for k, each in enumerate(found, 1) if each), (0, None))
    rows = [f"To show: {claim}", "", *written(lines, [each is None for each in found])]
    if refutation:
        end, accepted = refuted_by(refutation, lines[first - 1], first, definitions), False
    else:
        end, accepted = _conclusion(problem, definitions, lines)
    return Verdict(accepted, first, "\n".join([*map(wrapped, rows), "", *map(wrapped, end.split("\n"))]))


def _text(chain: str | Callable[[], str]) -> str | None:
    """Return the text of a chain; None if it is a blank, or empty."""
    try:
        text = chain() if callable(chain) else chain
    except NotImplementedError as error:
        if BLANK.fullmatch(str(error)):
            return None
        raise
    if not isinstance(text, str):
        raise ValueError(f"prove: expected the chain as a text, got {type(text).__name__}")
    return text if text.strip() else None


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
        rows.append(f"{number:2d} {mark}{line.begins or '  '} {line.relation} {show(line.right)}")
    column = max((len(row) for row in rows if len(row) < COLUMN), default=0)
    reasons = [f"   # {line.reason}" if line.reason else "" for line in lines]
    return [(row.ljust(column) + reason).rstrip() for row, reason in zip(rows, reasons, strict=True)]


def wrapped(row: str) -> str:
    """Return a row in lines of at most ``WIDTH`` characters."""
    indent = " " * (10 if re.match(r" *\d+ ", row) else 4 if row.startswith(" ") else 0)
    return textwrap.fill(row, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _conclusion(problem: str, definitions: Mapping[str, Definition], lines: list[Line]) -> tuple[str, bool]:
    """Return what follows from lines that all hold, and whether it is the claim."""
    holds = f"Every line holds in all {len(instances(problem))} instances, and the search found no counterexample."
    restated = [k for k, line in enumerate(lines) if is_claim(problem, definitions, line)]
    chains = _chains(lines)
    for first, last in chains:
        whole = _joined(lines[first : last + 1])
        if is_claim(problem, definitions, whole) and not any(first <= k <= last for k in restated):
            silent = ", ".join(str(k) for k, line in enumerate(lines, 1) if not line.reason)
            if silent:
                return f"{holds} But a reason is missing in line {silent}: write it after #.", False
            long = [k for k in range(first, last + 1) if whole_way(problem, definitions, lines[k])]
            far = f" Line {long[0] + 1} does so in a single step, so much depends on its reason." if long else ""
            led = f"Lines {first + 1} to {last + 1} lead from one side of the claim to the other."
            return f"{holds} {led}{far} {SIEVE}", True
    if restated:
        number = restated[0] + 1
        return f"Line {number} is the claim itself, or a multiple of it. Show in smaller steps why it holds.", False
    said = [_nowhere(problem, definitions, lines[first : last + 1], last + 1) for first, last in chains]
    why = next(filter(None, said), "no chain begins at one side of the claim.")
    if not any(said) and len(chains) == len(lines) > 1:
        why += " A line that begins with its relation continues from the line above."
    if problem == "1" and "eta" not in definitions:
        why += " And which eta belongs to lam? Name it: let eta = ..."
    return f"{holds} But it leads nowhere yet: {why}", False


def _nowhere(problem: str, definitions: Mapping[str, Definition], chain: list[Line], last: int) -> str:
    """Say why a chain does not reach the claim; "" if it does not begin at one of its sides."""
    sides = [
        ("left", CLAIMS[problem].left, CLAIMS[problem].right),
        ("right", CLAIMS[problem].right, CLAIMS[problem].left),
    ]
    for name, side, other in sides:
        if equal(problem, definitions, chain[0].left, side):
            begins = f"the chain begins at the {name} side of the claim, "
            if not _joined(chain).relation:
                return f"{begins}but one line goes up and another goes down, so nothing follows for its ends."
            if equal(problem, definitions, chain[-1].right, other):
                return f"{begins}and reaches the other, but in the wrong direction."
            return f"{begins}and line {last} stops at {show(chain[-1].right)}, which is not yet {show(other)}."
    return ""


def _chains(lines: list[Line]) -> list[tuple[int, int]]:
    """Return the first and the last line of each chain, the longest chain first."""
    starts = [k for k, line in enumerate(lines) if not line.continues]
    pairs = zip(starts, [*(k - 1 for k in starts[1:]), len(lines) - 1], strict=True)
    return sorted(pairs, key=lambda pair: pair[0] - pair[1])


def _joined(chain: list[Line]) -> Line:
    """Return what a chain says of its ends; the relation is "" if it goes both up and down."""
    kinds = {line.relation for line in chain} - {"="}
    return Line(chain[0].left, "=" if not kinds else kinds.pop() if len(kinds) == 1 else "", chain[-1].right)
