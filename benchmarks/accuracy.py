"""The accuracies in the README's results table: ``python -m benchmarks.accuracy --cifar10-dir DIR``.

Each recipe is trained with several seeds (of the initial weights and of the batches) and measured on 1,000 validation
images. A run that is stopped goes on where it was: finished runs are kept in the folder of ``--output``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from coursework.terminal import guarded
from cs7643 import data
from cs7643.arrays import Model
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.trainer import ClassifierTrainer, LossFunction, accuracy


@dataclass(frozen=True)
class Recipe:
    """A model and the settings that it is trained with."""

    title: str
    layout: Literal["rows", "NCHW"]
    net: LossFunction
    hidden: int  # units, or the size of a filter
    settings: dict[str, Any] = field(hash=False)

    def model(self, seed: int) -> Model:
        """Make the initial weights."""
        if self.layout == "NCHW":
            return init_two_layer_convnet(filter_size=self.hidden, seed=seed, dtype=np.float32)
        return init_two_layer_model(3072, self.hidden, 10, seed=seed, dtype=np.float32)


RECIPES = {
    "two-layer": Recipe(
        "two-layer net, the given settings",
        *("rows", two_layer_net, 50),
        {"reg": 1.0, "learning_rate": 1e-5, "learning_rate_decay": 0.95, "num_epochs": 5, "batch_size": 100},
    ),
    "two-layer-tuned": Recipe(
        "two-layer net, tuned",
        *("rows", two_layer_net, 200),
        {"reg": 0.5, "learning_rate": 3e-4, "learning_rate_decay": 0.85, "num_epochs": 15, "batch_size": 200},
    ),
    "convnet": Recipe(
        "ConvNet, 32 filters of 7x7, one epoch",
        *("NCHW", two_layer_convnet, 7),
        {"reg": 1e-3, "learning_rate": 1e-4, "num_epochs": 1, "batch_size": 50, "acc_frequency": 100},
    ),
}


def measure(recipe: Recipe, splits: data.Splits, seed: int, checkpoint: Path) -> tuple[float, float, float]:
    """Train once; return the validation accuracy, the test accuracy of the same model, and the seconds it took."""
    start = time.perf_counter()
    model, _, _, val_acc_history = ClassifierTrainer().train(
        *(splits.X_train, splits.y_train, splits.X_val, splits.y_val),
        *(recipe.model(seed), recipe.net),
        **{"momentum": 0.9, "seed": seed, "checkpoint": checkpoint, **recipe.settings},
    )
    seconds = time.perf_counter() - start
    return max(val_acc_history), accuracy(recipe.net, model, splits.X_test, splits.y_test), seconds


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="The accuracies of problem 6, mean over seeds.")
    parser.add_argument("recipes", nargs="*", help=f"which of {', '.join(RECIPES)} (default: all)")
    parser.add_argument("--cifar10-dir", help="the folder of CIFAR-10 (default: the usual search)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="(default: 0 1 2)")
    parser.add_argument("--output", type=Path, default=Path("build/accuracy"), help="the folder of checkpoints")
    args = parser.parse_args()
    unknown = set(args.recipes) - set(RECIPES)
    if unknown:
        parser.error(f"expected {', '.join(RECIPES)}, got {', '.join(sorted(unknown))}")

    try:
        dataset = data.load(args.cifar10_dir)
    except data.DatasetError as error:
        parser.exit(1, f"{error}\n")
    print(f"{dataset.name}: 49,000 training and 1,000 validation images, seeds {args.seeds}")
    print("| recipe | validation accuracy: mean (min-max) | test accuracy, 1,000 images | seconds a run |")
    print("| --- | --- | --- | --- |")
    for name in args.recipes or RECIPES:
        recipe = RECIPES[name]
        splits = data.preprocess(dataset, layout=recipe.layout)
        key = "cifar10" if dataset.is_cifar10 else "embedded"
        runs = [measure(recipe, splits, seed, args.output / f"{name}-{key}-{seed}.npz") for seed in args.seeds]
        val, test, seconds = zip(*runs, strict=True)
        print(
            f"| {recipe.title} | {statistics.mean(val):.3f} ({min(val):.3f}-{max(val):.3f}) "
            f"| {statistics.mean(test):.3f} | {statistics.mean(seconds):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(guarded(main, "accuracy"))
