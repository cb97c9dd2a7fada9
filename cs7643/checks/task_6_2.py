"""Cases of task 6.2: the layers, forward and backward.

A backward function gets the cache that its forward function documents, made here, so that neither depends on the
other. The oracles are the given fast layers (which the repository's tests hold against PyTorch), finite differences
of them, and stored facts. An affine layer is a convolution of images of one pixel.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from cs7643.checks.case import CaseFailed, Function, case, parts
from cs7643.comparison import Comparison, compare
from cs7643.fast_layers import (
    conv_backward_fast,
    conv_forward_fast,
    max_pool_backward_fast,
    max_pool_forward_fast,
)
from cs7643.gradient_check import eval_numerical_gradient_array


def _spaced(start: float, stop: float, *shape: int) -> Any:
    return np.linspace(start, stop, num=int(np.prod(shape))).reshape(shape)


def _affine(x: Any, w: Any, b: Any) -> Any:
    pixels, filters = x.reshape(len(x), -1, 1, 1), w.T[:, :, np.newaxis, np.newaxis]
    return conv_forward_fast(pixels, filters, b, {"stride": 1, "pad": 0})[0][:, :, 0, 0]


def _affine_at(inputs: tuple[Any, Any, Any], _: Any) -> Any:
    return _affine(*inputs)


def _affine_inputs(*image: int, N: int, M: int, dtype: Any = np.float64) -> tuple[Any, Any, Any, Any]:
    rng = np.random.default_rng([N, M, *image])
    shapes = ((N, *image), (int(np.prod(image)), M), (M,), (N, M))
    x, w, b, dout = (np.asarray(rng.standard_normal(shape), dtype) for shape in shapes)
    return x, w, b, dout


@case("affine_forward", "the example of the assignment")
def _(affine_forward: Function) -> Iterator[Comparison]:
    x, w, b = _spaced(-0.1, 0.5, 2, 4, 5, 6), _spaced(-0.2, 0.3, 120, 3), _spaced(-0.3, 0.1, 3)
    out, _ = parts(affine_forward(x, w, b), "out", "cache")
    yield compare("out", out, [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]], 1e-8)


@case("affine_forward", "images of other shapes, and the cache", "each image becomes a row, without mixing images")
def _(affine_forward: Function) -> Iterator[Comparison]:
    for image, N, M in (((7,), 3, 2), ((2, 3), 1, 4), ((3, 2, 2), 5, 1)):
        x, w, b, _ = _affine_inputs(*image, N=N, M=M)
        out, cache = parts(affine_forward(x, w, b), "out", "cache")
        yield compare("out", out, _affine(x, w, b))
        yield from _cached(cache, {"x": x, "w": w, "b": b})


@case("affine_forward", "float32 stays float32")
def _(affine_forward: Function) -> Iterator[Comparison]:
    x, w, b, _ = _affine_inputs(2, 3, N=4, M=5, dtype=np.float32)
    out, _ = parts(affine_forward(x, w, b), "out", "cache")
    yield compare("out", out, _affine(x, w, b), 1e-5, dtype=np.float32)


@case("affine_backward", "random images and upstream gradients", "a transpose, or dx that is not of x's shape")
def _(affine_backward: Function) -> Iterator[Comparison]:
    for image, N, M in (((2, 3), 4, 5), ((6,), 1, 3), ((3, 2, 2), 5, 1)):
        x, w, b, dout = _affine_inputs(*image, N=N, M=M)
        dx, dw, db = parts(affine_backward(dout, (x, w, b)), "dx", "dw", "db")
        for name, actual, argument in (("dx", dx, x), ("dw", dw, w), ("db", db, b)):
            forward = functools.partial(_affine_at, (x, w, b))  # reads the argument from where it is
            yield compare(name, actual, eval_numerical_gradient_array(forward, argument, dout))


@case("relu_forward", "positive, negative and zero, in any shape")
def _(relu_forward: Function) -> Iterator[Comparison]:
    for shape in ((3, 4), (2, 3, 4, 5), (7,)):
        x = _spaced(-0.5, 0.5, *shape)
        out, cache = parts(relu_forward(x), "out", "cache")
        yield compare("out", out, (x + abs(x)) / 2)
        yield compare("the cache, which is x,", cache, x)
    out, _ = parts(relu_forward(np.zeros((2, 2), np.float32)), "out", "cache")
    yield compare("out", out, np.zeros((2, 2)), dtype=np.float32)


@case("relu_backward", "random upstream gradients")
def _(relu_backward: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(3)
    for shape in ((10, 10), (2, 3, 4, 5)):
        x, dout = rng.standard_normal(shape), rng.standard_normal(shape)
        yield compare("dx", relu_backward(dout, x), dout * (1 + np.sign(x)) / 2)


@case("relu_backward", "the gradient at exactly zero", "at x = 0 the gradient is 0: > and not >=")
def _(relu_backward: Function) -> Iterator[Comparison]:
    yield compare("dx", relu_backward(np.array([5.0, 5.0, 5.0]), np.array([-1.0, 0.0, 1.0])), [0.0, 0.0, 5.0])


def _cached(cache: object, expected: dict[str, Any]) -> Iterator[Comparison]:
    """Compare the cache with the arguments that it should hold: another backward function must be able to use it."""
    for found, (name, value) in zip(parts(cache, *expected), expected.items(), strict=True):
        if not isinstance(value, dict):
            yield compare(f"{name} in the cache", found, value)
        elif found != value:
            raise CaseFailed(f"the cache should end with {name}, {value}, got {found!r}")


def _conv_inputs(
    *shape: int, F: int, kernel: tuple[int, int], stride: int, pad: int, dtype: Any = np.float64
) -> tuple[Any, Any, Any, dict[str, int]]:
    rng = np.random.default_rng([*shape, F, *kernel, stride, pad])
    x = np.asarray(rng.standard_normal(shape), dtype)
    w = np.asarray(rng.standard_normal((F, shape[1], *kernel)), dtype)
    return x, w, np.asarray(rng.standard_normal(F), dtype), {"stride": stride, "pad": pad}


def _conv_forward(
    conv_forward: Function, *shape: int, tolerance: float = 1e-10, **options: Any
) -> Iterator[Comparison]:
    x, w, b, conv_param = _conv_inputs(*shape, **options)
    out, cache = parts(conv_forward(x, w, b, conv_param), "out", "cache")
    yield from _cached(cache, {"x": x, "w": w, "b": b, "conv_param": conv_param})
    expected, _ = conv_forward_fast(x, w, b, conv_param)
    yield compare("out", out, expected, tolerance, dtype=x.dtype.type)


def _conv_backward(
    conv_backward: Function, *shape: int, tolerance: float = 1e-10, **options: Any
) -> Iterator[Comparison]:
    x, w, b, conv_param = _conv_inputs(*shape, **options)
    out, cache = conv_forward_fast(x, w, b, conv_param)
    dout = np.random.default_rng(4).standard_normal(out.shape).astype(x.dtype)
    found = parts(conv_backward(dout, cache), "dx", "dw", "db")
    for name, actual, expected in zip(("dx", "dw", "db"), found, conv_backward_fast(dout, cache), strict=True):
        yield compare(name, actual, expected, tolerance, dtype=x.dtype.type)


@case("conv_forward_naive", "the example of the assignment")
def _(conv_forward: Function) -> Iterator[Comparison]:
    x, w, b = _spaced(-0.1, 0.5, 2, 3, 4, 4), _spaced(-0.2, 0.3, 3, 3, 4, 4), _spaced(-0.1, 0.2, 3)
    out, _ = parts(conv_forward(x, w, b, {"stride": 2, "pad": 1}), "out", "cache")
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


@case("conv_forward_naive", "a 3x5 kernel on 7x8 images", "the kernel's height used for its width, or H for W")
def _(conv_forward: Function) -> Iterator[Comparison]:
    yield from _conv_forward(conv_forward, 2, 3, 7, 8, F=4, kernel=(3, 5), stride=1, pad=2)


@case("conv_forward_naive", "stride 2 and 3, with rows left over", "where the window starts: i * stride")
def _(conv_forward: Function) -> Iterator[Comparison]:
    yield from _conv_forward(conv_forward, 2, 2, 7, 10, F=3, kernel=(3, 3), stride=2, pad=0)
    yield from _conv_forward(conv_forward, 1, 1, 8, 6, F=2, kernel=(2, 3), stride=3, pad=1)


@case("conv_forward_naive", "one image, one channel, one filter, one pixel", "an axis that disappears when it is 1")
def _(conv_forward: Function) -> Iterator[Comparison]:
    yield from _conv_forward(conv_forward, 1, 1, 1, 1, F=1, kernel=(1, 1), stride=1, pad=0)


@case("conv_forward_naive", "float32 stays float32")
def _(conv_forward: Function) -> Iterator[Comparison]:
    options: dict[str, Any] = {"F": 2, "kernel": (3, 3), "stride": 1, "pad": 1, "dtype": np.float32}
    yield from _conv_forward(conv_forward, 2, 3, 5, 5, tolerance=1e-5, **options)


@case("conv_backward_naive", "random images and upstream gradients", "windows overlap, so their gradients add up")
def _(conv_backward: Function) -> Iterator[Comparison]:
    yield from _conv_backward(conv_backward, 4, 3, 5, 5, F=2, kernel=(3, 3), stride=1, pad=1)


@case("conv_backward_naive", "stride 2 and 3, with rows left over", "the stride is not used")
def _(conv_backward: Function) -> Iterator[Comparison]:
    yield from _conv_backward(conv_backward, 2, 2, 7, 10, F=3, kernel=(3, 3), stride=2, pad=1)
    yield from _conv_backward(conv_backward, 1, 1, 9, 6, F=2, kernel=(2, 3), stride=3, pad=1)


@case("conv_backward_naive", "no padding", "cropping with [pad:-pad], which is empty when pad is 0")
def _(conv_backward: Function) -> Iterator[Comparison]:
    yield from _conv_backward(conv_backward, 2, 3, 5, 6, F=2, kernel=(3, 3), stride=1, pad=0)


@case("conv_backward_naive", "a 3x5 kernel on 7x8 images", "the kernel's height used for its width, or H for W")
def _(conv_backward: Function) -> Iterator[Comparison]:
    yield from _conv_backward(conv_backward, 2, 3, 7, 8, F=4, kernel=(3, 5), stride=1, pad=2)


@case("conv_backward_naive", "float32 stays float32")
def _(conv_backward: Function) -> Iterator[Comparison]:
    options: dict[str, Any] = {"F": 2, "kernel": (3, 3), "stride": 1, "pad": 1, "dtype": np.float32}
    yield from _conv_backward(conv_backward, 2, 3, 5, 5, tolerance=1e-5, **options)


def _pool_param(height: int, width: int, stride: int) -> dict[str, int]:
    return {"pool_height": height, "pool_width": width, "stride": stride}


def _pool_forward(pool_forward: Function, x: Any, *window: int) -> Iterator[Comparison]:
    pool_param = _pool_param(*window)
    out, cache = parts(pool_forward(x, pool_param), "out", "cache")
    yield from _cached(cache, {"x": x, "pool_param": pool_param})
    expected, _ = max_pool_forward_fast(x, pool_param)
    yield compare("out", out, expected, 1e-12, dtype=x.dtype.type)


def _pool_backward(pool_backward: Function, x: Any, *window: int) -> Iterator[Comparison]:
    pool_param = _pool_param(*window)
    out, cache = max_pool_forward_fast(x, pool_param)
    dout = np.random.default_rng(5).standard_normal(out.shape).astype(x.dtype)
    expected = max_pool_backward_fast(dout, cache)
    tolerance = 1e-12 if x.dtype == np.float64 else 1e-5
    yield compare("dx", pool_backward(dout, (x, pool_param)), expected, tolerance, dtype=x.dtype.type)


def _images(*shape: int) -> Any:
    return np.random.default_rng(list(shape)).standard_normal(shape)


@case("max_pool_forward_naive", "the example of the assignment")
def _(pool_forward: Function) -> Iterator[Comparison]:
    out, _ = parts(pool_forward(_spaced(-0.3, 0.4, 2, 3, 4, 4), _pool_param(2, 2, 2)), "out", "cache")
    first, last = (
        [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]],
        [[0.32631579, 0.34105263], [0.38526316, 0.4]],
    )
    blocks = np.linspace(first, last, num=6).reshape(2, 3, 2, 2)  # evenly spaced, as the input is
    yield compare("out", out, blocks, 1e-7)


@case("max_pool_forward_naive", "a 2x4 window on 6x9 images", "pool_height used for the width")
def _(pool_forward: Function) -> Iterator[Comparison]:
    yield from _pool_forward(pool_forward, _images(2, 3, 6, 9), 2, 4, 2)
    yield from _pool_forward(pool_forward, _images(2, 1, 9, 6), 4, 2, 2)


@case("max_pool_forward_naive", "overlapping windows, and rows left over", "the stride taken to be the window's size")
def _(pool_forward: Function) -> Iterator[Comparison]:
    yield from _pool_forward(pool_forward, _images(2, 2, 7, 8), 3, 3, 1)
    yield from _pool_forward(pool_forward, _images(1, 2, 8, 7), 3, 3, 2)


@case("max_pool_forward_naive", "all values negative, float32", "starting the maximum at 0")
def _(pool_forward: Function) -> Iterator[Comparison]:
    yield from _pool_forward(pool_forward, -1 - abs(_images(1, 2, 4, 4)).astype(np.float32), 2, 2, 2)


@case("max_pool_backward_naive", "random images and upstream gradients")
def _(pool_backward: Function) -> Iterator[Comparison]:
    yield from _pool_backward(pool_backward, _images(3, 2, 8, 8), 2, 2, 2)


@case("max_pool_backward_naive", "overlapping windows", "assigning where you should add")
def _(pool_backward: Function) -> Iterator[Comparison]:
    yield from _pool_backward(pool_backward, _images(2, 2, 7, 8), 3, 3, 1)
    yield from _pool_backward(pool_backward, _images(1, 2, 8, 7), 3, 3, 2)


@case("max_pool_backward_naive", "ties, as after a ReLU", "one maximum, the first, takes the whole gradient")
def _(pool_backward: Function) -> Iterator[Comparison]:
    yield from _pool_backward(pool_backward, np.maximum(_images(2, 3, 6, 6), 0), 2, 2, 2)
    yield from _pool_backward(pool_backward, np.zeros((1, 1, 4, 4)), 2, 2, 2)


@case("max_pool_backward_naive", "a 2x4 window on 6x9 images", "pool_height used for the width")
def _(pool_backward: Function) -> Iterator[Comparison]:
    yield from _pool_backward(
        pool_backward, _images(2, 3, 6, 9), 2, 4, 4
    )  # without overlap, to tell the mistakes apart


@case("max_pool_backward_naive", "float32 stays float32")
def _(pool_backward: Function) -> Iterator[Comparison]:
    yield from _pool_backward(pool_backward, _images(1, 2, 4, 6).astype(np.float32), 2, 2, 2)
