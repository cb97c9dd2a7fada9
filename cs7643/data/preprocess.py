"""From raw images to the input of a classifier."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cs7643.data.dataset import Dataset, Images, Splits


def preprocess(
    dataset: Dataset,
    num_training: int = 49_000,
    num_validation: int = 1_000,
    num_test: int = 1_000,
    layout: Literal["rows", "NCHW"] = "rows",
    dtype: DTypeLike = np.float32,
) -> Splits:
    """Split a data set and subtract the mean training image, as the original assignment does. Nothing is random.

    Args:
        dataset: the raw images.
        num_training: the number of training images that are used for training, from the first one on.
        num_validation: the number of training images after those, for validation; by default images 49,000 to 49,999.
        num_test: the number of test images that are used, from the first one on.
        layout: "rows", each image a row of 3072 numbers, or "NCHW", each of shape (3, 32, 32).
        dtype: np.float32 or np.float64.

    Returns:
        X_train, X_val, X_test: (N, 3072) or (N, 3, 32, 32), from -255 to 255, with their labels y of shape (N,), and
        mean_image, (3072,) or (3, 32, 32).

    Raises:
        ValueError: if there are not enough images, or the layout or the dtype is not one of these.
    """
    _check_count("num_training", num_training, 1, len(dataset.X_train))
    _check_count("num_validation", num_validation, 0, len(dataset.X_train) - num_training)
    _check_count("num_test", num_test, 0, len(dataset.X_test))
    if layout not in ("rows", "NCHW"):
        raise ValueError(f"preprocess: layout must be 'rows' or 'NCHW', got {layout!r}")
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"preprocess: dtype must be float32 or float64, got {np.dtype(dtype)}")

    def centred(images: Images) -> NDArray[Any]:
        out = np.empty(images.shape, dtype)
        np.subtract(images, mean_image, out=out)  # without a temporary array of hundreds of MB
        return out.reshape(len(out), mean_image.size) if layout == "rows" else out

    training, validation = slice(num_training), slice(num_training, num_training + num_validation)
    total = dataset.X_train[training].sum(axis=0, dtype=np.uint64)  # exact, because the pixels are whole numbers
    mean_image = (total / num_training).astype(dtype)
    return Splits(
        X_train=centred(dataset.X_train[training]),
        y_train=dataset.y_train[training],
        X_val=centred(dataset.X_train[validation]),
        y_val=dataset.y_train[validation],
        X_test=centred(dataset.X_test[:num_test]),
        y_test=dataset.y_test[:num_test],
        mean_image=mean_image.reshape(-1) if layout == "rows" else mean_image,
        class_names=dataset.class_names,
        name=dataset.name,
        is_cifar10=dataset.is_cifar10,
    )


def _check_count(name: str, count: int, least: int, most: int) -> None:
    if not isinstance(count, (int, np.integer)) or not least <= count <= most:
        raise ValueError(f"preprocess: {name} must be a whole number from {least} to {most}, got {count!r}")
