"""Grade a hostile submission, and check what must hold whatever it does."""

from __future__ import annotations

import contextlib
import glob
import importlib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.check.case import SEED
from coursework.check.verdict import try_function
from coursework.homework import homework
from coursework.staff.autograder import gradescope_results, student_report
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.inside.launch import fields
from coursework.staff.autograder.package import Config
from coursework.staff.autograder.rubric import maximum, share
from coursework.staff.autograder.trying import Trial
from coursework.staff.mutants.mutant import function_of
from staff.hostile.submission import Hostile

CANARY = "canary-7f3a9c"  # is in the grader's environment and in its secret, and in no output
CONFIG = Config(f"{CANARY} of the hidden seeds", pool=(186_283_571,), rounds=1)
UNSEEN = re.compile(r"[✓✗·] [\w.]+: (right in \d+ of \d+ cases(; [\w *()\[\]:+'>,.-]+)?|not started)|not graded")


@dataclass(frozen=True)
class Outcome:
    """The result of a hostile submission.

    Attributes:
        submission: the submission.
        points: what it was given.
        said: the line of the output that its pattern fits, "" if none does.
        faults: what should not have happened, a sentence each.
    """

    submission: Hostile
    points: float
    said: str
    faults: tuple[str, ...]


def attempt(submission: Hostile) -> Outcome:
    """Write a submission into a temporary folder, grade it, and check everything that must hold."""
    with tempfile.TemporaryDirectory(prefix="cs7643-hostile-") as name:
        base = Path(name)
        (base / "in").mkdir()
        handed = submission.make(base / "in")
        output = base / "results" / "results.json"
        os.environ["CS7643_CANARY"] = CANARY
        used: list[int] = []
        try:
            grade(handed, output, CONFIG, submission.limits, submission.tasks, used.append)
        finally:
            del os.environ["CS7643_CANARY"]
        text = output.read_text(encoding="utf-8")
        found = json.loads(text)
        faults = [*gradescope_results.problems(found), *_faults(found, text, used)]
        if output.is_symlink() or sorted(path.name for path in output.parent.iterdir()) != ["results.json"]:
            faults.append("there are other files next to results.json, or it is a link")
    points = student_report.points(found)
    earned = submission.points if submission.points is not None else earned_by(submission)
    if abs(points - earned) > 1e-3:
        faults.append(f"it was given {points:g} points, and has earned {earned:g}")
    lines = "\n".join([found.get("output", ""), *(test["output"] for test in found["tests"])]).splitlines()
    said = next((line for line in lines if re.search(submission.says, line)), "")
    if not said:
        faults.append(f"nothing in the output says {submission.says!r}")
    return Outcome(submission, points, said.strip(), tuple(faults))


def earned_by(submission: Hostile) -> float:
    """Return the points of a mutant, worked out in this process with its function in place of the right one."""
    mutant = submission.mutant
    assert mutant is not None
    task, seeds = homework().task(mutant.task), (SEED, *CONFIG.pool)
    importlib.import_module(task.cases)
    trial = Trial(mutant.function, mutant.module, seeds)
    for seed in seeds:
        trial.outcomes[seed] = list(try_function(mutant.function, function_of(mutant), seed).outcomes)
    others = {name: 1.0 for _, name in task.functions}
    parts = [
        maximum(task, visible) * share(task, {**others, mutant.function: trial.fraction(visible)})
        for visible in (True, False)
    ]
    return sum(parts)


def _faults(found: dict[str, Any], text: str, used: list[int]) -> list[str]:
    faults = []
    secrets = [CANARY, *map(str, CONFIG.pool)]
    if any(secret in text for secret in secrets):
        faults.append("a secret of the grader is in the output")
    if re.search("FOUND|WROTE|REACHED", text):
        faults.append("it found, wrote or reached what it should not")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text) or re.search(r"\\u00[01]", text):
        faults.append("there are control characters in the output")
    for test in found["tests"]:
        hidden = test.get("tags", [""])[0] == "hidden"
        if hidden and not all(UNSEEN.fullmatch(line) for line in test["output"].splitlines()):
            faults.append(f"a hidden test says more than it should: {test['output']!r}")
    if not found["extra_data"]["finished"]:
        faults.append("the grading was not completed: " + found["tests"][-1]["output"])
    left = [pid for user in used for pid in threads(user)]
    if left:
        faults.append(f"{len(left)} threads were left running")
    return faults


def threads(user: int) -> list[int]:
    """Return the threads of a user that live, by the numbers of their processes."""
    found = []
    for path in glob.iglob("/proc/[0-9]*/task/*/status"):  # Path.glob fails where a process ends meanwhile
        with contextlib.suppress(OSError):
            each = fields(path)
            if int(each[b"Uid"]) == user and each[b"State"] not in b"ZX":
                found.append(int(path.split("/")[2]))
    return found
