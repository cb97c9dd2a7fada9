"""Tasks that are graded without cases, from a file that is handed in: by a module of the homework.

pyproject.toml names it, ``[tool.coursework] judge = "module"``. It has ``arguments(parser)``, which declares what the
commands take for it, ``facts(args)``, which returns what an autograder keeps of that (as JSON holds it), and
``judge(number, files, facts)``, which returns a :class:`Judgement` on a task.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coursework.homework import setting


@dataclass(frozen=True)
class Judgement:
    """The result of a task that is graded without cases.

    Attributes:
        score: the points.
        text: what the student reads.
        board: a name and a figure for the leaderboard.
        staff: a remark for the staff.
        counts: False where the staff gives the points later.
    """

    score: float
    text: str
    board: tuple[str, float] | None = None
    staff: str = ""
    counts: bool = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the homework's judge needs."""
    if setting("judge"):
        _judge().arguments(parser)


def facts(args: argparse.Namespace) -> dict[str, Any]:
    """Return what an autograder keeps for the judge.

    Raises:
        ValueError: if an option does not fit.
    """
    return dict(_judge().facts(args)) if setting("judge") else {}


def judge(number: str, files: Mapping[str, bytes], known: Mapping[str, Any]) -> Judgement:
    """Judge a task.

    Args:
        number: of the task.
        files: the loose files of the submission, by their paths.
        known: the facts.
    """
    found: Judgement = _judge().judge(number, files, known)
    return found


def _judge() -> Any:
    return importlib.import_module(setting("judge"))
