"""The convolution and max-pooling layers of :mod:`cs7643.layers`, fast: same arguments, same results.

No Python loop runs over images, filters or positions. A convolution becomes a series of matrix products, for a few
images at a time, on as many threads as there are cores; :mod:`cs7643.fast.fused` explains how and why. Pooling loops
over the few places in a window and treats all windows at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cs7643.arrays import Array, Cache, PoolGeometry, check_dout, conv_geometry, pool_geometry
from cs7643.fast.fused import FusedCache, fused_backward, fused_forward
from cs7643.fast.patches import Plan
from cs7643.fast.threads import divide, share


def conv_forward_fast(x: Array, w: Array, b: Array, conv_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute a convolutional layer: x (N, C, H, W), w (F, C, HH, WW) and b (F,) give out (N, F, H_out, W_out).

    Arguments, results and errors are those of :func:`cs7643.layers.conv_forward_naive`.
    """
    geometry = conv_geometry("conv_forward_fast", x, w, b, conv_param)
    out, _ = fused_forward(x, w, b, Plan.of(x, w, geometry), relu=False)
    return out, (x, w, b, conv_param)


def conv_backward_fast(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients of a convolutional layer: dx (N, C, H, W), dw (F, C, HH, WW) and db (F,).

    Arguments, results and errors are those of :func:`cs7643.layers.conv_backward_naive`.
    """
    x, w, b, conv_param = cache
    geometry = conv_geometry("conv_backward_fast", x, w, b, conv_param)
    dx, dw, db = fused_backward("conv_backward_fast", dout, FusedCache(x, w, Plan.of(x, w, geometry), wins=None))
    assert dx is not None
    return dx, dw, db


class PoolCache(NamedTuple):
    """What pooling keeps for its backward pass."""

    shape: tuple[int, ...]  # of x
    geometry: PoolGeometry
    winner: Array  # (H_out, W_out, N, C): the place of the maximum in its window, counted row by row


def max_pool_forward_fast(x: Array, pool_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute a max-pooling layer: x (N, C, H, W) gives out (N, C, H_out, W_out).

    Arguments, results and errors are those of :func:`cs7643.layers.max_pool_forward_naive`, except for the cache.
    """
    geometry = pool_geometry("max_pool_forward_fast", x, pool_param)
    (N, C, H, W), (height, width, _, H_out, W_out) = x.shape, geometry
    out = np.empty((N, C, H_out, W_out), x.dtype)
    winner = np.zeros((H_out, W_out, N, C), np.min_scalar_type(height * width))

    def buffers(images: int) -> Array:
        return np.empty((H, W, images, C), x.dtype)  # so that one place of all windows is contiguous

    def work(own: Array, images: slice) -> None:
        maps, wins = own[:, :, : images.stop - images.start], winner[:, :, images]
        maps[...] = x[images].transpose(2, 3, 0, 1)
        largest = _places(maps, 0, 0, geometry).copy()
        for place, (i, j) in enumerate(np.ndindex(height, width)):
            if place > 0:
                rival = _places(maps, i, j, geometry)
                larger = rival > largest  # strictly: of equal values, the first wins
                np.maximum(wins, larger.view(np.uint8) * wins.dtype.type(place), out=wins)  # places ascend
                np.maximum(largest, rival, out=largest)
        out[images] = largest.transpose(2, 3, 0, 1)

    share(work, divide(N, C * H * W * x.itemsize), buffers)
    return out, PoolCache(x.shape, geometry, winner)


def max_pool_backward_fast(dout: Array, cache: Cache) -> Array:
    """Compute the gradient of a max-pooling layer: dx (N, C, H, W).

    Arguments, results and errors are those of :func:`cs7643.layers.max_pool_backward_naive`, except for the cache.
    """
    (N, C, H, W), geometry, winner = cache
    check_dout("max_pool_backward_fast", dout, (N, C, geometry.H_out, geometry.W_out))
    dx = np.empty((N, C, H, W), dout.dtype)

    def buffers(images: int) -> tuple[Array, Array]:
        outputs = (geometry.H_out, geometry.W_out, images, C)
        return np.empty((H, W, images, C), dout.dtype), np.empty(outputs, dout.dtype)

    def work(own: tuple[Array, Array], images: slice) -> None:
        n = images.stop - images.start
        dmaps, dlargest, wins = own[0][:, :, :n], own[1][:, :, :n], winner[:, :, images]
        dmaps[...] = 0
        dlargest[...] = dout[images].transpose(2, 3, 0, 1)
        for place, (i, j) in enumerate(np.ndindex(geometry.height, geometry.width)):
            target = _places(dmaps, i, j, geometry)
            target += dlargest * (wins == place)
        dx[images] = dmaps.transpose(2, 3, 0, 1)

    share(work, divide(N, C * H * W * dout.itemsize), buffers)
    return dx


def _places(maps: Array, i: int, j: int, geometry: PoolGeometry) -> Array:
    """Return a view of maps (H, W, N, C): the value at place (i, j) of each window."""
    _, _, stride, H_out, W_out = geometry
    return maps[i : i + stride * H_out : stride, j : j + stride * W_out : stride]
