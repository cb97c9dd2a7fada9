"""The convolution and max-pooling layers of :mod:`cs7643.layers`, fast: same arguments, same results.

No Python loop runs over images, filters or positions. A convolution becomes a matrix product: every window of a padded
image is written out as a row ("im2col"), the filters are the columns of the other matrix, and BLAS multiplies the two.
The rows hold each pixel as often as windows cover it, so they are made for a block of images at a time, and again in
the backward pass instead of being kept. Pooling loops over the few places of a window, and handles all windows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cs7643.layers import Array, Cache, check_dout, conv_geometry, pool_geometry

BLOCK_BYTES = 8 * 2**20  # the rows of one block: large enough for BLAS, small enough not to leave the cache for long


def conv_forward_fast(x: Array, w: Array, b: Array, conv_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute a convolutional layer.

    Args:
        x: (N, C, H, W), the images.
        w: (F, C, HH, WW), the filters.
        b: (F,), the biases.
        conv_param: {"stride": at least 1, "pad": at least 0}.

    Returns:
        out: (N, F, H_out, W_out), as :func:`cs7643.layers.conv_forward_naive`, and the cache (x, w, b, conv_param).

    Raises:
        ValueError: if a shape, a dtype, the stride or the padding does not fit.
    """
    stride, pad, H_out, W_out = conv_geometry("conv_forward_fast", x, w, b, conv_param)
    filters = w.reshape(len(w), -1).T
    out = np.empty((len(x), len(w), H_out, W_out), dtype=np.result_type(x, w, b))
    for block, rows in _window_rows(x, w, stride, pad):
        product = rows @ filters + b
        out[block] = product.reshape(-1, H_out, W_out, len(w)).transpose(0, 3, 1, 2)
    return out, (x, w, b, conv_param)


def conv_backward_fast(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """Compute the gradients of a convolutional layer.

    Args:
        dout: (N, F, H_out, W_out), the gradient with respect to the layer's output.
        cache: (x, w, b, conv_param), as :func:`conv_forward_fast` returns it.

    Returns:
        dx: (N, C, H, W); dw: (F, C, HH, WW); db: (F,).

    Raises:
        ValueError: if ``dout`` does not have the shape of the output.
    """
    x, w, b, conv_param = cache
    stride, pad, H_out, W_out = conv_geometry("conv_backward_fast", x, w, b, conv_param)
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    check_dout("conv_backward_fast", dout, (N, F, H_out, W_out))

    filters = w.reshape(F, -1)
    dx = np.empty(x.shape, dtype=np.result_type(dout, w))
    dw = np.zeros(filters.shape, dtype=np.result_type(dout, x))
    for block, rows in _window_rows(x, w, stride, pad):
        dout_rows = dout[block].transpose(0, 2, 3, 1).reshape(-1, F)
        dw += dout_rows.T @ rows
        drows = (dout_rows @ filters).reshape(-1, H_out, W_out, C, HH, WW).transpose(4, 5, 0, 3, 1, 2)
        dx_padded = np.zeros((drows.shape[2], C, H + 2 * pad, W + 2 * pad), dtype=dx.dtype)
        for i, j in np.ndindex(HH, WW):  # each place of the filter meets each pixel at most once
            _places(dx_padded, i, j, stride, H_out, W_out)[...] += drows[i, j]
        dx[block] = dx_padded[:, :, pad : pad + H, pad : pad + W]
    return dx, dw.reshape(w.shape), dout.sum(axis=(0, 2, 3))


def max_pool_forward_fast(x: Array, pool_param: Mapping[str, int]) -> tuple[Array, Cache]:
    """Compute a max-pooling layer.

    Args:
        x: (N, C, H, W), the images.
        pool_param: {"pool_height", "pool_width", "stride"}, each at least 1.

    Returns:
        out: (N, C, H_out, W_out), as :func:`cs7643.layers.max_pool_forward_naive`, and a cache.

    Raises:
        ValueError: if a shape, a dtype, the window or the stride does not fit.
    """
    geometry = pool_geometry("max_pool_forward_fast", x, pool_param)
    height, width, stride, H_out, W_out = geometry
    out = _places(x, 0, 0, stride, H_out, W_out).copy()
    winner = np.zeros(out.shape, dtype=np.int32)  # the place in the window, row by row, that holds the maximum
    for place, (i, j) in enumerate(np.ndindex(height, width)):
        candidate = _places(x, i, j, stride, H_out, W_out)
        winner[candidate > out] = place  # strictly larger: of equal values, the first wins
        np.maximum(out, candidate, out=out)
    return out, (x.shape, geometry, winner)


def max_pool_backward_fast(dout: Array, cache: Cache) -> Array:
    """Compute the gradient of a max-pooling layer; of equal values in a window, the first takes it all.

    Args:
        dout: (N, C, H_out, W_out), the gradient with respect to the layer's output.
        cache: as :func:`max_pool_forward_fast` returns it.

    Returns:
        dx: (N, C, H, W).

    Raises:
        ValueError: if ``dout`` does not have the shape of the output.
    """
    shape, (height, width, stride, H_out, W_out), winner = cache
    check_dout("max_pool_backward_fast", dout, (*shape[:2], H_out, W_out))
    dx = np.zeros(shape, dtype=dout.dtype)
    for place, (i, j) in enumerate(np.ndindex(height, width)):
        _places(dx, i, j, stride, H_out, W_out)[...] += dout * (winner == place)
    return dx


def _window_rows(x: Array, w: Array, stride: int, pad: int) -> Iterator[tuple[slice, Array]]:
    """For each block of images, yield its slice of N and its windows as rows, (images * H_out * W_out, C * HH * WW)."""
    _, C, HH, WW = w.shape
    H_out, W_out = 1 + (x.shape[2] + 2 * pad - HH) // stride, 1 + (x.shape[3] + 2 * pad - WW) // stride
    images = max(1, BLOCK_BYTES // (H_out * W_out * C * HH * WW * x.itemsize))
    for start in range(0, len(x), images):
        block = slice(start, start + images)
        x_padded = np.pad(x[block], ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(x_padded, (HH, WW), axis=(2, 3))[:, :, ::stride, ::stride]
        yield block, windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, C * HH * WW)


def _places(x: Array, i: int, j: int, stride: int, H_out: int, W_out: int) -> Array:
    """Return a view of the pixels that lie at place (i, j) of each window: (N, C, H_out, W_out)."""
    return x[:, :, i : i + stride * H_out : stride, j : j + stride * W_out : stride]
