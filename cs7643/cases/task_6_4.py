"""Cases of task 6.4: the linear classifier, the optimiser, and one update of the weights.

The oracles are affine maps in another form, the rule of SGD written out in NumPy, and gradients of PyTorch itself. No
case trains to a figure: after each step every weight is known.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from coursework.check.case import Attempt, CaseFailed, Function, NothingReturned, case
from coursework.check.comparison import Prediction, compare
from coursework.check.diagnosis import mistake
from cs7643.cases.compiler import import_later
from cs7643.cases.oracles import Array, affine
from cs7643.cases.torch_models import ATTRIBUTE, FLOATS, Shapes, shared_mistakes, try_float32, try_gradients, try_model

LINEAR = "one linear layer, from all values of an image to one logit for each class"
SGD = "stochastic gradient descent with momentum on all parameters of ``model``"
STEP = "set the gradients to zero, compute the loss and its gradients, and step"

import_later()

shared_mistakes("Softmax")
mistake("Softmax", "flattened in another order", "the images are flattened with their axes in another order.")
mistake("make_optimizer", "weight decay lost", "weight_decay has no influence: pass it to the optimiser.")
mistake("make_optimizer", "momentum lost", "momentum has no influence: pass it to the optimiser.")
mistake("make_optimizer", "learning rate lost", "the learning rate is not lr: pass it to the optimiser as it is.")
mistake("make_optimizer", "Nesterov", "it looks ahead: Nesterov's method was not asked for.")
mistake("make_optimizer", "dampened", "the new gradient is dampened: it counts in full.")
mistake("make_optimizer", "arguments exchanged", "momentum and weight_decay are exchanged.")
mistake("make_optimizer", "Adam", "it is another method, such as Adam: SGD with momentum is wanted.")
mistake("make_optimizer", "some parameters only", "some parameters stay as they are: the optimiser gets all of them.")
mistake("update_step", "zero_grad lost", "the gradients of the step before are still there: set them to zero first.")
mistake("update_step", "zero_grad too late", "the gradients are set to zero after backward(), so the step has none.")
mistake("update_step", "step lost", "the weights stay as they are: the step is missing, or comes before backward().")
mistake("update_step", "softmax twice", "a softmax comes before the loss, and cross_entropy has one of its own.")
mistake(
    "update_step", "eval mode", "the model is put into evaluation mode, and stays in it: it trains in training mode."
)
mistake(
    "update_step", "loss function ignored", "the loss is always cross-entropy: use the loss_function that is given."
)
mistake("update_step", "loss after the step", "the loss that is returned is that after the step.")
mistake("update_step", "graph kept", "the loss still holds its graph, and so the memory of the batch: detach it.")
mistake("update_step", "summed", "the loss is multiplied by the number of images: it is a mean already.")
mistake("update_step", "two steps", "the weights take two steps: one is enough.")


# --- the linear classifier


def _shapes(im_size: tuple[int, int, int], n_classes: int) -> Shapes:
    return {"weight": (n_classes, int(np.prod(im_size))), "bias": (n_classes,)}


def _linear(images: Array, w: dict[str, Array]) -> Array:
    return affine(images, w["weight"], w["bias"])


def _sizes(rng: Generator) -> Iterator[tuple[tuple[int, int, int], int]]:
    yield (3, 4, 5), 7
    yield (1, 6, 2), 2
    C, H, W, n_classes = map(int, rng.integers(2, 6, 4))
    yield (C, H, W), n_classes


@case("Softmax", "its parameters, and its logits", LINEAR)
def _softmax_its_parameters_and_its_logits(model_class: Function, rng: Generator) -> Attempt:
    for im_size, n_classes in _sizes(rng):
        shapes = _shapes(im_size, n_classes)
        yield from try_model(
            model_class,
            rng,
            (im_size, n_classes),
            shapes,
            {},
            _linear,
            {"flattened in another order": lambda images, w: _linear(images.transpose(0, 2, 3, 1), w)},
            N=int(rng.integers(2, 6)),
            unflattened=im_size,
        )


@case("Softmax", "gradients reach every parameter", ATTRIBUTE, leans=True)
def _softmax_gradients_reach_every_parameter(model_class: Function, rng: Generator) -> Attempt:
    yield from try_gradients(model_class, rng, ((2, 3, 4), 5), _shapes((2, 3, 4), 5))


@case("Softmax", "float32 images", FLOATS, leans=True)
def _softmax_float32_images(model_class: Function, rng: Generator) -> Attempt:
    yield from try_float32(model_class, rng, ((2, 3, 4), 5))


# --- the optimiser


def _descend(
    w: Array, gradients: list[Array], lr: float, mu: float, decay: float, nesterov: bool = False, dampening: float = 0
) -> Array:
    """Return where PyTorch's SGD arrives after these gradients."""
    velocity = np.zeros_like(w)
    for t, gradient in enumerate(gradients):
        slope = gradient + decay * w
        velocity = mu * velocity + (1 - dampening * (t > 0)) * slope
        w = w - lr * (slope + mu * velocity if nesterov else velocity)
    return w


