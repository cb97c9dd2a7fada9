"""The command `status`: every task with its points, and what is left to do."""

from __future__ import annotations

import argparse

from coursework.check.report import Report, check
from coursework.homework import Task, homework, path_of


def main(args: argparse.Namespace) -> int:
    """Check all tasks and print a line for each; return 0 if nothing is left to do, else 1."""
    reports = []
    for task in homework().all_tasks:
        if not task.functions:
            print(_line(task, "?", task.marked or "graded from what you hand in"))
        else:
            reports.append(check(task.number))
            print(line(reports[-1]), flush=True)
    earned, points = sum(report.earned for report in reports), sum(task.program_points for task in homework().tasks)
    whole = homework().points
    print(f"The code earns {earned:g} of the {points:g} points that checks give.")
    print(
        f"The other {whole - points:g} of {whole} are for what you prove, explain, tune and train: no check sees that."
    )
    return 0 if earned == points else 1


def line(report: Report) -> str:
    """Return the line of a task: number, points, title, and what is left, file by file."""
    task = report.task
    names = {
        status: [function.name for function in report.functions if function.status == status]
        for status in ("wrong", "begun", "not started")
    }
    left = [f"{status}: {', '.join(each)}" for status, each in names.items() if each]
    files = sorted({path_of(module) for module, name in task.functions if any(name in each for each in names.values())})
    rest = f"{'; '.join(left)} ({', '.join(files)})" if left else "the code is right"
    return _line(task, f"{report.earned:g}", f"{rest}; {task.marked}" if task.by_person else rest)


def _line(task: Task, earned: str, rest: str) -> str:
    points = task.program_points or task.points
    return f"{task.number:4s} {earned:>3s} of {points:<3g} {task.title:36s}  {rest}"
