"""How the points of a task are divided: between a program and a person, visible and hidden cases, and functions."""

from __future__ import annotations

from collections.abc import Mapping

from coursework.homework import Task, homework


def by_person() -> list[tuple[Task, float, str]]:
    """Return what a person grades: the task, the points, and what for."""
    rows = [(task, task.points - task.program_points, task.by_person) for task in homework().all_tasks]
    return [row for row in rows if row[1]]


def by_program() -> float:
    """Return how many points a program can give."""
    return sum(task.program_points for task in homework().all_tasks)


def judged() -> tuple[Task, ...]:
    """Return the tasks that a program grades without cases."""
    return tuple(task for task in homework().all_tasks if task.program_points and not task.functions)


def share(task: Task, fractions: Mapping[str, float]) -> float:
    """Return the part of a task's points that is earned.

    Args:
        task: the task.
        fractions: for each of its functions, the part of its cases that count, from 0 to 1.
    """
    weights = {name: homework().weights.get(name, 1) for _, name in task.functions}
    earned = sum(weights[name] * fractions.get(name, 0.0) for name in weights)
    return earned / sum(weights.values())


def maximum(task: Task, visible: bool) -> float:
    """Return the points of the visible or of the hidden part of a task.

    The visible part is for the cases that a student has, the rest for the same cases on inputs drawn anew.
    """
    part = homework().visible
    return round(task.program_points * (part if visible else 1 - part), 6)
