"""The worker's end for the tasks in PyTorch: it makes models and optimisers with the student's code, and runs them.

They stay here. The grader refers to them by number, sends the values of the parameters with each request, and gets
arrays back; so the parameters that count are never chosen here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from coursework.staff.autograder.inside.protocol import Special
from cs7643.cases.compiler import import_later

torch.set_num_threads(1)
import_later()


def opaque(value: Any) -> Special:
    """Return the stand-in for a value of an unexpected type."""
    return Special("opaque", (type(value).__name__,))


def tensor_out(value: Any) -> Any:
    """Return a tensor as its array and whether it needs a gradient; anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    return Special("tensor", (value.detach().cpu().numpy(), bool(value.requires_grad)))


def gradients(module: nn.Module) -> list[Any]:
    """Return the gradient of each parameter: an array, or None."""
    return [None if w.grad is None else w.grad.numpy() for w in module.parameters()]


def values(module: nn.Module) -> list[Any]:
    """Return the values of all parameters."""
    return [w.detach().numpy() for w in module.parameters()]


def put(module: nn.Module, arrays: Sequence[Any], grads: Sequence[Any] = ()) -> None:
    """Set the values of all parameters, and their gradients."""
    with torch.no_grad():
        for w, array in zip(module.parameters(), arrays, strict=True):
            w.copy_(torch.from_numpy(array))
    for w, grad in zip(module.parameters(), grads, strict=False):
        w.grad = None if grad is None else torch.from_numpy(grad)


class Models:
    """The objects made so far, by number, and the answers to the grader's requests."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.made: list[Any] = []

    def answer(self, function: Callable[..., Any], what: str, *parts: Any) -> Any:
        """Return the answer to a request; ``function`` is the one under test."""
        requests: dict[str, Callable[..., Any]] = {
            "construct": self._construct,
            "forward": self._forward,
            "backward": self._backward,
            "optimizer": self._optimizer,
            "step": self._step,
            "update": self._update,
        }
        return requests[what](function, *parts)

    def _keep(self, thing: Any) -> int:
        self.made.append(thing)
        return len(self.made) - 1

    def _construct(self, model_class: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        model = model_class(*arguments)
        if not isinstance(model, nn.Module):
            return opaque(model)
        shapes = [tuple(map(int, w.shape)) for w in model.parameters()]
        return (self._keep(model), shapes)

    def _ready(self, number: int, training: bool, arrays: list[Any], dtype: str) -> nn.Module:
        model: nn.Module = self.made[number]
        model.to(getattr(torch, dtype))
        model.train(training)
        put(model, arrays)
        return model

    def _forward(self, _: Any, number: int, training: bool, arrays: list[Any], dtype: str, images: Any) -> Any:
        return tensor_out(self._ready(number, training, arrays, dtype)(torch.from_numpy(images)))

    def _backward(
        self, _: Any, number: int, training: bool, arrays: list[Any], dtype: str, images: Any, upstream: Any
    ) -> Any:
        model = self._ready(number, training, arrays, dtype)
        logits = model(torch.from_numpy(images))
        found = torch.autograd.grad(logits, list(model.parameters()), torch.from_numpy(upstream), allow_unused=True)
        return [None if gradient is None else gradient.numpy() for gradient in found]

    def _optimizer(
        self, function: Callable[..., Any], sizes: tuple[int, int], arrays: list[Any], *settings: Any
    ) -> Any:
        model = nn.Linear(*sizes).double()
        put(model, arrays)
        optimizer = function(model, *settings)
        if any(not np.array_equal(new, old) for new, old in zip(values(model), arrays, strict=True)):
            return Special("changed")
        if not isinstance(optimizer, torch.optim.Optimizer):
            return opaque(optimizer)
        return (self._keep((model, optimizer)), type(optimizer).__name__)

    def _step(self, _: Any, number: int, arrays: list[Any], grads: list[Any]) -> Any:
        model, optimizer = self.made[number]
        put(model, arrays, grads)
        optimizer.step()
        return values(model)

    def _update(
        self,
        function: Callable[..., Any],
        normalised: bool,
        arrays: list[Any],
        grads: list[Any],
        lr: float,
        images: Any,
        labels: Any,
        loss: str,
    ) -> Any:
        model = importlib.import_module("cs7643.cases.task_6_4")._Normalised(normalised).double()
        put(model, arrays, grads)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        given = (torch.from_numpy(images.copy()), torch.from_numpy(labels.copy()))
        more = (getattr(nn.functional, loss),) if loss else ()
        returned = function(model, optimizer, *given, *more)
        if any(not np.array_equal(new.numpy(), old) for new, old in zip(given, (images, labels), strict=True)):
            return Special("changed")
        return (tensor_out(returned), values(model), gradients(model), bool(model.training))
