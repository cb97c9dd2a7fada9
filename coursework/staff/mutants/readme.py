"""README.md of the mutants: their results as a page."""

from __future__ import annotations

from collections.abc import Sequence

from coursework.homework import homework
from coursework.staff.mutants.attempt import Trial
from coursework.staff.mutants.automatic import Tally
from coursework.staff.mutants.seeds import Alarms

INTRODUCTION = """# Wrong solutions, and what the checks say to them

Written by `python -m staff.mutants` (half an hour on two cores; it goes on where it was stopped).
`python -m staff.mutants table` tries the mutants alone, in seconds; `seeds` tries the solution on other inputs, and
`automatic` goes through every small change.

- A **mutant** is the solution with one small edit, as a student might write it. Each is checked as the student's code
  is: all cases of its function, on the inputs that a student sees. *Killed by* names the first case that fails, and
  *diagnosis* is the mistake that the message names, from the outputs alone.
- No task's check calls what a student writes for another task. A test shows it: with the whole
  solution of any one task taken out, the checks of all the others stay as they were.
- The known mistakes and the mutants were written by the same people, so the share of right diagnoses says how well the
  known mistakes are distinguished, not how often a student's mistake is a known one.
"""


def write(trials: Sequence[Trial], pairs: Sequence[tuple[bool, bool]], tallies: Sequence[Tally], alarms: Alarms) -> str:
    """Return the text of the page."""
    first = [trial for trial in trials if not trial.mutant.style]
    parts = (_summary(first, alarms), styles(trials, pairs), _mutants(first), _automatic(tallies))
    return "\n".join([INTRODUCTION, *(line for part in parts for line in part)]) + "\n"


def styles(trials: Sequence[Trial], pairs: Sequence[tuple[bool, bool]]) -> list[str]:
    """Return the lines on the solutions of all styles, and on two mistakes at once."""
    head = ("solution", "mutants", "killed", "right diagnosis")
    lines = ["## Solutions in other styles", "", _row(*head), _row(*["---"] * len(head))]
    for style in dict.fromkeys(trial.mutant.style for trial in trials):
        own = [trial for trial in trials if trial.mutant.style == style]
        named = sum(trial.named for trial in own)
        found = sum(trial.found for trial in own)
        lines.append(_row(style or "the first", len(own), found, f"{named} ({_percent(named, len(own))})"))
    one, both = (sum(each[k] for each in pairs) for k in (0, 1))
    text = f"Two mistakes at once: in {one} of {len(pairs)} pairs one of them is named first, in {both} both are named."
    return [*lines, "", text, ""]


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _summary(trials: Sequence[Trial], alarms: Alarms) -> list[str]:
    lines = ["## In short", "", _row("task", "mutants", "killed", "right diagnosis"), _row(*["---"] * 4)]
    for number in (*(task.number for task in homework().tasks), "all"):
        own = [trial for trial in trials if number in (trial.mutant.task, "all")]
        found, named = sum(trial.found for trial in own), sum(trial.named for trial in own)
        lines.append(_row(number, len(own), found, f"{named} ({_percent(named, len(own))})"))
    return [
        *lines,
        "",
        f"The solution on {alarms.seeds} seeds of fresh inputs: {alarms.cases:,} cases, "
        f"{len(alarms.alarms)} false alarms.",
        "",
    ]


def _mutants(trials: Sequence[Trial]) -> list[str]:
    head = ("task", "function", "mistake", "killed by", "diagnosis given", "right")
    lines = ["## The mutants", "", _row(*head), _row(*["---"] * len(head))]
    for trial in trials:
        wrong = next((outcome.title for outcome in trial.verdict.outcomes if outcome.status == "wrong"), "nothing")
        given = ", ".join(trial.verdict.diagnosis.mistakes) or "none"
        mutant = trial.mutant
        right = "yes" if trial.named else f"no: {mutant.mistake}"
        lines.append(_row(mutant.task, f"`{mutant.function}`", mutant.name, wrong, given, right))
    return [*lines, ""]


def _automatic(tallies: Sequence[Tally]) -> list[str]:
    head = ("task", "changes", "killed", "survived", "of these equivalent", "killed of those that matter")
    lines = [
        "## Every small change",
        "",
        "cosmic-ray exchanges operators, comparisons, numbers and truth values, negates conditions and empties loops,",
        "everywhere inside the solutions; each change is tried on its own task's check, `check TASK`.",
        "",
        _row(*head),
        _row(*["---"] * len(head)),
    ]
    for tally in (*tallies, _total(tallies)):
        survived, equivalent = len(tally.survivors), tally.equivalent
        killed = tally.done - survived
        lines.append(
            _row(
                tally.task,
                f"{tally.done} of {tally.changes}",
                f"{killed} ({_percent(killed, tally.done)})",
                survived,
                equivalent,
                _percent(killed, tally.done - equivalent),
            )
        )
    lines += ["", "The survivors, and why they make no difference:", "", _row("task", "before", "after", "reason")]
    lines.append(_row(*["---"] * 4))
    for tally in tallies:
        for survivor in tally.survivors:
            reason = survivor.reason or "none is known: the check has a hole"
            lines.append(_row(survivor.task, f"`{survivor.before}`", f"`{survivor.after}`", reason))
    return lines


def _total(tallies: Sequence[Tally]) -> Tally:
    survivors = tuple(survivor for tally in tallies for survivor in tally.survivors)
    return Tally("all", sum(tally.changes for tally in tallies), sum(tally.done for tally in tallies), survivors)
