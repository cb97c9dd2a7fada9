"""One network in four programs, from NumPy with gradients by hand to layers whose gradients PyTorch finds.

The network is affine - tanh - affine, it fits a curve, and plain gradient descent trains it. Each program is the one
before it with one thing left to PyTorch, and all four compute the same losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

Array = NDArray[Any]


def curve(hidden: int = 8, seed: int = 0) -> tuple[Array, Array, tuple[Array, Array, Array, Array]]:
    """Return points of a curve, X and y of shape (40, 1), and initial weights W1, b1, W2, b2 of a network for it."""
    rng = np.random.default_rng(seed)
    X = np.linspace(-2, 2, 40)[:, np.newaxis]
    W1, b1 = rng.standard_normal((1, hidden)), rng.standard_normal(hidden)
    return X, np.sin(2 * X), (W1, b1, rng.standard_normal((hidden, 1)) / np.sqrt(hidden), np.zeros(1))


def by_hand(X: Array, y: Array, weights: Sequence[Array], rate: float, steps: int) -> list[float]:
    """Train in NumPy, with a backward pass by hand, and return the loss of each step."""
    W1, b1, W2, b2 = (w.copy() for w in weights)
    losses = []
    for _ in range(steps):
        H = np.tanh(X @ W1 + b1)
        error = H @ W2 + b2 - y
        loss = np.mean(error**2)
        losses.append(loss.item())
        dout = 2 * error / error.size
        dH = dout @ W2.T * (1 - H**2)
        W2 -= rate * (H.T @ dout)
        b2 -= rate * dout.sum(axis=0)
        W1 -= rate * (X.T @ dH)
        b1 -= rate * dH.sum(axis=0)
    return losses


def with_autograd(X: Any, y: Any, weights: Sequence[Array], rate: float, steps: int) -> list[float]:
    """Do the same with tensors: autograd finds the gradients."""
    X, y = torch.tensor(X), torch.tensor(y)
    W1, b1, W2, b2 = (torch.tensor(w, requires_grad=True) for w in weights)
    losses = []
    for _ in range(steps):
        H = torch.tanh(X @ W1 + b1)
        error = H @ W2 + b2 - y
        loss = torch.mean(error**2)
        losses.append(loss.item())
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for w in (W1, b1, W2, b2):
                w -= rate * w.grad  # type: ignore[operator, misc]
                w.grad = None
    return losses


class Weights(nn.Module):
    """The network as a module that holds its weights."""

    def __init__(self, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> None:
        super().__init__()
        self.W1 = nn.Parameter(W1)
        self.b1 = nn.Parameter(b1)
        self.W2 = nn.Parameter(W2)
        self.b2 = nn.Parameter(b2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (N, 1) for inputs (N, 1)."""
        H = torch.tanh(x @ self.W1 + self.b1)
        return H @ self.W2 + self.b2


def with_module(X: Any, y: Any, weights: Sequence[Array], rate: float, steps: int) -> list[float]:
    """Do the same with a module: it knows its parameters."""
    X, y = torch.tensor(X), torch.tensor(y)
    net = Weights(*map(torch.tensor, weights))
    losses = []
    for _ in range(steps):
        error = net(X) - y
        loss = torch.mean(error**2)
        losses.append(loss.item())
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for w in net.parameters():
                w -= rate * w.grad  # type: ignore[operator, misc]
                w.grad = None
    return losses


class Layers(nn.Module):
    """The network made of layers, which hold the weights."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(1, hidden).double()
        self.second = nn.Linear(hidden, 1).double()

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (N, 1) for inputs (N, 1)."""
        H = torch.tanh(self.first(x))
        return self.second(H)  # type: ignore[no-any-return]

    def take(self, weights: Sequence[Array]) -> None:
        """Copy weights of NumPy: a linear layer stores (out, in)."""
        for w, value in zip(self.parameters(), weights, strict=True):
            w.data = torch.tensor(value.T)


def with_layers(X: Any, y: Any, weights: Sequence[Array], rate: float, steps: int) -> list[float]:
    """Do the same with layers and a loss that are there already."""
    X, y = torch.tensor(X), torch.tensor(y)
    net = Layers(hidden=len(weights[1]))
    net.take(weights)
    losses = []
    for _ in range(steps):
        loss = F.mse_loss(net(X), y)
        losses.append(loss.item())
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for w in net.parameters():
                w -= rate * w.grad  # type: ignore[operator, misc]
                w.grad = None
    return losses
