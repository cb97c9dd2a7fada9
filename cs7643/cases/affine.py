"""Cases of the affine layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, Function, IfRaises, case, parts
from coursework.check.comparison import compare
from coursework.check.diagnosis import mistake
from cs7643.cases.layer_inputs import FLOATS, Mistaken, compare_cache
from cs7643.cases.oracles import Array, affine, spaced
from cs7643.gradient_check import eval_numerical_gradient_array

FORWARD, BACKWARD = "affine_forward", "affine_backward"
EQUATION = "out = x w + b, with each image flattened into a row"

mistake(FORWARD, "not flattened", "x is multiplied as it is: each image is flattened into a row first.")
mistake(FORWARD, "flattened in another order", "the images are flattened with their axes in another order.")
mistake(FORWARD, "images mixed", "a row mixes the numbers of different images: flatten each image by itself.")
mistake(FORWARD, "bias lost", "the bias is not added.")
mistake(FORWARD, "bias subtracted", "the bias is subtracted, and should be added.")
mistake(FORWARD, "rows in the cache", "the cache holds the flattened x: backward needs x in its own shape.")
mistake(FORWARD, "output in the cache", "the cache holds the output: backward needs x.")
mistake(BACKWARD, "dx stays flat", "dx has the shape of the flattened images: give it x's own shape.")
mistake(BACKWARD, "db not summed", "db has a gradient for each image: sum them.")
mistake(BACKWARD, "db over the wrong axis", "db is summed over the outputs: sum over the images.")
mistake(
    BACKWARD,
    "bias gradient keeps an axis",
    "db keeps an axis of length 1: its shape is that of b, (M,), so sum without keepdims.",
)
mistake(BACKWARD, "averaged", "a gradient is divided by N: the loss takes the mean, a layer sums.")
mistake(BACKWARD, "dw transposed", "dw is transposed: it has w's shape (D, M).")
mistake(BACKWARD, "flattened in another order", "the images are flattened in another order than in forward.")
mistake(BACKWARD, "w not transposed", "dx is made with w (D, M), and the product needs w.T (M, D).")


def _inputs(rng: Generator, *image: int, N: int, M: int, dtype: Any = np.float64) -> tuple[Array, ...]:
    shapes = ((N, *image), (int(np.prod(image)), M), (M,), (N, M))
    return tuple(np.asarray(rng.standard_normal(shape), dtype) for shape in shapes)


def _sizes(rng: Generator) -> Iterator[dict[str, Any]]:
    drawn = tuple(rng.integers(1, 5, int(rng.integers(1, 4))))
    N, M = map(int, rng.integers(1, 6, 2))
    for image, n, m in (((7,), 3, 2), ((2, 3), 1, 4), ((3, 2, 2), 5, 1), ((4,), 3, 4), (drawn, N, M)):
        yield {"image": image, "N": n, "M": m}


def _other_order(x: Array) -> Array:
    """Return images whose axes are reversed: flattened, they have another order."""
    return x.transpose(0, *range(x.ndim - 1, 0, -1))


def _unflattened(x: Array, w: Array) -> IfRaises:
    shapes = rf"size {len(w)} is different from {x.shape[-1]}\b|\({', ?'.join(map(str, x.shape))}\) and \({len(w)}, ?"
    return IfRaises({"not flattened": shapes} if x.ndim > 2 and x.shape[-1] != len(w) else {})


def _try_forward(forward: Function, x: Array, w: Array, b: Array, tolerance: float = 1e-10) -> Attempt:
    yield _unflattened(x, w)
    out, _ = parts(forward(x, w, b), "out", "cache")
    mistakes: Mistaken = {
        "flattened in another order": affine(_other_order(x), w, b),
        "images mixed": affine(x.reshape(-1, len(x)).T, w, b),
        "bias lost": affine(x, w, 0 * b),
        "bias subtracted": affine(x, w, -b),
    }
    yield compare("out", out, affine(x, w, b), tolerance, dtype=x.dtype.type, mistakes=mistakes)


@case(FORWARD, "the example of the assignment", EQUATION)
def _the_example(forward: Function, _: Generator) -> Attempt:
    x, w, b = spaced(-0.1, 0.5, 2, 4, 5, 6), spaced(-0.2, 0.3, 120, 3), spaced(-0.3, 0.1, 3)
    yield _unflattened(x, w)
    out, _cache = parts(forward(x, w, b), "out", "cache")
    yield compare("out", out, [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]], 1e-8)


@case(FORWARD, "images of several shapes", "x: (N, d_1, ..., d_k), N images of any shape; D = d_1 * ... * d_k")
def _images_of_several_shapes(forward: Function, rng: Generator) -> Attempt:
    for size in _sizes(rng):
        x, w, b, _ = _inputs(rng, *size["image"], N=size["N"], M=size["M"])
        yield from _try_forward(forward, x, w, b)


@case(FORWARD, "float32 images", FLOATS)
def _float32_images(forward: Function, rng: Generator) -> Attempt:
    x, w, b, _ = _inputs(rng, 2, 3, N=4, M=5, dtype=np.float32)
    yield from _try_forward(forward, x, w, b, 1e-5)


@case(FORWARD, "the cache", "the cache (x, w, b)", edge=True)
def _the_cache(forward: Function, rng: Generator) -> Attempt:
    x, w, b, _ = _inputs(rng, 2, 3, N=4, M=5)
    yield from _try_forward(forward, x, w, b)
    _, cache = parts(forward(x, w, b), "out", "cache")
    wrong: Mistaken = {"rows in the cache": x.reshape(len(x), -1), "output in the cache": affine(x, w, b)}
    yield from compare_cache(cache, {"x": x, "w": w, "b": b}, wrong)


def _slope(layer: Function, x: Array, w: Array, b: Array, variable: Array, dout: Array) -> Array:
    """Differentiate an affine layer with respect to one of its arguments, which it reads from where it is."""
    return eval_numerical_gradient_array(lambda _: layer(x, w, b), variable, dout)


@case(BACKWARD, "random images and upstream gradients", "dx: of x's shape (N, d_1, ..., d_k); dw: (D, M); db: (M,)")
def _random_images_and_upstream_gradients(backward: Function, rng: Generator) -> Attempt:
    for size in _sizes(rng):
        N, M = size["N"], size["M"]
        x, w, b, dout = _inputs(rng, *size["image"], N=N, M=M)
        yield IfRaises({"w not transposed": rf"size {len(w)} is different from {M}\b|\({N}, ?{M}\) and \({len(w)}, ?"})
        dx, dw, db = parts(backward(dout, (x, w, b)), "dx", "dw", "db")
        right = [_slope(affine, x, w, b, each, dout) for each in (x, w, b)]
        turned = _slope(lambda x, w, b: affine(_other_order(x), w, b), x, w, b, w, dout)
        of_dx: Mistaken = {"dx stays flat": right[0].reshape(N, -1), "averaged": right[0] / N}
        if len(w) == M:
            of_dx["w not transposed"] = affine(dout, w, 0 * b).reshape(x.shape)
        of_dw: Mistaken = {"dw transposed": right[1].T, "averaged": right[1] / N, "flattened in another order": turned}
        of_db: Mistaken = {
            "db not summed": dout,
            "db over the wrong axis": dout @ np.ones(M),
            "bias gradient keeps an axis": (right[2][np.newaxis], right[2][:, np.newaxis]),
            "averaged": right[2] / N,
        }
        yield compare("dx", dx, right[0], mistakes=of_dx)
        yield compare("dw", dw, right[1], mistakes=of_dw)
        yield compare("db", db, right[2], mistakes=of_db)


@case(BACKWARD, "float32 images", FLOATS)
def _float32_gradients(backward: Function, rng: Generator) -> Attempt:
    x, w, b, dout = _inputs(rng, 2, 3, N=4, M=5, dtype=np.float32)
    X, W, B, upstream = (each.astype(np.float64) for each in (x, w, b, dout))
    dx, dw, db = parts(backward(dout, (x, w, b)), "dx", "dw", "db")
    for name, found, variable in (("dx", dx, X), ("dw", dw, W), ("db", db, B)):
        yield compare(name, found, _slope(affine, X, W, B, variable, upstream), 1e-5, dtype=np.float32)
