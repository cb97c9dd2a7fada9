"""Numerical differentiation: what a small change of the input does to the output, divided by the change.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs7643.autodiff.vectors import outputs, point

Array = NDArray[np.float64]
SCHEMES = ("forward", "central", "complex")


def numerical_jacobian(f: Callable[[Any], Any], w: ArrayLike, delta: float = 0.01, scheme: str = "forward") -> Array:
    """Approximate the Jacobian of f at w by changing one coordinate at a time.

    Args:
        f: takes an array (n,), returns a number, a sequence of m numbers, or an array (m,). An output may be constant;
            its derivatives are zero.
        w: (n,), the point.
        delta: the change, above 0.
        scheme: "forward", (f(w + delta) - f(w)) / delta, with an error of order delta; "central",
            (f(w + delta) - f(w - delta)) / (2 delta), of order delta^2; "complex", Im f(w + i delta) / delta, also of
            order delta^2, for functions that take complex numbers. It subtracts nothing, so delta may be 1e-100.

    Returns:
        (m, n), float64: row k has the derivatives of output k. m = 1 if f returns a number.

    Raises:
        ValueError: if w is not a vector of real numbers, delta is not above 0, or there is no such scheme.
    """
    w = point("numerical_jacobian: w", w)
    if not delta > 0:
        raise ValueError(f"numerical_jacobian: delta must be above 0, got {delta}")
    if scheme not in SCHEMES:
        raise ValueError(f"numerical_jacobian: scheme must be one of {', '.join(SCHEMES)}, got {scheme!r}")
    # BEGIN SOLUTION 5b numerical_jacobian
    columns = []
    for step in delta * np.eye(len(w)):
        if scheme == "forward":
            columns.append((outputs(f(w + step)) - outputs(f(w))) / delta)
        elif scheme == "central":
            columns.append((outputs(f(w + step)) - outputs(f(w - step))) / (2 * delta))
        else:
            columns.append(outputs(f(w + 1j * step)).imag / delta)
    return np.stack(columns, axis=1)
    # END SOLUTION
