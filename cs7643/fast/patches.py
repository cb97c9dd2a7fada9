"""A convolution as a matrix product: each window of an image becomes a row ("im2col"); and the inverse ("col2im").

Channels come last here. One row of a window, its pixels with all their channels, is then contiguous in memory, and is
copied as a single item.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs7643.arrays import Array, ConvGeometry

ROWS_BYTES = 2**20  # copied at a time, so that the rows are still in the cache when they are multiplied
SMALL = 100**3  # multiplications: OpenBLAS copies larger matrices before it multiplies them
FEWEST = 64  # rows: a product of fewer is not worth the call


@dataclass(frozen=True)
class Plan:
    """The sizes of a convolution, and the order in which its positions are taken.

    The order suits max pooling: first all positions that come first in their pooling window, then all that come
    second, and so on, so that pooling compares contiguous blocks of memory. With 1 x 1 windows, for no pooling, it is
    the order of the image. Positions that no complete pooling window covers are left out.
    """

    image: tuple[int, int, int]  # C, H, W
    kernel: tuple[int, int]  # HH, WW
    geometry: ConvGeometry
    window: tuple[int, int]  # of the pooling

    @classmethod
    def of(cls, x: Array, w: Array, geometry: ConvGeometry, window: tuple[int, int] = (1, 1)) -> Plan:
        """Return the plan for images x (N, C, H, W), filters w (F, C, HH, WW) and pooling windows."""
        return cls(x.shape[1:], w.shape[2:], geometry, window)

    @property
    def pooled(self) -> tuple[int, int]:
        """The height and width of the output after pooling."""
        return self.geometry.H_out // self.window[0], self.geometry.W_out // self.window[1]

    @property
    def places(self) -> int:
        """The number of positions in a pooling window."""
        return self.window[0] * self.window[1]

    @property
    def positions(self) -> int:
        """The number of positions of a filter in an image."""
        return self.places * self.pooled[0] * self.pooled[1]

    @property
    def window_size(self) -> int:
        """The number of values in a window, HH * WW * C."""
        return self.kernel[0] * self.kernel[1] * self.image[0]

    def at_once(self, images: int, dtype: np.dtype[Any]) -> int:
        """Return how many of ``images`` images to copy into rows at a time."""
        return max(1, min(images, ROWS_BYTES // (self.positions * self.window_size * dtype.itemsize)))

    def bytes_of_maps(self, filters: int, dtype: np.dtype[Any]) -> int:
        """Return the size of one image's feature maps."""
        return self.positions * filters * dtype.itemsize

    def padded(self, images: int) -> tuple[int, int, int, int]:
        """Return the shape of padded images, channels last."""
        C, H, W = self.image
        return images, H + 2 * self.geometry.pad, W + 2 * self.geometry.pad, C

    def inside(self, padded: Array) -> Array:
        """Return a view of padded images, without the padding, as (N, C, H, W)."""
        (_, H, W), pad = self.image, self.geometry.pad
        return padded[:, pad : pad + H, pad : pad + W].transpose(0, 3, 1, 2)


class Patches:
    """The windows of images as rows, in memory that is reused for one small group of images after another.

    Each row ends with a 1. The product with the filters, whose last row holds the biases, therefore adds the biases,
    and in the backward pass the gradient of that last row is the gradient of the biases.
    """

    def __init__(self, plan: Plan, images: int, dtype: np.dtype[Any]) -> None:
        """Allocate memory for a group of at most ``images`` images."""
        C, (HH, WW), (ph, pw), stride = plan.image[0], plan.kernel, plan.window, plan.geometry.stride
        self._room = plan.at_once(images, dtype)
        padded = np.zeros(plan.padded(self._room), dtype)  # the margin stays zero
        self._images = plan.inside(padded)
        self._rows = np.ones((self._room, plan.positions, plan.window_size + 1), dtype)

        piece = np.dtype((np.void, WW * C * dtype.itemsize))  # a row of a window
        shape = (self._room, ph, pw, *plan.pooled, HH)
        image, down, right, _ = padded.strides
        steps = (image, stride * down, stride * right, ph * stride * down, pw * stride * right, down)
        self._windows = np.ndarray(shape, piece, buffer=padded, strides=steps)
        windows = self._rows[..., :-1].reshape(*shape[:-1], HH, WW * C)
        self._pieces = np.ndarray(shape, piece, buffer=self._rows, strides=windows.strides[:-1])

    def cut_out(self, x: Array) -> Iterator[tuple[slice, Array]]:
        """Yield, for one group of the images (n, C, H, W) after another, its slice and its windows as rows.

        The rows, (images in the group * positions, HH * WW * C + 1), are overwritten by those of the next group.
        """
        for start in range(0, len(x), self._room):
            some = x[start : start + self._room]
            n = len(some)
            self._images[:n] = some
            self._pieces[:n] = self._windows[:n]
            yield slice(start, start + n), self._rows[:n].reshape(-1, self._rows.shape[-1])


