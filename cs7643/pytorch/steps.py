"""The two pieces of a training program that problem 6.4 asks for: the optimiser, and one update of the weights.

Beside the model and its optimiser, no argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LossFunction = Callable[[Tensor, Tensor], Tensor]  # of logits (N, C) and labels (N,): the mean loss, one number


def make_optimizer(model: nn.Module, lr: float, momentum: float, weight_decay: float) -> torch.optim.Optimizer:
    """Return stochastic gradient descent with momentum on all parameters of ``model``.

    Args:
        model: its parameters are what the optimiser changes.
        lr: the learning rate.
        momentum: the fraction of the velocity that is kept, from 0 to below 1.
        weight_decay: lambda, for a penalty of lambda / 2 times the sum of all squared parameters.
    """
    # BEGIN SOLUTION 6.4 make_optimizer
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay)
    # END SOLUTION


def update_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    loss_function: LossFunction = F.cross_entropy,
) -> Tensor:
    """Train on one batch: set the gradients to zero, compute the loss and its gradients, and step.

    Args:
        model: takes images and returns logits.
        optimizer: of the model's parameters.
        images: (N, C, H, W).
        labels: (N,), int64.
        loss_function: of logits and labels; cross-entropy when not given.

    Returns:
        The loss before the step, one number, detached from the graph.
    """
    # BEGIN SOLUTION 6.4 update_step
    optimizer.zero_grad()
    loss = loss_function(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.detach()
    # END SOLUTION
