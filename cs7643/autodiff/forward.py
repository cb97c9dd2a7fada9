"""Forward mode: every number carries its tangent, its rate of change when the input moves in one direction.

One sweep through a function gives its derivative in one direction: one column of the Jacobian, so n inputs cost n
sweeps. Nothing is stored, and a sweep costs a few times as much as the function.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs7643.autodiff.operators import Operators, constant, zeros
from cs7643.autodiff.primitives import Primitive, Traced, apply, broadcast_to, shape_of
from cs7643.autodiff.vectors import outputs, point

Array = NDArray[np.float64]
_levels = itertools.count(1)


class Dual(Operators):
    """A dual number: a value and its tangent. Both are numbers, or both are arrays of the same shape.

    A derivative of a derivative needs two kinds of tangent, which must not be confused. Each :func:`jvp` therefore has
    a level of its own, and an operation on two levels treats dual numbers of the lower one as plain values.
    """

    __slots__ = ("level", "tangent", "value")
    rank = 1

    def __init__(self, value: Any, tangent: Any = 0.0, level: int = 0) -> None:
        """Make a dual number.

        Args:
            value: a number, an array, or a dual number of a lower level.
            tangent: its rate of change, of the same shape; a number applies to all elements.
            level: which derivative it belongs to.

        Raises:
            ValueError: if the shapes differ.
        """
        self.value, self.tangent, self.level = constant(value), constant(tangent), level
        if max(getattr(part, "rank", 0) for part in (self.value, self.tangent)) > Dual.rank:
            raise ValueError("Dual: a variable cannot be inside a dual number; put dual numbers on a tape instead")
        if shape_of(self.tangent) != shape_of(self.value):
            if shape_of(self.tangent):
                shapes = f"{shape_of(self.value)} and {shape_of(self.tangent)}"
                raise ValueError(f"Dual: value and tangent must have the same shape, got {shapes}")
            self.tangent = broadcast_to(self.tangent, shape_of(self.value))

    def __repr__(self) -> str:
        """Return the value and the tangent."""
        return f"Dual({self.value!r}, {self.tangent!r})"

    @staticmethod
    def apply(primitive: Primitive, *arguments: Any) -> Any:
        """Apply a primitive: to the values its value, to the tangents its forward rules.

        Each argument contributes what its own rule makes of its tangent, rule(tangent, result, *values), and the
        tangent of the result is the sum of these. A constant has the tangent None and contributes nothing. The rules
        work on numbers and on arrays.
        """
        if any(isinstance(argument, Traced) and argument.rank > Dual.rank for argument in arguments):
            return apply(primitive, *arguments)
        level = max(argument.level for argument in arguments if isinstance(argument, Dual))
        values, tangents = _split(arguments, level, len(primitive.forward))
        # Return _dual(result, total, level), where total is the sum of the contributions of the tangents.
        # BEGIN SOLUTION 5c Dual
        result = apply(primitive, *values)
        total = None
        for rule, tangent in zip(primitive.forward, tangents, strict=False):
            if tangent is not None:
                change = rule(tangent, result, *values)
                total = change if total is None else total + change
        return _dual(result, total, level)
        # END SOLUTION


def _split(arguments: Sequence[Any], level: int, count: int) -> tuple[list[Any], list[Any]]:
    """Return the values of the arguments, and their tangents of this level: None for a constant.

    The first ``count`` arguments can be differentiated; those after them, such as an axis, are left unchanged.
    """
    values, tangents = [], []
    for k, argument in enumerate(arguments):
        active = isinstance(argument, Dual) and argument.level == level
        values.append(argument.value if active else constant(argument) if k < count else argument)
        tangents.append(argument.tangent if active else None)
    return values, tangents


def _dual(value: Any, tangent: Any, level: int) -> Dual:
    """Return a dual number whose tangent is broadcast to the value's shape, as after a number plus an array."""
    if shape_of(tangent) != shape_of(value):
        tangent = broadcast_to(tangent, shape_of(value))
    return Dual(value, tangent, level)


def jvp(f: Callable[[Any], Any], w: ArrayLike, direction: ArrayLike) -> tuple[Any, Any]:
    """Differentiate f at w in one direction, in one sweep.

    Args:
        f: takes an array (n,), returns a number, an array, or a sequence of these.
        w: (n,), the point. It may also hold dual numbers, for a derivative of a derivative.
        direction: (n,), how w changes.

    Returns:
        f(w), and J @ direction with J the Jacobian: each as f returns it.

    Raises:
        ValueError: if w and direction are not vectors of the same length.
    """
    w, direction = w if isinstance(w, Traced) else point("jvp: w", w), constant(direction)
    if shape_of(w) != shape_of(direction):
        raise ValueError(f"jvp: w and direction must have the same shape, got {shape_of(w)} and {shape_of(direction)}")
    level = next(_levels)
    y = f(Dual(w, direction, level))
    if isinstance(y, (tuple, list)):
        pairs = [_parts(part, level) for part in y]
        return type(y)(value for value, _ in pairs), type(y)(tangent for _, tangent in pairs)
    return _parts(y, level)


def _parts(y: Any, level: int) -> tuple[Any, Any]:
    """Return the value and the tangent of this level; the tangent is zero if y does not depend on the input."""
    if isinstance(y, Dual) and y.level == level:
        return y.value, y.tangent
    return y, zeros(shape_of(constant(y)))


def forward_jacobian(f: Callable[[Any], Any], w: ArrayLike) -> Array:
    """Compute the Jacobian of f at w in n sweeps, one for each input.

    Args:
        f: takes an array (n,), returns a number, a sequence of m numbers, or an array (m,). An output may be a plain
            number; its derivatives are zero.
        w: (n,), the point.

    Returns:
        (m, n), float64: row k has the derivatives of output k. m = 1 if f returns a number.

    Raises:
        ValueError: if w is not a vector of real numbers.
    """
    w = point("forward_jacobian: w", w)
    # BEGIN SOLUTION 5c forward_jacobian
    columns = [outputs(jvp(f, w, direction)[1]) for direction in np.eye(len(w))]
    return np.stack(columns, axis=1)
    # END SOLUTION
