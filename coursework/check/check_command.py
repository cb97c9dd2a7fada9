"""The command `check`: the checks in a terminal."""

from __future__ import annotations

import argparse
import json
import re
import sys

from coursework.check.report import check
from coursework.homework import homework


def tasks_of(words: list[str]) -> list[str]:
    """Put in the place of a whole problem its tasks; 6_2, 5A and "problem 5" are understood, too."""
    numbers = {number.replace(".", "").lower(): number for number in (task.number for task in homework().tasks)}
    words = [word for word in words if word.lower() not in ("problem", "task")]
    words = [numbers.get(re.sub(r"[._-]", "", word).lower(), word) for word in words]
    problems = {str(problem.number): problem.tasks for problem in homework().problems}
    chosen = {word: [task.number for task in problems.get(word, ()) if task.functions] for word in words}
    return [number for word in words for number in chosen[word] or [word]]


def main(args: argparse.Namespace) -> int:
    """Run the checks, print what came of them, and return 0 if all is right, 1 if not, 2 for an unknown name."""
    reports = []
    everything = args.all or not args.what
    for what in [task.number for task in homework().tasks] if everything else tasks_of(args.what):
        try:
            reports.append(check(what, seed=args.seed))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        if not args.json:
            print(reports[-1], flush=True)
    if args.json:
        print(json.dumps({"checks": [report.as_dict() for report in reports]}, indent=2))
    elif everything:
        done = sum(report.passed for report in reports)
        print(f"\n{done} of {len(reports)} tasks are right. `status` has a line for each, `hint FUNCTION` helps.")
    return 0 if all(report.passed for report in reports) else 1
