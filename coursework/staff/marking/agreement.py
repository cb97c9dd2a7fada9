"""How far two who mark the same answers agree: Cohen's kappa with quadratic weights.

Marks are a CSV file with a line for each answer: its name, its task, and the names of what it loses, with semicolons
between them, or ``nothing``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from coursework.staff.marking.guide import Part, names_in

HEADER = ["answer", "task", "loses"]
ENOUGH = 0.8
Marks = dict[str, tuple[str, frozenset[str]]]  # by the answer: its task, and what it loses


def read_marks(path: Path) -> Marks:
    """Read marks.

    Raises:
        ValueError: if the file does not have that form, or an answer is marked twice.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.reader(stream) if row]
    if not rows or rows[0] != HEADER or any(len(row) != len(HEADER) for row in rows):
        raise ValueError(f"{path}: expected a line {','.join(HEADER)} and lines of three cells, got {rows[:1]}")
    marks = {answer: (task, frozenset(names_in(lost))) for answer, task, lost in rows[1:]}
    if len(marks) < len(rows) - 1:
        raise ValueError(f"{path}: expected each answer once, got {len(rows) - 1} lines about {len(marks)} answers")
    return marks


def kappa(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the weighted kappa of two markers: 1 for the same marks, 0 for what chance would give.

    A disagreement counts by its square. Chance gives each answer of one marker the mark of any answer of the other.

    Args:
        first: the marks of one, (n,).
        second: those of the other, of the same answers.

    Raises:
        ValueError: if the numbers of marks differ, or all of them are the same, where there is nothing to tell apart.
    """
    if len(first) != len(second):
        raise ValueError(f"kappa: expected as many marks from both, got {len(first)} and {len(second)}")
    seen = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) / max(1, len(first))
    chance = sum((a - b) ** 2 for a in first for b in second) / max(1, len(first) ** 2)
    if not chance:
        raise ValueError("kappa: expected marks that are not all the same")
    return 1 - seen / chance


def compare(first: Marks, second: Marks, parts: Mapping[str, Part]) -> tuple[list[str], float]:
    """Return a table of two markers' points, with the names that only one of them has, and the kappa of the shares.

    Raises:
        ValueError: if they did not mark the same answers, or a task or a name is not in the guide.
    """
    tasks, others = ({answer: task for answer, (task, _) in marks.items()} for marks in (first, second))
    if tasks != others:
        differ = sorted(set(tasks.items()) ^ set(others.items()))
        raise ValueError(f"expected marks of the same answers, got these from one alone: {differ}")
    rows, shares = [f"{'answer':10} {'task':5} {'first':>6} {'second':>6}  one alone"], []
    for answer, task in tasks.items():
        if task not in parts or not parts[task].points:
            raise ValueError(f"{answer}: expected a task that a person marks, got {task!r}")
        lost = first[answer][1], second[answer][1]
        earned = [parts[task].earned(each) for each in lost]
        shares.append([points / parts[task].points for points in earned])
        alone = "; ".join(sorted(lost[0] ^ lost[1]))
        rows.append(f"{answer:10} {task:5} {earned[0]:6.2f} {earned[1]:6.2f}  {alone}".rstrip())
    return rows, kappa(*zip(*shares, strict=True))
