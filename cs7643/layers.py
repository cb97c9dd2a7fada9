"""The layers of problem 6.2: each is a forward and a backward function, connected by a cache.

``forward -> (out, cache)`` computes the output and keeps what the backward pass needs. ``backward(dout, cache)`` takes
the gradient of the loss with respect to ``out`` and returns its gradients with respect to the inputs. No argument is
changed, and the same call returns the same result. Arrays are float32 or float64; a result should have the dtype of the
inputs. N is the number of images, C of channels, F of filters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from cs7643.arrays import Array, Cache, check_dout, check_floating, conv_geometry, pool_geometry


def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, Cache]:
    """Compute an affine (fully connected) layer: out = x w + b, with each image flattened into a row.

    Args:
        x: (N, d_1, ..., d_k), N images of any shape; D = d_1 * ... * d_k.
        w: (D, M), the weights.
        b: (M,), the biases.

    Returns:
        out: (N, M), and the cache (x, w, b).

    Raises:
        ValueError: if a shape or a dtype does not fit.
    """
    check_floating("affine_forward", x=x, w=w, b=b)
    if x.ndim < 2 or w.ndim != 2 or math.prod(x.shape[1:]) != w.shape[0]:
        raise ValueError(
            f"affine_forward: w must have shape (D, M) with D = {math.prod(x.shape[1:])}, the number of values in an "
            f"image of x {x.shape}, got {w.shape}"
        )
    if b.shape != (w.shape[1],):
        raise ValueError(f"affine_forward: b must have shape ({w.shape[1]},), one for each column of w, got {b.shape}")
    # BEGIN SOLUTION 6.2 affine_forward
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)
    # END SOLUTION


def affine_backward(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients of an affine layer.

    Args:
        dout: (N, M), the gradient with respect to the layer's output.
        cache: (x, w, b), as :func:`affine_forward` returns it.

    Returns:
        dx: of x's shape (N, d_1, ..., d_k); dw: (D, M); db: (M,).

    Raises:
        ValueError: if ``dout`` does not have the shape of the output.
    """
    x, w, _ = cache
    check_dout("affine_backward", dout, (len(x), w.shape[1]))
    # BEGIN SOLUTION 6.2 affine_backward
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db
    # END SOLUTION


def relu_forward(x: Array) -> tuple[Array, Cache]:
    """Compute a rectified linear unit: out = max(0, x), element by element.

    Args:
        x: an array of any shape.

    Returns:
        out: of the same shape, and the cache x.
    """
    check_floating("relu_forward", x=x)
    # BEGIN SOLUTION 6.2 relu_forward
    return np.maximum(x, 0), x
    # END SOLUTION


def relu_backward(dout: Array, cache: Cache) -> Array:
    """Compute the gradient of a rectified linear unit.

    The gradient passes where x was positive, and is 0 where x was negative; at x = 0 it is 0.

    Args:
        dout: the gradient with respect to the output, of any shape. It must not be changed in place.
        cache: x, as :func:`relu_forward` returns it.

    Returns:
        dx: of the same shape.

    Raises:
        ValueError: if ``dout`` and x differ in shape.
    """
    x: Array = cache
    check_dout("relu_backward", dout, x.shape)
    # BEGIN SOLUTION 6.2 relu_backward
    dx: Array = dout * (x > 0)
    return dx
    # END SOLUTION


