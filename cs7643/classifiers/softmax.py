"""A softmax classifier in NumPy, affine - softmax, for comparison with the linear model of problem 6.4."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from cs7643.arrays import Array, Model
from cs7643.losses import softmax_loss


def init_softmax_model(
    input_size: int, output_size: int, *, seed: int | np.random.Generator = 0, dtype: Any = np.float64
) -> Model:
    """Make the weights, 1e-3 times standard normal numbers, and zero biases.

    Args:
        input_size: D, the number of values in an image.
        output_size: C, the number of classes.
        seed: that of the random numbers, or a generator.
        dtype: np.float32 or np.float64.

    Returns:
        {"W1": (D, C), "b1": (C,)}.
    """
    for name, size in (("input_size", input_size), ("output_size", output_size)):
        if size < 1:
            raise ValueError(f"init_softmax_model: {name} must be at least 1, got {size}")
    weights = 1e-3 * np.random.default_rng(seed).standard_normal((input_size, output_size))
    return {"W1": weights.astype(dtype), "b1": np.zeros(output_size, dtype)}


@overload
def softmax_classifier(X: Array, model: Model, y: None = None, reg: float = 0.0) -> Array: ...
@overload
def softmax_classifier(X: Array, model: Model, y: Array, reg: float = 0.0) -> tuple[float, Model]: ...
def softmax_classifier(X: Array, model: Model, y: Array | None = None, reg: float = 0.0) -> Array | tuple[float, Model]:
    """Compute the scores, or the loss and the gradients, of a linear classifier.

    The loss is the softmax cross-entropy, averaged over the images, plus 0.5 * reg * (sum of W1^2).

    Args:
        X: (N, D), one image per row.
        model: {"W1": (D, C), "b1": (C,)}.
        y: (N,), the labels, whole numbers from 0 to C - 1; None for the scores alone.
        reg: the strength of the regularisation; the biases are not regularised.

    Returns:
        Without y, the scores (N, C). With y, the loss and a dictionary of gradients, with the model's names and shapes.

    Raises:
        ValueError: if a shape, a dtype or a label does not fit.
    """
    if set(model) != {"W1", "b1"}:
        raise ValueError(f"softmax_classifier: model must have the keys W1, b1, got {sorted(model)}")
    W1, b1 = model["W1"], model["b1"]
    if X.ndim != 2 or W1.ndim != 2 or X.shape[1] != len(W1) or b1.shape != (W1.shape[1],):
        raise ValueError(
            f"softmax_classifier: the shapes must be X (N, D), W1 (D, C), b1 (C,), "
            f"got {X.shape}, {W1.shape}, {b1.shape}"
        )
    scores: Array = X @ W1 + b1
    if y is None:
        return scores
    data_loss, dscores = softmax_loss(scores, y)
    loss = data_loss + 0.5 * reg * float(np.vdot(W1, W1))
    return loss, {"W1": X.T @ dscores + reg * W1, "b1": dscores.sum(axis=0)}
