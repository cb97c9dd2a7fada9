"""The grader's end for the tasks in PyTorch: stand-ins for models and optimisers that are in the worker.

The grader draws the parameters and sends them along with every request, so that logits and gradients can only be right
if they are computed from them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from coursework.check.case import CaseFailed
from coursework.staff.autograder.inside.protocol import Special
from coursework.staff.autograder.remote import Opaque, Remote, RemoteFunction, named

TENSOR = frozenset({"tensor", "changed"})
LOSSES: dict[Any, str] = {nn.functional.multi_margin_loss: "multi_margin_loss"}


def remote_function(remote: Remote, name: str) -> Callable[..., Any]:
    """Return what stands for a function or a class of the student's."""
    if name in ("Softmax", "TwoLayerNN", "CNN"):
        return functools.partial(_construct, remote)
    if name == "make_optimizer":
        return functools.partial(_make_optimizer, remote)
    if name == "update_step":
        return functools.partial(_update_step, remote)
    return RemoteFunction(remote, name)


def _arrays(parameters: Iterable[Tensor]) -> list[Any]:
    return [w.detach().numpy().copy() for w in parameters]


def _gradients(parameters: Iterable[Tensor]) -> list[Any]:
    return [None if w.grad is None else w.grad.numpy().copy() for w in parameters]


def _tensor(value: Any) -> Any:
    """Return what came as a tensor, and whether it needs a gradient; anything else as it is."""
    if isinstance(value, Special):
        if value.kind != "tensor":
            raise CaseFailed("it changes the images in place: make a new tensor", "changes an argument")
        array, needs = value.parts
        if not isinstance(array, np.ndarray):
            raise CaseFailed("it should return a tensor of numbers")
        tensor = torch.from_numpy(array.copy())
        return tensor.requires_grad_(bool(needs)) if tensor.is_floating_point() else tensor
    return value


class RemoteModule(nn.Module):
    """A model in the worker. Its parameters are here, and start as random numbers of PyTorch's generator."""

    def __init__(self, remote: Remote, number: int, shapes: list[Any]) -> None:
        """Take the number that the worker gave it, and the shapes of its parameters."""
        super().__init__()
        self.remote, self.number = remote, number
        self.weights = nn.ParameterList(0.5 * torch.randn(shape) for shape in shapes)

    def __deepcopy__(self, memo: dict[int, Any]) -> RemoteModule:
        """Return a model with the same parameters."""
        twin = RemoteModule(self.remote, self.number, [tuple(w.shape) for w in self.weights]).to(_dtype(self))
        twin.load_state_dict(self.state_dict())
        return twin

    def forward(self, images: Tensor) -> Any:
        """Return the logits that the worker computes, tied to the parameters if they are so there."""
        given = (self.number, self.training, _arrays(self.weights), str(_dtype(self)).removeprefix("torch."))
        logits = _tensor(self.remote.ask("forward", *given, images.detach().numpy(), specials=TENSOR))
        if not isinstance(logits, Tensor) or not logits.requires_grad:
            return logits

        def backward(upstream: Any) -> Any:
            return self.remote.ask("backward", *given, images.detach().numpy(), upstream)

        return _Attached.apply(backward, logits.detach(), *self.weights)


def _dtype(model: RemoteModule) -> torch.dtype:
    return next((w.dtype for w in model.weights), torch.float32)


class _Attached(torch.autograd.Function):
    """Logits whose gradients the worker computes."""

    @staticmethod
    def forward(ctx: Any, backward: Callable[[Any], Any], logits: Tensor, *weights: Tensor) -> Tensor:
        ctx.ask, ctx.shapes = backward, [(tuple(w.shape), w.dtype) for w in weights]
        return logits.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        found = ctx.ask(upstream[0].numpy())
        if not isinstance(found, list) or len(found) != len(ctx.shapes):
            raise CaseFailed("its gradients are not those of its parameters")
        gradients: list[Tensor | None] = []
        for array, (shape, dtype) in zip(found, ctx.shapes, strict=True):
            if array is not None and (not isinstance(array, np.ndarray) or array.shape != shape):
                raise CaseFailed("its gradients do not have the shapes of its parameters")
            gradients.append(None if array is None else torch.from_numpy(array).to(dtype))
        return None, None, *gradients


