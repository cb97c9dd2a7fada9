"""The table of primitives: for each operation its value, its forward rule and its backward rule, side by side.

Every function is a composition of these operations, and its derivative follows from the chain rule in both directions:

- a **forward rule** takes the tangent of one argument and returns its contribution to the tangent of the result;
- a **backward rule** takes the adjoint of the result and returns its contribution to the adjoint of one argument.

There is one rule for each differentiable argument, and it is called with (tangent or adjoint, result, *arguments). An
elementwise operation multiplies by its partial derivative in both directions, so both rules are the same function.
Operations that move numbers around have two rules, each the transpose of the other.

Rules consist of the operations that they differentiate, so they accept the same arguments: floats, arrays, dual
numbers, and variables on a tape. Second derivatives need nothing else.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Primitive:
    """An operation and its derivatives.

    Attributes:
        name: NumPy's name for it.
        symbol: how a graph shows it: a sign, or a short name.
        value: takes the arguments, returns the result.
        forward: a rule for each argument, which takes that argument's tangent, the result, and all arguments.
        backward: a rule for each argument, which takes the result's adjoint, the result, and all arguments.
    """

    name: str
    symbol: str
    value: Callable[..., Any]
    forward: tuple[Rule, ...]
    backward: tuple[Rule, ...]


class Traced:
    """A number or an array with more than a value: a dual number, or a variable on a tape."""

    __slots__ = ()
    rank = 0  # of several kinds of arguments, the one with the highest rank applies the primitive

    @staticmethod
    def apply(primitive: Primitive, *arguments: Any) -> Any:
        """Apply a primitive; each kind of number has its own way."""
        raise NotImplementedError


def apply(primitive: Primitive, *arguments: Any) -> Any:
    """Apply a primitive to floats, arrays, dual numbers, variables, or a mixture of these."""
    highest: type[Traced] = Traced
    for argument in arguments:
        if isinstance(argument, Traced) and argument.rank > highest.rank:
            highest = type(argument)
    return primitive.value(*arguments) if highest is Traced else highest.apply(primitive, *arguments)


def _elementwise(name: str, symbol: str, value: Callable[..., Any], *rules: Rule) -> Primitive:
    """Return an elementwise operation, whose forward and backward rules are the same multiplication."""
    return Primitive(name, symbol, value, rules, rules)


def _on_floats(scalar: Callable[[float], float], array: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Use the fast function for a float, and NumPy's for everything else and where the fast one would raise."""

    def value(x: Any) -> Any:
        if type(x) is float:
            try:
                return scalar(x)
            except (ValueError, OverflowError):
                return float(array(x))
        return array(x)

    return value


# --- the values of some operations for which Python's own would raise or lose accuracy


def _divide(a: Any, b: Any) -> Any:
    try:
        return a / b
    except ZeroDivisionError:
        return float(np.divide(a, b))


def _power(a: Any, b: Any) -> Any:
    try:
        result = a**b
    except (ZeroDivisionError, OverflowError):
        return float(np.power(a, b))
    return math.nan if type(a) is float and type(result) is complex else result


def _sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)), with an exponential that cannot overflow."""
    if type(x) is float:
        small = math.exp(-abs(x))
        return (1.0 if x >= 0 else small) / (1.0 + small)
    small = np.exp(np.where(np.real(x) >= 0, -x, x))
    return np.where(np.real(x) >= 0, 1.0, small) / (1.0 + small)


def _larger(a: Any, b: Any) -> Any:
    if type(a) is float and type(b) is float:
        return a if a >= b or a != a else b
    return np.maximum(a, b)


def _smaller(a: Any, b: Any) -> Any:
    return -_larger(-a, -b)


def _sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the copies that broadcasting from this shape has made."""
    extra = shape_of(x)[: len(shape_of(x)) - len(shape)]
    if extra:
        x = sum_(x, tuple(range(len(extra))))
    copied = tuple(k for k, (old, new) in enumerate(zip(shape, shape_of(x), strict=True)) if old != new)
    return sum_(x, copied, keepdims=True) if copied else x


