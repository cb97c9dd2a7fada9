"""What tasks 6.4 to 6.6 share: a PyTorch model is compared by its parameters and by its logits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from coursework.check.case import Attempt, CaseFailed, Function, IfRaises, NothingReturned
from coursework.check.comparison import Prediction, compare
from coursework.check.diagnosis import mistake
from cs7643.cases.oracles import Array, rectified

torch.set_num_threads(1)  # the arrays are small: threads would only wait for one another

ATTRIBUTE = "Each layer is an attribute of the model, so that its parameters are found and gradients reach them"
FLOATS = "images come as (N, C, H, W), float32 or float64"
Shapes = dict[str, tuple[int, ...]]
# Takes images and parameters by name; the arrays of matrices are (in, out), as in the layers of problem 6.2.
Oracle = Callable[[Array, dict[str, Array]], Array]


def shared_mistakes(name: str) -> None:
    """Register the mistakes that are made in all three models."""
    mistake(name, "softmax twice", "the model ends in a softmax, and cross_entropy has one of its own: return logits.")
    mistake(name, "ReLU of the logits", "the logits go through a ReLU: nothing comes after the last layer.")
    mistake(name, "bias lost", "a layer has no bias.")
    mistake(name, "gradient cut off", "no gradient reaches some parameter: detach, no_grad or data cuts it off.")
    mistake(
        name,
        "layers in a list",
        "parameters() does not see layers in a list, a tuple or a dictionary: use nn.ModuleList.",
    )
    mistake(name, "not flattened", "the images reach a linear layer as they are: flatten each image into a row first.")
    mistake(name, "dropout", "training mode gives other logits: this model has nothing in it that depends on the mode.")
    mistake(name, "images mixed", "the logits of an image depend on the other images of the batch.")


def make(model_class: Function, seed: int, *arguments: Any) -> torch.nn.Module:
    """Make a model whose random weights come from the seed, in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = model_class(*arguments)
    if not isinstance(model, torch.nn.Module):
        raise CaseFailed(f"it should be a torch.nn.Module, got {type(model).__name__}")
    return model.double()


def weights_of(model: torch.nn.Module, shapes: Shapes, mistaken: Mapping[str, Shapes]) -> dict[str, torch.Tensor]:
    """Find the parameters of a model by their shapes, all different.

    Raises:
        CaseFailed: if there are others, with the mistake that has just those.
    """
    found = [tuple(weight.shape) for weight in model.parameters()]
    if Counter(found) != Counter(shapes.values()):
        likely = next((name for name, other in mistaken.items() if Counter(found) == Counter(other.values())), "")
        likely = "layers in a list" if _in_a_list(model) else likely
        missing = [name for name, shape in shapes.items() if shape not in found]
        if not likely and all("bias" in name for name in missing) and len(found) + len(missing) == len(shapes):
            likely = "bias lost"
        listed = "; ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise CaseFailed(f"its parameters should have the shapes {listed}, got {found}", likely)
    by_shape = {tuple(weight.shape): weight for weight in model.parameters()}
    return {name: by_shape[shape] for name, shape in shapes.items()}


def _in_a_list(model: torch.nn.Module) -> bool:
    """Tell whether a model keeps layers in a list, a tuple or a dictionary, where PyTorch does not look for them."""
    kept = [value for value in vars(model).values() if isinstance(value, (list, tuple, dict))]
    inside = (part for value in kept for part in (value.values() if isinstance(value, dict) else value))
    own = {id(module) for module in model.modules()}
    return any(isinstance(part, torch.nn.Module) and id(part) not in own for part in inside)


def arrays(weights: Mapping[str, torch.Tensor]) -> dict[str, Array]:
    """Return parameters as the layers of problem 6.2 have them: matrices are (in, out)."""
    found = {name: weight.detach().numpy().copy() for name, weight in weights.items()}
    return {name: weight.T if weight.ndim == 2 else weight for name, weight in found.items()}


