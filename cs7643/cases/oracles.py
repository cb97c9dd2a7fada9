"""What several tasks compare with: affine layers and rectifiers, computed in ways that nobody would hand in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def spaced(start: float, stop: float, *shape: int) -> Array:
    """Return evenly spaced numbers in this shape, as the examples of the assignment have them."""
    return np.linspace(start, stop, num=int(np.prod(shape))).reshape(shape)


def affine(x: Array, w: Array, b: Array) -> Array:
    """Compute an affine layer, (N, M): it is linear once each image has one more number, which is 1."""
    extended = np.column_stack([x.reshape(len(x), -1), np.ones(len(x), x.dtype)])
    out: Array = np.inner(extended, np.column_stack([w.T, b]))
    return out


def rectified(x: Array) -> Array:
    """Compute a rectifier, by way of the absolute value."""
    out: Array = (x + abs(x)) / 2
    return out
