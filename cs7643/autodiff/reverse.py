"""Reverse mode: a tape records every operation, and is read backwards to find the influence of each on one output.

One sweep back gives the derivatives of one output with respect to everything: one row of the Jacobian, so m outputs
cost m sweeps, and a gradient costs one, whatever the number of inputs. The cost is memory: the tape keeps the value
of every operation.

The tape is a list, in the order in which things happened. Every operation stands after its arguments, so the list read
backwards is the order that the chain rule needs: no search, no recursion, however deep the computation. Variables
point to the tape, and the tape to no variable, so that all is freed as soon as the last variable is gone.

No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs7643.autodiff.forward import Dual
from cs7643.autodiff.operators import Operators, constant, plain, zeros
from cs7643.autodiff.primitives import BROADCAST_TO, Primitive, Traced, apply, shape_of
from cs7643.autodiff.vectors import outputs, point

Array = NDArray[np.float64]
# What the tape keeps of an operation: the primitive (None: an input), its result, the values of its arguments, and for
# each argument the place on the tape where it was computed (None: a constant).
Record = tuple[Primitive | None, Any, tuple[Any, ...], tuple[int | None, ...]]


class Tape:
    """All operations on some inputs, in order."""

    __slots__ = ("__weakref__", "adjoints", "names", "nested", "records")

    def __init__(self) -> None:
        """Start with an empty tape."""
        self.records: list[Record] = []
        self.adjoints: list[Any] = []  # of the last sweep: one for each record, None if it has no influence
        self.names: dict[int, str] = {}
        self.nested = False  # whether there are dual numbers on it

    def variable(self, value: Any, name: str = "") -> Variable:
        """Put an input on the tape, a number, an array, or a dual number, and return it as a variable.

        Graphs show the name, if there is one. An array is not copied: do not change it before the sweep.
        """
        if isinstance(value, Variable):
            raise ValueError("Tape.variable: the value is a variable already; for second derivatives, use hessian")
        if name:
            self.names[len(self.records)] = name
        value = constant(value)
        self.nested |= isinstance(value, Traced)
        self.records.append((None, value, (), ()))
        return Variable(self, len(self.records) - 1, value)

    def __len__(self) -> int:
        """Return how many inputs and operations are on the tape."""
        return len(self.records)

    def sweep(self, last: int, seed: Any) -> list[Any]:
        """Read the tape backwards from one record, and return the adjoint of each; None if it has no influence.

        Args:
            last: the place of the record whose derivatives are wanted.
            seed: its own adjoint: 1 for the derivatives of a number.

        A rule is called as rule(adjoint, result, *arguments) and returns the contribution to the adjoint of its
        argument, a number or an array. A number that is used twice gets a contribution from each use, and they add up.
        Add them into a new array: a contribution may share its memory with another adjoint, or be read-only. The
        parents are the places of the arguments on the tape; that of a constant, which has none, is None.
        """
        records = self.records
        adjoints: list[Any] = [None] * len(records)
        adjoints[last] = seed
        for place in range(last, -1, -1):
            adjoint = adjoints[place]
            if adjoint is None:
                continue
            primitive, result, arguments, parents = records[place]
            if primitive is None:
                continue
            # BEGIN SOLUTION 5d sweep
            for rule, parent in zip(primitive.backward, parents):  # noqa: B905  (an axis has no rule)
                if parent is not None:
                    contribution = rule(adjoint, result, *arguments)
                    before = adjoints[parent]
                    adjoints[parent] = contribution if before is None else before + contribution
            # END SOLUTION
        return adjoints


class Variable(Operators):
    """A number or an array on a tape, to be used like any other; :func:`variables` makes them."""

    __slots__ = ("place", "tape", "value")
    rank = 2

    def __init__(self, tape: Tape, place: int, value: Any) -> None:
        """Refer to a record of a tape."""
        self.tape, self.place, self.value = tape, place, value

    def __repr__(self) -> str:
        """Return the value."""
        return f"Variable({self.value!r})"

    @staticmethod
    def apply(primitive: Primitive, *arguments: Any) -> Variable:
        """Apply a primitive to the values of the arguments, and record it."""
        values: list[Any] = []
        parents: list[int | None] = []
        tape, nested, count = None, False, len(primitive.backward)  # after these come an axis or a key, as they are
        for k, argument in enumerate(arguments):
            if type(argument) is Variable:
                if argument.tape is not tape:
                    if tape is not None:
                        raise ValueError(
                            f"{primitive.name}: the arguments are on two tapes; make them together, with one call of "
                            "variables, or take .value of the one that is a constant here"
                        )
                    tape = argument.tape
                values.append(argument.value)
                parents.append(argument.place)
            else:
                if k < count and type(argument) is not float:
                    argument = constant(argument)
                    nested |= isinstance(argument, Traced)
                values.append(argument)
                parents.append(None)
        assert tape is not None, "one of the arguments is a variable"
        if nested:
            tape.nested = True
        result = apply(primitive, *values) if tape.nested else primitive.value(*values)
        if type(result) is not float:
            result = constant(result)
            if primitive.forward is primitive.backward:
                _spread(tape, values, parents, shape_of(result))
        records = tape.records
        records.append((primitive, result, tuple(values), tuple(parents)))
        return Variable(tape, len(records) - 1, result)

    def backward(self, seed: Any = None) -> None:
        """Compute the derivatives of this number with respect to all variables on its tape, as their ``adjoint``.

        Every call replaces the adjoints of the call before; they never accumulate.

        Args:
            seed: the adjoint of this variable itself, of its shape. By default it is 1, and the variable must be a
                number.

        Raises:
            ValueError: if this is an array and there is no seed, or the seed has another shape.
        """
        if seed is None and self.shape:
            raise ValueError(
                f"backward: the output has shape {self.shape}, and only a number has a gradient: sum it, or give a seed"
            )
        seed = constant(1.0 if seed is None else seed)
        if shape_of(seed) != self.shape:
            raise ValueError(f"backward: seed must have the shape of the output, {self.shape}, got {shape_of(seed)}")
        self.tape.adjoints = self.tape.sweep(self.place, seed)

    @property
    def adjoint(self) -> Any:
        """The derivative of the last ``backward``'s output with respect to this variable; 0 if it has no influence.

        Raises:
            ValueError: if ``backward`` has not been called since this variable was made.
        """
        if self.place >= len(self.tape.adjoints):
            raise ValueError("adjoint: call backward() of the output first")
        found = self.tape.adjoints[self.place]
        if found is None:
            return zeros(self.shape)
        return float(found) if isinstance(found, (np.generic, np.ndarray)) and not self.shape else found


def _spread(tape: Tape, values: list[Any], parents: list[int | None], shape: tuple[int, ...]) -> None:
    """Broadcast the arguments on the tape to the shape of the result, each by an operation of its own.

    So the rules of elementwise operations need not handle broadcasting: the rules of broadcast_to do.
    """
    for k, parent in enumerate(parents):
        if parent is not None and shape_of(values[k]) != shape:
            repeated = Variable.apply(BROADCAST_TO, Variable(tape, parent, values[k]), shape)
            values[k], parents[k] = repeated.value, repeated.place


def variables(*values: Any, names: tuple[str, ...] = ()) -> tuple[Variable, ...]:
    """Put several inputs on one new tape."""
    tape = Tape()
    return tuple(tape.variable(value, name) for value, name in zip(values, names or [""] * len(values), strict=True))


def record(f: Callable[[Any], Any], w: Any) -> tuple[Variable, list[Variable | float]]:
    """Run f on a new tape; return its input, and each of its outputs: plain numbers, if they do not depend on it."""
    (x,) = variables(w)
    y = f(x)
    found: list[Any] = []
    for part in y if isinstance(y, (tuple, list)) else [y]:
        found.extend([part] if not shape_of(part) else (part.reshape(-1)[k] for k in range(np.size(plain(part)))))
    return x, found


def vjp(f: Callable[[Any], Any], w: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    """Differentiate a weighted sum of the outputs of f at w, in one sweep.

    Args:
        f: takes an array (n,), returns a number, a sequence of m numbers, or an array (m,).
        w: (n,), the point.
        weights: (m,), one for each output.

    Returns:
        f(w), (m,), and weights @ J with J the Jacobian, (n,).

    Raises:
        ValueError: if w is not a vector of real numbers, or there is not a weight for each output.
    """
    weights = point("vjp: weights", weights)
    x, ys = record(f, point("vjp: w", w))
    if len(weights) != len(ys):
        raise ValueError(f"vjp: weights must have one for each of the {len(ys)} outputs, got {len(weights)}")
    total = sum((weight * y for weight, y in zip(weights.tolist(), ys, strict=True)), start=0.0 * x[0])
    total.backward()
    return outputs([plain(y) for y in ys]), x.adjoint


def gradient(f: Callable[[Any], Any], w: ArrayLike) -> Array:
    """Compute the gradient, (n,), of a function that returns a number, in one sweep.

    Raises:
        ValueError: if w is not a vector of real numbers, or f does not return a number.
    """
    jacobian = backward_jacobian(f, w)
    if len(jacobian) != 1:
        raise ValueError(f"gradient: f must return a number, got {len(jacobian)}; use backward_jacobian for several")
    first: Array = jacobian[0]
    return first


def backward_jacobian(f: Callable[[Any], Any], w: ArrayLike) -> Array:
    """Compute the Jacobian of f at w: f is recorded once, and the tape swept m times, once for each output.

    Args:
        f: takes an array (n,), returns a number, a sequence of m numbers, or an array (m,). An output may be a plain
            number; its derivatives are zero.
        w: (n,), the point.

    Returns:
        (m, n), float64: row k has the derivatives of output k. m = 1 if f returns a number.

    Raises:
        ValueError: if w is not a vector of real numbers.
    """
    x, ys = record(f, point("backward_jacobian: w", w))
    jacobian = np.zeros((len(ys), len(x)))
    # BEGIN SOLUTION 5d backward_jacobian
    for row, y in zip(jacobian, ys, strict=True):
        if isinstance(y, Variable):  # otherwise it does not depend on w
            y.backward()
            row[:] = x.adjoint
    # END SOLUTION
    return jacobian


def hvp(f: Callable[[Any], Any], w: ArrayLike, direction: ArrayLike) -> Array:
    """Multiply the Hessian of f at w by a direction, forward over reverse: dual numbers on a tape, one sweep back.

    The adjoint of w is then a dual number: its value is the gradient, its tangent the gradient's rate of change.

    Args:
        f: takes an array (n,), returns a number.
        w: (n,), the point.
        direction: (n,).

    Returns:
        (n,), the product.
    """
    x, ys = record(f, Dual(point("hvp: w", w), point("hvp: direction", direction)))
    if len(ys) != 1:
        raise ValueError(f"hvp: f must return a number, got {len(ys)}")
    if not isinstance(ys[0], Variable):
        return np.zeros(len(x))
    ys[0].backward()
    adjoint = x.adjoint
    return np.asarray(adjoint.tangent if isinstance(adjoint, Dual) else np.zeros(len(x)))


def hessian(f: Callable[[Any], Any], w: ArrayLike) -> Array:
    """Compute the Hessian, (n, n), of a function that returns a number, in n sweeps of :func:`hvp`."""
    w = point("hessian: w", w)
    return np.stack([hvp(f, w, direction) for direction in np.eye(len(w))])
