"""How hard the embedded default is: ``python -m benchmarks.embedded_data``.

A softmax classifier, a two-layer net and a ConvNet with one convolutional layer are trained on the same images for the
same number of epochs with the same batches, each with a learning rate of its own, and measured on the test images.
``--sheet FILE`` draws the images instead.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from coursework.files import atomic_writer
from coursework.terminal import guarded
from cs7643 import data, plots
from cs7643.arrays import Array, Model
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.losses import softmax_loss
from cs7643.trainer import ClassifierTrainer, LossFunction, accuracy

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


@dataclass(frozen=True)
class Contender:
    """A model, and the settings that suit it."""

    title: str
    layout: Literal["rows", "NCHW"]
    net: LossFunction
    init: Callable[[int], Model]  # from a seed
    learning_rate: float
    reg: float = 0.0

    def train(self, splits: data.Splits, epochs: int, seed: int) -> float:
        """Train with a seed and return the test accuracy of the model that did best on the validation images."""
        best, *_ = ClassifierTrainer().train(
            *(splits.X_train, splits.y_train, splits.X_val, splits.y_val, self.init(seed), self.net),
            reg=self.reg,
            learning_rate=self.learning_rate,
            momentum=0.9,
            learning_rate_decay=0.9,
            num_epochs=epochs,
            batch_size=50,
            seed=seed,
        )
        return accuracy(self.net, best, splits.X_test, splits.y_test)


def init_two_layer(seed: int) -> Model:
    """Return the two-layer net's small random weights."""
    return init_two_layer_model(3072, 100, 10, seed=seed, dtype=np.float32)


def init_convnet(seed: int) -> Model:
    """Return the ConvNet's small random weights."""
    return init_two_layer_convnet(filter_size=7, seed=seed, dtype=np.float32)


CONTENDERS = (
    Contender("softmax", "rows", softmax_classifier, init_softmax, 3e-7),
    Contender("two-layer net, 100 hidden units", "rows", two_layer_net, init_two_layer, 3e-4, 0.1),
    Contender("ConvNet, 32 filters of 7x7", "NCHW", two_layer_convnet, init_convnet, 1e-4, 1e-3),
)


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
        sheet = plots.class_examples(dataset.X_train, dataset.y_train, dataset.class_names, dataset.name, per_class=4)
        sheet.texts[0].set_text(f"{dataset.name}: four images of each class")  # shorter, for four columns
        with atomic_writer(args.sheet) as stream:
            sheet.savefig(stream, dpi=100, format="png")
        return

    print(f"{args.images:,} training images, {args.epochs} epochs, batches of 50, {TEST_IMAGES:,} test images")
    print("| model | test accuracy: mean | smallest | largest | seconds a run |")
    print("| --- | --- | --- | --- | --- |")
    for contender in CONTENDERS:
        splits = data.preprocess(dataset, args.images, num_test=TEST_IMAGES, layout=contender.layout)
        start = time.perf_counter()
        found = [contender.train(splits, args.epochs, seed) for seed in args.seeds]
        seconds = (time.perf_counter() - start) / len(found)
        numbers = f"{statistics.mean(found):.3f} | {min(found):.3f} | {max(found):.3f}"
        print(f"| {contender.title} | {numbers} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    sys.exit(guarded(main, "embedded_data"))
