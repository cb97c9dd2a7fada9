"""The same experiment in NumPy and in PyTorch: same weights, same batches, same update, and so the same numbers.

Both sides are run as they are used elsewhere: the NumPy networks with their own backward passes and the rules of
``cs7643.optim``, the PyTorch models with autograd and an optimiser. Three things must be matched for them to agree:

- NumPy keeps the weights of an affine layer as (in, out), PyTorch as (out, in): they are transposed;
- the penalty is on the weights alone, so that ``weight_decay`` must be zero for the biases;
- PyTorch's RMSprop adds eps to the root, the course's rule inside it: :class:`RMSpropInside` does what the rule says.

PyTorch's momentum is v <- mu v + g, w <- w - lr v, and the course's v <- mu v - lr g, w <- w + v. While the learning
rate stays the same, the two differ in the scale of v alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cs7643.optim import UPDATE_RULES
from cs7643.pytorch.steps import update_step
from cs7643.trainer import BatchOrder, LossFunction

Array = NDArray[Any]
Model = dict[str, Array]


@dataclass(frozen=True)
class Comparison:
    """What two runs of the same experiment came to.

    Attributes:
        numpy_losses: of each step, with the penalty.
        torch_losses: likewise.
        differences: for each parameter, the largest absolute difference after the last step.
        numpy_model: the parameters after the last step.
        torch_model: likewise, under NumPy's names and in its layout.
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
    """RMSProp as the course writes it, with eps inside the root: w <- w - lr g / sqrt(m + eps)."""

    def __init__(self, params: Any, lr: float, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0) -> None:
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change every parameter that has a gradient."""
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
        ValueError: if the module's parameters are not weights and biases of these shapes, in turn.
    """
    parameters = list(module.parameters())
    if len(parameters) != len(model):
        raise ValueError(f"load_numpy: the model has {len(model)} arrays, the module {len(parameters)} parameters")
    with torch.no_grad():
        for parameter, (name, array) in zip(parameters, model.items(), strict=True):
            values = _transposed(array)
            if tuple(parameter.shape) != values.shape:
                raise ValueError(
                    f"load_numpy: {name} {array.shape} wants a parameter {values.shape}, got {tuple(parameter.shape)}"
                )
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def to_numpy(module: nn.Module, names: list[str]) -> Model:
    """Return a module's parameters under the names of a NumPy network and in its layout."""
    arrays = [parameter.detach().numpy() for parameter in module.parameters()]
    return {name: np.ascontiguousarray(_transposed(array)) for name, array in zip(names, arrays, strict=True)}


def optimizer_like(
    rule: str, module: nn.Module, learning_rate: float, momentum: float, reg: float
) -> torch.optim.Optimizer:
    """Return the optimiser that does what a rule of ``cs7643.optim`` does, with the penalty on the weights alone."""
    if rule not in UPDATE_RULES:
        raise ValueError(f"optimizer_like: rule must be one of {', '.join(UPDATE_RULES)}, got {rule!r}")
    parameters = list(module.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": reg},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
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
        learning_rate: of every step.
        momentum: for the rule of that name.
        reg: the strength of the penalty on the weights.
        steps: how many.
        batch_size: of each.
        seed: of the batches, which both see.
        optimizer: makes another optimiser than the one that does the same, to see what that changes.

    Returns:
        Both loss curves, and how far the parameters are apart in the end.
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
    """Exchange the two axes of an affine layer's weights; filters and biases are the same in both worlds."""
    return array.T if array.ndim == 2 else array
