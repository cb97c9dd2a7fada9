"""The contents of results.json: what the student reads now, what is shown later, and what only the staff sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coursework.check.case import SEED, cases_of
from coursework.check.report import MARKS, findings
from coursework.homework import Task, homework
from coursework.staff.autograder.gradescope_results import clean
from coursework.staff.autograder.judging import Judgement
from coursework.staff.autograder.rubric import by_person, judged, maximum, share
from coursework.staff.autograder.trying import Trial

NOT_GRADED = "not graded"
HIDDEN = "after_published"
INPUTS = "the cases of `make check`"
OTHERS = "the same cases on inputs drawn anew"


def build(
    trials: Mapping[str, Mapping[str, Trial]],
    judgements: Mapping[str, Judgement],
    notes: Sequence[str],
    staff: Sequence[str],
    seconds: float,
    person: str = "",
    finished: bool = True,
    items: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Return the document.

    Args:
        trials: for each task that was graded, by number, its functions; a task that is missing has no points.
        judgements: the judgements on the tasks without cases that were graded, by number.
        notes: what the student should know about the submission, a sentence each.
        staff: what the staff should know.
        seconds: how long it took.
        person: who hands in.
        finished: whether the grading was completed.
        items: for each task that a person marks, the items of the marking guide.
    """
    tests = [test for task in homework().tasks for test in _tests(task, trials.get(task.number))]
    tests += [_judged(task, judgements.get(task.number)) for task in judged()]
    rows = [f"{task.number} {task.title}: {points:g} for {what}" for task, points, what in by_person()]
    total = sum(points for _, points, _ in by_person())
    tests.append(_plain("What a person grades", [f"{total:g} points, for the contents of {homework().pdf}:", *rows]))
    named = [f"{number}: {', '.join(each)}" for number, each in (items or {}).items()]
    if named:
        tests.append({**_plain("What a person grades, item by item", named), "visibility": HIDDEN})
    lost = {trial.name: trial.lost for trial in _all(trials) if trial.lost}
    lines = [*staff, *(f"{name}: worker lost, {why}" for name, why in lost.items())]
    lines += [
        f"{trial.name}: right on the inputs that students have, and not on others, in: {', '.join(alone)}"
        for trial in _all(trials)
        if (alone := sorted(trial.right(visible=True) - trial.right(visible=False)))
    ]
    tests.append({**_plain("For the staff", lines or ["nothing to report"]), "visibility": "hidden"})
    said = f"A program gives {most({'tests': tests}):g} of the {homework().points} points, a person {total:g}."
    document: dict[str, Any] = {
        "execution_time": round(seconds, 2),
        "output": clean("\n".join([*notes, said])),
        "output_format": "text",
        "stdout_visibility": "hidden",
        "visibility": "visible",
        "tests": tests,
        "extra_data": {
            "finished": finished,
            "person": clean(person, 100),
            "mistakes": mistakes(trials),
            "cases": first_cases(trials),
            "lost": lost,
        },
    }
    boards = [judgement.board for judgement in judgements.values() if judgement.board]
    if boards:
        document["leaderboard"] = [{"name": name, "value": round(value, 4), "order": "desc"} for name, value in boards]
    return document


def zeros(why: str) -> dict[str, Any]:
    """Return the document that is there until the grading has one."""
    return build({}, {}, [why], [why], 0.0, finished=False)


def mistakes(trials: Mapping[str, Mapping[str, Trial]]) -> dict[str, str]:
    """Return the name of the mistake that each function shows, for those that have one."""
    found = {}
    for trial in _all(trials):
        verdicts = (trial.verdict(SEED), trial.hidden_verdict)
        verdict = next((verdict for verdict in verdicts if verdict.status != "right"), None)
        if verdict is not None:
            found[trial.name] = trial.lost or verdict.diagnosis.mistake or verdict.status
    return found


def first_cases(trials: Mapping[str, Mapping[str, Trial]]) -> dict[str, list[str]]:
    """Return the title and the message of the first case of `make check` that each function fails, if there is one."""
    wrong = {trial.name: trial.verdict(SEED).wrong for trial in _all(trials)}
    return {name: [clean(found[0].title, 200), clean(found[0].message, 500)] for name, found in wrong.items() if found}


def _all(trials: Mapping[str, Mapping[str, Trial]]) -> list[Trial]:
    return [trial for functions in trials.values() for trial in functions.values()]


def _plain(name: str, lines: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "output": clean("\n".join(lines)), "output_format": "text", "visibility": "visible"}


def _tests(task: Task, trials: Mapping[str, Trial] | None) -> Iterator[dict[str, Any]]:
    """Yield the two tests of a task, of which the second is shown when grades are."""
    for number, inputs, visible in ((1, INPUTS, True), (2, OTHERS, False)):
        part, lines, describe = 0.0, [NOT_GRADED], _seen if visible else _unseen
        if trials is not None:
            part = share(task, {name: trial.fraction(visible) for name, trial in trials.items()})
            lines = [line for trial in trials.values() for line in describe(trial)]
        yield {
            **_plain(f"{task.number} {task.title}: {inputs}", lines),
            "number": f"{task.number}.{number}",
            **_scored(maximum(task, visible) * part, maximum(task, visible)),
            "tags": ["visible" if visible else "hidden", f"task {task.number}"],
            "visibility": "visible" if visible else HIDDEN,
        }


def _scored(score: float, maximal: float) -> dict[str, Any]:
    status = "passed" if score == maximal else "failed"
    return {"score": maximal if score == maximal else round(score, 4), "max_score": maximal, "status": status}


def _seen(trial: Trial) -> list[str]:
    """Report a function on the student's inputs, as the checks do."""
    verdict = trial.verdict(SEED)
    lines = [f"{MARKS[verdict.status]} {trial.name}: {verdict.summary}"]
    found = findings(
        outcome
        for outcome in verdict.outcomes
        if outcome.status == "wrong" or outcome.message.endswith("not in the submission")
    )
    if found:
        lines += [f"    {verdict.diagnosis.sentence}"] if verdict.diagnosis.sentence else []
        lines += [f"    {titles}: {clean(message, 500)}" for titles, message in found]
    if verdict.status == "wrong" and verdict.hint:
        lines.append(f"    {verdict.hint}")
    return lines


def _unseen(trial: Trial) -> list[str]:
    """Say how many cases are right on hidden inputs, and what kind of mistake the others show; no input, no value."""
    count, right = len(cases_of(trial.name)), len(trial.right(visible=False))
    if right == count:
        return [f"{MARKS['right']} {trial.name}: right in {right} of {count} cases"]
    verdict = trial.hidden_verdict
    if verdict.status == "not started":
        return [f"{MARKS['not started']} {trial.name}: not started"]
    kind = trial.lost or verdict.diagnosis.mistake
    return [f"{MARKS['wrong']} {trial.name}: right in {right} of {count} cases" + (f"; {kind}" if kind else "")]


def _judged(task: Task, judgement: Judgement | None) -> dict[str, Any]:
    judgement = judgement or Judgement(0.0, NOT_GRADED)
    test = {**_plain(f"{task.number} {task.title}", [judgement.text]), "number": task.number}
    return {**test, **_scored(judgement.score, task.program_points)} if judgement.counts else test


def points(document: Mapping[str, Any]) -> float:
    """Return the sum of all scores in a document."""
    return round(float(sum(test.get("score", 0.0) for test in document["tests"])), 4)


def most(document: Mapping[str, Any]) -> float:
    """Return the highest sum of scores that a document could have."""
    return round(float(sum(test.get("max_score", 0.0) for test in document["tests"])), 4)
