"""Common sequences of layers, each as one forward and one backward function, with the fast convolution and pooling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cs7643.arrays import Array, Cache, conv_geometry, pool_geometry
from cs7643.fast.fused import fused_backward, fused_forward
from cs7643.fast.layers import max_pool_backward_fast, max_pool_forward_fast
from cs7643.fast.patches import Plan


def conv_relu_forward(x: Array, w: Array, b: Array, conv_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute convolution - ReLU. Shapes as in :func:`cs7643.layers.conv_forward_naive`."""
    return fused_forward(x, w, b, Plan.of(x, w, conv_geometry("conv_relu_forward", x, w, b, conv_param)), relu=True)


def conv_relu_backward(dout: Array, cache: Cache, *, need_dx: bool = True) -> tuple[Array | None, Array, Array]:
    """Compute the gradients dx, dw, db of convolution - ReLU; without ``need_dx``, dx is None."""
    return fused_backward("conv_relu_backward", dout, cache, need_dx=need_dx)


def conv_relu_pool_forward(
    x: Array, w: Array, b: Array, conv_param: Mapping[str, int], pool_param: Mapping[str, int]
) -> tuple[Array, Cache]:
    """Compute convolution - ReLU - max pooling. Shapes as in the two layers' own functions."""
    geometry = conv_geometry("conv_relu_pool_forward", x, w, b, conv_param)
    maps = np.broadcast_to(x.dtype.type(0), (len(x), len(w), geometry.H_out, geometry.W_out))  # only for their shape
    height, width, stride, _, _ = pool_geometry("conv_relu_pool_forward", maps, pool_param)
    if height == width == stride:  # windows lie side by side: no value is in two
        out, conv_cache = fused_forward(x, w, b, Plan.of(x, w, geometry, (height, width)), relu=True)
        return out, (conv_cache, None)
    maps, conv_cache = fused_forward(x, w, b, Plan.of(x, w, geometry), relu=True)
    out, pool_cache = max_pool_forward_fast(maps, pool_param)
    return out, (conv_cache, pool_cache)


def conv_relu_pool_backward(dout: Array, cache: Cache, *, need_dx: bool = True) -> tuple[Array | None, Array, Array]:
    """Compute the gradients dx, dw, db of convolution - ReLU - max pooling; without ``need_dx``, dx is None."""
    conv_cache, pool_cache = cache
    if pool_cache is not None:
        dout = max_pool_backward_fast(dout, pool_cache)
    return fused_backward("conv_relu_pool_backward", dout, conv_cache, need_dx=need_dx)
