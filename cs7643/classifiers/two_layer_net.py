"""The two-layer network of problem 6.1: affine - ReLU - affine - softmax.

No argument is changed, and the same call returns the same result. Arrays are float32 or float64; gradients should have
the dtype of the weights.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from cs7643.arrays import Array, Model
from cs7643.losses import check_labels


def init_two_layer_model(
    input_size: int, hidden_size: int, output_size: int, *, seed: int | np.random.Generator = 0, dtype: Any = np.float64
) -> Model:
    """Make the weights of a two-layer network, 1e-5 times standard normal numbers, and zero biases.

    Args:
        input_size: D, the number of values in an image.
        hidden_size: H, the number of hidden units.
        output_size: C, the number of classes.
        seed: that of the random numbers, or a generator.
        dtype: np.float32 or np.float64.

    Returns:
        {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}.
    """
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("output_size", output_size)):
        if size < 1:
            raise ValueError(f"init_two_layer_model: {name} must be at least 1, got {size}")
    rng = np.random.default_rng(seed)
    model = {
        "W1": 1e-5 * rng.standard_normal((input_size, hidden_size)),
        "b1": np.zeros(hidden_size),
        "W2": 1e-5 * rng.standard_normal((hidden_size, output_size)),
        "b2": np.zeros(output_size),
    }
    return {name: array.astype(dtype) for name, array in model.items()}


@overload
def two_layer_net(X: Array, model: Model, y: None = None, reg: float = 0.0) -> Array: ...
@overload
def two_layer_net(X: Array, model: Model, y: Array, reg: float = 0.0) -> tuple[float, Model]: ...
def two_layer_net(X: Array, model: Model, y: Array | None = None, reg: float = 0.0) -> Array | tuple[float, Model]:
    """Compute the scores, or the loss and the gradients, of a two-layer network with a ReLU in the middle.

    The scores are affine - ReLU - affine: nothing comes after the second affine layer. The loss is the softmax
    cross-entropy, averaged over the images, plus 0.5 * reg * (sum of W1^2 + sum of W2^2).

    Scores may be large, 1000 and more: subtract the largest score of each image before exp, which changes no
    probability. A probability may still be so small that it is rounded to 0; the loss of that image is then large, not
    infinite. So write log softmax as the shifted score minus the logarithm of the sum.

    Args:
        X: (N, D), one image per row.
        model: {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}.
        y: (N,), the labels, whole numbers from 0 to C - 1; None for the scores alone.
        reg: the strength of the regularisation; the biases are not regularised.

    Returns:
        Without y, the scores (N, C). With y, the loss and a dictionary of gradients, with the model's names and shapes.

    Raises:
        ValueError: if a shape, a dtype or a label does not fit.
    """
    W1, b1, W2, b2 = _parameters(X, model)
    if y is not None:
        check_labels("two_layer_net", y, len(X), W2.shape[1])

    # The scores (N, C), which are returned if there are no labels.
    # BEGIN SOLUTION 6.1 two_layer_net_scores
    hidden = np.maximum(X @ W1 + b1, 0)
    scores: Array = hidden @ W2 + b2
    if y is None:
        return scores
    # END SOLUTION

    # The loss, one number.
    # BEGIN SOLUTION 6.1 two_layer_net_loss
    rows = np.arange(len(X))
    shifted = scores - scores.max(axis=1, keepdims=True)  # the softmax stays the same, and exp cannot overflow
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    data_loss = -log_probabilities[rows, y].mean()
    loss = float(data_loss + 0.5 * reg * (np.vdot(W1, W1) + np.vdot(W2, W2)))
    # END SOLUTION

    # The gradients, from the loss back to the weights.
    # BEGIN SOLUTION 6.1 two_layer_net_gradients
    dscores = np.exp(log_probabilities)
    dscores[rows, y] -= 1
    dscores /= len(X)
    dhidden = (dscores @ W2.T) * (hidden > 0)
    grads = {
        "W1": X.T @ dhidden + reg * W1,
        "b1": dhidden.sum(axis=0),
        "W2": hidden.T @ dscores + reg * W2,
        "b2": dscores.sum(axis=0),
    }
    return loss, grads
    # END SOLUTION


def _parameters(X: Array, model: Model) -> tuple[Array, Array, Array, Array]:
    """Return the model's four arrays, after checking that they fit X and each other."""
    if set(model) != {"W1", "b1", "W2", "b2"}:
        raise ValueError(f"two_layer_net: model must have the keys W1, b1, W2, b2, got {sorted(model)}")
    W1, b1, W2, b2 = (model[name] for name in ("W1", "b1", "W2", "b2"))
    for name, array, ndim in (("X", X, 2), ("W1", W1, 2), ("b1", b1, 1), ("W2", W2, 2), ("b2", b2, 1)):
        if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.floating) or array.ndim != ndim:
            found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f"two_layer_net: {name} must be a floating-point array with {ndim} axes, got {found}")
    if X.shape[1] != len(W1):
        raise ValueError(f"two_layer_net: W1 takes {len(W1)} values per image, X has {X.shape[1]}")
    if b1.shape != (W1.shape[1],) or len(W2) != W1.shape[1] or b2.shape != (W2.shape[1],):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in (("W1", W1), ("b1", b1), ("W2", W2), ("b2", b2)))
        raise ValueError(f"two_layer_net: the shapes must be W1 (D, H), b1 (H,), W2 (H, C), b2 (C,), got {shapes}")
    return W1, b1, W2, b2
