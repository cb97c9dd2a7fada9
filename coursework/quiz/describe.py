"""How a value is written in a question: a number, a short array, or a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST = 6  # numbers that are written out
DIGITS = 4
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
    """Write a value; of what is large, or on demand, the shape; "" for what cannot be written in a few words."""
    array = numbers(value)
    if array is None:
        if isinstance(value, (tuple, list)) and 0 < len(value) <= 4:
            parts = [describe(each, shape) for each in value]
            return f"({', '.join(parts)})" if all(parts) else ""
        return ""
    if shape or array.size > MOST:
        return f"{SHAPE}{array.shape}" if array.ndim else ""
    return _listed(array.tolist())


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_listed, value))}]"
    return str(value) if isinstance(value, (bool, int)) else f"{value:.{DIGITS}g}"


def argument(value: Any) -> str:
    """Write an argument of a call; "" if it is too long, or no number."""
    if callable(value):
        return getattr(value, "__name__", "").replace("<lambda>", "a function")
    if isinstance(value, dict):
        parts = {key: argument(each) for key, each in value.items()}
        return "{" + ", ".join(f"{key!r}: {part}" for key, part in parts.items()) + "}" if all(parts.values()) else ""
    if isinstance(value, str):
        return repr(value)
    array = numbers(value)
    if array is not None and array.size > MOST:
        return f"an array of shape {array.shape}"
    return describe(value)
