"""Cases of task 6.1: the two-layer network and two update rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from cs7643.checks.case import Function, case, parts
from cs7643.classifiers.toy import toy_data, toy_model
from cs7643.comparison import Comparison, compare
from cs7643.gradient_check import eval_numerical_gradient

TOY_SCORES = [
    [-0.5328368, 0.20031504, 0.93346689],
    [-0.59412164, 0.15498488, 0.9040914],
    [-0.67658362, 0.08978957, 0.85616275],
    [-0.77092643, 0.01339997, 0.79772637],
    [-0.89110401, -0.08754544, 0.71601312],
]
TOY_LOSS = 1.38191946092  # with reg = 0.1


def _network(D: int, H: int, C: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}


def _gradients(net: Function, N: int, D: int, H: int, C: int, reg: float) -> Iterator[Comparison]:
    """Compare all gradients with finite differences of the loss."""
    rng = np.random.default_rng([N, D, H, C])
    model, X, y = _network(D, H, C, seed=C), rng.standard_normal((N, D)), rng.integers(0, C, N)
    _, grads = parts(net(X, model, y, reg), "loss", "grads")
    for name, w in model.items():
        numerical = eval_numerical_gradient(lambda _: net(X, model, y, reg)[0], w)
        clues = {"N": N, f"reg * {name}": reg * w}
        yield compare(f'grads["{name}"]', grads.get(name), numerical, 1e-6, clues=clues)


@case("two_layer_net", "the scores of the toy network")
def _(net: Function) -> Iterator[Comparison]:
    X, _ = toy_data()
    yield compare("scores", net(X, toy_model()), TOY_SCORES, 1e-7)


@case("two_layer_net", "the loss of the toy network", "the sum over the images instead of the mean, or 0.5 missing")
def _(net: Function) -> Iterator[Comparison]:
    X, y = toy_data()
    loss, _ = parts(net(X, toy_model(), y, 0.1), "loss", "grads")
    penalty = 0.05 * sum(np.sum(toy_model()[name] ** 2) for name in ("W1", "W2"))
    yield compare("loss", loss, TOY_LOSS, 1e-10, clues={"N": 5, "0.5 * reg * the sum of the squares": penalty})


@case("two_layer_net", "the gradients, without regularisation", "a factor of N, or the ReLU's mask")
def _(net: Function) -> Iterator[Comparison]:
    yield from _gradients(net, N=6, D=5, H=7, C=4, reg=0.0)


@case("two_layer_net", "the gradients, with regularisation", "reg * W: once for each weight matrix, not for the biases")
def _(net: Function) -> Iterator[Comparison]:
    yield from _gradients(net, N=3, D=8, H=4, C=3, reg=0.7)


@case("two_layer_net", "a single image", "a mean or a sum over the wrong axis")
def _(net: Function) -> Iterator[Comparison]:
    yield from _gradients(net, N=1, D=3, H=4, C=5, reg=0.1)


@case("two_layer_net", "scores of 1000", "exp overflows: subtract the largest score of each row first")
def _(net: Function) -> Iterator[Comparison]:
    X = np.ones((2, 3))
    model = {"W1": np.zeros((3, 2)), "b1": np.zeros(2), "W2": np.zeros((2, 3)), "b2": np.array([1000.0, 0.0, -1000.0])}
    loss, grads = parts(net(X, model, np.array([1, 2])), "loss", "grads")
    yield compare("loss", loss, (1000 + 2000) / 2)  # all probability is on class 0
    yield compare('grads["b2"]', grads.get("b2"), [1.0, -0.5, -0.5])


@case("two_layer_net", "one image with large scores, one with small ones", "each row has a largest score of its own")
def _(net: Function) -> Iterator[Comparison]:
    X, weights = np.eye(2), np.array([[1000.0, 0.0, -1000.0], [-3000.0, -2000.0, -3000.0]])
    model = {"W1": np.eye(2), "b1": np.zeros(2), "W2": weights, "b2": np.zeros(3)}
    loss, grads = parts(net(X, model, np.array([1, 2])), "loss", "grads")
    yield compare("loss", loss, 1000.0)
    yield compare('grads["W2"]', grads.get("W2"), [[0.5, -0.5, 0.0], [0.0, 0.5, -0.5]])


@case("two_layer_net", "float32 stays float32")
def _(net: Function) -> Iterator[Comparison]:
    X, y = toy_data()
    model = {name: w.astype(np.float32) for name, w in toy_model().items()}
    yield compare("scores", net(X.astype(np.float32), model), TOY_SCORES, 1e-5, dtype=np.float32)
    _, grads = parts(net(X.astype(np.float32), model, y, 0.1), "loss", "grads")
    for name, w in model.items():
        yield compare(f'the dtype of grads["{name}"]', np.zeros_like(grads[name]), np.zeros_like(w), dtype=np.float32)


@case("momentum", "steps with changing gradients", "the sign, or the learning rate on the wrong term")
def _(momentum: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(1)
    gradients, rate, mu = rng.standard_normal((7, 3, 4)), 0.3, 0.8
    velocity = np.zeros((3, 4))
    for t, grad in enumerate(gradients):
        step, velocity = parts(momentum(grad, velocity, rate, mu), "step", "velocity")
        weights = mu ** np.arange(t, -1, -1)  # how much each gradient so far still counts
        yield compare("step", step, -rate * np.tensordot(weights, gradients[: t + 1], 1))
        yield compare("velocity", velocity, step)


@case("rmsprop", "steps with changing gradients", "decay and 1 - decay exchanged, or the root missing")
def _(rmsprop: Function) -> Iterator[Comparison]:
    yield from _rmsprop(rmsprop, decay=0.9, eps=1e-8)


@case("rmsprop", "a large eps", "eps belongs inside the root")
def _(rmsprop: Function) -> Iterator[Comparison]:
    yield from _rmsprop(rmsprop, decay=0.6, eps=0.5)


def _rmsprop(rmsprop: Function, decay: float, eps: float) -> Iterator[Comparison]:
    rng = np.random.default_rng(2)
    gradients, rate = rng.standard_normal((7, 3, 4)), 0.05
    mean_square = np.zeros((3, 4))
    for t, grad in enumerate(gradients):
        step, mean_square = parts(rmsprop(grad, mean_square, rate, decay, eps), "step", "mean_square")
        weights = (1 - decay) * decay ** np.arange(t, -1, -1)
        yield compare("mean_square", mean_square, np.tensordot(weights, gradients[: t + 1] ** 2, 1))
        ratio = rate * grad / step  # the root, whatever way it was computed
        yield compare("(learning_rate * grad / step)^2", ratio**2, mean_square + eps)
        yield compare("the sign of step", np.sign(step), -np.sign(grad))