def try_model(
    model_class: Function,
    rng: Generator,
    arguments: tuple[Any, ...],
    shapes: Shapes,
    mistaken_shapes: Mapping[str, Shapes],
    oracle: Oracle,
    mistaken: Mapping[str, Oracle],
    N: int,
    unflattened: tuple[int, ...],
    stuck: Mapping[str, str] | None = None,
) -> Attempt:
    """Compare a model's parameters with their shapes, and its logits with an oracle that gets these parameters.

    ``unflattened`` is the shape of one image where it reaches a linear layer. ``stuck`` has, for a mistake in the
    shapes, another that has the same shapes and whose model cannot be run.
    """
    stuck = stuck or {}
    model = make(model_class, int(rng.integers(2**31)), *arguments)
    images = rng.standard_normal((N, *arguments[0]))
    try:
        weights = weights_of(model, shapes, mistaken_shapes)
    except CaseFailed as failed:
        if failed.mistake in stuck and not _runs(model, images):
            raise CaseFailed(str(failed), stuck[failed.mistake]) from failed
        raise
    *rows, columns = unflattened
    yield IfRaises({"not flattened": rf"\({N * math.prod(rows)}x{columns} and \d+x"})
    training = forward(model, images).detach().numpy()
    model.eval()
    logits = forward(model, images).detach().numpy()
    values = arrays(weights)
    right = oracle(images, values)
    odds = np.exp(right - right.max(axis=1, keepdims=True))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    predictions: dict[str, Prediction] = {
        "softmax twice": (probabilities, np.log(probabilities), odds / odds.sum(axis=0)),
        "ReLU of the logits": rectified(right),
        **{name: make_logits(images, values) for name, make_logits in mistaken.items()},
    }
    yield compare("logits", logits, right, 1e-9, mistakes=predictions)
    alone = np.concatenate([forward(model, image[np.newaxis]).detach().numpy() for image in images])
    mixed: dict[str, Prediction] = {"images mixed": lambda _: True}
    yield compare("logits of one image after another", alone, logits, 1e-9, mistakes=mixed)
    other: dict[str, Prediction] = {"dropout": lambda _: True}
    yield compare("logits in training mode", training, logits, 1e-9, mistakes=other)


def _runs(model: torch.nn.Module, images: Array) -> bool:
    try:
        forward(model, images)
    except RuntimeError:  # shapes that do not fit
        return False
    return True


def forward(model: torch.nn.Module, images: Array) -> torch.Tensor:
    """Return what the model makes of images: a tensor, if it is as it should be."""
    weight = next(model.parameters(), None)
    if weight is None:
        raise CaseFailed("it has no parameters", "layers in a list" if _in_a_list(model) else "")
    logits = model(torch.from_numpy(images).to(weight.dtype))
    if logits is None:
        raise NothingReturned("its forward method returns None")
    if not isinstance(logits, torch.Tensor):
        raise CaseFailed(f"it should return a tensor of logits, got {type(logits).__name__}")
    return logits


def try_gradients(model_class: Function, rng: Generator, arguments: tuple[Any, ...], shapes: Shapes) -> Attempt:
    """See that a loss can be differentiated with respect to every parameter: along one direction each."""
    model = make(model_class, int(rng.integers(2**31)), *arguments).eval()
    weights = weights_of(model, shapes, {})
    images = rng.standard_normal((3, *arguments[0]))
    upstream = torch.from_numpy(rng.standard_normal(tuple(forward(model, images).shape)))
    total = (upstream * forward(model, images)).sum()
    if not total.requires_grad:
        raise CaseFailed("its logits have no gradient", "gradient cut off")
    gradients = torch.autograd.grad(total, list(weights.values()), allow_unused=True)
    for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
        if gradient is None:
            raise CaseFailed(f"no gradient reaches {name}", "gradient cut off")
        direction = torch.from_numpy(rng.standard_normal(tuple(weight.shape)))
        with torch.no_grad():
            sides = []
            for step in (1e-6, -2e-6):
                weight += step * direction
                sides.append(float((upstream * forward(model, images)).sum()))
            weight += 1e-6 * direction
        slope = float((gradient * direction).sum())
        cut: dict[str, Prediction] = {"gradient cut off": 0.0}
        yield compare(f"the slope along {name}", slope, (sides[0] - sides[1]) / 2e-6, 1e-4, mistakes=cut)


def try_float32(model_class: Function, rng: Generator, arguments: tuple[Any, ...]) -> Attempt:
    """See that a model takes float32 images, and makes of them what it makes of the same in double precision."""
    model = make(model_class, int(rng.integers(2**31)), *arguments).eval()
    images = rng.standard_normal((2, *arguments[0]))
    double = forward(model, images).detach().numpy()
    yield compare("logits", forward(model.float(), images).detach().numpy(), double, 1e-4, dtype=np.float32)
