"""Operators and NumPy's functions for dual numbers and variables; each one applies a primitive of the table."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cs7643.autodiff import primitives
from cs7643.autodiff.primitives import (
    ADD,
    DIVIDE,
    INDEX,
    MULTIPLY,
    NEGATIVE,
    POWER,
    SUBTRACT,
    Primitive,
    Traced,
    shape_of,
)

Method = Callable[[Any, Any], Any]
COMPARISONS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal)


def _both_ways(primitive: Primitive) -> tuple[Method, Method]:
    """Return the methods for ``self + other`` and ``other + self``, say."""
    return (
        lambda self, other: self.apply(primitive, self, other),
        lambda self, other: self.apply(primitive, other, self),
    )


def _comparing(compare: Method) -> Method:
    return lambda self, other: compare(plain(self), plain(other))


class Operators(Traced):
    """What dual numbers and variables have in common: they are used like numbers and arrays.

    Comparisons compare values and return plain truth values, so that a function may branch.
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # as == compares values
    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a number."""
        return shape_of(self.value)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def T(self) -> Any:  # noqa: N802  (NumPy's name)
        """The transpose."""
        return primitives.transpose(self)

    __add__, __radd__ = _both_ways(ADD)
    __sub__, __rsub__ = _both_ways(SUBTRACT)
    __mul__, __rmul__ = _both_ways(MULTIPLY)
    __truediv__, __rtruediv__ = _both_ways(DIVIDE)
    __pow__, __rpow__ = _both_ways(POWER)

    def __matmul__(self, other: Any) -> Any:
        return primitives.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return primitives.matmul(other, self)

    def __neg__(self) -> Any:
        return self.apply(NEGATIVE, self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return primitives.absolute(self)

    def __getitem__(self, key: Any) -> Any:
        if not self.shape:
            raise TypeError("a number has no elements to index")
        return self.apply(INDEX, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            f"an element of a {type(self).__name__} cannot be assigned, because the derivative would miss it: "
            "make a new array, with where or stack"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    __lt__ = _comparing(operator.lt)
    __le__ = _comparing(operator.le)
    __gt__ = _comparing(operator.gt)
    __ge__ = _comparing(operator.ge)
    __eq__ = _comparing(operator.eq)
    __ne__ = _comparing(operator.ne)

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __float__(self) -> float:
        raise TypeError(
            f"float() would lose the derivative of a {type(self).__name__}: its number is .value; "
            "functions of math call float(), too: use those of NumPy"
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            f"an array of a {type(self).__name__} would lose the derivative: for one array of several, use stack([...])"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc in COMPARISONS and method == "__call__" and not kwargs:
            return ufunc(*map(plain, inputs))
        if ufunc not in primitives.UFUNCS or method != "__call__":
            raise _unsupported(ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}")
        if kwargs:
            raise TypeError(
                f"np.{ufunc.__name__}: {', '.join(kwargs)} is not supported here; no array is changed in place"
            )
        return primitives.UFUNCS[ufunc](*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function not in primitives.FUNCTIONS:
            raise _unsupported(function.__name__)
        return primitives.FUNCTIONS[function](*args, **kwargs)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the sum over some axes, or over all."""
        return primitives.sum_(self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the mean over some axes, or over all."""
        return primitives.mean(self, axis, keepdims)

    def reshape(self, *shape: Any) -> Any:
        """Return the same numbers in another shape."""
        return primitives.reshape(self, shape[0] if len(shape) == 1 else shape)


def plain(x: Any) -> Any:
    """Return the number or the array itself, without its derivatives."""
    while isinstance(x, Operators):
        x = x.value
    return x


def constant(x: Any) -> Any:
    """Return x as a float or a float64 array, or unchanged if it is a dual number or a variable.

    Raises:
        TypeError: if x is anything else.
    """
    if isinstance(x, Traced):
        return x
    try:
        array = np.asarray(x)
        real = np.asarray(array, dtype=np.float64) if array.dtype.kind in "fiub" else None
    except ValueError:
        real = None
    if real is None:
        raise TypeError(f"expected a number or an array of real numbers, got {x!r}")
    return real if real.ndim else float(real)


def zeros(shape: tuple[int, ...]) -> Any:
    """Return a zero for each element; a number is a float."""
    return np.zeros(shape) if shape else 0.0


def _unsupported(name: str) -> TypeError:
    known = sorted(f.__name__ for f in (*primitives.UFUNCS, *primitives.FUNCTIONS))
    return TypeError(
        f"np.{name} has no derivative here: write it with {', '.join(known)}, or add a row to primitives.py"
    )
