"""Cases of the rectified linear unit."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, Function, case, parts
from coursework.check.comparison import Comparison, compare
from coursework.check.diagnosis import mistake
from cs7643.cases.layer_inputs import FLOATS, Mistaken
from cs7643.cases.oracles import Array, rectified

FORWARD, BACKWARD = "relu_forward", "relu_backward"

mistake(FORWARD, "absolute value", "negative numbers change their sign, and should become 0.")
mistake(FORWARD, "mask for values", "the output is 1 where x is positive: the value of x should stay.")
mistake(FORWARD, "negative kept", "negative numbers stay, and positive ones become 0.")
mistake(FORWARD, "leaky", "negative numbers are scaled down: a ReLU makes them 0.")
mistake(FORWARD, "output in the cache", "the cache is not x: backward needs x.")
mistake(BACKWARD, "gradient at zero", "at x = 0 the gradient is 0: the mask is x > 0, and not x >= 0.")
mistake(BACKWARD, "mask lost", "the gradient passes everywhere: it should pass where x was positive.")
mistake(BACKWARD, "mask of dout", "the mask comes from dout: it comes from x, the cache.")
mistake(BACKWARD, "mask alone", "dout has no influence: multiply it by the mask.")
mistake(BACKWARD, "x for dout", "x passes through the mask, and dout should.")
mistake(BACKWARD, "mask reversed", "the gradient passes where x was negative, and should where it was positive.")


def _try_forward(forward: Function, x: Array, tolerance: float = 1e-12) -> Comparison:
    right = rectified(x)
    out, _ = parts(forward(x), "out", "cache")
    mistakes: Mistaken = {
        "absolute value": abs(x),
        "mask for values": (np.sign(right), (x >= 0) * 1.0),
        "negative kept": x - right,
        "leaky": tuple(right + slope * (x - right) for slope in (0.001, 0.01, 0.1, 0.2)),
    }
    return compare("out", out, right, tolerance, dtype=x.dtype.type, mistakes=mistakes)


@case(FORWARD, "positive, negative and zero, in any shape", "out = max(0, x), element by element")
def _any_shape(forward: Function, rng: Generator) -> Attempt:
    for shape in ((3, 4), (2, 3, 4, 5), (7,), (1,), rng.integers(1, 5, int(rng.integers(1, 5)))):
        x = rng.standard_normal(shape)
        x.flat[0] = 0.0
        yield _try_forward(forward, x)


@case(FORWARD, "float32 numbers", FLOATS)
def _float32_numbers(forward: Function, rng: Generator) -> Attempt:
    yield _try_forward(forward, rng.standard_normal((2, 3)).astype(np.float32), 1e-6)


@case(FORWARD, "the cache", "the cache x", edge=True)
def _the_cache(forward: Function, rng: Generator) -> Attempt:
    x = rng.standard_normal((3, 4))
    yield _try_forward(forward, x)
    right = rectified(x)
    wrong: Mistaken = {"output in the cache": (right, np.sign(right))}
    yield compare("the cache", parts(forward(x), "out", "cache")[1], x, mistakes=wrong)


def _try_backward(backward: Function, dout: Array, x: Array) -> Comparison:
    on = rectified(np.sign(x)).astype(x.dtype)
    mistakes: Mistaken = {
        "gradient at zero": dout * (on + (x == 0)),
        "mask lost": dout,
        "mask of dout": rectified(dout),
        "mask alone": on,
        "x for dout": rectified(x),
        "mask reversed": dout * rectified(np.sign(-x)),
    }
    return compare("dx", backward(dout, x), dout * on, dtype=x.dtype.type, mistakes=mistakes)


@case(BACKWARD, "random upstream gradients", "The gradient passes where x was positive")
def _random_upstream_gradients(backward: Function, rng: Generator) -> Attempt:
    for shape in ((10, 10), (2, 3, 4, 5), (1,), rng.integers(1, 5, int(rng.integers(1, 5)))):
        yield _try_backward(backward, rng.standard_normal(shape), rng.standard_normal(shape))


@case(BACKWARD, "the gradient at exactly zero", "at x = 0 it is 0", edge=True)
def _at_exactly_zero(backward: Function, rng: Generator) -> Attempt:
    x = rectified(rng.standard_normal((4, 5)))
    x[0, 0] = 0.0
    yield _try_backward(backward, rng.uniform(1, 2, x.shape), x)
    yield _try_backward(backward, np.array([5.0, 5.0, 5.0]), np.array([-1.0, 0.0, 1.0]))


@case(BACKWARD, "float32 numbers", FLOATS)
def _float32_gradients(backward: Function, rng: Generator) -> Attempt:
    dout, x = rng.standard_normal((2, 6, 7)).astype(np.float32)
    yield _try_backward(backward, dout, x)
