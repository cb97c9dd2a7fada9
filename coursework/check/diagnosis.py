"""From outcomes to the likely mistake: what each usual mistake would show, and which of them shows it.

A mistake is seen in two ways. A comparison may hold its prediction, the array that it would give in that case (see
:func:`~coursework.check.comparison.compare`): one that is met speaks for the mistake, one that is not met against it.
Or the mistake is known by where it shows, in which cases alone, and by what the message then says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coursework.check.case import Outcome


@dataclass(frozen=True)
class Mistake:
    """A usual mistake.

    Attributes:
        functions: where it is made; () for anywhere.
        name: a short name.
        advice: a sentence about it.
        only: words: it shows in cases whose titles hold one of them, and in no other; () for a mistake that is known
            by its predictions.
        says: a pattern that the message of each wrong case holds; of one, for a mistake that is made anywhere.
    """

    functions: tuple[str, ...]
    name: str
    advice: str
    only: tuple[str, ...] = ()
    says: str = ""

    def shows_in(self, wrong: Sequence[Outcome]) -> bool:
        """Tell whether these wrong outcomes, and no others, are what it leads to."""
        if not self.only and not self.says:
            return False
        here = not self.only or all(any(word in outcome.title for word in self.only) for outcome in wrong)
        told = [bool(re.search(self.says, outcome.message)) for outcome in wrong]
        return here and (all(told) if self.functions else any(told))


@dataclass(frozen=True)
class Diagnosis:
    """The likely mistake: its name, "" if it has none, and a sentence."""

    mistake: str = ""
    sentence: str = ""


MISTAKES: list[Mistake] = []


def mistake(functions: str, name: str, advice: str, *, only: Sequence[str] = (), says: str = "") -> None:
    """Register a mistake of one or more functions, whose names are separated by blanks."""
    MISTAKES.append(Mistake(tuple(functions.split()), name, advice, tuple(only), says))


def diagnose(function: str, outcomes: Sequence[Outcome]) -> Diagnosis:
    """Name the likely mistake.

    In this order: what every prediction speaks for; what shows in just these cases; what more predictions speak for
    than against; and the advice of the first wrong case. A prediction speaks against a mistake only in comparisons of
    a name under which the mistake was seen elsewhere: dx may show it, and db be right.
    """
    wrong = [outcome for outcome in outcomes if outcome.status == "wrong"]
    if not wrong:
        return Diagnosis()
    known = [each for each in MISTAKES if not each.functions or function in each.functions]
    seen = Counter(each for outcome in outcomes for each in outcome.fits)
    unseen = Counter(each for outcome in outcomes for each in outcome.misfits)
    fits, misfits = Counter[str](), Counter[str]()
    for (name, where), count in seen.items():
        fits[name] += count
        misfits[name] += unseen[name, where]
    predicted = sorted((each for each in known if fits[each.name]), key=lambda each: -fits[each.name])
    certain = [each for each in predicted if not misfits[each.name]]
    shown = [each for each in known if each.shows_in(wrong)]
    likely = [each for each in predicted if fits[each.name] > misfits[each.name]]
    for each in (*certain, *shown, *likely):
        return Diagnosis(each.name, f"Likely: {each.advice}")
    return Diagnosis("", f"Look at this: {wrong[0].advice}" if wrong[0].advice else "")


mistake(
    "",
    "changes an argument",
    "an argument is changed in place, and the caller still needs it: make a new array.",
    says="changes one of its arguments in place",
)
mistake(
    "",
    "keeps something",
    "something outlives the call, a global variable or a default argument: let each call begin anew.",
    says="called again with the same arguments",
)
mistake("", "returns nothing", "a return statement is missing.", says="got NoneType")
mistake(
    "",
    "changes the dtype",
    "a new array is float64 unless told otherwise: make it with the dtype of the input, as np.zeros_like does.",
    only=("float32",),
    says="dtype float32, got float64",
)
