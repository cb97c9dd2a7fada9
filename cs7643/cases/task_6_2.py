"""Cases of task 6.2: the layers, forward and backward.

A backward function gets the cache that its forward function documents, made here, so that neither depends on the
other. The oracles are the given fast layers (which the repository's tests hold against PyTorch), finite differences
of them, and stored facts. What a mistake would give is what the fast layers make of inputs that were changed to suit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import CaseFailed, Function, case, parts
from coursework.check.comparison import Comparison, Prediction, compare
from coursework.check.diagnosis import mistake
from cs7643.cases.oracles import Array, affine, rectified, spaced
from cs7643.fast.layers import conv_backward_fast, conv_forward_fast, max_pool_backward_fast, max_pool_forward_fast
from cs7643.gradient_check import eval_numerical_gradient_array

Mistaken = dict[str, Prediction]

FLATTEN = "each image becomes one row of numbers, in the order in which they lie in memory."
CHAIN = "there is one way in which the shapes fit: dx comes from dout and w, dw from x and dout, db from dout."
WINDOW = "the window of output (i, j) begins at (i * stride, j * stride) and has the height and width of the kernel."
SENDS = "walk over the windows of the forward pass: each output sends its gradient to its window, filter and bias."

FORWARD, BACKWARD = "conv_forward_naive", "conv_backward_naive"
POOL, POOL_BACK = "max_pool_forward_naive", "max_pool_backward_naive"

mistake("affine_forward", "flattened in another order", "the images are flattened with the axes in another order.")
mistake("affine_forward", "images mixed", "the rows mix the numbers of different images: flatten each for itself.")
mistake("affine_forward", "bias lost", "the bias is not added.")
mistake("affine_forward", "bias subtracted", "the bias is subtracted, and should be added.")
mistake("affine_forward", "rows in the cache", "the cache holds the flattened x: backward needs x in its own shape.")
mistake("affine_forward", "output in the cache", "the cache holds the output: backward needs x.")
mistake("affine_backward", "dx stays flat", "dx has the shape of the flattened images: give it x's own shape.")
mistake("affine_backward", "db not summed", "db is a gradient for each image: add them up.")
mistake("affine_backward", "db over the wrong axis", "db is summed over the outputs: add up over the images.")
mistake("affine_backward", "averaged", "a gradient is divided by N: the loss does that, a layer adds up.")
mistake("affine_backward", "dw transposed", "dw is transposed: it has w's shape (D, M).")
mistake("affine_backward", "flattened in another order", "the images are flattened in another order than in forward.")
mistake(
    "affine_backward",
    "w not transposed",
    "the product for dx does not fit: dout (N, M) meets w (D, M), so w is to be transposed.",
    says="matmul|not aligned",
)
mistake("relu_forward", "absolute value", "negative numbers change their sign, and should become 0.")
mistake("relu_forward", "mask for values", "it is 1 where x is positive: the value of x should stay.")
mistake("relu_forward", "negative kept", "negative numbers stay, and positive ones go.")
mistake("relu_forward", "leaky", "negative numbers are scaled down: a ReLU makes them 0.")
mistake("relu_forward", "output in the cache", "the cache is not x: backward needs x.")
mistake("relu_backward", "gradient at zero", "at x = 0 the gradient is 0: the mask is x > 0, and not x >= 0.")
mistake("relu_backward", "mask lost", "the gradient passes everywhere: it should pass where x was positive.")
mistake("relu_backward", "mask of dout", "the mask comes from dout: it comes from x, the cache.")
mistake("relu_backward", "mask alone", "dout has no influence: it is multiplied by the mask.")
mistake("relu_backward", "x for dout", "x passes through the mask, and dout should.")
mistake("relu_backward", "mask reversed", "the gradient passes where x was negative, and should where it was positive.")

for _name in (FORWARD, BACKWARD):
    mistake(_name, "kernel flipped", "the kernel is turned around: the layer is a cross-correlation, w as it is.")
    mistake(_name, "stride ignored", "the stride is ignored: window (i, j) begins at (i * stride, j * stride).")
    mistake(_name, "one filter for all", "each output channel has a filter of its own: w[f].")
    mistake(_name, "rows and columns exchanged", "i walks down and j sideways; here they are exchanged.")
    mistake(_name, "one image for all", "each image has an output of its own: x[n].")
    mistake(
        _name,
        "height for width",
        "HH and WW are mixed up, which square kernels do not show: the window is HH high and WW wide.",
        only=("kernel that is not square",),
    )
mistake(FORWARD, "bias lost", "the bias is not added.")
mistake(FORWARD, "bias in every product", "the bias is added inside the sum: once for each output is enough.")
mistake(FORWARD, "mean of the products", "the products are averaged, and should be added up.")
mistake(FORWARD, "padded with the edge", "the padding repeats the border, or reflects it: it is zeros.")
mistake(FORWARD, "padded on one side", "the padding is all on one side: pad zeros go on every side.")
mistake(FORWARD, "channels apart", "one channel alone is looked at: the sum runs over all of them.")
mistake(
    FORWARD,
    "padding ignored",
    "the windows begin in the image itself: they begin in the padded one.",
    only=("example", "random images", "stride", "kernel that is not square", "float32"),
    says="broadcast",
)
mistake(BACKWARD, "assigned", "where windows overlap, only the last one counts: add (+=) what each of them sends.")
mistake(BACKWARD, "dw assigned", "only the last window counts in dw: add (+=) over images and positions.")
mistake(
    BACKWARD, "cropped with [pad:-pad]", "with pad 0 the crop [pad:-pad] is empty: cut from pad to pad + H and pad + W."
)
mistake(BACKWARD, "not cropped", "dx still has the padding: cut it off.")
mistake(BACKWARD, "db over the wrong axes", "db is summed over the wrong axes: one number is left for each filter.")
mistake(BACKWARD, "averaged", "a gradient is averaged: the loss does that, a layer adds up.")
mistake(
    BACKWARD,
    "windows of x without padding",
    "dw needs the windows of the padded x, as in forward.",
    only=("random images", "stride", "kernel that is not square", "float32"),
    says="broadcast",
)

for _name in (POOL, POOL_BACK):
    mistake(_name, "height for width", "pool_height stands where pool_width should, which square windows do not show.")
    mistake(_name, "width for height", "pool_width stands where pool_height should, which square windows do not show.")
    mistake(_name, "stride ignored", "the stride is ignored: window (i, j) begins at (i * stride, j * stride).")
    mistake(_name, "smallest", "it is the smallest of each window, and should be the largest.")
    mistake(_name, "largest absolute value", "it is the largest absolute value: a maximum has a sign.")
    mistake(_name, "rows and columns exchanged", "i walks down and j sideways; here they are exchanged.")
    mistake(
        _name,
        "stride taken for the window",
        "the window's size stands where the stride should, which shows where they differ.",
        only=("overlapping", "not square"),
    )
mistake(POOL, "mean", "it is the mean of each window, and should be the largest number.")
mistake(POOL, "maximum begins at 0", "the maximum begins at 0: where all numbers are negative, it should be negative.")
mistake(POOL, "channels together", "the maximum is over all channels: each has its own.")
mistake(
    POOL_BACK,
    "assigned",
    "where windows overlap, only the last one counts: a pixel that wins in several gets the sum (+=).",
)
mistake(POOL_BACK, "every tie gets all", "of several equal maxima each gets the whole gradient: the first gets it.")
mistake(POOL_BACK, "ties share", "equal maxima share the gradient: the first of them gets it all.")
mistake(POOL_BACK, "last tie", "of several equal maxima the last gets the gradient: it is the first.")
mistake(POOL_BACK, "spread over the window", "the gradient is spread over the window: the largest number gets it all.")
mistake(POOL_BACK, "values for gradients", "the values of x are in dx, and the gradients dout should be.")
mistake(POOL_BACK, "dout ignored", "dout has no influence: the maximum gets dout, not 1.")


# --- affine


def _affine_inputs(rng: Generator, *image: int, N: int, M: int, dtype: Any = np.float64) -> tuple[Array, ...]:
    shapes = ((N, *image), (int(np.prod(image)), M), (M,), (N, M))
    return tuple(np.asarray(rng.standard_normal(shape), dtype) for shape in shapes)


def _other_order(x: Array) -> Array:
    """Return images whose axes are reversed: flattened, they have another order."""
    return x.transpose(0, *range(x.ndim - 1, 0, -1))


def _try_affine(
    affine_forward: Function, x: Array, w: Array, b: Array, tolerance: float = 1e-10
) -> Iterator[Comparison]:
    out, cache = parts(affine_forward(x, w, b), "out", "cache")
    right = affine(x, w, b)
    mistakes: Mistaken = {
        "flattened in another order": affine(_other_order(x), w, b),
        "images mixed": affine(x.reshape(-1, len(x)).T, w, b),
        "bias lost": affine(x, w, 0 * b),
        "bias subtracted": affine(x, w, -b),
    }
    yield compare("out", out, right, tolerance, dtype=x.dtype.type, mistakes=mistakes)
    cached: Mistaken = {"rows in the cache": x.reshape(len(x), -1), "output in the cache": right}
    yield from _cached(cache, {"x": x, "w": w, "b": b}, cached)


@case("affine_forward", "the example of the assignment", FLATTEN)
def _affine_forward_the_example_of_the_assignment(affine_forward: Function, _: Generator) -> Iterator[Comparison]:
    x, w, b = spaced(-0.1, 0.5, 2, 4, 5, 6), spaced(-0.2, 0.3, 120, 3), spaced(-0.3, 0.1, 3)
    out, _cache = parts(affine_forward(x, w, b), "out", "cache")
    yield compare("out", out, [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]], 1e-8)


@case("affine_forward", "images of other shapes, and the cache", FLATTEN)
def _affine_forward_images_of_other_shapes_and_the(affine_forward: Function, rng: Generator) -> Iterator[Comparison]:
    drawn = tuple(rng.integers(1, 5, int(rng.integers(1, 4))))
    for image, N, M in (((7,), 3, 2), ((2, 3), 1, 4), ((3, 2, 2), 5, 1), (drawn, *rng.integers(1, 6, 2))):
        x, w, b, _ = _affine_inputs(rng, *image, N=N, M=M)
        yield from _try_affine(affine_forward, x, w, b)


@case("affine_forward", "float32 stays float32", "make no float64 array on the way.")
def _affine_forward_float32_stays_float32(affine_forward: Function, rng: Generator) -> Iterator[Comparison]:
    x, w, b, _ = _affine_inputs(rng, 2, 3, N=4, M=5, dtype=np.float32)
    yield from _try_affine(affine_forward, x, w, b, 1e-5)


def _slope(layer: Function, x: Array, w: Array, b: Array, variable: Array, dout: Array) -> Array:
    """Differentiate an affine layer with respect to one of its arguments, which it reads from where it is."""
    return eval_numerical_gradient_array(lambda _: layer(x, w, b), variable, dout)


@case("affine_backward", "random images and upstream gradients", CHAIN)
def _affine_backward_random_images_and_upstream(affine_backward: Function, rng: Generator) -> Iterator[Comparison]:
    drawn = tuple(rng.integers(1, 5, int(rng.integers(1, 4))))
    for image, N, M in (((2, 3), 4, 5), ((6,), 1, 3), ((3, 2, 2), 5, 1), ((4,), 3, 4), (drawn, *rng.integers(1, 6, 2))):
        x, w, b, dout = _affine_inputs(rng, *image, N=N, M=M)
        dx, dw, db = parts(affine_backward(dout, (x, w, b)), "dx", "dw", "db")
        right = [_slope(affine, x, w, b, each, dout) for each in (x, w, b)]
        turned = _slope(lambda x, w, b: affine(_other_order(x), w, b), x, w, b, w, dout)
        of_dx: Mistaken = {"dx stays flat": right[0].reshape(N, -1), "averaged": right[0] / N}
        of_dw: Mistaken = {"dw transposed": right[1].T, "averaged": right[1] / N, "flattened in another order": turned}
        of_db: Mistaken = {
            "db not summed": dout,
            "db over the wrong axis": dout @ np.ones(M),
            "averaged": right[2] / N,
        }
        yield compare("dx", dx, right[0], mistakes=of_dx)
        yield compare("dw", dw, right[1], mistakes=of_dw)
        yield compare("db", db, right[2], mistakes=of_db)


@case("affine_backward", "float32 stays float32", "make no float64 array on the way.")
def _affine_backward_float32_stays_float32(affine_backward: Function, rng: Generator) -> Iterator[Comparison]:
    x, w, b, dout = _affine_inputs(rng, 2, 3, N=4, M=5, dtype=np.float32)
    for name, found in zip(("dx", "dw", "db"), parts(affine_backward(dout, (x, w, b)), "dx", "dw", "db"), strict=True):
        if isinstance(found, np.ndarray):
            yield compare(f"the dtype of {name}", np.zeros_like(found), np.zeros(found.shape), dtype=np.float32)


# --- ReLU


@case("relu_forward", "positive, negative and zero, in any shape", "the larger of x and 0, element by element.")
def _relu_forward_positive_negative_and_zero_in_any(relu_forward: Function, rng: Generator) -> Iterator[Comparison]:
    for shape in ((3, 4), (2, 3, 4, 5), (7,), (1,), rng.integers(1, 5, int(rng.integers(1, 5)))):
        x = rng.standard_normal(shape)
        x.flat[0] = 0.0
        right = rectified(x)
        out, cache = parts(relu_forward(x), "out", "cache")
        mistakes: Mistaken = {
            "absolute value": abs(x),
            "mask for values": (np.sign(right), (x >= 0) * 1.0),
            "negative kept": x - right,
            "leaky": tuple(right + slope * (x - right) for slope in (0.001, 0.01, 0.1, 0.2)),
        }
        yield compare("out", out, right, 1e-12, mistakes=mistakes)
        cached: Mistaken = {"output in the cache": (right, np.sign(right))}
        yield compare("the cache, which is x,", cache, x, mistakes=cached)


@case("relu_forward", "float32 stays float32", "make no float64 array on the way.")
def _relu_forward_float32_stays_float32(relu_forward: Function, rng: Generator) -> Iterator[Comparison]:
    x = rng.standard_normal((2, 3)).astype(np.float32)
    out, _ = parts(relu_forward(x), "out", "cache")
    yield compare("out", out, rectified(x), dtype=np.float32)


def _try_relu_backward(relu_backward: Function, dout: Array, x: Array) -> Comparison:
    on = rectified(np.sign(x)).astype(x.dtype)
    mistakes: Mistaken = {
        "gradient at zero": dout * (on + (x == 0)),
        "mask lost": dout,
        "mask of dout": rectified(dout),
        "mask alone": on,
        "x for dout": rectified(x),
        "mask reversed": dout * rectified(np.sign(-x)),
    }
    return compare("dx", relu_backward(dout, x), dout * on, dtype=x.dtype.type, mistakes=mistakes)


@case(
    "relu_backward", "random upstream gradients", "the gradient passes where x was positive, and dout stays as it is."
)
def _relu_backward_random_upstream_gradients(relu_backward: Function, rng: Generator) -> Iterator[Comparison]:
    for shape in ((10, 10), (2, 3, 4, 5), (1,), rng.integers(1, 5, int(rng.integers(1, 5)))):
        yield _try_relu_backward(relu_backward, rng.standard_normal(shape), rng.standard_normal(shape))


@case("relu_backward", "the gradient at exactly zero", "at x = 0 the gradient is 0: the mask is x > 0, and not x >= 0.")
def _relu_backward_the_gradient_at_exactly_zero(relu_backward: Function, rng: Generator) -> Iterator[Comparison]:
    x = rectified(rng.standard_normal((4, 5)))
    x[0, 0] = 0.0
    yield _try_relu_backward(relu_backward, rng.uniform(1, 2, x.shape), x)
    yield compare("dx", relu_backward(np.array([5.0, 5.0, 5.0]), np.array([-1.0, 0.0, 1.0])), [0.0, 0.0, 5.0])


@case("relu_backward", "float32 stays float32", "make no float64 array on the way.")
def _relu_backward_float32_stays_float32(relu_backward: Function, rng: Generator) -> Iterator[Comparison]:
    dout, x = rng.standard_normal((2, 6, 7)).astype(np.float32)
    yield _try_relu_backward(relu_backward, dout, x)


def _cached(cache: object, expected: dict[str, Any], mistakes: Mistaken | None = None) -> Iterator[Comparison]:
    """Compare the cache with the arguments that it should hold: another backward function must be able to use it."""
    for found, (name, value) in zip(parts(cache, *expected), expected.items(), strict=True):
        if not isinstance(value, dict):
            yield compare(f"{name} in the cache", found, value, mistakes=mistakes if name == "x" else None)
        elif found != value:
            raise CaseFailed(f"the cache should end with {name}, {value}, got {found!r}")


# --- convolution


class _Conv:
    """Inputs of a convolution, and what the fast layers make of them, or of inputs that a mistake would change."""

    def __init__(
        self,
        rng: Generator,
        *shape: int,
        F: int,
        kernel: tuple[int, int],
        stride: int,
        pad: int,
        dtype: Any = np.float64,
    ) -> None:
        self.x = np.asarray(rng.standard_normal(shape), dtype)
        self.w = np.asarray(rng.standard_normal((F, shape[1], *kernel)), dtype)
        self.b = np.asarray(rng.standard_normal(F), dtype)
        self.stride, self.pad = stride, pad
        self.param = {"stride": stride, "pad": pad}
        self.out = self.forward()
        self.dout = np.asarray(rng.standard_normal(self.out.shape), dtype)
        self.tolerance = 1e-10 if dtype == np.float64 else 1e-5

    def forward(self, **changed: Any) -> Array:
        """Return the output, with some of x, w, b, stride, pad changed."""
        x, w, b = (changed.get(name, getattr(self, name)) for name in "xwb")
        out: Array = conv_forward_fast(x, w, b, {name: changed.get(name, self.param[name]) for name in self.param})[0]
        return out

    def backward(self, **changed: Any) -> tuple[Array, Array, Array]:
        """Return dx, dw, db, with some of dout, x, w, stride, pad changed."""
        dout, x, w = (changed.get(name, getattr(self, name)) for name in ("dout", "x", "w"))
        param = {name: changed.get(name, self.param[name]) for name in self.param}
        return conv_backward_fast(dout, (x, w, self.b, param))

    def padded(self, **how: Any) -> Array:
        """Return the padded images, padded in another way where ``how`` says so."""
        pad = self.pad
        return np.pad(self.x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), **how)

    def mistaken_forward(self) -> Mistaken:
        """Return what the usual mistakes make of the output."""
        H_out, W_out = self.out.shape[2:]
        bias = self.b[:, np.newaxis, np.newaxis]
        products = self.w[0].size
        corner = np.pad(self.x, ((0, 0), (0, 0), (0, 2 * self.pad), (0, 2 * self.pad)))
        mistakes: Mistaken = {
            "kernel flipped": self.forward(w=self.w[..., ::-1, ::-1]),
            "stride ignored": self.forward(stride=1)[:, :, :H_out, :W_out],
            "one filter for all": self.forward(w=np.repeat(self.w[:1], len(self.w), axis=0)),
            "one image for all": self.forward(x=np.repeat(self.x[:1], len(self.x), axis=0)),
            "bias lost": self.out - bias,
            "bias in every product": self.out + (products - 1) * bias,
            "mean of the products": (self.out - bias) / products + bias,
            "channels apart": (
                self.forward(x=self.x[:, :1], w=self.w[:, :1]),
                self.forward(x=self.x[:, -1:], w=self.w[:, -1:]),
            ),
        }
        if self.pad:
            edges = [self.padded(mode=mode) for mode in ("edge", "reflect") if min(self.x.shape[2:]) > self.pad]
            mistakes["padded with the edge"] = tuple(self.forward(x=x, pad=0) for x in edges)
            mistakes["padded on one side"] = self.forward(x=corner, pad=0)
        if H_out == W_out:
            mistakes["rows and columns exchanged"] = self.out.transpose(0, 1, 3, 2)
        return mistakes

    def mistaken_backward(self) -> tuple[Mistaken, Mistaken, Mistaken]:
        """Return what the usual mistakes make of dx, of dw, and of db."""
        H_out, W_out = self.out.shape[2:]
        dx, dw, db = self.backward()
        dense = np.zeros(self.forward(stride=1).shape, self.x.dtype)
        dense[:, :, :H_out, :W_out] = self.dout
        unstrided = self.backward(dout=dense, stride=1)
        last = np.zeros_like(self.dout)
        last[-1, :, -1, -1] = self.dout[-1, :, -1, -1]
        same = np.repeat(self.w[:1], len(self.w), axis=0)
        padded = self.backward(x=self.padded(), pad=0)[0]
        of_dx: Mistaken = {
            "assigned": self._assigned(),
            "stride ignored": unstrided[0],
            "kernel flipped": self.backward(w=self.w[..., ::-1, ::-1])[0],
            "one filter for all": self.backward(w=same)[0],
            "averaged": dx / len(dx),
        }
        if self.pad:
            of_dx["not cropped"] = padded
        else:
            of_dx["cropped with [pad:-pad]"] = np.zeros((*dx.shape[:2], 0, 0))
        of_dw: Mistaken = {
            "dw assigned": self.backward(dout=last)[1],
            "stride ignored": unstrided[1],
            "kernel flipped": dw[..., ::-1, ::-1],
            "averaged": dw / len(dx),
            "one image for all": self.backward(x=np.repeat(self.x[:1], len(self.x), axis=0))[1],
        }
        of_db: Mistaken = {
            "averaged": (db / len(dx), db / (len(dx) * H_out * W_out), db / (H_out * W_out)),
            "db over the wrong axes": tuple(
                np.sum(self.dout, axis=axes)
                for axes in (0, (0, 1), (1, 2), (2, 3), (0, 2), (0, 3), (1, 2, 3), (0, 1, 2))
            ),
        }
        if H_out == W_out:
            exchanged = self.backward(dout=self.dout.transpose(0, 1, 3, 2))
            of_dx["rows and columns exchanged"], of_dw["rows and columns exchanged"] = exchanged[:2]
        return of_dx, of_dw, of_db

    def _assigned(self) -> Array:
        """Return dx as it is when each window of the last filter replaces what was there before."""
        (HH, WW), (H, W), (H_out, W_out) = self.w.shape[2:], self.x.shape[2:], self.out.shape[2:]
        canvas = np.zeros_like(self.padded())
        for i, j in reversed(list(np.ndindex(HH, WW))):  # the last window is the one that meets a pixel at its top left
            rows, columns = (
                slice(i, i + self.stride * H_out, self.stride),
                slice(j, j + self.stride * W_out, self.stride),
            )
            canvas[:, :, rows, columns] = self.dout[:, -1:] * self.w[-1, :, i, j][:, np.newaxis, np.newaxis]
        return canvas[:, :, self.pad : self.pad + H, self.pad : self.pad + W]


def _try_conv(conv_forward: Function, rng: Generator, *shape: int, **options: Any) -> Iterator[Comparison]:
    conv = _Conv(rng, *shape, **options)
    out, cache = parts(conv_forward(conv.x, conv.w, conv.b, conv.param), "out", "cache")
    yield compare("out", out, conv.out, conv.tolerance, conv.x.dtype.type, mistakes=conv.mistaken_forward())
    yield from _cached(cache, {"x": conv.x, "w": conv.w, "b": conv.b, "conv_param": conv.param})


def _try_conv_backward(conv_backward: Function, rng: Generator, *shape: int, **options: Any) -> Iterator[Comparison]:
    conv = _Conv(rng, *shape, **options)
    found = parts(conv_backward(conv.dout, (conv.x, conv.w, conv.b, conv.param)), "dx", "dw", "db")
    for name, actual, right, wrong in zip(
        ("dx", "dw", "db"), found, conv.backward(), conv.mistaken_backward(), strict=True
    ):
        yield compare(name, actual, right, conv.tolerance, conv.x.dtype.type, mistakes=wrong)


@case(FORWARD, "the example of the assignment", WINDOW)
def _case_the_example_of_the_assignment(conv_forward: Function, _: Generator) -> Iterator[Comparison]:
    x, w, b = spaced(-0.1, 0.5, 2, 3, 4, 4), spaced(-0.2, 0.3, 3, 3, 4, 4), spaced(-0.1, 0.2, 3)
    out, _cache = parts(conv_forward(x, w, b, {"stride": 2, "pad": 1}), "out", "cache")
    expected = [
        [
            [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
            [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
            [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
        ],
        [
            [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
            [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
            [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
        ],
    ]
    yield compare("out", out, expected, 1e-8)


def _size(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


OBLONG = ((3, 5), (5, 3), (2, 4), (4, 2))  # heights and widths of kernels and windows


def _convolutions(attempt: Any, function: Function, rng: Generator, what: str) -> Iterator[Comparison]:
    """Try a function of the convolution in one of the situations that both of them share."""
    H, W = map(int, rng.permutation([6, 8]) + rng.integers(0, 2))  # never square
    F, C = map(int, rng.permutation([2, 3]))
    if what == "square":
        yield from attempt(function, rng, 3, C, 5, 5, F=F, kernel=(3, 3), stride=1, pad=1)
    elif what == "oblong":
        yield from attempt(function, rng, 2, C, H, W, F=F, kernel=(3, 5), stride=1, pad=2)
        yield from attempt(function, rng, 1, 2, H, W, F=2, kernel=_size(rng, *OBLONG), stride=1, pad=1)
    elif what == "strides":
        yield from attempt(function, rng, 2, C, H, W + 1, F=F, kernel=(3, 3), stride=2, pad=1)
        yield from attempt(function, rng, 1, 1, H + 2, W, F=2, kernel=(2, 2), stride=3, pad=1)
    elif what == "no padding":
        yield from attempt(function, rng, 2, C, H, W, F=F, kernel=(3, 3), stride=1, pad=0)
        yield from attempt(function, rng, 1, 1, H, W, F=2, kernel=(2, 2), stride=1, pad=0)
    elif what == "one":
        yield from attempt(function, rng, 1, 1, 1, 1, F=1, kernel=(1, 1), stride=1, pad=0)
    else:
        yield from attempt(function, rng, 2, C, 5, 6, F=F, kernel=(3, 3), stride=1, pad=1, dtype=np.float32)


SITUATIONS = {
    "square": "random images",
    "no padding": "no padding, images that are not square",
    "strides": "stride 2 and 3, with rows left over",
    "oblong": "a kernel that is not square",
    "one": "one image, one channel, one filter, one pixel",
    "float32": "float32 stays float32",
}
for _function, _attempt, _advice in ((FORWARD, _try_conv, WINDOW), (BACKWARD, _try_conv_backward, SENDS)):
    for _what, _title in SITUATIONS.items():

        @case(_function, _title, _advice)
        def _case(
            function: Function, rng: Generator, attempt: Any = _attempt, what: str = _what
        ) -> Iterator[Comparison]:
            yield from _convolutions(attempt, function, rng, what)


# --- max pooling


def _pool_param(height: int, width: int, stride: int) -> dict[str, int]:
    return {"pool_height": height, "pool_width": width, "stride": stride}


class _Pool:
    """Inputs of a pooling layer, and what the fast layers make of them, or of inputs that a mistake would change."""

    def __init__(self, rng: Generator, x: Array, height: int, width: int, stride: int) -> None:
        self.x, self.height, self.width, self.stride = x, height, width, stride
        self.param = _pool_param(height, width, stride)
        self.out, self.cache = max_pool_forward_fast(x, self.param)
        self.dout = np.asarray(rng.standard_normal(self.out.shape), x.dtype)

    def as_if(self, x: Array, height: int, width: int, stride: int) -> tuple[Array, Array]:
        """Return out and dx for another window or stride, with windows that reach out of the image cut off."""
        H_out, W_out = self.out.shape[2:]
        H, W = (H_out - 1) * stride + height, (W_out - 1) * stride + width
        below, beside = max(0, H - x.shape[2]), max(0, W - x.shape[3])
        fitted = np.pad(x, ((0, 0), (0, 0), (0, below), (0, beside)), constant_values=-np.inf)[:, :, :H, :W]
        out, cache = max_pool_forward_fast(fitted, _pool_param(height, width, stride))
        dx = np.zeros((*x.shape[:2], max(H, x.shape[2]), max(W, x.shape[3])), x.dtype)
        dx[:, :, :H, :W] = max_pool_backward_fast(self.dout, cache)
        return out, dx[:, :, : x.shape[2], : x.shape[3]]

    def scattered(self, share: Array) -> Array:
        """Return dx when each window gives this share of its gradient to each of its places."""
        dx = np.zeros_like(self.x)
        H_out, W_out = self.out.shape[2:]
        for i, j in np.ndindex(self.height, self.width):
            rows, columns = (
                slice(i, i + self.stride * H_out, self.stride),
                slice(j, j + self.stride * W_out, self.stride),
            )
            dx[:, :, rows, columns] += self.dout * share[..., i, j]
        return dx

    def windows(self) -> Array:
        """Return every window, (N, C, H_out, W_out, height, width)."""
        found = np.lib.stride_tricks.sliding_window_view(self.x, (self.height, self.width), axis=(2, 3))
        return found[:, :, :: self.stride, :: self.stride]

    def _exchanged(self) -> Array:
        """Return dx when the window of output (i, j) is that of (j, i)."""
        dx: Array = max_pool_backward_fast(np.ascontiguousarray(self.dout.transpose(0, 1, 3, 2)), self.cache)
        return dx

    def mistaken_forward(self) -> Mistaken:
        """Return what the usual mistakes make of the output."""
        shape = (self.height, self.width, self.stride)
        mistakes: Mistaken = {
            "height for width": self.as_if(self.x, self.height, self.height, self.stride)[0],
            "width for height": self.as_if(self.x, self.width, self.width, self.stride)[0],
            "stride ignored": self.as_if(self.x, self.height, self.width, 1)[0],
            "smallest": -self.as_if(-self.x, *shape)[0],
            "largest absolute value": self.as_if(abs(self.x), *shape)[0],
            "mean": self.windows().mean(axis=(4, 5)),
            "maximum begins at 0": rectified(self.out),
            "channels together": np.repeat(self.out.max(axis=1, keepdims=True), self.x.shape[1], axis=1),
        }
        if self.out.shape[2] == self.out.shape[3]:
            mistakes["rows and columns exchanged"] = self.out.transpose(0, 1, 3, 2)
        return mistakes

    def mistaken_backward(self) -> Mistaken:
        """Return what the usual mistakes make of dx."""
        right = max_pool_backward_fast(self.dout, self.cache)
        wins = max_pool_backward_fast(np.ones_like(self.dout), self.cache)  # how many windows each pixel wins
        tied = self.windows() == self.out[..., np.newaxis, np.newaxis]
        flat = tied.reshape(*self.out.shape, -1)[..., ::-1]  # the last first
        last = (flat & (np.cumsum(flat, axis=-1) == 1))[..., ::-1].reshape(tied.shape)
        shape = (self.height, self.width, self.stride)
        mistakes: Mistaken = {
            "every tie gets all": self.scattered(tied),
            "ties share": self.scattered(tied / tied.sum(axis=(4, 5), keepdims=True)),
            "last tie": self.scattered(last),
            "spread over the window": self.scattered(np.full(tied.shape, 1 / (self.height * self.width))),
            "height for width": self.as_if(self.x, self.height, self.height, self.stride)[1],
            "width for height": self.as_if(self.x, self.width, self.width, self.stride)[1],
            "stride ignored": self.as_if(self.x, self.height, self.width, 1)[1],
            "smallest": self.as_if(-self.x, *shape)[1],
            "largest absolute value": self.as_if(abs(self.x), *shape)[1],
            "values for gradients": (
                max_pool_backward_fast(self.out, self.cache),
                np.where(wins > 0, self.x, 0),
            ),
            "dout ignored": (wins, np.minimum(wins, 1)),
        }
        if self.out.shape[2] == self.out.shape[3]:
            mistakes["rows and columns exchanged"] = self._exchanged()
        if (wins > 1).any():
            mistakes["assigned"] = lambda dx: np.allclose(dx[wins < 2], right[wins < 2], atol=1e-6)
        return mistakes


def _try_pool(pool_forward: Function, rng: Generator, x: Array, *window: int) -> Iterator[Comparison]:
    pool = _Pool(rng, x, *window)
    out, cache = parts(pool_forward(x, pool.param), "out", "cache")
    yield compare("out", out, pool.out, 1e-12, dtype=x.dtype.type, mistakes=pool.mistaken_forward())
    yield from _cached(cache, {"x": x, "pool_param": pool.param})


def _try_pool_backward(pool_backward: Function, rng: Generator, x: Array, *window: int) -> Iterator[Comparison]:
    pool = _Pool(rng, x, *window)
    expected = max_pool_backward_fast(pool.dout, pool.cache)
    tolerance = 1e-12 if x.dtype == np.float64 else 1e-5
    found = pool_backward(pool.dout, (x, pool.param))
    yield compare("dx", found, expected, tolerance, dtype=x.dtype.type, mistakes=pool.mistaken_backward())


def _overlapping(attempt: Any, function: Function, rng: Generator) -> Iterator[Comparison]:
    H, W = map(int, rng.permutation([7, 8]))
    yield from attempt(function, rng, rng.standard_normal((2, 2, H, W)), 3, 3, 1)
    yield from attempt(function, rng, rng.standard_normal((1, 2, W, H)), 3, 3, 2)


@case(POOL, "the example of the assignment", WINDOW)
def _case_the_example_of_the_assignment_2(pool_forward: Function, _: Generator) -> Iterator[Comparison]:
    out, _cache = parts(pool_forward(spaced(-0.3, 0.4, 2, 3, 4, 4), _pool_param(2, 2, 2)), "out", "cache")
    first, last = (
        [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]],
        [[0.32631579, 0.34105263], [0.38526316, 0.4]],
    )
    blocks = np.linspace(first, last, num=6).reshape(2, 3, 2, 2)  # evenly spaced, as the input is
    yield compare("out", out, blocks, 1e-7)


@case(POOL, "random images", WINDOW)
def _case_random_images(pool_forward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _try_pool(pool_forward, rng, rng.standard_normal((2, 3, 8, 8)), 2, 2, 2)
    size = int(rng.integers(2, 4))
    yield from _try_pool(pool_forward, rng, rng.standard_normal((1, 1, 9, 11)), size, size, size)


@case(POOL, "a window that is not square", WINDOW)
def _case_a_window_that_is_not_square(pool_forward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _try_pool(pool_forward, rng, rng.standard_normal((2, 3, 6, 9)), 2, 4, 2)
    yield from _try_pool(pool_forward, rng, rng.standard_normal((2, 1, 9, 7)), *_size(rng, *OBLONG), 2)


@case(POOL, "overlapping windows, and rows left over", WINDOW)
def _case_overlapping_windows_and_rows_left_over(pool_forward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _overlapping(_try_pool, pool_forward, rng)


@case(POOL, "all values negative, float32 stays float32", "nothing but the values of the window counts.")
def _all_values_negative_float32_stays_float32(pool_forward: Function, rng: Generator) -> Iterator[Comparison]:
    x = -1 - abs(rng.standard_normal((1, 2, 4, 6))).astype(np.float32)
    yield from _try_pool(pool_forward, rng, x, 2, 2, 2)


@case(POOL_BACK, "random images and upstream gradients", SENDS)
def _case_random_images_and_upstream_gradients(pool_backward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _try_pool_backward(pool_backward, rng, rng.standard_normal((3, 2, 8, 8)), 2, 2, 2)
    yield from _try_pool_backward(pool_backward, rng, rng.standard_normal((1, 1, 9, 11)), 3, 3, 3)


@case(POOL_BACK, "overlapping windows, and rows left over", "where windows overlap, contributions add up.")
def _overlapping_windows_and_rows_left_over_where(pool_backward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _overlapping(_try_pool_backward, pool_backward, rng)


@case(POOL_BACK, "ties, as after a ReLU", "one maximum, the first of them row by row, takes the whole gradient.")
def _ties_as_after_a_relu_one_maximum_the_first_of(pool_backward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _try_pool_backward(pool_backward, rng, rectified(rng.standard_normal((2, 3, 6, 6)) - 0.5), 2, 2, 2)
    yield from _try_pool_backward(pool_backward, rng, np.zeros((1, 1, 4, 4)), 2, 2, 2)


@case(POOL_BACK, "a window that is not square", WINDOW)
def _case_a_window_that_is_not_square_2(pool_backward: Function, rng: Generator) -> Iterator[Comparison]:
    # without overlap, to tell the mistakes apart
    yield from _try_pool_backward(pool_backward, rng, rng.standard_normal((2, 3, 6, 9)), 2, 4, 4)
    yield from _try_pool_backward(pool_backward, rng, rng.standard_normal((2, 1, 9, 12)), *_size(rng, *OBLONG), 5)


@case(POOL_BACK, "float32 stays float32", "make dx with the dtype of x.")
def _float32_stays_float32_make_dx_with_the_dtype_of(pool_backward: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _try_pool_backward(pool_backward, rng, rng.standard_normal((1, 2, 4, 6)).astype(np.float32), 2, 2, 2)