@case("make_optimizer", "steps with changing gradients", SGD)
def _make_optimizer_steps_with_changing_gradients(make_optimizer: Function, rng: Generator) -> Attempt:
    drawn = (float(rng.uniform(0.02, 0.2)), float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.05, 0.3)))
    for lr, mu, decay in ((0.1, 0.0, 0.0), (0.1, 0.9, 0.0), (0.05, 0.0, 0.2), (0.03, 0.8, 0.3), drawn):
        model = nn.Linear(3, 2).double()
        start = {name: torch.from_numpy(rng.standard_normal(tuple(w.shape))) for name, w in model.named_parameters()}
        model.load_state_dict(start)
        optimizer = make_optimizer(model, lr, mu, decay)
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise CaseFailed(f"it should return an optimiser of torch.optim, got {type(optimizer).__name__}")
        gradients = {name: [rng.standard_normal(tuple(w.shape)) for _ in range(4)] for name, w in start.items()}
        for t in range(4):
            for name, weight in model.named_parameters():
                weight.grad = torch.from_numpy(gradients[name][t])
            optimizer.step()
        for name, weight in model.named_parameters():
            begin = start[name].numpy()
            settings: dict[str, Any] = {"lr": lr, "mu": mu, "decay": decay}
            predictions: dict[str, Prediction] = {
                "weight decay lost": _descend(begin, gradients[name], **{**settings, "decay": 0}),
                "weight decay lost + momentum lost": _descend(begin, gradients[name], lr, 0, 0),
                "momentum lost": _descend(begin, gradients[name], **{**settings, "mu": 0}),
                "learning rate lost": tuple(
                    _descend(begin, gradients[name], **{**settings, "lr": other})
                    for other in (1.0, 1e-2, 1e-3, lr / 10)
                ),
                "Nesterov": _descend(begin, gradients[name], **settings, nesterov=True),
                "dampened": _descend(begin, gradients[name], **settings, dampening=mu),
                "arguments exchanged": _descend(begin, gradients[name], lr, decay, mu),
                "some parameters only": begin,
            }
            right = _descend(begin, gradients[name], **settings)
            where = f"{name} (lr {lr:.3g}, momentum {mu:.3g}, weight_decay {decay:.3g})"
            yield compare(where, weight.detach().numpy(), right, 1e-9, mistakes=predictions)
        kind = type(optimizer).__name__
        if "Adam" in kind or kind in ("RMSprop", "Adagrad"):
            raise CaseFailed(f"it should return an SGD, got {kind}", "Adam")


# --- one update


class _Normalised(nn.Module):
    """A small network with batch normalisation, which does one thing in training mode and another in evaluation."""

    def __init__(self, normalised: bool) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm1d(6) if normalised else nn.Identity()
        self.linear = nn.Linear(6, 3)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.normalise(images.flatten(1)))
        return logits


LossFunction = Callable[[Tensor, Tensor], Tensor]


