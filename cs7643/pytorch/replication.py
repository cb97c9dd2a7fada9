"""The same experiment in NumPy and in PyTorch: same weights, same batches, same updates, and therefore same numbers.

Both sides run as they do elsewhere: the NumPy networks with their own backward passes and the rules of
``cs7643.optim``, the PyTorch models with autograd and an optimiser. Three things must match for them to agree:

- NumPy stores the weights of an affine layer as (in, out), PyTorch as (out, in): they are transposed;
- the penalty is on the weights alone, so ``weight_decay`` must be zero for the biases;
- PyTorch's RMSprop adds eps to the root, the course's rule adds it inside the root: see :class:`RMSpropInside`.

PyTorch's momentum is v <- mu v + g, w <- w - lr v; the course's is v <- mu v - lr g, w <- w + v. With a constant
learning rate, they differ only in the scale of v.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from cs7643.arrays import Array, Model
from cs7643.pytorch.steps import update_step
from cs7643.trainer import UPDATE_RULES, BatchOrder, LossFunction


@dataclass(frozen=True)
class Comparison:
    """The results of the same experiment in NumPy and in PyTorch.

    The losses are those of each step, with the penalty, and the models those after the last step, both under NumPy's
    names and in its layout. The differences are the largest absolute ones of each parameter.
    """

    numpy_losses: list[float]
    torch_losses: list[float]
    differences: dict[str, float]
    numpy_model: Model
    torch_model: Model

    @property
    def largest_difference(self) -> float:
        """The largest absolute difference between two parameters after the last step."""
        return max(self.differences.values())

    @property
    def largest_loss_difference(self) -> float:
        """The largest absolute difference between the two losses of a step."""
        return float(np.max(np.abs(np.subtract(self.numpy_losses, self.torch_losses))))


class RMSpropInside(torch.optim.Optimizer):
    """RMSProp as in the course, with eps inside the root: w <- w - lr g / sqrt(m + eps)."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is not None:
                    grad = w.grad + group["weight_decay"] * w
                    m = self.state[w].setdefault("mean_square", torch.zeros_like(w))
                    m.mul_(group["alpha"]).addcmul_(grad, grad, value=1 - group["alpha"])
                    w.sub_(group["lr"] * grad / torch.sqrt(m + group["eps"]))


def load_numpy(module: nn.Module, model: Model) -> None:
    """Copy the parameters W1, b1, W2, b2 of a NumPy network into a module with the same layers in the same order.

    Raises:
        ValueError: if the module's parameters do not have these shapes, in this order.
    """
    parameters = list(module.parameters())
    if len(parameters) != len(model):
        raise ValueError(f"load_numpy: the model has {len(model)} arrays, the module {len(parameters)} parameters")
    with torch.no_grad():
        for parameter, (name, array) in zip(parameters, model.items(), strict=True):
            values = _transposed(array)
            if (shape := tuple(parameter.shape)) != values.shape:
                raise ValueError(f"load_numpy: {name} {array.shape} needs a parameter {values.shape}, got {shape}")
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def to_numpy(module: nn.Module, names: list[str]) -> Model:
    """Return a module's parameters under the names of a NumPy network and in its layout."""
    arrays = [parameter.detach().numpy() for parameter in module.parameters()]
    return {name: np.ascontiguousarray(_transposed(array)) for name, array in zip(names, arrays, strict=True)}


def optimizer_like(
    rule: str, module: nn.Module, learning_rate: float, momentum: float, reg: float
) -> torch.optim.Optimizer:
    """Return the optimiser equivalent to a rule of ``cs7643.optim``, with the penalty on the weights alone."""
    if rule not in UPDATE_RULES:
        raise ValueError(f"optimizer_like: rule must be one of {', '.join(UPDATE_RULES)}, got {rule!r}")
    groups = [{"params": [p], "weight_decay": reg if p.ndim > 1 else 0.0} for p in module.parameters()]
    if rule == "rmsprop":
        return RMSpropInside(groups, learning_rate)
    return torch.optim.SGD(groups, learning_rate, momentum if rule == "momentum" else 0.0)


def replicate(
    network: LossFunction,
    module: nn.Module,
    model: Model,
    X: Array,
    y: Array,
    *,
    rule: str = "momentum",
    learning_rate: float = 1e-2,
    momentum: float = 0.9,
    reg: float = 0.0,
    steps: int = 500,
    batch_size: int = 50,
    seed: int = 0,
    optimizer: Callable[[nn.Module], torch.optim.Optimizer] | None = None,
) -> Comparison:
    """Train a NumPy network and a PyTorch module side by side.

    Args:
        network: ``network(X, model, y, reg)`` returns the loss and the gradients.
        module: takes images (N, C, H, W) and returns logits; its initial weights are replaced by those of ``model``.
        model: the initial weights; left unchanged. Their dtype is that of both runs.
        X: (N, C, H, W), the images; the NumPy network gets rows (N, D) if its first weights have two axes.
        y: (N,), the labels.
        rule: a rule of ``cs7643.optim``.
        learning_rate: that of every step.
        momentum: for the rule of that name.
        reg: the strength of the penalty on the weights.
        steps: the number of steps.
        batch_size: the number of images in a step.
        seed: that of the batches, which are the same for both.
        optimizer: makes an optimiser other than the equivalent one, to see the difference.

    Returns:
        Both loss curves, and the differences of the parameters after the last step.
    """
    dtype = next(iter(model.values())).dtype
    images = X.astype(dtype)
    rows = images.reshape(len(X), -1) if next(iter(model.values())).ndim == 2 else images
    module.to(torch.from_numpy(np.empty(0, dtype)).dtype)
    load_numpy(module, model)
    make = optimizer or (lambda net: optimizer_like(rule, net, learning_rate, momentum, reg))
    torch_rule, numpy_rule = make(module), UPDATE_RULES[rule]
    options = {"momentum": momentum} if rule == "momentum" else {}
    ours = {name: array.copy() for name, array in model.items()}
    state = {name: np.zeros_like(array) for name, array in model.items()}
    order = BatchOrder(len(X), batch_size, seed)
    numpy_losses, torch_losses = [], []
    for step in range(steps):
        batch = order.indices(step)
        loss, grads = network(rows[batch], ours, y[batch], reg)
        numpy_losses.append(float(loss))
        for name, w in ours.items():
            change, state[name] = numpy_rule(grads[name], state[name], learning_rate, **options)
            w += change
        penalty = 0.5 * reg * sum(float((p.detach() ** 2).sum()) for p in module.parameters() if p.ndim > 1)
        data_loss = update_step(module, torch_rule, torch.from_numpy(images[batch]), torch.from_numpy(y[batch]))
        torch_losses.append(float(data_loss) + penalty)
    theirs = to_numpy(module, list(model))
    differences = {name: float(np.max(np.abs(ours[name] - theirs[name]))) for name in model}
    return Comparison(numpy_losses, torch_losses, differences, ours, theirs)


def _transposed(array: Array) -> Array:
    """Transpose the weights of an affine layer; filters and biases are stored alike in NumPy and PyTorch."""
    return array.T if array.ndim == 2 else array
