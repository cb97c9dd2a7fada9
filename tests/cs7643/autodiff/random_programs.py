"""Random programs: chains of up to 30 operations on scalars and arrays, run with our operations or with PyTorch's."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import torch

from cs7643.autodiff import primitives

OURS = SimpleNamespace(
    **{name: getattr(primitives, name) for name in ("exp", "log", "sin", "cos", "tanh", "sigmoid", "sqrt")},
    absolute=primitives.absolute,
    maximum=primitives.maximum,
    minimum=primitives.minimum,
    where=primitives.where,
    sum=primitives.sum_,
    mean=primitives.mean,
    matmul=primitives.matmul,
    reshape=primitives.reshape,
    transpose=primitives.transpose,
    stack=primitives.stack,
    array=lambda x: x,
)
TORCH = SimpleNamespace(
    **{name: getattr(torch, name) for name in ("exp", "log", "sin", "cos", "tanh", "sigmoid", "sqrt")},
    absolute=torch.abs,
    maximum=torch.maximum,
    minimum=torch.minimum,
    where=torch.where,
    sum=lambda x, axis, keepdims: torch.sum(x, axis, keepdims),
    mean=lambda x, axis, keepdims: torch.mean(x, axis, keepdims),
    matmul=torch.matmul,
    reshape=torch.reshape,
    transpose=lambda x, axes: torch.permute(x, axes),
    stack=torch.stack,
    array=torch.as_tensor,
)
UNARY = {
    "negative": lambda ns, x: -x,
    "exp": lambda ns, x: ns.exp(ns.sin(x)),
    "log": lambda ns, x: ns.log(1.5 + ns.cos(x)),
    "sin": lambda ns, x: ns.sin(x),
    "cos": lambda ns, x: ns.cos(x),
    "tanh": lambda ns, x: ns.tanh(x),
    "sigmoid": lambda ns, x: ns.sigmoid(x),
    "sqrt": lambda ns, x: ns.sqrt(1.0 + x * x),
    "absolute": lambda ns, x: ns.absolute(x),
    "square": lambda ns, x: x**2.0,
    "cube": lambda ns, x: x**3,
    "reciprocal": lambda ns, x: 1 / (2.0 + x * x),
    "exponent": lambda ns, x: 1.5**x,
}
BINARY = {
    "add": lambda ns, x, y: x + y,
    "subtract": lambda ns, x, y: x - y,
    "multiply": lambda ns, x, y: x * y,
    "divide": lambda ns, x, y: x / (1.5 + ns.cos(y)),
    "power": lambda ns, x, y: (1.5 + ns.sin(x)) ** y,
    "maximum": lambda ns, x, y: ns.maximum(x, y),
    "minimum": lambda ns, x, y: ns.minimum(x, y),
}


def program(seed):
    """Return a function (namespace, w, noise) -> list of results, and a point w; they depend on nothing but the seed.

    ``noise``, where it is given, is called with the result of every step, and returns it a little changed.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    w = rng.standard_normal(n)
    steps, values = [], [w]

    def add(step):
        value = np.asarray(step(OURS, values))
        if np.abs(value).max(initial=0) > 3:  # values that grow without end have no derivative to speak of
            steps.append(lambda ns, v: ns.sin(step(ns, v)))
            value = np.sin(value)
        else:
            steps.append(step)
        values.append(value)

    for k in range(n):
        add(lambda ns, v, k=k: v[0][k])
    if n % 2 == 0:
        add(lambda ns, v: ns.reshape(v[0], (2, n // 2)))
    for _ in range(int(rng.integers(1, 31))):
        add(_step(rng, values))

    def run(ns, w, noise=lambda result: result):
        results = [w]
        for step in steps:
            results.append(noise(step(ns, results)))
        flat = ns.reshape(results[-1], (-1,))
        return [flat[k] for k in range(min(4, flat.shape[0]))]

    return run, w


def _step(rng, values):
    """Choose an operation and its arguments; return the function (namespace, values so far) -> result."""
    i, j = (int(k) for k in rng.integers(max(0, len(values) - 8), len(values), 2))
    x, y = values[i], values[j]
    kind = rng.choice(["unary", "binary", "constant", "where", "reduce", "matmul", "index", "shape", "stack"])
    if kind == "binary" and _fit(x, y):
        operation = BINARY[rng.choice(list(BINARY))]
        return lambda ns, v: operation(ns, v[i], v[j])
    if kind == "constant":
        shape = x.shape if rng.random() < 0.5 else (2, *x.shape)
        numbers = rng.standard_normal(shape) if x.ndim < 2 else rng.standard_normal(x.shape[-1:])
        operation = BINARY[rng.choice(list(BINARY))]
        if rng.random() < 0.5:
            return lambda ns, v: operation(ns, v[i], ns.array(numbers))
        return lambda ns, v: operation(ns, ns.array(numbers), v[i])
    if kind == "where" and _fit(x, y):
        mask = rng.random(np.broadcast_shapes(x.shape, y.shape)) < 0.5
        return lambda ns, v: ns.where(ns.array(mask), v[i], v[j])
    if kind == "reduce" and x.ndim:
        axis, keepdims = int(rng.integers(-x.ndim, x.ndim)), bool(rng.random() < 0.5)
        name = rng.choice(["sum", "mean"])
        return lambda ns, v: getattr(ns, name)(v[i], axis, keepdims)
    if kind == "matmul" and x.ndim:
        if x.ndim == 2 and rng.random() < 0.4:
            return lambda ns, v: ns.matmul(v[i], ns.transpose(v[i], (1, 0)))
        numbers = rng.standard_normal((x.shape[-1], 2) if rng.random() < 0.7 else x.shape[-1:])
        return lambda ns, v: ns.matmul(v[i], ns.array(numbers))
    if kind == "index" and x.ndim:
        places = rng.integers(0, x.shape[0], 3)  # an element may be taken twice
        key = [places, slice(None, None, 2), int(places[0]), (..., slice(0, 1))][int(rng.integers(4))]
        return lambda ns, v: v[i][key]
    if kind == "shape" and x.ndim:
        if x.ndim > 1 and rng.random() < 0.5:
            axes = tuple(int(k) for k in rng.permutation(x.ndim))
            return lambda ns, v: ns.transpose(v[i], axes)
        return lambda ns, v: ns.reshape(v[i], (-1, 1))
    if kind == "stack" and x.shape == y.shape and x.ndim < 2:
        return lambda ns, v: ns.stack([v[i], v[j]])
    operation = UNARY[rng.choice(list(UNARY))]
    return lambda ns, v: operation(ns, v[i])


def _fit(x, y):
    try:
        return math.prod(np.broadcast_shapes(x.shape, y.shape)) <= 64
    except ValueError:
        return False
