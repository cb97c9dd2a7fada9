"""Numerical gradients: the change of the output after a small change of the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def rel_error(x: ArrayLike, y: ArrayLike) -> float:
    """Return the largest relative error of an element, max |x - y| / max(1e-8, |x| + |y|)."""
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        raise ValueError(f"rel_error: x and y must have the same shape, got {x.shape} and {y.shape}")
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)), initial=0.0))


def eval_numerical_gradient(f: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """Compute the gradient of a function that returns a number, by central differences.

    Args:
        f: takes x, returns a number. It may also use the array x itself, which is changed in place.
        x: a float64 array of any shape, the point; unchanged when the function returns.
        h: the step; the error is of order h^2 from the formula and 1e-16 / h from rounding.

    Returns:
        An array of x's shape.
    """
    return eval_numerical_gradient_array(f, x, np.float64(1.0), h)


def eval_numerical_gradient_array(f: Callable[[Array], Any], x: Array, df: ArrayLike, h: float = 1e-5) -> Array:
    """Compute the gradient of sum(df * f(x)), for a function that returns an array, by central differences.

    Args:
        f: takes x, returns an array. It may also use the array x itself, which is changed in place.
        x: a float64 array of any shape, the point; unchanged when the function returns.
        df: the upstream gradient, of the shape of f(x).
        h: the step.

    Returns:
        An array of x's shape.
    """
    gradient, upstream = np.zeros_like(x), np.asarray(df)
    for index, difference in _central_differences(f, x, h):
        gradient[index] = np.sum(upstream * difference) / (2 * h)
    return gradient


def _central_differences(f: Callable[[Array], Any], x: Array, h: float) -> Iterator[tuple[tuple[int, ...], Array]]:
    """For each element of x in turn, yield its index and f(x + h) - f(x - h) along it."""
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        found = getattr(x, "dtype", type(x).__name__)
        raise ValueError(f"numerical gradient: x must be a float64 array (float32 is too coarse for h), got {found}")
    if not h > 0:
        raise ValueError(f"numerical gradient: h must be positive, got {h}")
    for index in np.ndindex(x.shape):
        before = x[index]
        try:
            x[index] = before + h
            above = np.array(f(x), dtype=np.float64)
            x[index] = before - h
            below = np.array(f(x), dtype=np.float64)
        finally:
            x[index] = before
        yield index, above - below
