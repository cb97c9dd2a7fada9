"""What several tasks compare with: affine layers and rectifiers by way of the given fast layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.fast.layers import conv_forward_fast

Array = NDArray[Any]


def spaced(start: float, stop: float, *shape: int) -> Array:
    """Return evenly spaced numbers in this shape, as the examples of the assignment have them."""
    return np.linspace(start, stop, num=int(np.prod(shape))).reshape(shape)


def affine(x: Array, w: Array, b: Array) -> Array:
    """Compute an affine layer, (N, M): it is a convolution of images of one pixel."""
    pixels, filters = x.reshape(len(x), -1, 1, 1), w.T[:, :, np.newaxis, np.newaxis]
    out: Array = conv_forward_fast(pixels, filters, b, {"stride": 1, "pad": 0})[0][:, :, 0, 0]
    return out


def rectified(x: Array) -> Array:
    """Compute a rectifier, by way of the absolute value."""
    out: Array = (x + abs(x)) / 2
    return out