def _scatter(x: Any, key: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return zeros of this shape with x added at the key, twice where the key selects an element twice."""
    result = np.zeros(shape)
    np.add.at(result, key, x)
    return result


def _swap(x: Any) -> Any:
    """Transpose the last two axes."""
    axes = tuple(range(len(shape_of(x))))
    return transpose(x, (*axes[:-2], axes[-1], axes[-2]))


# --- the table: t is the tangent or the adjoint, o the result, a and b (or x) the arguments

ADD = _elementwise("add", "+", operator.add, lambda t, o, a, b: t, lambda t, o, a, b: t)
SUBTRACT = _elementwise("subtract", "-", operator.sub, lambda t, o, a, b: t, lambda t, o, a, b: -t)
MULTIPLY = _elementwise("multiply", "*", operator.mul, lambda t, o, a, b: t * b, lambda t, o, a, b: t * a)
DIVIDE = _elementwise("divide", "/", _divide, lambda t, o, a, b: _divide(t, b), lambda t, o, a, b: _divide(-t * o, b))
POWER = _elementwise(
    "power",
    "**",
    _power,
    lambda t, o, a, b: t * (b * _power(a + (a == 0) * (b == 0), b - 1)),  # 0 at 0^0
    lambda t, o, a, b: t * (o * log(a + (a == 0))),  # 0 at 0^b
)
NEGATIVE = _elementwise("negative", "-", operator.neg, lambda t, o, x: -t)
EXP = _elementwise("exp", "exp", _on_floats(math.exp, np.exp), lambda t, o, x: t * o)
LOG = _elementwise("log", "log", _on_floats(math.log, np.log), lambda t, o, x: _divide(t, x))
SIN = _elementwise("sin", "sin", _on_floats(math.sin, np.sin), lambda t, o, x: t * cos(x))
COS = _elementwise("cos", "cos", _on_floats(math.cos, np.cos), lambda t, o, x: -t * sin(x))
# sigma' = sigma(x) sigma(-x) and tanh' = 4 sigma(2x) sigma(-2x) are accurate even where 1 - o would cancel
TANH = _elementwise(
    "tanh", "tanh", _on_floats(math.tanh, np.tanh), lambda t, o, x: t * (4.0 * sigmoid(2.0 * x) * sigmoid(-2.0 * x))
)
SIGMOID = _elementwise("sigmoid", "sigmoid", _sigmoid, lambda t, o, x: t * (o * sigmoid(-x)))
SQRT = _elementwise("sqrt", "sqrt", _on_floats(math.sqrt, np.sqrt), lambda t, o, x: _divide(t, 2.0 * o))
ABSOLUTE = _elementwise("absolute", "abs", abs, lambda t, o, x: t * (1.0 * (x > 0) - (x < 0)))
# Where both are equal, each gets half of the derivative, as in PyTorch; this is one of the subgradients.
MAXIMUM = _elementwise(
    "maximum",
    "max",
    _larger,
    lambda t, o, a, b: t * ((a > b) + 0.5 * (a == b)),
    lambda t, o, a, b: t * ((b > a) + 0.5 * (a == b)),
)
MINIMUM = _elementwise(
    "minimum",
    "min",
    _smaller,
    lambda t, o, a, b: t * ((a < b) + 0.5 * (a == b)),
    lambda t, o, a, b: t * ((b < a) + 0.5 * (a == b)),
)
WHERE = _elementwise(  # where(condition, a, b); the condition comes last because it has no derivative
    "where",
    "where",
    lambda a, b, condition: np.where(condition, a, b),
    lambda t, o, a, b, condition: where(condition, t, 0.0),
    lambda t, o, a, b, condition: where(condition, 0.0, t),
)
SUM: Primitive = Primitive(
    "sum",
    "sum",
    lambda x, axis, kept: np.sum(x, axis=axis).reshape(kept),
    forward=(lambda t, o, x, axis, kept: apply(SUM, t, axis, kept),),
    backward=(lambda t, o, x, axis, kept: broadcast_to(reshape(t, _ones_at(axis, shape_of(x))), shape_of(x)),),
)
BROADCAST_TO = Primitive(
    "broadcast_to",
    "broadcast",
    lambda x, shape: np.broadcast_to(x, shape),
    forward=(lambda t, o, x, shape: broadcast_to(t, shape),),
    backward=(lambda t, o, x, shape: _sum_to(t, shape_of(x)),),
)
RESHAPE = Primitive(
    "reshape",
    "reshape",
    lambda x, shape: np.reshape(x, shape),
    forward=(lambda t, o, x, shape: reshape(t, shape),),
    backward=(lambda t, o, x, shape: reshape(t, shape_of(x)),),
)
TRANSPOSE = Primitive(
    "transpose",
    "transpose",
    lambda x, axes: np.transpose(x, axes),
    forward=(lambda t, o, x, axes: transpose(t, axes),),
    backward=(lambda t, o, x, axes: transpose(t, tuple(int(k) for k in np.argsort(axes))),),
)
INDEX = Primitive(
    "index",
    "index",
    lambda x, key: x[key],
    forward=(lambda t, o, x, key: t[key],),
    backward=(lambda t, o, x, key: apply(SCATTER, t, key, shape_of(x)),),
)
SCATTER: Primitive = Primitive(
    "scatter",
    "scatter",
    _scatter,
    forward=(lambda t, o, x, key, shape: apply(SCATTER, t, key, shape),),
    backward=(lambda t, o, x, key, shape: t[key],),
)
MATMUL = Primitive(  # at least two axes each
    "matmul",
    "@",
    np.matmul,
    forward=(lambda t, o, a, b: matmul(t, b), lambda t, o, a, b: matmul(a, t)),
    backward=(
        lambda t, o, a, b: _sum_to(matmul(t, _swap(b)), shape_of(a)),
        lambda t, o, a, b: _sum_to(matmul(_swap(a), t), shape_of(b)),
    ),
)


@functools.lru_cache
def _stack(n: int) -> Primitive:
    """Return the operation that stacks n arrays."""
    return Primitive(
        "stack",
        "stack",
        lambda *xs: np.stack(xs),
        forward=tuple(lambda t, o, *xs, k=k: apply(SCATTER, t, k, shape_of(o)) for k in range(n)),
        backward=tuple(lambda t, o, *xs, k=k: t[k] for k in range(n)),
    )


# --- the functions to call: on floats, arrays, dual numbers and variables alike


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape of any kind of number or array."""
    shape: tuple[int, ...] = () if isinstance(x, (float, int)) else x.shape
    return shape


def exp(x: Any) -> Any:
    """Return e^x."""
    return apply(EXP, x)


def log(x: Any) -> Any:
    """Return the natural logarithm."""
    return apply(LOG, x)


def sin(x: Any) -> Any:
    """Return the sine."""
    return apply(SIN, x)


def cos(x: Any) -> Any:
    """Return the cosine."""
    return apply(COS, x)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return apply(TANH, x)


def sigmoid(x: Any) -> Any:
    """Return the logistic function 1 / (1 + e^-x)."""
    return apply(SIGMOID, x)


def sqrt(x: Any) -> Any:
    """Return the square root."""
    return apply(SQRT, x)


def absolute(x: Any) -> Any:
    """Return |x|; the derivative at 0 is taken as 0."""
    return apply(ABSOLUTE, x)


def maximum(a: Any, b: Any) -> Any:
    """Return the larger of two, element by element; where they are equal, each gets half of the derivative."""
    return apply(MAXIMUM, a, b)


def minimum(a: Any, b: Any) -> Any:
    """Return the smaller of two, element by element; where they are equal, each gets half of the derivative."""
    return apply(MINIMUM, a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds and b elsewhere; the condition has no derivative."""
    while isinstance(condition, Traced):
        condition = condition.value  # type: ignore[attr-defined]
    return apply(WHERE, a, b, condition)


def sum_(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Return the sum over the given axes, or over all."""
    shape = shape_of(x)
    given = range(len(shape)) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
    axes = tuple(range(len(shape))[k] for k in given)
    kept = _ones_at(axes, shape) if keepdims else tuple(n for k, n in enumerate(shape) if k not in axes)
    return apply(SUM, x, axes, kept)


def mean(x: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """Return the mean over the given axes, or over all."""
    total = sum_(x, axis, keepdims)
    return total * (math.prod(shape_of(total)) / math.prod(shape_of(x)))


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Return x broadcast to this shape."""
    return apply(BROADCAST_TO, x, shape)


def reshape(x: Any, shape: int | tuple[int, ...]) -> Any:
    """Return the same numbers in another shape."""
    return apply(RESHAPE, x, shape)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return x with its axes in another order; by default, reversed."""
    n = len(shape_of(x))
    return apply(TRANSPOSE, x, tuple(reversed(range(n))) if axes is None else tuple(range(n)[k] for k in axes))


def matmul(a: Any, b: Any) -> Any:
    """Return the product of matrices, or of a matrix and a vector, by NumPy's rules."""
    a, b = (np.asarray(x, np.float64) if isinstance(x, (list, tuple)) else x for x in (a, b))
    left, right = len(shape_of(a)) == 1, len(shape_of(b)) == 1
    a = reshape(a, (1, *shape_of(a))) if left else a
    b = reshape(b, (*shape_of(b), 1)) if right else b
    product = apply(MATMUL, a, b)
    *rest, rows, columns = shape_of(product)
    shape = (*rest, *(() if left else (rows,)), *(() if right else (columns,)))
    return reshape(product, shape) if left or right else product


def dot(a: Any, b: Any) -> Any:
    """Return np.dot of numbers, vectors and matrices; with more axes it would differ from @, and is refused."""
    if not shape_of(a) or not shape_of(b):
        return a * b
    if max(len(shape_of(a)), len(shape_of(b))) > 2:
        raise TypeError(
            f"np.dot of shapes {shape_of(a)} and {shape_of(b)} is not supported here: use @, or reshape first"
        )
    return matmul(a, b)


def stack(xs: Sequence[Any]) -> Any:
    """Return one array of several numbers, or of several arrays of the same shape, along a new first axis."""
    return apply(_stack(len(xs)), *xs)


def _ones_at(axes: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: functools.partial(apply, ADD),
    np.subtract: functools.partial(apply, SUBTRACT),
    np.multiply: functools.partial(apply, MULTIPLY),
    np.divide: functools.partial(apply, DIVIDE),
    np.power: functools.partial(apply, POWER),
    np.negative: functools.partial(apply, NEGATIVE),
    np.square: lambda x: x * x,
    np.exp: exp,
    np.log: log,
    np.sin: sin,
    np.cos: cos,
    np.tanh: tanh,
    np.sqrt: sqrt,
    np.absolute: absolute,
    np.maximum: maximum,
    np.minimum: minimum,
    np.matmul: matmul,
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: sum_,
    np.mean: mean,
    np.reshape: reshape,
    np.transpose: transpose,
    np.broadcast_to: broadcast_to,
    np.where: where,
    np.stack: stack,
    np.dot: dot,
    np.shape: shape_of,
    np.ndim: lambda x: len(shape_of(x)),
    np.size: lambda x: math.prod(shape_of(x)),
}
