"""Grade one submission: results.json holds zeros first, then what was earned, and is valid whatever the code does."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from coursework.staff.autograder import gradescope_results, intake, seeds, student_report
from coursework.staff.autograder.judging import Judgement, judge
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config, clean_package
from coursework.staff.autograder.rubric import judged
from coursework.staff.autograder.sandbox import Arena
from coursework.staff.autograder.trying import Trial, groups, try_tasks
from coursework.staff.autograder.unusual import unusual

UNFINISHED = "The grading was not completed. Hand in again; if this message stays, tell the staff."


def grade(
    submission: Path,
    output: Path,
    config: Config,
    limits: Limits | None = None,
    tasks: Sequence[str] | None = None,
    tell_user: Callable[[int], None] = lambda _: None,
    taken: intake.Submission | None = None,
) -> dict[str, Any]:
    """Grade a submission and write results.json.

    Args:
        submission: a folder or a zip.
        output: results.json, which is first written with zeros.
        config: the seeds, and what the judge needs.
        limits: what a worker may use.
        tasks: the numbers of the tasks to grade; all of them when not given.
        tell_user: is called with the user id of the workers, if they have one of their own.
        taken: what was taken from the submission, if that is done.

    Returns:
        The document.
    """
    start, limits = time.monotonic(), limits or Limits()
    gradescope_results.write(output, student_report.zeros(UNFINISHED))
    trials: dict[str, dict[str, Trial]] = {}
    judgements: dict[str, Judgement] = {}
    staff: list[str] = []
    taken, finished, ready = intake.Submission(), False, taken
    try:
        taken = ready or intake.take(submission)
        place = submission.resolve()
        with Arena(limits, (place, place.parent, output.resolve().parent)) as arena:
            if arena.user is not None:
                tell_user(arena.user)
            shown = seeds.chosen(config, taken.files)
            for group in groups(tasks):
                began = time.monotonic()
                trials |= try_tasks(group, taken.files, arena, shown, start + limits.total)
                numbers = ", ".join(task.number for task in group)
                staff.append(f"{numbers}: {time.monotonic() - began:.1f} s")
            staff = ["; ".join(staff), *arena.missing, *unusual(taken.files, clean_package())]
        for task in judged():
            if tasks is None or task.number in tasks:
                judgements[task.number] = judge(task.number, taken.loose, config.facts)
                staff += filter(None, [judgements[task.number].staff])
        finished = True
    except Exception:  # our own fault: the results so far count, and the staff is told
        staff.append("the grader itself failed:\n" + traceback.format_exc()[-2000:])
        taken.note(UNFINISHED)
    found = student_report.build(
        trials, judgements, taken.notes, staff, time.monotonic() - start, intake.name_of(taken), finished, config.items
    )
    gradescope_results.write(output, found)
    return found
