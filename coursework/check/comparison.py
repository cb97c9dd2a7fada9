"""The one place that compares two arrays and words the difference, with the pattern that it sees in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
predicting = ContextVar("predicting", default=True)  # whether comparisons look at the predictions of mistakes
# What a mistake would give: an array, or one of several arrays, or a question that is put to the wrong array.
Prediction = ArrayLike | tuple[ArrayLike, ...] | Callable[[Array], bool]
Mistakes = Mapping[str, Prediction]


@dataclass(frozen=True)
class Comparison:
    """The result of comparing one array with what it should be."""

    name: str  # what the array is called
    passed: bool
    message: str  # what differs, in a sentence or two
    missing: bool = False  # there is nothing yet, None in the place of an array
    note: str = ""  # what could be better in a right array, and costs nothing
    fits: tuple[str, ...] = ()  # the mistakes whose prediction it meets; "one + other" for two that predict it together
    misfits: tuple[str, ...] = ()  # those whose prediction it does not meet


def compare(
    name: str,
    actual: object,
    expected: ArrayLike,
    tolerance: float = 1e-7,
    dtype: type | None = None,
    mistakes: Mistakes | Callable[[], Mistakes] | None = None,
    base: ArrayLike = 0.0,
) -> Comparison:
    """Compare an array with what it should be, and with what usual mistakes would make of it.

    Args:
        name: what the array is called in the message, e.g. ``"dx"``.
        actual: what a function returned; anything at all.
        expected: what it should be.
        tolerance: the difference that is forgiven, as a part of the largest expected magnitude (or of 1e-6, if that
            is larger, so that zeros may come out as rounding errors).
        dtype: the dtype of the inputs; an array of another dtype gets a note, and is as right as it was.
        mistakes: for each mistake, by name, what it would give. A prediction that equals the right array speaks
            against its mistake if the array is wrong; a question is only put to a wrong array of the right shape. A
            function that returns the predictions is called only where they are looked at.
        base: where steps start: two mistakes at once may both scale the difference from it.

    Returns:
        The comparison. A failed one names the shape, how many elements are wrong, close and exact, the worst one with
        both values, and the pattern of the difference, where there is one.

    Raises:
        ValueError: if nothing is expected, so that there is nothing to compare.
    """
    expected = np.asarray(expected)
    if expected.size == 0:
        raise ValueError(f"compare: an array is expected in {name}, got shape {expected.shape}")
    if actual is None:
        return Comparison(name, False, f"{name} is None", missing=True)
    if not isinstance(actual, (np.ndarray, np.generic, int, float)):
        return Comparison(name, False, f"{name} should be an array, got {type(actual).__name__}")
    found = np.asarray(actual)
    limit = tolerance * max(1e-6, float(np.abs(expected).max()))
    passed, message = _compared(name, found, expected, limit)
    mistakes = (mistakes() if callable(mistakes) else mistakes or {}) if predicting.get() else {}
    met = {each: _met(found, expected, limit, passed, prediction) for each, prediction in mistakes.items()}
    fits, misfits = ([each for each, is_met in met.items() if is_met is wanted] for wanted in (True, False))
    if not passed and not fits and found.any():
        fits = _together(found, expected, limit, mistakes, np.asarray(base))
    note = f"{found.dtype} for {np.dtype(dtype)} inputs, which costs nothing" if dtype and found.dtype != dtype else ""
    return Comparison(name, passed, message, False, note, tuple(fits), tuple(misfits))


def _met(found: Array, expected: Array, limit: float, passed: bool, prediction: Prediction) -> bool | None:
    """Tell whether an array meets a prediction; None if that cannot be told from this one."""
    if callable(prediction):
        return None if passed or found.shape != expected.shape else bool(prediction(found))
    telling = [array for array in _arrays(prediction) if not _near(array, expected, 2 * limit)]
    if found.dtype.kind not in "fiub":
        return None
    if not telling:
        return None if passed else False
    return not passed and any(_near(found, array, limit) for array in telling)


def _arrays(prediction: ArrayLike | tuple[ArrayLike, ...]) -> list[Array]:
    return [np.asarray(each) for each in (prediction if isinstance(prediction, tuple) else (prediction,))]


def _together(found: Array, expected: Array, limit: float, mistakes: Mistakes, base: Array) -> list[str]:
    """Return the pairs of mistakes, "one + other", that predict an array together.

    Two mistakes whose effects add up predict the sum of both differences; two that scale the difference from a base,
    the product of both ratios.
    """
    step = np.where(expected == base, 1.0, expected - base)
    shaped = [
        (name, array)
        for name, prediction in mistakes.items()
        if not callable(prediction)
        for array in _arrays(prediction)
        if array.shape == expected.shape == found.shape and not _near(array, expected, 2 * limit)
    ]
    pairs = []
    with np.errstate(all="ignore"):
        for (one, first), (other, second) in itertools.combinations(shaped, 2):
            both = (first + second - expected, base + (first - base) * (second - base) / step)
            if one != other and any(_near(found, array, 4 * limit) for array in both):
                pairs.append(f"{one} + {other}")
    return pairs


def _compared(name: str, found: Array, expected: Array, limit: float) -> tuple[bool, str]:
    """Tell whether the array is right, and say what differs."""
    if not np.issubdtype(found.dtype, np.number):
        return False, f"{name} should hold numbers, got dtype {found.dtype}"
    if found.shape != expected.shape:
        message = f"{name} should have shape {expected.shape}, got {found.shape}"
        return False, message + _clause(_other_shape(found, expected, limit))
    difference = _distance(found, expected)
    wrong = difference > limit
    if not wrong.any():
        return True, f"{name} is right (largest difference {difference.max():.1e})"
    worst = np.unravel_index(int(np.argmax(difference)), difference.shape)
    values = f"should be {expected[worst]:.8g}, got {found[worst]:.8g} (difference {difference[worst]:.2g})"
    if found.size == 1:
        message = f"{name} {values}"
    else:
        exact = np.count_nonzero(difference == 0)
        close = difference.size - exact - np.count_nonzero(wrong)
        message = (
            f"{name}, shape {found.shape}: {np.count_nonzero(wrong)} of {wrong.size} elements are wrong, "
            f"{close} close, {exact} exact; the worst, {name}[{', '.join(map(str, worst))}], {values}"
        )
    return False, message + _clause(_pattern(found, expected, limit))


def _pattern(found: Array, expected: Array, limit: float) -> str:
    """Return what a wrong array has in common with the right one of its shape; "" if nothing was seen."""
    if bad := np.count_nonzero(~np.isfinite(found)):
        return f"{bad} of its elements are not finite"
    if not found.any():
        return "it is all zeros"
    if text := _ratio(found, expected, limit) or _order(found, expected, limit):
        return text
    offset = found - expected
    if found.size > 1 and np.ptp(offset) <= limit:
        return f"the difference is {offset.flat[0]:.4g} everywhere"
    if np.abs(offset).max() <= 1e-5 * max(1e-6, float(np.abs(expected).max())):
        return "it is close, as if something were computed in float32 or with a large step"
    return _place(_distance(found, expected) > limit)


def _clause(text: str) -> str:
    return f"; {text}" if text else ""


def _distance(found: Array, expected: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(found.astype(np.result_type(found, np.float64)) - expected)
    distance: Array = np.where(np.isnan(difference), np.inf, difference)
    return distance


def _near(a: Array, b: Array, limit: float) -> bool:
    return a.shape == b.shape and bool(_distance(a, b).max(initial=0) <= limit)


def _other_shape(found: Array, expected: Array, limit: float) -> str:
    """Say how an array of another shape is related to the right one."""
    if found.ndim == expected.ndim and _near(found.T, expected, limit):
        return "it is the transpose of what it should be"
    if found.size == expected.size and _near(found.ravel(), expected.ravel(), limit):
        return "the numbers are right, in another shape"
    for axis in range(found.ndim):
        for name, reduced in (("sum", found.sum(axis=axis)), ("mean", found.mean(axis=axis))):
            if _near(reduced, expected, limit):
                return f"its {name} over axis {axis} is right"
    return ""


def _ratio(found: Array, expected: Array, limit: float) -> str:
    """Say by which factor all elements differ."""
    factor = float(np.sum(found * expected) / np.sum(expected**2)) if expected.any() else 0.0
    simple = any(abs(factor - number) < 1e-6 for number in (-1, 0.5, 2))  # one number is a multiple of any other
    if factor == 0 or not (found.size > 1 or simple) or not _near(found / factor, expected, limit):
        return ""
    if abs(factor + 1) < 1e-6:
        return "its sign is reversed"
    text = f"1/{1 / factor:.6g}" if abs(factor) < 1 and abs(1 / factor - round(1 / factor)) < 1e-6 else f"{factor:.6g}"
    return f"it is {text} times what it should be" + (", everywhere" if found.size > 1 else "")


def _order(found: Array, expected: Array, limit: float) -> str:
    """Say how the axes or the elements were exchanged."""
    for axes in itertools.permutations(range(found.ndim)) if found.ndim < 5 else ():
        if axes != tuple(range(found.ndim)) and _near(found.transpose(axes), expected, limit):
            return "it is the transpose of what it should be" if found.ndim == 2 else f"its axes are exchanged: {axes}"
    for axis in range(found.ndim):
        if _near(np.flip(found, axis), expected, limit):
            return f"its elements are reversed along axis {axis}"
        for shift in (1, -1):
            if _near(np.roll(found, shift, axis), expected, limit):
                return f"its elements are shifted by one along axis {axis}"
    if found.size > 1 and _near(np.sort(found, axis=None), np.sort(expected, axis=None), limit):
        return "it holds the right numbers, at other places"
    return ""


def _place(wrong: Array) -> str:
    """Say where the wrong elements are, if they are together."""
    for axis, size in enumerate(wrong.shape):
        others = tuple(k for k in range(wrong.ndim) if k != axis)
        places = np.flatnonzero(wrong.any(axis=others))
        if size > 2 and len(places) <= size // 3:
            return f"wrong only at index {', '.join(map(str, places))} of axis {axis}"
        inside = np.arange(1, size - 1)
        if size > 3 and not np.isin(inside, places).any():
            return f"wrong only at the borders of axis {axis}"
    return ""
