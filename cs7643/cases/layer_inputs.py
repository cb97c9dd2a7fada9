"""What the cases of all layers share: the comparison of a cache, and the sizes of windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, CaseFailed
from coursework.check.comparison import Prediction, compare
from cs7643.cases.oracles import Array

Mistaken = dict[str, Prediction]
FLOATS = "Arrays are float32 or float64"  # the rule of all cases with float32 inputs
OBLONG = ((3, 5), (5, 3), (2, 4), (4, 2))  # heights and widths of kernels and windows


def oblong(rng: Generator) -> tuple[int, int]:
    """Draw a height and a width that differ."""
    return OBLONG[int(rng.integers(len(OBLONG)))]


def compare_cache(cache: object, expected: dict[str, Any], mistakes: Mistaken | None = None) -> Attempt:
    """Compare a cache with the arguments that it begins with: another backward function must be able to use it."""
    listed = f"the cache should be ({', '.join(expected)})"
    if not isinstance(cache, (tuple, list)) or len(cache) < len(expected):
        found = f"{len(cache)} values" if isinstance(cache, (tuple, list)) else type(cache).__name__
        raise CaseFailed(f"{listed}, got {found}")
    for found, (name, value) in zip(cache, expected.items(), strict=False):
        if not isinstance(value, dict):
            yield compare(f"{name} in the cache", found, value, mistakes=mistakes if name == "x" else None)
        elif not isinstance(found, Mapping) or dict(found) != value:
            raise CaseFailed(f"{listed}, with {name} = {value}, got {found!r}")


def numbers(*sizes: int) -> str:
    """Return a pattern for the last axes of a shape in an error's text, e.g. of (2, 3, 3) for 3, 3."""
    return r"\((?:\d+, ?)*" + r", ?".join(map(str, sizes)) + r"\)"


def do_not_fit(one: tuple[int, ...], other: tuple[int, ...]) -> str:
    """Return a pattern of the error of two operands with these last axes, in either order."""
    pair, back = f"{numbers(*one)} {numbers(*other)}", f"{numbers(*other)} {numbers(*one)}"
    return f"broadcast together with shapes (?:{pair}|{back})"


def first_narrow(width: int, window: int, stride: int, positions: int) -> int:
    """Return the width of the first window that reaches out of an image, as slicing cuts it; 0 if none does."""
    for j in range(positions):
        if j * stride + window > width:
            return max(0, width - j * stride)
    return 0


def images(rng: Generator, *shape: int, dtype: Any = np.float64) -> Array:
    """Draw images."""
    return np.asarray(rng.standard_normal(shape), dtype)
