"""Problem 6.3: is what you count about the ConvNet right, and can it learn with your settings?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cs7643.arrays import Array, Model, conv_geometry
from cs7643.classifiers.convnet import POOL, two_layer_convnet
from cs7643.fast.blocks import conv_relu_pool_forward
from cs7643.trainer import ClassifierTrainer, TrainingDivergedError

Counts = dict[str, "tuple[int, ...] | int"]
WHERE_TO_LOOK = {
    "convolution": "there is one map for each filter, and the padding keeps the height and the width",
    "pooling": "windows of 2x2 side by side halve the height and the width; the number of maps stays",
    "row": "the affine layer takes all numbers of all maps, in one row",
    "scores": "there is one score for each class",
    "W1": "each filter has a weight for each of its pixels, in each channel",
    "W2": "there is a weight for each number of the row and each class",
    "parameters": "add the weights of both layers, a bias for each filter, and a bias for each class",
}
ENOUGH = 0.5  # nats: a batch whose loss falls below this is being memorised


def true_counts(images: Array, model: Model) -> Counts:
    """Return the shape after each layer for one of the images (N, C, H, W), those of the weights, and their number."""
    W1, b1, W2 = (model[name] for name in ("W1", "b1", "W2"))
    same_size = {"stride": 1, "pad": (W1.shape[2] - 1) // 2}
    geometry = conv_geometry("true_counts", images[:1], W1, b1, same_size)
    pooled, _ = conv_relu_pool_forward(images[:1], W1, b1, same_size, POOL)
    return {
        "convolution": (len(W1), geometry.H_out, geometry.W_out),
        "pooling": pooled.shape[1:],
        "row": (pooled[0].size,),
        "scores": (W2.shape[1],),
        "W1": W1.shape,
        "W2": W2.shape,
        "parameters": sum(array.size for array in model.values()),
    }


def check_counts(counted: Mapping[str, tuple[int, ...] | int], images: Array, model: Model) -> str:
    """Compare what was counted by hand with a network, and say of what differs where to look.

    Args:
        counted: for one image, the shape after "convolution", after "pooling", as a "row", and of the "scores"; the
            shapes of "W1" and "W2"; the number of "parameters".
        images: (N, C, H, W).
        model: as ``init_two_layer_convnet`` makes it.

    Raises:
        ValueError: if a name is missing or unknown.
    """
    if set(counted) != set(WHERE_TO_LOOK):
        raise ValueError(f"check_counts: counted must name {', '.join(WHERE_TO_LOOK)}, got {', '.join(counted)}")
    lines = []
    for name, value in true_counts(images, model).items():
        own = counted[name]
        right = np.array_equal(np.ravel(own), np.ravel(value))
        said = f"✓ {name}: {own}" if right else f"✗ {name}: you say {own}. Look again: {WHERE_TO_LOOK[name]}."
        lines.append(said)
    return "\n".join(lines)


def check_settings(X: Array, y: Array, model: Model, settings: Mapping[str, Any], steps: int = 40) -> str:
    """Say how large the loss is at the start, and whether one batch can be memorised with these settings.

    Args:
        X: (N, C, H, W), the images of the batch.
        y: (N,), their labels.
        model: the initial weights; they are not changed.
        settings: of these, "learning_rate" and "reg" count.
        steps: how often the batch is used.
    """
    classes = model["b2"].size
    squares = sum(float(np.vdot(model[name], model[name])) for name in ("W1", "W2"))
    expected = np.log(classes) + 0.5 * settings["reg"] * squares
    loss, _ = two_layer_convnet(X, model, y, settings["reg"])
    first = f"loss at the start ≈ {loss:.3f}, expected ≈ {expected:.3f}: log {classes} and the penalty"
    if abs(loss - expected) > 0.1:
        first = f"{first}. They differ: are the initial weights too large?"
    options = {name: settings[name] for name in ("learning_rate", "reg")}
    options |= {"momentum": 0.9, "learning_rate_decay": 1, "sample_batches": False, "num_epochs": steps}
    try:
        with np.errstate(all="ignore"):
            _, losses, _, _ = ClassifierTrainer().train(X, y, X[:1], y[:1], model, two_layer_convnet, **options)
    except TrainingDivergedError as error:
        return f"{first}\none batch: the loss diverges after {error.iteration} steps. Lower the learning rate."
    verdict = "It can learn." if losses[-1] < ENOUGH else f"It should fall below {ENOUGH}: raise the learning rate?"
    return f"{first}\none batch, {steps} steps: the loss falls to ≈ {losses[-1]:.3f}. {verdict}"
