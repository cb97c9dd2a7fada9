"""The form in which every part of the homework gets its images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


class DatasetError(ValueError):
    """A data set that is missing, damaged or not CIFAR-10; the message names the file and says what to do."""


class RealOrEmbedded:
    """Images that are CIFAR-10 or the embedded default."""

    is_cifar10: bool

    def pick(self, *, cifar10: T, embedded: T) -> T:
        """Return one of two values, so that the same cell uses larger sizes with CIFAR-10."""
        return cifar10 if self.is_cifar10 else embedded


@dataclass(frozen=True, eq=False)
class Dataset(RealOrEmbedded):
    """The raw images: 32 x 32 pixels in red, green and blue, from 0 to 255.

    Attributes:
        name: shown in every title, table and log: ``"CIFAR-10"``, ``"CIFAR-10 (unverified copy)"`` or
            ``"Shapes-10 (embedded)"``.
        X_train: uint8, (50000, 3, 32, 32).
        y_train: int64, (50000,), labels from 0 to 9.
        X_test: uint8, (10000, 3, 32, 32).
        y_test: int64, (10000,).
        class_names: ten names; ``class_names[label]`` is the meaning of a label.
        is_cifar10: False for the embedded default.
    """

    name: str
    X_train: Images
    y_train: Labels
    X_test: Images
    y_test: Labels
    class_names: tuple[str, ...]
    is_cifar10: bool

    def half_size(self) -> Dataset:
        """Return the data set with the mean of every 2 x 2 pixels, rounded, under a name that says so."""
        X_train, X_test = _means_of_four(self.X_train), _means_of_four(self.X_test)
        height, width = X_train.shape[2:]
        return replace(self, name=f"{self.name}, {height} x {width} pixels", X_train=X_train, X_test=X_test)

    def without_test_images(self, count: int = 100) -> Dataset:
        """Return the data set for experiments: its last training images take the place of the test images.

        Args:
            count: how many there are then, at least 1 and fewer than the training images.
        """
        if not 1 <= count < len(self.X_train):
            raise ValueError(f"without_test_images: count must be from 1 to {len(self.X_train) - 1}, got {count}")
        X, y = self.X_train, self.y_train
        return replace(self, X_train=X[:-count], y_train=y[:-count], X_test=X[-count:], y_test=y[-count:])


def _means_of_four(images: Images) -> Images:
    """Halve the height and width of images (N, C, H, W), both even."""
    upper, lower = (images[:, :, row::2].astype(np.uint16) for row in (0, 1))
    rows = upper + lower
    means: Images = ((rows[..., 0::2] + rows[..., 1::2] + 2) // 4).astype(np.uint8)
    return means


@dataclass(frozen=True, eq=False)
class Splits(RealOrEmbedded):
    """The images for a classifier: with the mean training image subtracted, (N, 3072) or (N, 3, 32, 32)."""

    X_train: NDArray[Any]
    y_train: Labels
    X_val: NDArray[Any]
    y_val: Labels
    X_test: NDArray[Any]
    y_test: Labels
    mean_image: NDArray[Any]
    class_names: tuple[str, ...]
    name: str
    is_cifar10: bool
