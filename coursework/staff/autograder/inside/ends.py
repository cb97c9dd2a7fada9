"""The worker's end of the wire, for a homework with plain values only; see :mod:`coursework.staff.autograder.wire`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coursework.staff.autograder.inside.protocol import Special


class End:
    """Makes objects of what comes, and sends them by their parts."""

    def prepare(self, module: str, name: str) -> None:
        """Do what is needed before a function is imported."""

    def argument(self, special: Special) -> Any:
        """Return the object that a special value stands for."""
        raise ValueError(f"worker: an argument of no kind, {special.kind}")

    def outward(self, value: Any) -> Any:
        """Return a value as it is sent."""
        return value

    def answer(self, function: Callable[..., Any], what: str, *parts: Any) -> Any:
        """Return the answer to a request other than a call."""
        raise ValueError(f"worker: a request of no kind, {what}")
