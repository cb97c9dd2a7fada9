"""Programs that run, and are wrong: each beside the right one, on the same images, from the same start.

The loop is written with ``torch.autograd.grad`` and momentum by hand, so that a mistake is one line of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cs7643.data.dataset import Dataset
from cs7643.trainer import BatchOrder

TRAINED, MEASURED = 1000, 300  # images
BATCH, EPOCHS, HIDDEN = 50, 8, 64
MEASURED_AT_A_TIME = 128  # the last of three parts is smaller: 44
RATE, MOMENTUM = 0.02, 0.9
MISTAKES = {  # by name: the line of the wrong program
    "softmax twice": "loss = F.cross_entropy(net(x).softmax(dim=1), y)",
    "no zero_grad": "w.grad += g   # and never set to zero",
    "stays in eval": "net.eval()   # after an epoch, and never net.train() again",
    "mean of parts": "accuracy = mean([accuracy of each part])",
    "copied statistics": "x = (pixels - mean) / 0.02   # it should be 0.25",
}


@dataclass
class Curves:
    """The losses of the steps, in nats, and the validation accuracies after the epochs."""

    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)


def run(dataset: Dataset, mistake: str = "", seed: int = 0) -> Curves:
    """Train a small network with dropout, rightly or with one mistake.

    Args:
        dataset: its first images are used, at half their size.
        mistake: one of MISTAKES, or "" for none.
        seed: of the initial weights, the batches and the dropout.

    Raises:
        ValueError: if there is no such mistake.
    """
    if mistake and mistake not in MISTAKES:
        raise ValueError(f"run: mistake must be one of {', '.join(MISTAKES)}, or empty, got {mistake!r}")
    few = replace(dataset, X_train=dataset.X_train[: TRAINED + MEASURED], X_test=dataset.X_test[:1]).half_size()
    pixels = few.X_train.reshape(TRAINED + MEASURED, -1) / 255
    spread = 0.02 if mistake == "copied statistics" else pixels[:TRAINED].std()
    X = torch.tensor((pixels - pixels[:TRAINED].mean()) / spread, dtype=torch.float32)
    y = torch.tensor(dataset.y_train[: TRAINED + MEASURED])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Linear(X.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(0.5), nn.Linear(HIDDEN, 10)
        return _train(nn.Sequential(*layers), X, y, mistake, seed)


def _train(net: nn.Module, X: torch.Tensor, y: torch.Tensor, mistake: str, seed: int) -> Curves:
    parameters, curves = list(net.parameters()), Curves()
    sums = [torch.zeros_like(w) for w in parameters]
    velocities = [torch.zeros_like(w) for w in parameters]
    order = BatchOrder(TRAINED, BATCH, seed)
    for step in range(EPOCHS * order.per_epoch):
        batch = order.indices(step)
        logits = net(X[batch])
        if mistake == "softmax twice":
            logits = logits.softmax(dim=1)
        loss = F.cross_entropy(logits, y[batch])
        curves.losses.append(loss.item())
        with torch.no_grad():
            for w, g, total, v in zip(parameters, torch.autograd.grad(loss, parameters), sums, velocities, strict=True):
                total.copy_(total + g if mistake == "no zero_grad" else g)
                w.add_(v.mul_(MOMENTUM).sub_(RATE * total))
        if (step + 1) % order.per_epoch == 0:
            net.eval()
            with torch.no_grad():
                right = (net(X[TRAINED:]).argmax(dim=1) == y[TRAINED:]).double()
            parts = [part.mean().item() for part in right.split(MEASURED_AT_A_TIME)]
            curves.accuracies.append(float(np.mean(parts)) if mistake == "mean of parts" else right.mean().item())
            net.train(mistake != "stays in eval")
    return curves