class Overlap:
    """From the gradients of windows to the gradient of the image, in memory that is reused.

    Where windows overlap, their gradients add up. Windows one below another are added first, row by row, then windows
    side by side, pixel by pixel: two steps, because each then works on long contiguous pieces.
    """

    def __init__(self, plan: Plan, images: int, dtype: np.dtype[Any]) -> None:
        """Allocate memory for as many of ``images`` images as :class:`Patches` cuts out at a time."""
        C, (HH, WW), (ph, pw), stride = plan.image[0], plan.kernel, plan.window, plan.geometry.stride
        images = plan.at_once(images, dtype)
        _, height, width, _ = plan.padded(images)
        Y, X = plan.pooled
        self._padded = np.empty((images, height, width, C), dtype)
        self._columns = np.empty((images, height, pw * X, WW, C), dtype)  # for each column of windows
        self._product = np.empty((images, ph, pw, Y, X, WW * C), dtype)
        self._dx = plan.inside(self._padded)

        image, down, right, _, value = self._columns.strides
        downwards = (down, image, stride * down, right, ph * stride * down, pw * right, value)
        self._rows_of_windows = np.ndarray((HH, *self._product.shape), dtype, self._columns, strides=downwards)
        image, down, right, value = self._padded.strides
        sideways = (right, image, down, stride * right, value)
        self._pixels_of_rows = np.ndarray((WW, images, height, pw * X, C), dtype, self._padded, strides=sideways)

    def add_up(self, dmaps: Array, filters: Array) -> Array:
        """Return the gradient of the images, (n, C, H, W); the next call overwrites it.

        Args:
            dmaps: (n, positions, F), the gradient of the feature maps, in the order of the plan.
            filters: (HH, F, WW * C).
        """
        n, _, F = dmaps.shape
        product, columns = self._product[:n], self._columns[:n]
        columns[...] = 0
        self._padded[:n] = 0
        for rows, row_of_filters in zip(self._rows_of_windows[:, :n], filters, strict=True):
            multiply(dmaps.reshape(-1, F), row_of_filters, product.reshape(-1, product.shape[-1]))
            rows += product
        for j, pixels in enumerate(self._pixels_of_rows[:, :n]):
            pixels += columns[:, :, :, j]
        return self._dx[:n]


def multiply(rows: Array, matrix: Array, out: Array) -> None:
    """Write rows @ matrix into ``out``, as a batch of products small enough for BLAS not to copy them."""
    at_once = _rows_at_once(len(rows), *matrix.shape)
    np.matmul(_pieces(rows, at_once), matrix, out=_pieces(out, at_once))


def multiply_transposed(rows: Array, others: Array) -> Array:
    """Return rows.T @ others, as a sum of products small enough for BLAS not to copy them."""
    at_once = _rows_at_once(len(rows), rows.shape[1], others.shape[1])
    product: Array = np.matmul(_pieces(rows, at_once).transpose(0, 2, 1), _pieces(others, at_once)).sum(axis=0)
    return product


def _pieces(rows: Array, at_once: int) -> Array:
    return rows.reshape(-1, at_once, rows.shape[1])


@functools.cache
def _rows_at_once(rows: int, inner: int, columns: int) -> int:
    """Return the largest divisor of ``rows`` for which a product stays small, or all rows if that is below FEWEST."""
    most = min(rows, SMALL // (inner * columns))
    return next((part for part in range(most, FEWEST - 1, -1) if rows % part == 0), rows)
