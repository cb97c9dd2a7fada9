"""The convolutional network of problem 6.3: convolution - ReLU - 2x2 max pooling - affine - softmax."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from cs7643.arrays import Array, Model
from cs7643.fast.blocks import conv_relu_pool_backward, conv_relu_pool_forward
from cs7643.fast.threads import blas_held
from cs7643.layers import affine_backward, affine_forward
from cs7643.losses import softmax_loss

POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


def init_two_layer_convnet(
    weight_scale: float = 1e-3,
    bias_scale: float = 0,
    input_shape: tuple[int, int, int] = (3, 32, 32),
    num_classes: int = 10,
    num_filters: int = 32,
    filter_size: int = 5,
    *,
    seed: int | np.random.Generator = 0,
    dtype: Any = np.float64,
) -> Model:
    """Make the weights of a two-layer ConvNet, from a normal distribution.

    Args:
        weight_scale: the standard deviation of the weights.
        bias_scale: the standard deviation of the biases.
        input_shape: (C, H, W) of an image; H and W even, for 2x2 pooling.
        num_classes: the number of classes.
        num_filters: F, the number of filters.
        filter_size: the height and width of a filter; odd, so that padding can preserve the size of the image.
        seed: that of the random numbers, or a generator.
        dtype: np.float32 or np.float64.

    Returns:
        {"W1": (F, C, filter_size, filter_size), "b1": (F,), "W2": (F * H * W / 4, num_classes), "b2": (num_classes,)}.
    """
    C, H, W = input_shape
    if filter_size < 1 or filter_size % 2 == 0:
        raise ValueError(f"init_two_layer_convnet: filter_size must be odd, got {filter_size}")
    if H < 2 or W < 2 or H % 2 or W % 2:
        raise ValueError(f"init_two_layer_convnet: input_shape must have an even height and width, got {input_shape}")
    rng = np.random.default_rng(seed)
    model = {
        "W1": weight_scale * rng.standard_normal((num_filters, C, filter_size, filter_size)),
        "b1": bias_scale * rng.standard_normal(num_filters),
        "W2": weight_scale * rng.standard_normal((num_filters * H * W // 4, num_classes)),
        "b2": bias_scale * rng.standard_normal(num_classes),
    }
    return {name: array.astype(dtype) for name, array in model.items()}


@overload
def two_layer_convnet(X: Array, model: Model, y: None = None, reg: float = 0.0) -> Array: ...
@overload
def two_layer_convnet(X: Array, model: Model, y: Array, reg: float = 0.0) -> tuple[float, Model]: ...
def two_layer_convnet(X: Array, model: Model, y: Array | None = None, reg: float = 0.0) -> Array | tuple[float, Model]:
    """Compute the scores, or the loss and the gradients, of a ConvNet with one convolutional and one affine layer.

    The loss is the softmax cross-entropy, averaged over the images, plus 0.5 * reg * (sum of W1^2 + sum of W2^2).

    Args:
        X: (N, C, H, W), the images.
        model: as :func:`init_two_layer_convnet` makes it.
        y: (N,), the labels, whole numbers from 0 to num_classes - 1; None for the scores alone.
        reg: the strength of the regularisation; the biases are not regularised.

    Returns:
        Without y, the scores (N, num_classes). With y, the loss and a dictionary of gradients, with the model's names.

    Raises:
        ValueError: if a shape, a dtype or a label does not fit.
    """
    if set(model) != {"W1", "b1", "W2", "b2"}:
        raise ValueError(f"two_layer_convnet: model must have the keys W1, b1, W2, b2, got {sorted(model)}")
    W1, b1, W2, b2 = (model[name] for name in ("W1", "b1", "W2", "b2"))
    if W1.ndim != 4 or W1.shape[2] != W1.shape[3] or W1.shape[2] % 2 == 0:
        raise ValueError(f"two_layer_convnet: the filters W1 must be square with an odd size, got {W1.shape}")
    same_size = {"stride": 1, "pad": (W1.shape[2] - 1) // 2}

    with blas_held():
        pooled, conv_cache = conv_relu_pool_forward(X, W1, b1, same_size, POOL)
        scores, affine_cache = affine_forward(pooled, W2, b2)
        if y is None:
            return scores

        data_loss, dscores = softmax_loss(scores, y)
        loss = data_loss + 0.5 * reg * float(np.vdot(W1, W1) + np.vdot(W2, W2))
        dpooled, dW2, db2 = affine_backward(dscores, affine_cache)
        _, dW1, db1 = conv_relu_pool_backward(dpooled, conv_cache, need_dx=False)
    return loss, {"W1": dW1 + reg * W1, "b1": db1, "W2": dW2 + reg * W2, "b2": db2}