def _try_update(update_step: Function, rng: Generator, loss_function: LossFunction | None, normalised: bool) -> Attempt:
    with torch.random.fork_rng():
        torch.manual_seed(int(rng.integers(2**31)))
        model = _Normalised(normalised).double()
    N, lr = int(rng.integers(3, 8)), 0.3
    images = torch.from_numpy(3 * rng.standard_normal((N, 1, 2, 3)) + 1)
    labels = torch.from_numpy(rng.integers(0, 3, N))
    given: tuple[Any, ...] = () if loss_function is None else (loss_function,)
    loss_of = loss_function or F.cross_entropy
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for weight in model.parameters():  # what a step before has left
        weight.grad = torch.from_numpy(rng.standard_normal(tuple(weight.shape)))
    before = copy.deepcopy(model)
    stale = [weight.grad.numpy().copy() for weight in model.parameters() if weight.grad is not None]
    loss = update_step(model, optimizer, images, labels, *given)
    if isinstance(loss, Tensor) and loss.requires_grad:
        raise CaseFailed("the loss that it returns still has a gradient", "graph kept")
    if loss is None:
        raise NothingReturned("it should return the loss, and returns None")
    if not isinstance(loss, (Tensor, float)):
        raise CaseFailed(f"it should return the loss, a tensor, got {type(loss).__name__}")

    def slopes(twin: nn.Module, of: LossFunction) -> tuple[float, list[Array]]:
        value = of(twin(images), labels)
        found = torch.autograd.grad(value, list(twin.parameters()), allow_unused=True)
        return float(value.detach()), [
            np.zeros(tuple(w.shape)) if g is None else g.numpy() for g, w in zip(found, twin.parameters(), strict=True)
        ]

    value, right = slopes(copy.deepcopy(before), loss_of)
    others = {
        "softmax twice": slopes(copy.deepcopy(before), lambda logits, y: loss_of(logits.softmax(1), y)),
        "eval mode": slopes(copy.deepcopy(before).eval(), loss_of),
        "loss function ignored": slopes(copy.deepcopy(before), F.cross_entropy),
        "summed": slopes(copy.deepcopy(before), lambda logits, y: N * loss_of(logits, y)),
    }
    gone = all(weight.grad is None or not weight.grad.any() for weight in model.parameters())
    stepped = copy.deepcopy(before)
    with torch.no_grad():
        for weight, gradient in zip(stepped.parameters(), right, strict=True):
            weight.sub_(lr * torch.from_numpy(gradient))
    later, again = slopes(copy.deepcopy(stepped), loss_of)
    predictions: dict[str, Prediction] = {name: other[0] for name, other in others.items()}
    yield compare("loss", float(loss), value, 1e-9, mistakes={**predictions, "loss after the step": later})
    for k, (name, weight) in enumerate(model.named_parameters()):
        start = list(before.parameters())[k].detach().numpy()
        predictions = {
            **{mistaken: start - lr * other[1][k] for mistaken, other in others.items()},
            "zero_grad lost": start - lr * (right[k] + stale[k]),
            "step lost": start,
            **({"zero_grad too late": start} if gone else {}),
            "two steps": (start - lr * (right[k] + again[k]), start - 2 * lr * right[k]),
        }
        yield compare(name, weight.detach().numpy(), start - lr * right[k], 1e-9, mistakes=predictions)
    if gone:
        raise CaseFailed("after the step the gradients are gone: they are set to zero before, not after")
    if not model.training:
        raise CaseFailed("after the step the model is in evaluation mode", "eval mode")


@case("update_step", "one step, after another has left its gradients", STEP, changes=(0, 1))
def _update_step_one_step_after_another_has_left_its(update_step: Function, rng: Generator) -> Attempt:
    yield from _try_update(update_step, rng, None, normalised=False)


@case(
    "update_step",
    "another loss function",
    "loss_function: of logits and labels; cross-entropy when not given",
    changes=(0, 1),
)
def _update_step_another_loss_function(update_step: Function, rng: Generator) -> Attempt:
    yield from _try_update(update_step, rng, F.multi_margin_loss, normalised=False)


@case("update_step", "a model with batch normalisation, in training mode", STEP, changes=(0, 1))
def _update_step_a_model_with_batch_normalisation_in(update_step: Function, rng: Generator) -> Attempt:
    yield from _try_update(update_step, rng, None, normalised=True)
