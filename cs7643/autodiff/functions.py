"""The functions of problem 5, written once, for floats, arrays, dual numbers and variables on a tape.

They call NumPy's functions, and :func:`~cs7643.autodiff.primitives.sigmoid`, which NumPy lacks. Each of these is a
row of the table of primitives, so all modes of differentiation share them. A function of :mod:`math` would take numbers
only.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

from typing import Any

from cs7643.autodiff.primitives import exp, sigmoid, sin


def f1(w1: Any, w2: Any) -> Any:
    """Return exp(e^w1 + e^(2 w2)) + sin(e^w1 + e^(2 w2))."""
    # BEGIN SOLUTION 5a f1
    inner = exp(w1) + exp(2.0 * w2)
    return exp(inner) + sin(inner)
    # END SOLUTION


def f1_as_typeset(w1: Any, w2: Any) -> Any:
    """Return exp(w1 + e^(2 w2)) + sin(e^w1 + e^(2 w2)): the same except for the first exponent."""
    # BEGIN SOLUTION 5a f1_as_typeset
    last = exp(2.0 * w2)
    return exp(w1 + last) + sin(exp(w1) + last)
    # END SOLUTION


def f2(w1: Any, w2: Any) -> Any:
    """Return w1 w2 + sigmoid(w1)."""
    # BEGIN SOLUTION 5a f2
    return w1 * w2 + sigmoid(w1)
    # END SOLUTION
