"""Cases of task 6.4: the linear classifier in PyTorch, the optimiser, and one update of the weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from cs7643.checks.case import CaseFailed, Function, case
from cs7643.checks.diagnosis import mistake
from cs7643.checks.torch_models import compare_logits, images, linear, made, numbers
from cs7643.comparison import Comparison, Prediction, compare

for _model in ("Softmax", "TwoLayerNN", "CNN"):
    mistake(
        _model,
        "probabilities",
        "the model ends in a softmax, and the cross-entropy applies one itself: of two in a row the gradients nearly "
        "vanish. Return the scores.",
    )
    mistake(_model, "logarithms of probabilities", "the model ends in a log-softmax: return the scores.")
    mistake(_model, "ReLU of the logits", "the logits go through a ReLU: scores may be negative.")
    mistake(_model, "other parameters", "the layers have other sizes than the formula, or are no attributes of self.")
    mistake(_model, "cut off", "something in forward (detach, .data, no_grad, NumPy) cuts the gradient off.")
mistake("Softmax", "bias lost", "the bias is not added: nn.Linear has one unless it is told otherwise.")
mistake("Softmax", "channels last", "the images are flattened with the channels last: flatten (C, H, W) as it is.")

OPTIMIZER = "make_optimizer"
mistake(OPTIMIZER, "momentum lost", "momentum is not handed to the optimiser.")
mistake(OPTIMIZER, "weight decay lost", "weight_decay is not handed to the optimiser.")
mistake(OPTIMIZER, "another learning rate", "lr is not the learning rate that was given.")
mistake(OPTIMIZER, "Nesterov", "this is Nesterov's momentum, which looks ahead: leave nesterov out.")
mistake(OPTIMIZER, "momentum and decay exchanged", "momentum and weight_decay are exchanged.")
mistake(OPTIMIZER, "parameters left out", "some parameters are not the optimiser's: hand it model.parameters().")

STEP = "update_step"
mistake(
    STEP, "gradients kept", "the gradients of the batch before are still there, and add up: set them to zero first."
)
mistake(STEP, "no step", "the weights do not change: is the optimiser's step there, after the backward pass?")
mistake(STEP, "softmax before the loss", "a softmax comes before the cross-entropy, which applies one itself.")
mistake(STEP, "eval mode", "the model is in evaluation mode during the step: dropout and normalisation must train.")
mistake(STEP, "mode changed", "the step leaves the model in another mode than it was in: it should not touch the mode.")
mistake(STEP, "own loss", "loss_function is not used: the loss is always the cross-entropy.")
mistake(STEP, "loss after the step", "the loss is computed again after the step: return the one before it.")
mistake(STEP, "graph kept", "the returned loss still holds the graph of its computation: return loss.detach().")
mistake(STEP, "loss as a number", "a number is returned: loss.item() waits for the device; return loss.detach().")


@case("Softmax", "the logits, from its own weights", "one affine layer on the flattened image, and nothing behind it.")
def _(softmax: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _logits(softmax, rng, count=int(rng.integers(3, 7)), size=(3, 4, 5), classes=7)


@case("Softmax", "one image of one channel", "flatten all axes but the first.")
def _(softmax: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _logits(softmax, rng, count=1, size=(1, 6, int(rng.integers(2, 6))), classes=3)


def _logits(
    softmax: Function, rng: Generator, count: int, size: tuple[int, int, int], classes: int
) -> Iterator[Comparison]:
    model, x = made(softmax, rng, size, classes), images(rng, count, size)

    def logits(x: Tensor, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        return {
            "": linear(x, parameters, "1"),
            "bias lost": linear(x, parameters, "1", bias=False),
            "channels last": linear(x.permute(0, 2, 3, 1), parameters, "1"),
        }

    yield from compare_logits(model, x, {"W1": (classes, int(np.prod(size))), "b1": (classes,)}, logits)


def _steps(
    start: list[Tensor], grads: list[list[Tensor]], lr: float, momentum: float, decay: float, nesterov: bool = False
) -> np.ndarray:
    """Return the parameters after steps with these gradients, step by step from the formula."""
    weights = [w.clone() for w in start]
    velocities = [torch.zeros_like(w) for w in start]
    for step in grads:
        for w, v, grad in zip(weights, velocities, step, strict=True):
            slope = grad + decay * w
            v.mul_(momentum).add_(slope)
            w.sub_(lr * (slope + momentum * v if nesterov else v))
    return np.asarray(numbers(weights))


@case(OPTIMIZER, "four steps with given gradients", "SGD(model.parameters(), ...) with all three numbers handed on.")
def _(make_optimizer: Function, rng: Generator) -> Iterator[Comparison]:
    lr, momentum, decay = 0.1 + 0.2 * rng.random(), 0.5 + 0.4 * rng.random(), 0.1 + 0.2 * rng.random()
    torch.manual_seed(int(rng.integers(2**31)))
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).double()
    parameters = list(model.parameters())
    start = [p.detach().clone() for p in parameters]
    grads = [[torch.from_numpy(rng.standard_normal(p.shape)) for p in parameters] for _ in range(4)]
    optimizer = make_optimizer(model, lr, momentum, decay)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise CaseFailed(f"it should return an optimiser of torch.optim, got {type(optimizer).__name__}")
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if held != {id(p) for p in parameters}:
        raise CaseFailed(
            f"the optimiser holds {len(held)} of the model's {len(parameters)} parameters", "parameters left out"
        )
    for step in grads:
        for p, grad in zip(parameters, step, strict=True):
            p.grad = grad.clone()
        optimizer.step()
    mistakes: dict[str, Prediction] = {
        "momentum lost": _steps(start, grads, lr, 0, decay),
        "weight decay lost": _steps(start, grads, lr, momentum, 0),
        "another learning rate": tuple(
            _steps(start, grads, rate, momentum, decay) for rate in (1e-3, 1e-2, 0.1, lr / 10)
        ),
        "Nesterov": _steps(start, grads, lr, momentum, decay, nesterov=True),
        "momentum and decay exchanged": _steps(start, grads, lr, decay, momentum),
    }
    expected = _steps(start, grads, lr, momentum, decay)
    yield compare("the parameters after four steps", numbers(parameters), expected, 1e-9, mistakes=mistakes)


def _small(rng: Generator) -> tuple[nn.Module, torch.optim.Optimizer, list[Tensor], list[Tensor]]:
    """Make a small model, plain gradient descent on it, and three batches."""
    torch.manual_seed(int(rng.integers(2**31)))
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 5)).double()
    batches = [images(rng, 4, (3, 2, 2)) for _ in range(3)]
    labels = [torch.from_numpy(rng.integers(0, 5, 4)) for _ in range(3)]
    return model, torch.optim.SGD(model.parameters(), 0.5), batches, labels


@case(STEP, "three batches one after another", "zero the gradients, the loss, its gradients, a step: in this order.")
def _(update_step: Function, rng: Generator) -> Iterator[Comparison]:
    model, optimizer, batches, labels = _small(rng)
    start = [p.detach().clone() for p in model.parameters()]
    right, kept, double = ([w.clone() for w in start] for _ in range(3))
    memory = [torch.zeros_like(w) for w in start]
    for x, y in zip(batches, labels, strict=True):
        before = _loss(right, x, y)[0]
        loss = update_step(model, optimizer, x, y)
        if isinstance(loss, (float, int)):
            raise CaseFailed(
                "it should return the loss as a tensor without a gradient, got a number", "loss as a number"
            )
        if not isinstance(loss, Tensor) or loss.shape != ():
            raise CaseFailed(f"it should return the loss, a tensor of one number, got {type(loss).__name__}")
        if loss.requires_grad:
            raise CaseFailed("the loss that it returns still requires a gradient", "graph kept")
        for weights, softmax in ((right, False), (double, True)):
            for w, grad in zip(weights, _loss(weights, x, y, softmax)[1], strict=True):
                w -= 0.5 * grad
        for w, grad, total in zip(kept, _loss(kept, x, y)[1], memory, strict=True):
            total += grad
            w -= 0.5 * total
        mistakes: dict[str, Prediction] = {"loss after the step": _loss(right, x, y)[0].numpy()}
        yield compare("the loss", loss.numpy(), before.numpy(), 1e-9, mistakes=mistakes)
    mistakes = {
        "gradients kept": numbers(kept),
        "softmax before the loss": numbers(double),
        "no step": numbers(start),
    }
    yield compare("the parameters", numbers(list(model.parameters())), numbers(right), 1e-9, mistakes=mistakes)


def _loss(weights: list[Tensor], x: Tensor, y: Tensor, softmax: bool = False) -> tuple[Tensor, tuple[Tensor, ...]]:
    W, b = (w.clone().requires_grad_() for w in weights)
    scores = F.linear(x.flatten(1), W, b)
    loss = F.nll_loss((scores.softmax(dim=1) if softmax else scores).log_softmax(dim=1), y)
    return loss.detach(), torch.autograd.grad(loss, (W, b))


@case(STEP, "another loss", "the loss is loss_function(logits, labels).")
def _(update_step: Function, rng: Generator) -> Iterator[Comparison]:
    model, optimizer, batches, labels = _small(rng)
    x, y = batches[0], labels[0]

    def smoothed(logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, label_smoothing=0.3)

    logits = model(x).detach()
    mistakes: dict[str, Prediction] = {"own loss": F.cross_entropy(logits, y).numpy()}
    loss = update_step(model, optimizer, x, y, smoothed)
    found = loss.detach().numpy() if isinstance(loss, Tensor) else loss
    yield compare("the loss", found, smoothed(logits, y).numpy(), 1e-9, mistakes=mistakes)


@case(STEP, "a model that trains in another way than it answers", "leave model.train() and model.eval() to the caller.")
def _(update_step: Function, rng: Generator) -> Iterator[Comparison]:
    for training in (True, False):
        torch.manual_seed(int(rng.integers(2**31)))
        model = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 5)).double().train(training)
        modes: list[bool] = []
        model[0].register_forward_hook(lambda module, *_, modes=modes: modes.append(module.training))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        update_step(model, optimizer, images(rng, 4, (3, 2, 2)), torch.from_numpy(rng.integers(0, 5, 4)))
        if training and not all(modes):
            raise CaseFailed("during the step the model is in evaluation mode", "eval mode")
        if model.training != training or modes != [training] * len(modes):
            raise CaseFailed("the step changes the mode of the model", "mode changed")
        yield compare("the forward passes of a step", len(modes), 1)
