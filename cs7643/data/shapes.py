"""The embedded default, Shapes-10: ten classes of drawn shapes in the form of CIFAR-10, generated from a seed.

Each image shows one shape on a textured background. Place, size, tilt, colours and contrast are random and independent
of the class, so only the shape reveals the class. A linear classifier can use only the average image of each class;
hidden units can use more, and filters that detect edges and corners everywhere most.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.data.dataset import Images, Labels

Array = NDArray[Any]  # float32

SIZE = 32  # pixels
BLOCK = 500  # images drawn at a time, from a seed of their own; they fit into the cache
RADIUS = (6.5, 11.0)  # pixels
JITTER = 3.0  # pixels from the centre, in each direction
TILT = 0.5  # radians, in each direction
DARK = 0.22  # the fraction of the images in which the shape is darker than the background
NOISE = 24.0  # grey levels, in each direction
TEXTURE = 22.0  # grey levels, the standard deviation of the background's slow variation


def _far(u: Array, v: Array) -> Any:
    return np.sqrt(u * u + v * v)


# Each shape is a function of u (to the right) and v (upwards), negative inside; it roughly fills |u|, |v| <= 1.
SHAPES: dict[str, Callable[[Array, Array], Any]] = {
    "disc": lambda u, v: _far(u, v) - 0.88,
    "ring": lambda u, v: abs(_far(u, v) - 0.72) - 0.19,
    "square": lambda u, v: np.maximum(abs(u), abs(v)) - 0.77,
    "frame": lambda u, v: abs(np.maximum(abs(u), abs(v)) - 0.66) - 0.17,
    "triangle": lambda u, v: np.maximum(0.87 * abs(u) + 0.5 * v, -v) - 0.5,
    "cross": lambda u, v: np.maximum(np.maximum(abs(u), abs(v)) - 0.95, np.minimum(abs(u), abs(v)) - 0.27),
    "star": lambda u, v: _far(u, v) - 0.62 - 0.3 * np.cos(5 * np.arctan2(u, v)),
    "crescent": lambda u, v: np.maximum(_far(u, v) - 0.9, 0.72 - _far(u - 0.42, v)),
    "bar": lambda u, v: np.maximum(abs(u) - 0.98, abs(v) - 0.3),
    "stripes": lambda u, v: np.maximum(abs(u) - 0.85, abs(abs(v) - 0.5) - 0.21),
}
CLASS_NAMES = tuple(SHAPES)
NAME = "Shapes-10 (embedded)"  # of the data set, in titles, tables and logs


def draw(num_train: int = 50_000, num_test: int = 10_000, seed: int = 0) -> tuple[Images, Labels, Images, Labels]:
    """Draw the data set. The first images do not depend on how many are drawn, and the same seed gives the same bits.

    Returns:
        X_train: uint8, (num_train, 3, 32, 32); y_train: int64, (num_train,); X_test and y_test likewise.
    """
    for name, count in (("num_train", num_train), ("num_test", num_test)):
        if count < 0:
            raise ValueError(f"draw: {name} must not be negative, got {count}")
    return (*_draw_split(num_train, [seed, 0]), *_draw_split(num_test, [seed, 1]))


def labels_of_test_images(num_test: int = 10_000) -> Labels:
    """Return the labels of the test images, as :func:`draw` does, without drawing them."""
    blocks = [_labels(np.random.default_rng([0, 1, start])) for start in range(0, num_test, BLOCK)]
    return np.concatenate(blocks)[:num_test]


def _draw_split(count: int, seed: list[int]) -> tuple[Images, Labels]:
    X = np.empty((count, 3, SIZE, SIZE), np.uint8)
    y = np.empty(count, np.int64)

    def fill(start: int) -> None:
        images, labels = _draw_block(np.random.default_rng([*seed, start]))
        X[start : start + BLOCK] = images[: count - start]
        y[start : start + BLOCK] = labels[: count - start]

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # NumPy releases the lock while it computes
        list(pool.map(fill, range(0, count, BLOCK)))
    return X, y


def _draw_block(rng: np.random.Generator) -> tuple[Images, Labels]:
    """Draw BLOCK images, equally many of each class, in random order."""
    labels = _labels(rng)
    cover = _cover(labels, rng)[:, np.newaxis]

    ground = rng.uniform(50, 190, (BLOCK, 3, 1, 1)).astype(np.float32)
    contrast = rng.uniform(35, 95, (BLOCK, 1, 1, 1)) * np.where(rng.random((BLOCK, 1, 1, 1)) < DARK, -1, 1)
    tint = rng.uniform(-45, 45, (BLOCK, 3, 1, 1))
    coarse = TEXTURE * rng.standard_normal((BLOCK, 3, 4, 4)).astype(np.float32)
    image = ground + _SMOOTH @ coarse @ _SMOOTH.T
    image += cover * (contrast + tint).astype(np.float32)
    image += rng.integers(0, 256, image.shape, np.uint8) * np.float32(2 * NOISE / 255) - np.float32(NOISE)
    return np.clip(image, 0, 255, out=image).astype(np.uint8), labels


def _labels(rng: np.random.Generator) -> Labels:
    return rng.permutation(np.arange(BLOCK) % len(SHAPES))


def _cover(labels: Labels, rng: np.random.Generator) -> Array:
    """Return the fraction of each pixel that the shape covers, (BLOCK, 32, 32), with smooth edges."""

    def each(low: float, high: float) -> Any:
        return rng.uniform(low, high, (BLOCK, 1, 1)).astype(np.float32)

    radius, angle = each(*RADIUS), each(-TILT, TILT)
    middle = (SIZE - 1) / 2
    right = np.arange(SIZE, dtype=np.float32) - middle - each(-JITTER, JITTER)  # (BLOCK, 1, 32)
    up = middle - np.arange(SIZE, dtype=np.float32)[:, np.newaxis] - each(-JITTER, JITTER)  # (BLOCK, 32, 1)
    cos, sin = np.cos(angle) / radius, np.sin(angle) / radius
    u, v = cos * right + sin * up, cos * up - sin * right
    cover = np.empty((BLOCK, SIZE, SIZE), np.float32)
    for label, shape in enumerate(SHAPES.values()):
        chosen = labels == label
        cover[chosen] = 0.5 - radius[chosen] * shape(u[chosen], v[chosen])
    return np.clip(cover, 0, 1, out=cover)


# Interpolates four values linearly over 32 pixels: (32, 4).
_SMOOTH = np.maximum(0, 1 - abs(np.linspace(0, 3, SIZE)[:, np.newaxis] - np.arange(4))).astype(np.float32)
