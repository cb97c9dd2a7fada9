"""Grade one submission: results.json holds zeros first, then what was earned, and is valid whatever the code does."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coursework.check.case import SEED
from coursework.staff.autograder import gradescope_results, intake, student_report
from coursework.staff.autograder.judging import Judgement, judge
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config
from coursework.staff.autograder.rubric import judged
from coursework.staff.autograder.sandbox import Arena
from coursework.staff.autograder.trying import Trial, groups, try_tasks

UNFINISHED = "The grading was not completed. Hand in again; if this message stays, tell the staff."


def seeds_of(config: Config) -> tuple[int, ...]:
    """Return the seed of the cases that students have, then the hidden seeds."""
    digests = [hashlib.sha256(f"{config.secret} {k}".encode()).digest() for k in range(config.rounds)]
    return (SEED, *(1 + int.from_bytes(digest[:6], "big") for digest in digests))


def grade(
    submission: Path,
    output: Path,
    config: Config,
    limits: Limits | None = None,
    tasks: Sequence[str] | None = None,
    tell_user: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """Grade a submission and write results.json.

    Args:
        submission: a folder or a zip.
        output: results.json, which is first written with zeros.
        config: the seeds, and what the judge needs.
        limits: what a worker may use.
        tasks: the numbers of the tasks to grade; all of them when not given.
        tell_user: is called with the user id of the workers, if they have one of their own.

    Returns:
        The document.
    """
    start, limits = time.monotonic(), limits or Limits()
    gradescope_results.write(output, student_report.zeros(UNFINISHED))
    trials: dict[str, dict[str, Trial]] = {}
    judgements: dict[str, Judgement] = {}
    staff: list[str] = []
    taken, finished = intake.Submission(), False
    try:
        taken = intake.take(submission)
        place = submission.resolve()
        with Arena(limits, (place, place.parent, output.resolve().parent)) as arena:
            if arena.user is not None:
                tell_user(arena.user)
            for group in groups(tasks):
                began = time.monotonic()
                trials |= try_tasks(group, taken.files, arena, seeds_of(config), start + limits.total)
                numbers = ", ".join(task.number for task in group)
                staff.append(f"{numbers}: {time.monotonic() - began:.1f} s")
            staff = ["; ".join(staff), *arena.missing]
        for task in judged():
            if tasks is None or task.number in tasks:
                judgements[task.number] = judge(task.number, taken.loose, config.facts)
                staff += filter(None, [judgements[task.number].staff])
        finished = True
    except Exception:  # our own fault: the results so far count, and the staff is told
        staff.append("the grader itself failed:\n" + traceback.format_exc()[-2000:])
        taken.note(UNFINISHED)
    found = student_report.build(
        trials, judgements, taken.notes, staff, time.monotonic() - start, intake.name_of(taken), finished
    )
    gradescope_results.write(output, found)
    return found
