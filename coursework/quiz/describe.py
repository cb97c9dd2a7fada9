"""How a value is written in a question: a number, a short array, or a shape.

Numbers stand in it only as they are: what would have to be rounded could not be worked out on paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MOST = 6  # numbers of a result that are written out
GIVEN = 12  # numbers of an argument
DIGITS = 4
CLOSE = 100  # times the precision of its type is what arithmetic adds to a number
SHAPE = "shape "


def numbers(value: Any) -> np.ndarray[Any, Any] | None:
    """Return a number, an array or a tensor as an array; None for anything else."""
    if isinstance(value, (bool, int, float, np.number, np.bool_, np.ndarray)) or type(value).__module__ == "torch":
        try:
            array = np.asarray(value.detach() if hasattr(value, "detach") else value)
        except (TypeError, ValueError, RuntimeError):
            return None
        return array if array.dtype.kind in "biuf" else None
    return None


def describe(value: Any, shape: bool = False) -> str:
    """Write a value; of what is large or not short, or on demand, the shape; "" where that takes too many words."""
    array = numbers(value)
    if array is None:
        if isinstance(value, (tuple, list)) and 0 < len(value) <= 4:
            parts = [describe(each, shape) for each in value]
            return _enclosed(value, parts) if all(parts) else ""
        return ""
    if shape or array.size > MOST or not _is_short(array):
        return f"{SHAPE}{array.shape}" if array.ndim else ""
    return _listed(array.tolist())


def argument(value: Any) -> str:
    """Write an argument of a call; "" if that is hard to say in a few words, as of a function."""
    if isinstance(value, dict):
        named = {key: argument(each) for key, each in value.items()}
        return "{" + ", ".join(f"{key!r}: {part}" for key, part in named.items()) + "}" if all(named.values()) else ""
    if isinstance(value, str):
        return repr(value)
    array = numbers(value)
    if array is None:
        parts = [argument(each) for each in value] if isinstance(value, (tuple, list)) else [""]
        return _enclosed(value, parts) if all(parts) else ""
    return _listed(array.tolist()) if is_given(array) else f"an array of shape {array.shape}" if array.ndim else ""


def is_given(array: np.ndarray[Any, Any]) -> bool:
    """Tell whether an argument is written with its numbers, and not as a shape."""
    return array.ndim <= 2 and array.size <= GIVEN and _is_short(array)


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Return an argument with each number and array in it changed, however they are nested."""
    if isinstance(value, dict):
        return {key: mapped(change, each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(mapped(change, each) for each in value)
    return change(value)


def simple(value: Any) -> Any:
    """Return an argument with numbers that are easy to calculate with: halves in arrays, floats of a digit or two."""
    return mapped(_simple, value)


def _simple(value: Any) -> Any:
    if isinstance(value, float):
        digit = float(f"{value:.1g}")
        return float(f"{value:.2g}") if digit in (0, 1) else digit
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not (np.round(value, 2) == value).all():
        rounded: Any = np.round(2 * value).astype(value.dtype) / 2
        return rounded if rounded.any() else value
    return value


def _is_short(array: np.ndarray[Any, Any]) -> bool:
    if array.dtype.kind != "f":
        return True
    written = np.array([float(f"{each:.{DIGITS}g}") for each in array.ravel().tolist()])
    return bool(np.allclose(written, array.ravel(), rtol=CLOSE * np.finfo(array.dtype).eps, atol=0, equal_nan=True))


def _enclosed(value: Any, parts: list[str]) -> str:
    text = ", ".join(parts)
    return f"[{text}]" if isinstance(value, list) else f"({text})" if len(parts) > 1 else f"({text},)"


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_listed, value))}]"
    return str(value) if isinstance(value, (bool, int)) else f"{value + 0.0:.{DIGITS}g}"
