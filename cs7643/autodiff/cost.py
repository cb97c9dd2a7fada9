"""The cost of a Jacobian in either mode, counted in operations on a real tape, and the memory that the tape needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs7643.autodiff.operators import plain
from cs7643.autodiff.reverse import Tape, Variable, record


@dataclass(frozen=True)
class Cost:
    """The number of operations that a Jacobian takes.

    Attributes:
        inputs: n, the number of sweeps of forward mode.
        outputs: m, the number of sweeps of reverse mode.
        evaluation: the operations of the function itself.
        forward: those of forward mode: n times the function, each operation with its tangent.
        reverse: those of reverse mode: the function once, and m sweeps over what each output depends on.
    """

    inputs: int
    outputs: int
    evaluation: int
    forward: int
    reverse: int


def cost(f: Callable[[Any], Any], w: ArrayLike) -> Cost:
    """Record f at w, (n,), sweep back from each of its outputs, and count."""
    x, ys = record(f, np.asarray(w, dtype=np.float64))
    tape = x.tape
    swept = 0
    for y in ys:
        if isinstance(y, Variable):
            swept += sum(adjoint is not None for adjoint in tape.sweep(y.place, 1.0)) - 1  # without the input
    operations = len(tape) - 1
    return Cost(len(x), len(ys), operations, 2 * len(x) * operations, operations + swept)


def numbers_kept(tape: Tape) -> int:
    """Return how many numbers a tape holds: all inputs and all results."""
    return sum(int(np.size(plain(result))) for _, result, _, _ in tape.records)
