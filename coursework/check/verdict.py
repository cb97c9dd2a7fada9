"""The results of all cases of one function."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from coursework.check.case import (
    IMPORT,
    SEED,
    SIDE_EFFECTS,
    UNDECIDED,
    UNTOUCHED,
    Function,
    Outcome,
    outcomes_of,
    run_case,
)
from coursework.check.diagnosis import Diagnosis, diagnose
from coursework.needs import own_command


@dataclass(frozen=True)
class Verdict:
    """The outcomes of the cases of a function, one after another, and the mistake that they point to."""

    name: str
    outcomes: tuple[Outcome, ...]
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    @property
    def status(self) -> str:
        """Return "right", "wrong", "not started", or "begun": nothing is wrong, and a part is not written yet."""
        statuses = {outcome.status for outcome in self.outcomes}
        if statuses == {"not started"}:
            return "begun" if any(outcome.partly for outcome in self.outcomes) else "not started"
        unwritten = {o.title for o in self.outcomes if o.status == "not started"}
        if unwritten and all(o.status == "right" for o in self.outcomes if o.title not in unwritten | {SIDE_EFFECTS}):
            return "begun"
        return "right" if statuses == {"right"} else "wrong"

    @property
    def wrong(self) -> tuple[Outcome, ...]:
        """Return the outcomes that have something to say: those that are wrong, or not written though others are."""
        said = [o for o in self.outcomes if o.status != "right" and not o.message.startswith(UNTOUCHED)]
        return tuple(o for o in said if o.message != UNDECIDED or len(said) == 1)

    @property
    def breach(self) -> bool:
        """Tell whether all results are right on ordinary inputs, and only edge cases are not."""
        return bool(self.wrong) and all(o.status == "right" or (o.edge and o.status == "wrong") for o in self.outcomes)

    @property
    def rule(self) -> str:
        """Return the rule that the first wrong case tests; "" where only a part is not written yet."""
        wrong = sorted((outcome for outcome in self.outcomes if outcome.status == "wrong"), key=lambda o: o.edge)
        if not wrong or not wrong[0].rule or re.search(r" raises |should return|should be an array", wrong[0].message):
            return ""
        return f"The rule: {wrong[0].rule}"

    @property
    def hint(self) -> str:
        """Say how to get a hint in a terminal; "" where the file cannot be imported, for which there is none."""
        return self._hint(own_command(f"hint {self.name}"))

    @property
    def notebook_hint(self) -> str:
        """Say how to get a hint in a notebook; likewise."""
        return self._hint(f"hint({self.name!r})")

    def _hint(self, call: str) -> str:
        return "" if any(outcome.title == IMPORT for outcome in self.outcomes) else f"A hint: {call}"

    @property
    def summary(self) -> str:
        """Return the status and in how many cases it is so, with what could be better, and what the function prints."""
        statuses, cases = [outcome.status for outcome in self.outcomes], len(self.outcomes)
        text = self.status
        if self.breach:
            text = f"right on ordinary inputs, but not in {cases - statuses.count('right')} of {cases} cases"
        elif self.status == "begun":
            right, unwritten = statuses.count("right"), statuses.count("not started")
            text += f": right in {right} of {cases} cases, {unwritten} not written yet"
        elif self.status == "not started":
            text = next((o.message for o in self.outcomes if o.message != UNTOUCHED), text)
            text = text if text.startswith(UNTOUCHED) else f"{UNTOUCHED}: {text}"
        else:
            text += f" in {statuses.count(self.status)} of {cases} case{'s' * (cases != 1)}"
        notes = dict.fromkeys(note for outcome in self.outcomes for note in outcome.notes)
        text += "".join(f"; {note}" for note in notes)
        printed = next((outcome.printed for outcome in self.outcomes if outcome.printed), "")
        return text + (f"; it prints {printed.splitlines()[0]!r}, which it should not" if printed else "")


def try_function(name: str, function: Function, seed: int = SEED) -> Verdict:
    """Run all cases of a function, which is handed in, in this process; its task's cases must be registered."""
    outcomes = tuple(outcomes_of(name, lambda case, predict: run_case(case, function, seed, predict)))
    return Verdict(name, outcomes, diagnose(name, outcomes))
