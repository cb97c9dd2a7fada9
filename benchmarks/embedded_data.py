"""How hard the embedded default is: ``python -m benchmarks.embedded_data``.

A softmax classifier, a two-layer net and a ConvNet with one convolutional layer are trained on the same images for the
same number of epochs with the same batches, each with a learning rate of its own, and measured on the test images.
``--sheet FILE`` draws the images instead.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cs7643 import data, plots
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.files import atomic_writer
from cs7643.losses import softmax_loss
from cs7643.trainer import Array, ClassifierTrainer, LossFunction, Model, accuracy

TEST_IMAGES = 5_000


def softmax_classifier(X: Array, model: Model, y: Array | None = None, reg: float = 0.0) -> Any:
    """Compute the scores, or the loss and the gradients, of a linear classifier."""
    scores = X @ model["W"] + model["b"]
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    return loss, {"W": X.T @ dscores + reg * model["W"], "b": dscores.sum(axis=0)}


def init_softmax(seed: int) -> Model:
    """Return zeros, which is where a linear classifier may start."""
    return {"W": np.zeros((3072, 10), np.float32), "b": np.zeros(10, np.float32)}


# title, layout, network, initial model for a seed, settings
MODELS: list[tuple[str, str, LossFunction, Callable[[int], Model], dict[str, float]]] = [
    ("softmax", "rows", softmax_classifier, init_softmax, {"learning_rate": 3e-7}),
    (
        "two-layer net, 100 hidden units",
        *("rows", two_layer_net),
        lambda seed: init_two_layer_model(3072, 100, 10, seed=seed, dtype=np.float32),
        {"learning_rate": 3e-4, "reg": 0.1},
    ),
    (
        "ConvNet, 32 filters of 7x7",
        *("NCHW", two_layer_convnet),
        lambda seed: init_two_layer_convnet(filter_size=7, seed=seed, dtype=np.float32),
        {"learning_rate": 1e-4, "reg": 1e-3},
    ),
]


def main() -> None:
    """Measure and print the table, or draw the sheet."""
    parser = argparse.ArgumentParser(description="How hard the embedded default is, or what it looks like.")
    parser.add_argument("--images", type=int, default=10_000, help="training images (default: 10000)")
    parser.add_argument("--epochs", type=int, default=5, help="(default: 5)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4], help="(default: 0 1 2 3 4)")
    parser.add_argument("--sheet", help="draw a sheet of images into this PNG file, and do nothing else")
    args = parser.parse_args()
    dataset = data.load("embedded")
    if args.sheet:
        sheet = plots.class_examples(dataset.X_train, dataset.y_train, dataset.class_names, dataset.name, per_class=8)
        with atomic_writer(args.sheet) as stream:
            sheet.savefig(stream, dpi=64, format="png")
        return

    print(f"{args.images:,} training images, {args.epochs} epochs, batches of 50, {TEST_IMAGES:,} test images")
    print("| model | test accuracy: mean | smallest | largest | seconds a run |")
    print("| --- | --- | --- | --- | --- |")
    for title, layout, net, init, settings in MODELS:
        splits = data.preprocess(dataset, args.images, num_test=TEST_IMAGES, layout=layout)
        found, start = [], time.perf_counter()
        for seed in args.seeds:
            best, *_ = ClassifierTrainer().train(
                *(splits.X_train, splits.y_train, splits.X_val, splits.y_val, init(seed), net),
                **{"momentum": 0.9, "learning_rate_decay": 0.9, "num_epochs": args.epochs, "batch_size": 50},
                **{"seed": seed, **settings},
            )
            found.append(accuracy(net, best, splits.X_test, splits.y_test))
        seconds = (time.perf_counter() - start) / len(found)
        numbers = f"{statistics.mean(found):.3f} | {min(found):.3f} | {max(found):.3f}"
        print(f"| {title} | {numbers} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
