"""Convolution, ReLU and max pooling in one pass: what makes :mod:`cs7643.fast.layers` and the blocks fast.

BLAS does the arithmetic, and is hard to beat. What remains is moving numbers, which is fast within the cache and slow
outside it. So a few images at a time go through all layers: their windows are copied into rows, multiplied with the
filters, rectified and pooled, and only the pooled result returns to memory. The rows are not kept for the backward
pass: they hold each pixel once per window that covers it, and copying them again is faster than reading them back.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cs7643.arrays import Array, check_dout
from cs7643.fast.patches import Overlap, Patches, Plan, multiply, multiply_transposed
from cs7643.fast.threads import divide, share


class FusedCache(NamedTuple):
    """What the forward pass keeps for the backward pass."""

    x: Array
    w: Array
    plan: Plan
    wins: NDArray[np.bool_] | None  # (N, places, Y * X, F): where each pooled value comes from; None without ReLU


def fused_forward(x: Array, w: Array, b: Array, plan: Plan, *, relu: bool) -> tuple[Array, FusedCache]:
    """Compute a convolution, followed by ReLU and max pooling if ``relu`` is set.

    Args:
        x: (N, C, H, W), the images.
        w: (F, C, HH, WW), the filters.
        b: (F,), the biases.
        plan: the sizes, among them those of the pooling windows; 1 x 1 for no pooling.
        relu: whether to rectify and pool.

    Returns:
        out: (N, F, Y, X), and the cache.
    """
    N, F = len(x), len(w)
    (Y, X), places = plan.pooled, plan.places
    dtype = np.result_type(x, w, b)
    filters = np.concatenate([w.transpose(2, 3, 1, 0).reshape(-1, F), [b]]).astype(dtype, copy=False)
    out = np.empty((N, F, Y, X), dtype)
    wins = np.empty((N, places, Y * X, F), np.bool_) if relu else None

    def buffers(images: int) -> tuple[Patches, Array, Array]:
        maps = np.empty((images, places, Y * X, F), dtype)
        return Patches(plan, images, dtype), maps, np.empty_like(maps[:, 0])

    def work(own: tuple[Patches, Array, Array], images: slice) -> None:
        n = images.stop - images.start
        patches, maps, largest = own[0], own[1][:n], own[2][:n]
        for some, rows in patches.cut_out(x[images]):
            multiply(rows, filters, maps[some].reshape(-1, F))
        if wins is None:
            largest = maps[:, 0]
        else:
            np.maximum.reduce(maps, axis=1, out=largest)
            np.maximum(largest, 0, out=largest)
            np.equal(maps, largest[:, np.newaxis], out=wins[images])
            if np.count_nonzero(wins[images]) != np.count_nonzero(largest):
                _settle(wins[images], largest)
        out[images] = largest.reshape(-1, Y, X, F).transpose(0, 3, 1, 2)

    share(work, divide(N, plan.bytes_of_maps(F, dtype)), buffers)
    return out, FusedCache(x, w, plan, wins)


def fused_backward(
    where: str, dout: Array, cache: FusedCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    """Compute the gradients of :func:`fused_forward`.

    Args:
        where: the name of the public function, with which errors begin.
        dout: (N, F, Y, X), the gradient with respect to the output.
        cache: as :func:`fused_forward` returns it.
        need_dx: whether to compute the gradient of the images.

    Returns:
        dx: (N, C, H, W), or None; dw: (F, C, HH, WW); db: (F,).
    """
    x, w, plan, wins = cache
    F, C, HH, WW = w.shape
    (Y, X), places = plan.pooled, plan.places
    check_dout(where, dout, (len(x), F, Y, X))
    dtype = np.result_type(x, w, dout)
    filters = np.ascontiguousarray(w.transpose(2, 0, 3, 1).reshape(HH, F, WW * C), dtype)
    dx = np.empty(x.shape, dtype) if need_dx else None

    def buffers(images: int) -> tuple[Patches, Overlap | None, Array, Array]:
        overlap = Overlap(plan, images, dtype) if need_dx else None
        dmaps = np.empty((images, places, Y * X, F), dtype)
        return Patches(plan, images, dtype), overlap, dmaps, np.empty_like(dmaps[:, 0])

    def work(own: tuple[Patches, Overlap | None, Array, Array], images: slice) -> Array:
        n = images.stop - images.start
        patches, overlap, dmaps, dlargest = own[0], own[1], own[2][:n], own[3][:n]
        dlargest.reshape(n, Y, X, F)[...] = dout[images].transpose(0, 2, 3, 1)
        if wins is None:
            dmaps[:, 0] = dlargest
        else:
            dmaps[...] = wins[images]
            dmaps *= dlargest[:, np.newaxis]
        dfilters = np.zeros((plan.window_size + 1, F), dtype)
        for some, rows in patches.cut_out(x[images]):
            dfilters += multiply_transposed(rows, dmaps[some].reshape(-1, F))
            if dx is not None and overlap is not None:
                dx[images][some] = overlap.add_up(dmaps[some].reshape(-1, plan.positions, F), filters)
        return dfilters

    dfilters = np.zeros((plan.window_size + 1, F), dtype)
    for dfilters_of_block in share(work, divide(len(x), plan.bytes_of_maps(F, dtype)), buffers):
        dfilters += dfilters_of_block
    return dx, dfilters[:-1].reshape(HH, WW, C, F).transpose(3, 2, 0, 1), dfilters[-1]


def _settle(wins: NDArray[np.bool_], largest: Array) -> None:
    """Leave at most one winner in each window: none where the output is 0, and the first where several are equal."""
    free = largest > 0
    for place in range(wins.shape[1]):
        wins[:, place] &= free
        free ^= wins[:, place]
