"""The rubric: the one table of what gives how many of the 41 points, and who gives them.

A task's points are those of the table of tasks; here stands how many of them a program gives. The rest a person gives,
for what stands in hw1.pdf. Of the program's part, ``VISIBLE`` is for the cases that a student has, and the rest for the
same cases on inputs drawn anew. It is divided among the functions of a task by their weights, and among the cases of a
function evenly.
"""

from __future__ import annotations

from dataclasses import dataclass

from cs7643.homework import TASKS, Task, all_tasks

TOTAL = 41
VISIBLE = 0.4
CHANCE, STAFF = 5.0, 5.0  # points of 6.7: for more than chance, and for more than the staff's model


@dataclass(frozen=True)
class Row:
    """A row of the rubric: the points that a program gives, and what a person grades."""

    program: float
    person: str = ""


RUBRIC = {
    "1": Row(1, "the derivation"),
    "2": Row(1, "the proof"),
    "3": Row(1, "the proof"),
    "4": Row(1, "the argument"),
    "5a": Row(0.5, "the drawn graph"),
    "5b": Row(1),
    "5c": Row(1),
    "5d": Row(1),
    "6.1": Row(2, "the tuned network, its curves and filters"),
    "6.2": Row(5),
    "6.3": Row(0, "the trained ConvNet, its settings and filters"),
    "6.4": Row(1, "the run of the linear classifier, its curves and filters"),
    "6.5": Row(1, "the run of the two-layer network, its curves and filters"),
    "6.6": Row(1, "the run of the ConvNet, its curves and filters"),
    "6.7": Row(CHANCE + STAFF),
}
WEIGHTS = {"two_layer_net": 3, "conv_forward_naive": 2, "conv_backward_naive": 2, "max_pool_backward_naive": 2}


def by_person() -> list[tuple[Task, float, str]]:
    """Return what a person grades: the task, the points, and what for."""
    rows = [(task, task.points - RUBRIC[task.number].program, RUBRIC[task.number].person) for task in all_tasks()]
    return [row for row in rows if row[1]]


def by_program() -> float:
    """Return how many points a program can give."""
    return sum(row.program for row in RUBRIC.values())


def share(task: Task, fractions: dict[str, float]) -> float:
    """Return the part of a task's points that is earned.

    Args:
        task: the task.
        fractions: for each of its functions, the part of its cases that count, from 0 to 1.
    """
    weights = {name: WEIGHTS.get(name, 1) for _, name in task.functions}
    earned = sum(weights[name] * fractions.get(name, 0.0) for name in weights)
    return earned / sum(weights.values())


def maximum(task: Task, visible: bool) -> float:
    """Return the points of the visible or of the hidden part of a task."""
    points = RUBRIC[task.number].program
    return round(points * (VISIBLE if visible else 1 - VISIBLE), 6)


assert sum(task.points for task in all_tasks()) == TOTAL
assert {task.number for task in all_tasks()} == set(RUBRIC)
assert all(task.points >= RUBRIC[task.number].program for task in all_tasks())
assert all(RUBRIC[task.number].program for task in TASKS)
