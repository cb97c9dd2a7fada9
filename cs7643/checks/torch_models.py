"""What the cases of tasks 6.4 to 6.6 share: a model is known by the shapes of its parameters and by its logits.

Names, and the classes that a model is put together from, are the student's own. What is computed is told from the
parameters, found by their shapes, with plain functions of PyTorch as the oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from cs7643.checks.case import CaseFailed
from cs7643.comparison import Comparison, Prediction, compare

Logits = Callable[[Tensor, dict[str, Tensor]], Mapping[str, Tensor]]  # by name: "" for the right ones, else a mistake


def images(rng: Generator, count: int, size: Sequence[int]) -> Tensor:
    """Draw images (count, C, H, W), float64."""
    return torch.from_numpy(rng.standard_normal((count, *size)))


def made(constructor: Callable[..., Any], rng: Generator, *arguments: Any) -> nn.Module:
    """Make the student's model in float64, from seeded weights."""
    torch.manual_seed(int(rng.integers(2**31)))
    model = constructor(*arguments)
    if not isinstance(model, nn.Module):
        raise CaseFailed(f"it should be a torch.nn.Module, got {type(model).__name__}")
    return model.double()


def by_shape(model: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Find the parameters by their shapes, which all differ."""
    found = [tuple(parameter.shape) for parameter in model.parameters()]
    if sorted(found) != sorted(shapes.values()):
        expected = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise CaseFailed(
            f"its parameters should have the shapes {expected} (nn.Linear keeps its weights as (out, in)), "
            f"got {', '.join(map(str, found)) or 'none'}: is each layer made in __init__, and an attribute of self?",
            "other parameters",
        )
    names = {shape: name for name, shape in shapes.items()}
    return {names[tuple(parameter.shape)]: parameter.detach() for parameter in model.parameters()}


def compare_logits(
    model: nn.Module, x: Tensor, shapes: Mapping[str, tuple[int, ...]], logits: Logits
) -> Iterator[Comparison]:
    """Compare a model's output with that of its own parameters, and with what usual mistakes make of them."""
    parameters = by_shape(model, shapes)
    expected = dict(logits(x, parameters))
    right = expected.pop("")
    expected |= {
        "probabilities": right.softmax(dim=1),
        "logarithms of probabilities": right.log_softmax(dim=1),
        "ReLU of the logits": right.relu(),
    }
    mistakes: dict[str, Prediction] = {name: values.numpy() for name, values in expected.items()}
    output = model(x)
    if not isinstance(output, Tensor):
        raise CaseFailed(f"forward should return a tensor of logits, got {type(output).__name__}")
    yield compare("logits", output.detach().numpy(), right.numpy(), 1e-9, mistakes=mistakes)
    if not output.requires_grad:
        raise CaseFailed("the logits are cut off from the parameters: nothing could be learned", "cut off")
    model.eval()
    yield compare("logits in model.eval()", model(x).detach().numpy(), right.numpy(), 1e-9)


def linear(x: Tensor, parameters: Mapping[str, Tensor], number: str, bias: bool = True) -> Tensor:
    """Compute an affine layer with W and b of this number."""
    return F.linear(x.flatten(1), parameters[f"W{number}"], parameters[f"b{number}"] if bias else None)


def numbers(values: Sequence[Tensor] | Tensor) -> Any:
    """Return tensors as one flat array."""
    tensors = [values] if isinstance(values, Tensor) else list(values)
    return np.concatenate([tensor.detach().double().numpy().ravel() for tensor in tensors])
