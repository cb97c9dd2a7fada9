"""What the grader sends to a worker and gets back, besides numbers, texts, arrays and functions.

A homework whose functions take objects of its own, or return some, names a package in the table tool.coursework of
pyproject.toml, ``wire = "package"``. Its module ``grader`` has a class ``Grader``, a :class:`Wire`; its module
``worker`` a class ``Worker``, a :class:`~coursework.staff.autograder.inside.ends.End`, which runs in the process of
the student's code.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

from coursework.homework import Task, setting
from coursework.staff.autograder.inside.protocol import Special


class Wire:
    """The grader's end, for a homework with plain values only."""

    def group(self, task: Task) -> str:
        """Return a word that is the same for tasks that share a worker; "" for a task with a worker of its own."""
        return ""

    def stand_in(self, remote: Any, module: str, name: str) -> Callable[..., Any] | None:
        """Return what stands for a function in the grader; None for the usual stand-in."""
        return None

    def outward(self, name: str, value: Any) -> Special | None:
        """Return how an argument of a function is sent; None for the usual way."""
        return None

    def kinds(self, name: str) -> frozenset[str]:
        """Return the kinds of special values that a function may return."""
        return frozenset()

    def inward(self, special: Special, inward: Callable[[Any], Any]) -> Any:
        """Return what a special value of these kinds stands for.

        Args:
            special: the value.
            inward: does the same for its parts.
        """
        return special


@functools.cache
def wire() -> Wire:
    """Return the grader's end that this homework names, or the plain one."""
    package = setting("wire")
    found: Wire = importlib.import_module(f"{package}.grader").Grader() if package else Wire()
    return found
