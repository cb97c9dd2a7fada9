"""Functions that are to be differentiated, as lists of operations: recorded by the grader, run by the worker.

A dual number, or a variable on a tape, is an object of the worker's process, so the function must run there. The grader
records it once, by calling it with an object that notes every operation; the worker replays the operations on the
arguments that the student's code passes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from coursework.staff.autograder.inside.protocol import Special

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "matmul": operator.matmul,
    "negative": operator.neg,
    "getitem": operator.getitem,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
}


class Recorder(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for the input, or for a result, and notes every operation in a list that all results share."""

    def __init__(self, steps: list[tuple[Any, ...]], place: int) -> None:
        """Refer to the value at this place: 0 is the input, k the result of step k."""
        self.steps, self.place = steps, place

    def note(self, name: str, *arguments: Any) -> Recorder:
        """Note an operation and return what stands for its result."""
        if name not in OPERATIONS:
            raise ValueError(f"programs: {name} is not among the operations that the worker knows")
        self.steps.append((name, *map(_reference, arguments)))
        return Recorder(self.steps, len(self.steps))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Recorder:
        """Note a function of NumPy, and an operator, which NumPy makes a function of."""
        return self.note(ufunc.__name__, *inputs)

    def __getitem__(self, key: int) -> Recorder:
        return self.note("getitem", self, key)


def _reference(value: Any) -> Any:
    if isinstance(value, Recorder):
        return Special("ref", (value.place,))
    return tuple(map(_reference, value)) if isinstance(value, tuple) else value


def record(function: Callable[[Any], Any]) -> Special:
    """Return a function of one argument as a program.

    Raises:
        ValueError: if it does something that a program cannot.
    """
    steps: list[tuple[Any, ...]] = []
    output = _reference(function(Recorder(steps, 0)))
    return Special("program", (tuple(steps), output))


def replay(program: Special) -> Callable[[Any], Any]:
    """Return the function that does what was recorded."""
    steps, output = program.parts

    def run(w: Any) -> Any:
        values = [w]

        def look_up(value: Any) -> Any:
            if isinstance(value, Special):
                return values[value.parts[0]]
            return tuple(map(look_up, value)) if isinstance(value, tuple) else value

        for name, *arguments in steps:
            values.append(OPERATIONS[name](*map(look_up, arguments)))
        return look_up(output)

    return run
