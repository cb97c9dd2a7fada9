"""Points and outputs as vectors, for all modes of differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def outputs(y: Any) -> NDArray[Any]:
    """Return the result of a function, a number, a sequence or an array, as a vector (m,)."""
    return np.atleast_1d(np.asarray(y)).ravel()


def point(name: str, w: ArrayLike) -> Array:
    """Return w as a float64 vector.

    Raises:
        ValueError: if it is not a vector of finite real numbers; the message begins with ``name``.
    """
    array = np.asarray(w)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must be a vector of real numbers, got {w!r}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers, got {w!r}")
    return array.astype(np.float64)