def conv_forward_naive(x: Array, w: Array, b: Array, conv_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute a convolutional layer (a cross-correlation, as usual in deep learning), written to be read.

    Each filter of size HH x WW slides over the image, padded with ``pad`` zeros on every side, in steps of ``stride``;
    at each position it is multiplied elementwise with the window under it, and all products are summed.

    Args:
        x: (N, C, H, W), the images.
        w: (F, C, HH, WW), the filters.
        b: (F,), the biases.
        conv_param: {"stride": at least 1, "pad": at least 0}.

    Returns:
        out: (N, F, H_out, W_out) with H_out = 1 + (H + 2 pad - HH) // stride and W_out likewise: rows and columns that
        no complete window covers are ignored. And the cache (x, w, b, conv_param).

    Raises:
        ValueError: if a shape, a dtype, the stride or the padding does not fit.
    """
    stride, pad, H_out, W_out = conv_geometry("conv_forward_naive", x, w, b, conv_param)
    # BEGIN SOLUTION 6.2 conv_forward_naive
    F, _, HH, WW = w.shape
    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty((len(x), F, H_out, W_out), dtype=np.result_type(x, w, b))
    for n, f, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        window = x_padded[n, :, top : top + HH, left : left + WW]
        out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, conv_param)
    # END SOLUTION


def conv_backward_naive(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients of a convolutional layer, written to be read.

    Args:
        dout: (N, F, H_out, W_out), the gradient with respect to the layer's output.
        cache: (x, w, b, conv_param), as :func:`conv_forward_naive` returns it.

    Returns:
        dx: (N, C, H, W); dw: (F, C, HH, WW); db: (F,).

    Raises:
        ValueError: if ``dout`` does not have the shape of the output.
    """
    x, w, b, conv_param = cache
    stride, pad, H_out, W_out = conv_geometry("conv_backward_naive", x, w, b, conv_param)
    check_dout("conv_backward_naive", dout, (len(x), len(w), H_out, W_out))
    # BEGIN SOLUTION 6.2 conv_backward_naive
    _, _, H, W = x.shape
    _, _, HH, WW = w.shape
    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dx_padded = np.zeros_like(x_padded)
    dw = np.zeros_like(w)
    for n, f, i, j in np.ndindex(dout.shape):
        top, left = i * stride, j * stride
        window = (n, slice(None), slice(top, top + HH), slice(left, left + WW))
        dx_padded[window] += dout[n, f, i, j] * w[f]  # windows overlap, so their gradients add up
        dw[f] += dout[n, f, i, j] * x_padded[window]
    dx = dx_padded[:, :, pad : pad + H, pad : pad + W]
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db
    # END SOLUTION


def max_pool_forward_naive(x: Array, pool_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute a max-pooling layer, written to be read: the largest value of each window, channel by channel.

    Args:
        x: (N, C, H, W), the images.
        pool_param: {"pool_height", "pool_width", "stride"}, each at least 1.

    Returns:
        out: (N, C, H_out, W_out) with H_out = 1 + (H - pool_height) // stride and W_out likewise: rows and columns
        that no complete window covers are ignored. And the cache (x, pool_param).

    Raises:
        ValueError: if a shape, a dtype, the window or the stride does not fit.
    """
    height, width, stride, H_out, W_out = pool_geometry("max_pool_forward_naive", x, pool_param)
    # BEGIN SOLUTION 6.2 max_pool_forward_naive
    N, C, _, _ = x.shape
    out = np.empty((N, C, H_out, W_out), dtype=x.dtype)
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        out[n, c, i, j] = np.max(x[n, c, top : top + height, left : left + width])
    return out, (x, pool_param)
    # END SOLUTION


def max_pool_backward_naive(dout: Array, cache: Cache) -> Array:
    """Compute the gradient of a max-pooling layer, written to be read.

    The whole gradient of a window goes to its maximum; where several values tie, to the first of them, row by row
    (which is what PyTorch does). Where windows overlap, their gradients add up.

    Args:
        dout: (N, C, H_out, W_out), the gradient with respect to the layer's output.
        cache: (x, pool_param), as :func:`max_pool_forward_naive` returns it.

    Returns:
        dx: (N, C, H, W).

    Raises:
        ValueError: if ``dout`` does not have the shape of the output.
    """
    x, pool_param = cache
    height, width, stride, H_out, W_out = pool_geometry("max_pool_backward_naive", x, pool_param)
    check_dout("max_pool_backward_naive", dout, (*x.shape[:2], H_out, W_out))
    # BEGIN SOLUTION 6.2 max_pool_backward_naive
    dx: Array = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + height, left : left + width]
        row, column = np.unravel_index(np.argmax(window), window.shape)
        dx[n, c, top + row, left + column] += dout[n, c, i, j]  # windows may overlap
    return dx
    # END SOLUTION