def _construct(remote: Remote, *arguments: Any) -> Any:
    match remote.ask("construct", tuple(map(_whole, arguments))):
        case (int(number), list(shapes)) if len(shapes) < 100 and all(map(_is_shape, shapes)):
            return RemoteModule(remote, number, shapes)
        case other:
            return other


def _whole(value: Any) -> Any:
    """Return sizes as Python integers."""
    return tuple(map(_whole, value)) if isinstance(value, tuple) else int(value)


def _is_shape(shape: Any) -> bool:
    sides = isinstance(shape, tuple) and len(shape) < 8 and all(type(side) is int and side >= 0 for side in shape)
    return sides and int(np.prod(shape, dtype=object)) < 100_000


class RemoteOptimizer(torch.optim.Optimizer):
    """An optimiser in the worker, of parameters here."""

    def __init__(self, remote: Remote, number: int, parameters: list[Tensor]) -> None:
        """Take the number that the worker gave it, and the parameters that it changes."""
        self.remote, self.number, self.parameters = remote, number, parameters

    def __deepcopy__(self, memo: dict[int, Any]) -> RemoteOptimizer:
        """Return itself: there is one in the worker."""
        return self

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: its state is in the worker."""
        return {}

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Let it take a step."""
        new = self.remote.ask("step", self.number, _arrays(self.parameters), _gradients(self.parameters))
        _put(self.parameters, new)


def _put(parameters: Iterable[Tensor], arrays: Any) -> None:
    parameters = list(parameters)
    if not isinstance(arrays, list) or len(arrays) != len(parameters):
        raise CaseFailed("the parameters are not those that they were")
    for w, array in zip(parameters, arrays, strict=True):
        if not isinstance(array, np.ndarray) or array.shape != tuple(w.shape):
            raise CaseFailed("the parameters do not have the shapes that they had")
        with torch.no_grad():
            w.copy_(torch.from_numpy(array))


KINDS: dict[str, type] = {}


def _make_optimizer(remote: Remote, model: nn.Linear, *settings: Any) -> Any:
    sizes = (model.in_features, model.out_features)
    found = remote.ask("optimizer", sizes, _arrays(model.parameters()), *settings, specials=TENSOR)
    match _tensor(found):
        case (int(number), str(kind)):
            if kind not in KINDS:  # one class for each name: two optimisers of one kind are of one class
                KINDS[kind] = named(RemoteOptimizer, kind)
            return KINDS[kind](remote, number, list(model.parameters()))
        case other:
            return other


def _update_step(
    remote: Remote, model: Any, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor, loss: Any = None
) -> Any:
    parameters = list(model.parameters())
    answer = remote.ask(
        "update",
        not isinstance(model.normalise, nn.Identity),
        _arrays(parameters),
        _gradients(parameters),
        float(optimizer.param_groups[0]["lr"]),
        images.numpy(),
        labels.numpy(),
        LOSSES[loss] if loss is not None else "",
        specials=TENSOR,
    )
    match answer:
        case (returned, list(values), list(grads), bool(training)) if len(grads) == len(parameters):
            _put(parameters, values)
            for w, grad in zip(parameters, grads, strict=True):
                fits = isinstance(grad, np.ndarray) and grad.shape == tuple(w.shape)
                w.grad = torch.from_numpy(grad).to(w.dtype) if fits else None
            model.train(training)
            return _tensor(returned)
        case other:
            return _tensor(other) if isinstance(other, Special) else named(Opaque, "nothing of the kind")()
