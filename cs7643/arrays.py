"""Arrays, models and caches as types, and the sizes of convolutions and pooling, for all files that need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of float32 or float64
Cache = Any  # what a forward function passes to its backward function
Model = dict[str, Array]  # W1, b1, W2, b2


class ConvGeometry(NamedTuple):
    """The stride and padding of a convolution, and the height and width of its output."""

    stride: int
    pad: int
    H_out: int
    W_out: int


class PoolGeometry(NamedTuple):
    """The window and stride of a pooling layer, and the height and width of its output."""

    height: int
    width: int
    stride: int
    H_out: int
    W_out: int


def conv_geometry(where: str, x: Array, w: Array, b: Array, conv_param: Mapping[str, int]) -> ConvGeometry:
    """Check the arguments of a convolution and compute the size of its output; errors begin with ``where``."""
    check_floating(where, x=x, w=w, b=b)
    if x.ndim != 4:
        raise ValueError(f"{where}: x must have shape (N, C, H, W), got {x.shape}")
    if w.ndim != 4:
        raise ValueError(f"{where}: w must have shape (F, C, HH, WW), got {w.shape}")
    if w.shape[1] != x.shape[1]:
        raise ValueError(f"{where}: w has {w.shape[1]} input channels, x has {x.shape[1]}")
    if b.shape != (len(w),):
        raise ValueError(f"{where}: b must have shape ({len(w)},), one for each filter, got {b.shape}")
    stride = _whole_number(where, "conv_param", conv_param, "stride", at_least=1)
    pad = _whole_number(where, "conv_param", conv_param, "pad", at_least=0)
    H, W = x.shape[2] + 2 * pad, x.shape[3] + 2 * pad
    return ConvGeometry(stride, pad, *_positions(where, "w", (H, W), (w.shape[2], w.shape[3]), stride))


def pool_geometry(where: str, x: Array, pool_param: Mapping[str, int]) -> PoolGeometry:
    """Check the arguments of a pooling layer and compute the size of its output; errors begin with ``where``."""
    check_floating(where, x=x)
    if x.ndim != 4:
        raise ValueError(f"{where}: x must have shape (N, C, H, W), got {x.shape}")
    height = _whole_number(where, "pool_param", pool_param, "pool_height", at_least=1)
    width = _whole_number(where, "pool_param", pool_param, "pool_width", at_least=1)
    stride = _whole_number(where, "pool_param", pool_param, "stride", at_least=1)
    H_out, W_out = _positions(where, "pool_param", (x.shape[2], x.shape[3]), (height, width), stride)
    return PoolGeometry(height, width, stride, H_out, W_out)


def _positions(where: str, name: str, image: tuple[int, int], window: tuple[int, int], stride: int) -> tuple[int, int]:
    """Return the number of positions of a window inside an image, vertically and horizontally."""
    if not (1 <= window[0] <= image[0] and 1 <= window[1] <= image[1]):
        raise ValueError(
            f"{where}: the window of {name}, {window[0]} x {window[1]}, does not fit into the (padded) image, "
            f"{image[0]} x {image[1]}"
        )
    return 1 + (image[0] - window[0]) // stride, 1 + (image[1] - window[1]) // stride


def _whole_number(where: str, name: str, param: Mapping[str, int], key: str, at_least: int) -> int:
    if key not in param:
        raise ValueError(f"{where}: {name} must have the key {key!r}, got the keys {sorted(param)}")
    value = param[key]
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{where}: {name}[{key!r}] must be a whole number of at least {at_least}, got {value!r}")
    return int(value)


def check_floating(where: str, **arrays: Array) -> None:
    """Check that these are NumPy arrays of float32 or float64; errors begin with ``where``."""
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype not in (np.float32, np.float64):
            found = getattr(array, "dtype", type(array).__name__)
            raise ValueError(f"{where}: {name} must be a NumPy array of float32 or float64, got {found}")


def check_dout(where: str, dout: Array, shape: tuple[int, ...]) -> None:
    """Check that ``dout`` has the shape of the output; errors begin with ``where``."""
    check_floating(where, dout=dout)
    if dout.shape != shape:
        raise ValueError(f"{where}: dout must have the shape of the output, {shape}, got {dout.shape}")
