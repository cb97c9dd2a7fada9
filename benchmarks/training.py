"""What our training loop costs: ``python -m benchmarks.training``.

The same model and the same number of steps, and a look at 1,000 validation images, once in the loop of
``cs7643.pytorch.training`` and once in a bare loop of PyTorch on images that were normalised beforehand. Both run in
turn in one process; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import torch
from torch.nn import functional as F

from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643 import data
from cs7643.pytorch.images import DeviceImages, PixelStatistics
from cs7643.pytorch.networks import build_model
from cs7643.pytorch.settings import MODELS, Settings
from cs7643.pytorch.training import NUM_VALIDATION, train


def bare(images: torch.Tensor, labels: torch.Tensor, settings: Settings) -> float:
    """Train in the barest loop and return the seconds."""
    model = build_model(settings, (3, 32, 32), 10).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), settings.lr, settings.momentum)
    generator = torch.Generator().manual_seed(0)
    start = time.perf_counter()
    for _ in range(settings.epochs):
        order = torch.randperm(len(images), generator=generator)
        for batch in order[: len(order) // settings.batch_size * settings.batch_size].split(settings.batch_size):
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for part in images[:NUM_VALIDATION].split(1000):
                model(part)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Our training loop against a bare loop of PyTorch.")
    parser.add_argument("models", nargs="*", default=["convnet", "mymodel"], help=f"which of {', '.join(MODELS)}")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument("--images", type=int, default=6400, help="images an epoch (default: 6400)")
    args = parser.parse_args()
    if set(args.models) - set(MODELS) or args.rounds < 1 or args.images < 128:
        parser.error(f"expected models of {', '.join(MODELS)}, at least 1 round and at least 128 images")
    dataset = data.load("embedded", announce=False)
    X, y, statistics_ = dataset.X_train, dataset.y_train, PixelStatistics.of(dataset.X_train[: args.images])
    prepared = DeviceImages(X[: args.images], y[: args.images], statistics_, torch.device("cpu"))
    images, labels = prepared.batch(slice(None))
    print(f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}, batches of 128, medians of {args.rounds}")
    for name in args.models:
        settings = Settings(name, hidden_dim=32, epochs=1, lr=1e-3, num_training=args.images)
        ours, theirs = [], []
        for _ in progress_bar(range(args.rounds), desc=name):
            theirs.append(bare(images, labels, settings))
            ours.append(train(dataset, settings, log_interval=50).seconds)
        rates = [args.images / statistics.median(times) for times in (ours, theirs)]
        print(f"{name}: {rates[0]:.0f} images a second, bare {rates[1]:.0f}, ratio {rates[0] / rates[1]:.3f}")


if __name__ == "__main__":
    sys.exit(guarded(main, "training"))
