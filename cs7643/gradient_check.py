"""Numerical gradients, and the one place that compares two arrays and words the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def rel_error(x: ArrayLike, y: ArrayLike) -> float:
    """Return the largest relative error, max |x - y| / max(1e-8, |x| + |y|), element by element."""
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape:
        raise ValueError(f"rel_error: x and y must have one shape, got {x.shape} and {y.shape}")
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)), initial=0.0))


def eval_numerical_gradient(f: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """Compute the gradient of a function with one value by central differences.

    Args:
        f: takes x, returns a number. It may also read x from where it is: each element is changed in place, and back.
        x: a float64 array of any shape, the point; as it was when the function returns.
        h: the step; the error is of order h^2 from the formula and 1e-16 / h from rounding.

    Returns:
        An array of x's shape.
    """
    return eval_numerical_gradient_array(f, x, np.float64(1.0), h)


def eval_numerical_gradient_array(f: Callable[[Array], Any], x: Array, df: ArrayLike, h: float = 1e-5) -> Array:
    """Compute the gradient of sum(df * f(x)), for a function whose value is an array, by central differences.

    Args:
        f: takes x, returns an array. It may also read x from where it is: each element is changed in place, and back.
        x: a float64 array of any shape, the point; as it was when the function returns.
        df: the upstream gradient, of the shape of f(x).
        h: the step.

    Returns:
        An array of x's shape.
    """
    gradient = np.zeros_like(x)
    for index, difference in _central_differences(f, x, h):
        gradient[index] = np.sum(df * difference) / (2 * h)
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


@dataclass(frozen=True)
class Comparison:
    """What came of comparing one array with what it should be: ``message`` says it in a sentence or two."""

    name: str
    passed: bool
    message: str


def compare(
    name: str, actual: object, expected: ArrayLike, tolerance: float = 1e-7, dtype: type | None = None
) -> Comparison:
    """Compare an array with what it should be.

    Args:
        name: what the array is called in the message, e.g. ``"dx"``.
        actual: what a function returned; anything at all.
        expected: what it should be.
        tolerance: the difference that is forgiven, as a part of the largest expected magnitude (or of 1e-6, if that
            is larger, so that zeros may come out as rounding errors).
        dtype: what the array's dtype must be, where that matters.

    Returns:
        The comparison. A failed one names the shape, or the worst element with both values and how many are wrong.
    """
    expected = np.asarray(expected)
    if not isinstance(actual, (np.ndarray, np.generic, int, float)):
        return Comparison(name, False, f"{name} should be an array, got {type(actual).__name__}")
    found = np.asarray(actual)
    if found.shape != expected.shape:
        return Comparison(name, False, f"{name} should have shape {expected.shape}, got {found.shape}")
    if not np.issubdtype(found.dtype, np.number):
        return Comparison(name, False, f"{name} should hold numbers, got dtype {found.dtype}")
    if dtype is not None and found.dtype != dtype:
        return Comparison(name, False, f"{name} should have dtype {np.dtype(dtype)}, got {found.dtype}")
    if expected.size == 0:
        return Comparison(name, True, f"{name} is right")

    scale = max(1e-6, float(np.max(np.abs(expected))))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(found.astype(np.float64) - expected)
    difference = np.where(np.isnan(difference), np.inf, difference)
    wrong = difference > tolerance * scale
    if not wrong.any():
        return Comparison(name, True, f"{name} is right (largest difference {difference.max():.1e})")
    worst = np.unravel_index(int(np.argmax(difference)), difference.shape)
    at = f"[{', '.join(map(str, worst))}]" if worst else ""
    return Comparison(
        name,
        False,
        f"{name} differs in {np.count_nonzero(wrong)} of {wrong.size} elements; "
        f"worst: {name}{at} should be {expected[worst]:.8g}, got {found[worst]:.8g}",
    )
