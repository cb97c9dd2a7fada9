"""What came of all cases of one function."""

from __future__ import annotations

from dataclasses import dataclass, field

from coursework.check.case import CASES, IMPORT, SEED, Function, Outcome, run_case
from coursework.check.diagnosis import Diagnosis, diagnose
from coursework.homework import homework


@dataclass(frozen=True)
class Verdict:
    """The outcomes of the cases of a function, one after another, and the mistake that they point to."""

    name: str
    outcomes: tuple[Outcome, ...]
    diagnosis: Diagnosis = field(default_factory=Diagnosis)

    @property
    def status(self) -> str:
        """Return "right", "wrong" or "not started"."""
        statuses = {outcome.status for outcome in self.outcomes}
        return "right" if statuses == {"right"} else "not started" if statuses == {"not started"} else "wrong"

    @property
    def hint(self) -> str:
        """Say how to get a hint; "" where the file cannot be imported, for which there is none."""
        if any(outcome.title == IMPORT for outcome in self.outcomes):
            return ""
        return f"A hint: hint({self.name!r}, 1), or python -m {homework().package} hint {self.name}"

    @property
    def summary(self) -> str:
        """Return the status and in how many cases it is so, and what the function prints."""
        count, cases = sum(outcome.status == self.status for outcome in self.outcomes), len(self.outcomes)
        text = self.status
        if self.status != "not started":
            text += f" in {count} of {cases} case{'s' * (cases != 1)}"
        printed = next((outcome.printed for outcome in self.outcomes if outcome.printed), "")
        return text + (f"; it prints {printed.splitlines()[0]!r}, which it should not" if printed else "")


def try_function(name: str, function: Function, seed: int = SEED) -> Verdict:
    """Run all cases of a function, which is handed in, in this process; its task's cases must be registered."""
    outcomes = tuple(run_case(case, function, seed) for case in CASES if case.function == name)
    return Verdict(name, outcomes, diagnose(name, outcomes))
