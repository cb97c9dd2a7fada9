"""The command `status`: every task with its points, and what is left to do."""

from __future__ import annotations

import argparse

from coursework.check.report import Report, check
from coursework.homework import Task, homework, path_of

NOT_SEEN = "What you prove, explain, tune and train is read by a person."


def main(args: argparse.Namespace) -> int:
    """Check all tasks and print a line for each; return 0 if nothing is left to do, else 1."""
    reports = []
    for task in homework().all_tasks:
        if not task.functions:
            print(_line(task, "?", "what you train and write: no check sees it"))
        else:
            reports.append(check(task.number))
            print(line(reports[-1]), flush=True)
    earned, points = sum(report.earned for report in reports), sum(task.points for task in homework().tasks)
    print(f"The checks give {earned} of {points} points to the code, of {homework().points} in all. {NOT_SEEN}")
    return 0 if earned == points else 1


def line(report: Report) -> str:
    """Return the line of a task: number, points, title, and what is left, file by file."""
    task = report.task
    left = []
    for status in ("wrong", "begun", "not started"):
        names = [function.name for function in report.functions if function.status == status]
        if names:
            left.append(f"{status}: {', '.join(names)}")
    unfinished = {function.name for function in report.functions if function.status != "right"}
    files = sorted({path_of(module) for module, name in task.functions if name in unfinished})
    rest = f"{'; '.join(left)} ({', '.join(files)})" if left else "done"
    return _line(task, report.earned, rest)


def _line(task: Task, earned: int | str, rest: str) -> str:
    return f"{task.number:4s} {earned} of {task.points:<2d} {task.title:36s}  {rest}"
