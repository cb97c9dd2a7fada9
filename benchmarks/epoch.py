"""One epoch of problem 6.3 against the same loop in PyTorch: ``python -m benchmarks.epoch``.

49,000 images, batches of 50, 32 filters of 7x7, float32, with all that belongs to an epoch: the batches, losses,
gradients and updates of 980 steps, and the accuracies on 1,000 training and 1,000 validation images after the first
step and at the end. All loops see the same batches and start from the same weights. Each has a process of its own.

Our trainer asks the C library to keep freed memory, which a plain loop in PyTorch does not: one contender does both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.contender import Contender
from benchmarks.machine import machine
from benchmarks.steps import REG, Step, in_layout
from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643 import data
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.fast.memory import keep_freed_memory
from cs7643.trainer import ACCURACY_SAMPLE, EVALUATION_BATCH, BatchOrder, ClassifierTrainer

WHO = ("ours", "NCHW", "NHWC", "NCHW, memory kept")
STEPS = 980
BATCH, LEARNING_RATE, MOMENTUM = 50, 1e-4, 0.9


def epoch(who: str, batch: int, cifar10_dir: str | None = None) -> Step:
    """Return a call that trains for 980 steps, and returns the two accuracies."""
    splits = data.preprocess(data.load(cifar10_dir), num_training=batch * STEPS, num_test=0, layout="NCHW")
    model = init_two_layer_convnet(filter_size=7, dtype=np.float32)
    rate = LEARNING_RATE * batch / BATCH
    if who == "ours":
        settings: dict[str, Any] = {"reg": REG, "learning_rate": rate, "momentum": MOMENTUM}

        def ours() -> list[Any]:
            arrays = splits.X_train, splits.y_train, splits.X_val, splits.y_val
            _, _, training, validation = ClassifierTrainer().train(
                *arrays, model, two_layer_convnet, num_epochs=1, batch_size=batch, **settings
            )
            return [training[-1], validation[-1]]

        return ours

    import torch
    from torch.nn import functional as F

    if who == WHO[-1]:
        keep_freed_memory()
    X, X_val = in_layout(splits.X_train, who), in_layout(splits.X_val, who)
    y, y_val = torch.from_numpy(splits.y_train), torch.from_numpy(splits.y_val)

    def theirs() -> list[Any]:
        W1 = in_layout(model["W1"], who).requires_grad_()
        b1, W2, b2 = (torch.tensor(model[name]).requires_grad_() for name in ("b1", "W2", "b2"))
        groups: list[dict[str, Any]] = [{"params": [W1, W2], "weight_decay": REG}, {"params": [b1, b2]}]
        optimiser = torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM)

        def scores(images: torch.Tensor) -> torch.Tensor:
            return F.max_pool2d(F.relu(F.conv2d(images, W1, b1, padding=3)), 2).flatten(1) @ W2 + b2

        @torch.no_grad()
        def accuracy(images: torch.Tensor, labels: torch.Tensor) -> float:
            blocks = [scores(block).argmax(dim=1) for block in torch.split(images, EVALUATION_BATCH)]
            return float((torch.cat(blocks) == labels).float().mean())

        order, found, losses = BatchOrder(len(X), batch, seed=0), [0.0, 0.0], []
        for step in range(STEPS):
            chosen = torch.from_numpy(order.indices(step))
            loss = F.cross_entropy(scores(X[chosen]), y[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
            if step in (0, STEPS - 1):
                sample = torch.from_numpy(np.random.default_rng([0, step]).permutation(len(X))[:ACCURACY_SAMPLE])
                found = [accuracy(X[sample], y[sample]), accuracy(X_val, y_val)]
        return [*found]

    return theirs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="One epoch of the ConvNet against the same loop in PyTorch.")
    parser.add_argument("--cifar10-dir", help="the folder of CIFAR-10 (default: the usual search)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed (default: 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: the number of cores)")
    args = parser.parse_args()
    if args.rounds < 1 or args.threads < 1:
        parser.error("--rounds and --threads must be at least 1")

    print(f"{machine()}; {args.threads} threads; {data.load(args.cifar10_dir).name}", flush=True)
    options = {"batch": BATCH, "cifar10_dir": args.cifar10_dir}
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(Contender(who, "benchmarks.epoch:epoch", options, args.threads)) for who in WHO
        ]
        times: dict[str, list[float]] = {contender.who: [] for contender in contenders}
        for _ in progress_bar(range(args.rounds), desc="rounds"):
            for contender in contenders:
                times[contender.who].append(contender.seconds(0))
    for contender in contenders:
        ratios = [ours / other for ours, other in zip(times["ours"], times[contender.who], strict=True)]
        print(
            f"{contender.who:17} {statistics.median(times[contender.who]):6.2f} s an epoch, "
            f"accuracies {contender.first[0]:.3f} and {contender.first[1]:.3f} (training, validation); "
            f"ours / this: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        )


if __name__ == "__main__":
    sys.exit(guarded(main, "epoch"))
