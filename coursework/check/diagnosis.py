"""From outcomes to the likely mistakes: those that predict what the function returned.

A mistake is named only on evidence: an array that equals what the mistake would give in that case (see
:func:`~coursework.check.comparison.compare`), or an error that the mistake would raise there. Several wrong results may
need several mistakes; when two mistakes explain the same results, both are named.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from coursework.check.case import ERROR, ERRORS, SIDE_EFFECTS, Outcome

MOST = 3  # mistakes that are named at once


@dataclass(frozen=True)
class Mistake:
    """A usual mistake: where it is made, () for anywhere, a short name, and a sentence about it."""

    functions: tuple[str, ...]
    name: str
    advice: str


@dataclass(frozen=True)
class Diagnosis:
    """The likely mistakes, by name, and a sentence; both are empty where the evidence names none."""

    mistakes: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def mistake(self) -> str:
        """Return the first mistake, "" if there is none."""
        return self.mistakes[0] if self.mistakes else ""


MISTAKES: list[Mistake] = []


def mistake(functions: str, name: str, advice: str) -> None:
    """Register a mistake of one or more functions, whose names are separated by spaces."""
    MISTAKES.append(Mistake(tuple(functions.split()), name, advice))


def diagnose(function: str, outcomes: Sequence[Outcome]) -> Diagnosis:
    """Name the mistakes that explain most of the wrong results.

    A prediction that is not met speaks against a mistake, but only in comparisons of a name under which the mistake was
    seen elsewhere: dx may show it, and db be right.
    """
    advice = {each.name: each.advice for each in MISTAKES if not each.functions or function in each.functions}
    found = _evidence(outcomes)
    evidence = {name: places for name, places in found.items() if set(name.split(" + ")) <= advice.keys()}
    chosen: list[tuple[str, ...]] = []
    left = {place for places in evidence.values() for place in places}
    while left and len(chosen) < MOST:
        explained = {name: places & left for name, places in evidence.items()}
        best = max(explained.values(), key=len)
        chosen.append(tuple(name for name, places in explained.items() if places == best))
        left -= best
    names = tuple(dict.fromkeys(part for alternatives in chosen for name in alternatives for part in name.split(" + ")))
    return Diagnosis(names, _sentence(chosen, advice)) if names else Diagnosis()


def _evidence(outcomes: Sequence[Outcome]) -> dict[str, set[tuple[str, str]]]:
    """Return the mistakes that more results speak for than against, each with the results that it explains.

    Results are (case, name of the comparison). Mistakes that nothing speaks against come first and exclude the others;
    a single mistake excludes pairs; breaches of side rules come last, as they explain nothing else.
    """
    explained: dict[str, set[tuple[str, str]]] = defaultdict(set)
    fits, against = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for outcome in outcomes:
        for name, where in outcome.fits:
            explained[name].add((outcome.title, where))
            fits[name, _part(where)] += 1
        against.update((name, _part(where)) for name, where in outcome.misfits)
    for name in explained:  # a mistake that one error shows must explain every error
        if any(where == ERROR for other, where in fits if other == name) and name not in ERRORS:
            unexplained = [o for o in outcomes if o.raised and (name, ERROR) not in o.fits]
            against[name, ERROR] += fits[name, ERROR] * bool(unexplained)
    for name in explained:  # and two mistakes together every wrong result of their part
        for part in {where for other, where in fits if other == name and " + " in name}:
            against[name, part] += against["", part] - fits[name, part]
    contradicted = {name: sum(against[name, where] for other, where in fits if other == name) for name in explained}
    counts = {name: sum(count for (other, _), count in fits.items() if other == name) for name in explained}
    certain = [name for name in explained if not contradicted[name]]
    likely = [name for name in explained if 0 < contradicted[name] < counts[name]]
    sure = {place for name in certain for place in explained[name]}
    chosen = [*certain, *(name for name in likely if not explained[name] <= sure)]
    singles = [name for name in chosen if " + " not in name]
    covered = {place for name in singles for place in explained[name]}
    pairs = [name for name in chosen if " + " in name and not explained[name] <= covered]
    if singles and set(singles) > {"keeps something"}:
        singles = [name for name in singles if name != "keeps something"]
    side = {name for outcome in outcomes if outcome.title == SIDE_EFFECTS for name, _ in outcome.fits}
    return {name: explained[name] for name in sorted([*singles, *pairs], key=lambda name: name in side)}


def _part(name: str) -> str:
    """Return what a comparison is about, without the numbers that follow: "f(1, 2)" and "f(3, 4)" are about f."""
    return re.split(r" ?[(,]", name)[0]


def _sentence(chosen: Sequence[tuple[str, ...]], advice: dict[str, str]) -> str:
    texts = []
    for alternatives in chosen:
        words = ["; and ".join(advice[part].rstrip(".") for part in name.split(" + ")) for name in alternatives]
        texts.append(words[0] if len(words) == 1 else f"one of these: {'; or '.join(words)}")
    return f"Likely: {'. Also: '.join(texts)}."


mistake("", "changes an argument", "an argument is changed in place, and the caller still needs it: make a new array.")
mistake(
    "",
    "keeps something",
    "the result depends on more than the arguments: on a global variable, a default argument, or memory that np.empty "
    "has not set.",
)
mistake("", "returns nothing", "a return statement is missing.")
mistake("", "a float for an integer", "a size or an index is a float: a / b is a float, and a // b is an integer.")
