"""Layers that often follow one another, as one pair of functions each; convolution and pooling are the fast ones."""

from __future__ import annotations

from collections.abc import Mapping

from cs7643.fast_layers import conv_backward_fast, conv_forward_fast, max_pool_backward_fast, max_pool_forward_fast
from cs7643.layers import Array, Cache, affine_backward, affine_forward, relu_backward, relu_forward


def affine_relu_forward(x: Array, w: Array, b: Array) -> tuple[Array, Cache]:
    """Compute affine - ReLU. Shapes as in :func:`cs7643.layers.affine_forward`."""
    scores, affine_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(scores)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients dx, dw, db of affine - ReLU."""
    affine_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), affine_cache)


def conv_relu_forward(x: Array, w: Array, b: Array, conv_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute convolution - ReLU. Shapes as in :func:`cs7643.layers.conv_forward_naive`."""
    maps, conv_cache = conv_forward_fast(x, w, b, conv_param)
    out, relu_cache = relu_forward(maps)
    return out, (conv_cache, relu_cache)


def conv_relu_backward(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients dx, dw, db of convolution - ReLU."""
    conv_cache, relu_cache = cache
    return conv_backward_fast(relu_backward(dout, relu_cache), conv_cache)


def conv_relu_pool_forward(
    x: Array, w: Array, b: Array, conv_param: Mapping[str, int], pool_param: Mapping[str, int]
) -> tuple[Array, Cache]:
    """Compute convolution - ReLU - max pooling. Shapes as in the two layers' own functions."""
    maps, conv_relu_cache = conv_relu_forward(x, w, b, conv_param)
    out, pool_cache = max_pool_forward_fast(maps, pool_param)
    return out, (conv_relu_cache, pool_cache)


def conv_relu_pool_backward(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients dx, dw, db of convolution - ReLU - max pooling."""
    conv_relu_cache, pool_cache = cache
    return conv_relu_backward(max_pool_backward_fast(dout, pool_cache), conv_relu_cache)
