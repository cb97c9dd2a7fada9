"""The two losses of problem 6: each takes scores and labels, and returns the loss and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.arrays import Array

Labels = NDArray[Any]  # whole numbers


def svm_loss(x: Array, y: Labels) -> tuple[float, Array]:
    """Compute the multiclass hinge loss, the mean over the images of sum_j max(0, x_j - x_y + 1) over j other than y.

    Args:
        x: (N, C), the score of each image for each class.
        y: (N,), the labels, whole numbers from 0 to C - 1.

    Returns:
        The loss, and dx: (N, C), its gradient with respect to x.

    Raises:
        ValueError: if a shape, a dtype or a label does not fit.
    """
    _check_scores("svm_loss", x)
    check_labels("svm_loss", y, *x.shape)
    rows = np.arange(len(x))
    margins = np.maximum(0, x - x[rows, y, np.newaxis] + 1)
    margins[rows, y] = 0
    dx = (margins > 0).astype(x.dtype)
    dx[rows, y] = -dx.sum(axis=1)
    return float(margins.sum() / len(x)), dx / len(x)


def softmax_loss(x: Array, y: Labels) -> tuple[float, Array]:
    """Compute the cross-entropy of the softmax of the scores, the mean over the images of -log softmax(x)_y.

    Args:
        x: (N, C), the score of each image for each class, of any size: 1000 does not overflow.
        y: (N,), the labels, whole numbers from 0 to C - 1.

    Returns:
        The loss, and dx: (N, C), its gradient with respect to x.

    Raises:
        ValueError: if a shape, a dtype or a label does not fit.
    """
    _check_scores("softmax_loss", x)
    check_labels("softmax_loss", y, *x.shape)
    rows = np.arange(len(x))
    shifted = x - x.max(axis=1, keepdims=True)  # the softmax stays the same, and exp cannot overflow
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dx = np.exp(log_probabilities)
    dx[rows, y] -= 1
    return float(-log_probabilities[rows, y].mean()), dx / len(x)


def check_labels(where: str, y: Labels, num_images: int, num_classes: int) -> None:
    """Check that ``y`` holds one label for each image, from 0 to num_classes - 1; errors begin with ``where``."""
    if not isinstance(y, np.ndarray) or not np.issubdtype(y.dtype, np.integer):
        found = getattr(y, "dtype", type(y).__name__)
        raise ValueError(f"{where}: y must be an array of whole numbers, got {found}")
    if y.shape != (num_images,):
        raise ValueError(f"{where}: y must have shape ({num_images},), one label for each image, got {y.shape}")
    if y.min() < 0 or y.max() >= num_classes:
        wrong = y.min() if y.min() < 0 else y.max()
        raise ValueError(f"{where}: y must hold labels from 0 to {num_classes - 1}, got {wrong}")


def _check_scores(where: str, x: Array) -> None:
    if not isinstance(x, np.ndarray) or x.ndim != 2 or 0 in x.shape or not np.issubdtype(x.dtype, np.floating):
        found = f"{x.shape} of {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise ValueError(f"{where}: x must be a floating-point array of shape (N, C), got {found}")
