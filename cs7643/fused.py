"""Convolution, ReLU and max pooling in one go, which is how :mod:`cs7643.fast_layers` and the blocks are fast.

BLAS does the arithmetic, at a rate that is hard to beat. What remains is to move numbers, which is fast within the
cache and slow outside. So a few images at a time go all the way: their windows are written out as rows, multiplied with
the filters, rectified and pooled, and only what pooling leaves goes back to memory. The rows are not kept for the
backward pass: they hold each pixel as often as windows cover it, and writing them again takes less time than fetching.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cs7643.layers import Array, ConvGeometry, check_dout
from cs7643.patches import Overlap, Patches, Plan, multiply, multiply_transposed
from cs7643.threads import divide, share


class FusedCache(NamedTuple):
    """What the forward pass keeps for the backward pass."""

    x: Array
    w: Array
    geometry: ConvGeometry
    window: tuple[int, int] | None
    winner: Array | None  # (N, Y * X, F): the place in the window that holds the maximum; "places" if ReLU cuts it off


def fused_forward(
    x: Array, w: Array, b: Array, geometry: ConvGeometry, window: tuple[int, int] | None
) -> tuple[Array, FusedCache]:
    """Compute a convolution, and ReLU and max pooling after it.

    Args:
        x: (N, C, H, W), the images.
        w: (F, C, HH, WW), the filters.
        b: (F,), the biases.
        geometry: of the convolution.
        window: of the pooling, whose windows lie side by side; (1, 1) for ReLU alone, None for neither.

    Returns:
        out: (N, F, Y, X), and the cache.
    """
    N, F = len(x), len(w)
    plan = Plan(x.shape[1:], w.shape[2:], geometry, window or (1, 1))
    (Y, X), places = plan.pooled, plan.places
    dtype = np.result_type(x, w, b)
    filters = np.ascontiguousarray(w.transpose(2, 3, 1, 0).reshape(-1, F), dtype)
    out = np.empty((N, F, Y, X), dtype)
    winner = np.empty((N, Y * X, F), np.min_scalar_type(places)) if window else None

    def buffers(images: int) -> tuple[Patches, Array]:
        return Patches(plan, images, dtype), np.empty((images, places, Y * X, F), dtype)

    def work(own: tuple[Patches, Array], images: slice) -> None:
        patches, maps = own[0], own[1][: images.stop - images.start]
        multiply(patches.cut_out(x[images]), filters, maps.reshape(-1, F))
        largest = maps[:, 0]
        if winner is None:
            largest += b
        else:
            wins = winner[images]
            wins[...] = 0
            for place in range(1, places):
                keep_larger(largest, wins, maps[:, place], place)
            largest += b  # only now, as it is the same for all places of a window
            np.maximum(largest, 0, out=largest)
            mark(wins, largest == 0, places)
        out[images] = largest.reshape(-1, Y, X, F).transpose(0, 3, 1, 2)

    share(work, divide(N, plan.bytes_of_rows(dtype)), buffers)
    return out, FusedCache(x, w, geometry, window, winner)


def fused_backward(
    where: str, dout: Array, cache: FusedCache, *, need_dx: bool = True
) -> tuple[Array | None, Array, Array]:
    """Compute the gradients of a convolution with what follows it; errors begin with ``where``.

    Args:
        where: the name of the public function.
        dout: (N, F, Y, X), the gradient with respect to the output.
        cache: as :func:`fused_forward` returns it.
        need_dx: whether the gradient of the images is asked for.

    Returns:
        dx: (N, C, H, W), or None; dw: (F, C, HH, WW); db: (F,).
    """
    x, w, geometry, window, winner = cache
    F, C, HH, WW = w.shape
    plan = Plan(x.shape[1:], w.shape[2:], geometry, window or (1, 1))
    (Y, X), places = plan.pooled, plan.places
    check_dout(where, dout, (len(x), F, Y, X))
    dtype = np.result_type(x, w, dout)
    filters = np.ascontiguousarray(w.transpose(2, 0, 3, 1).reshape(HH, F, WW * C), dtype)
    dx = np.empty(x.shape, dtype) if need_dx else None

    def buffers(images: int) -> tuple[Patches, Overlap | None, Array, Array]:
        overlap = Overlap(plan, images, dtype) if need_dx else None
        dmaps = np.empty((images, places, Y * X, F), dtype)
        return Patches(plan, images, dtype), overlap, dmaps, np.empty((images, Y * X, F), dtype)

    def work(own: tuple[Patches, Overlap | None, Array, Array], images: slice) -> tuple[Array, Array]:
        n = images.stop - images.start
        patches, overlap, dmaps, dlargest = own[0], own[1], own[2][:n], own[3][:n]
        dlargest.reshape(n, Y, X, F)[...] = dout[images].transpose(0, 2, 3, 1)
        if winner is None:
            dmaps[:, 0] = dlargest
        else:
            wins = winner[images]
            dlargest *= wins < places
            for place in range(places):
                np.multiply(dlargest, wins == place, out=dmaps[:, place])
        dw = multiply_transposed(patches.cut_out(x[images]), dmaps.reshape(-1, F))
        if dx is not None and overlap is not None:
            dx[images] = overlap.add_up(dmaps.reshape(n, -1, F), filters)
        return dw, dlargest.sum(axis=(0, 1))

    dw, db = np.zeros((HH * WW * C, F), dtype), np.zeros(F, dtype)
    for dw_of_block, db_of_block in share(work, divide(len(x), plan.bytes_of_rows(dtype)), buffers):
        dw += dw_of_block
        db += db_of_block
    return dx, dw.reshape(HH, WW, C, F).transpose(3, 2, 0, 1), db


def keep_larger(largest: Array, wins: Array, rival: Array, place: int) -> None:
    """Put what is larger in ``rival`` into ``largest``, and ``place`` into ``wins`` there; places come in order."""
    mark(wins, rival > largest, place)  # strictly larger: of equal values, the first wins
    np.maximum(largest, rival, out=largest)


def mark(wins: Array, where: NDArray[np.bool_], place: int) -> None:
    """Write ``place``, which is larger than all that stands there: as a maximum, ten times as fast as by index."""
    np.maximum(wins, where.view(np.uint8) * wins.dtype.type(place), out=wins)
