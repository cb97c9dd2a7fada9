"""Cases of task 6.6: the ConvNet in PyTorch, against the given fast layers with the same parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, Function, case
from coursework.check.diagnosis import mistake
from cs7643.cases.oracles import Array, affine, rectified
from cs7643.cases.torch_models import ATTRIBUTE, FLOATS, Shapes, shared_mistakes, try_float32, try_gradients, try_model
from cs7643.fast.layers import conv_forward_fast, max_pool_forward_fast

NAME = "CNN"
LAYERS = "convolution - ReLU - 2x2 max pooling - affine. The convolution keeps the size"

shared_mistakes(NAME)
mistake(NAME, "ReLU lost", "there is no ReLU after the convolution.")
mistake(NAME, "padding lost", "the image shrinks in the convolution: pad it with kernel_size // 2 zeros on every side.")
mistake(NAME, "padding too small", "the padding is 1, which fits a kernel of 3 alone: it is kernel_size // 2.")
mistake(NAME, "pooling lost", "the maps are not halved: 2x2 max pooling is missing.")
mistake(
    NAME,
    "affine layer for the unpooled image",
    "the affine layer takes maps of H x W, and pooling has halved them: H // 2 and W // 2.",
)
mistake(NAME, "mean for maximum", "the pooling takes the mean of a window, and should take its maximum.")
mistake(NAME, "kernel_size ignored", "the filters do not have kernel_size.")
mistake(NAME, "padded with the edge", "the padding repeats the border, or reflects it: it is zeros.")
mistake(NAME, "flattened in another order", "the maps are flattened with their axes in another order.")


def _shapes(im_size: tuple[int, ...], hidden_dim: int, kernel_size: int, n_classes: int, side: Any = None) -> Shapes:
    """Return the shapes of the parameters; ``side`` tells how long a side of the pooled maps is."""
    C, *sides = im_size
    H, W = map(side or (lambda size: size // 2), sides)
    return {
        "the filters": (hidden_dim, C, kernel_size, kernel_size),
        "the bias of the filters": (hidden_dim,),
        "the output weight": (n_classes, hidden_dim * H * W),
        "the output bias": (n_classes,),
    }


def _maps(images: Array, w: dict[str, Array]) -> Array:
    same = {"stride": 1, "pad": w["the filters"].shape[2] // 2}
    maps: Array = conv_forward_fast(images, w["the filters"], w["the bias of the filters"], same)[0]
    return maps


def _halved(maps: Array) -> Array:
    halved: Array = max_pool_forward_fast(maps, {"pool_height": 2, "pool_width": 2, "stride": 2})[0]
    return halved


def _output(maps: Array, w: dict[str, Array]) -> Array:
    return affine(maps, w["the output weight"], w["the output bias"])


def _mean(maps: Array) -> Array:
    N, C, H, W = maps.shape
    means: Array = maps.reshape(N, C, H // 2, 2, W // 2, 2).mean(axis=(3, 5))
    return means


def _edge(mode: Any) -> Any:
    def logits(images: Array, w: dict[str, Array]) -> Array:
        pad = w["the filters"].shape[2] // 2
        around = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode=mode)
        maps = _maps(around, w)[:, :, pad : -pad or None, pad : -pad or None]
        return _output(_halved(rectified(maps)), w)

    return logits


MISTAKEN: dict[str, Any] = {
    "ReLU lost": lambda x, w: _output(_halved(_maps(x, w)), w),
    "mean for maximum": lambda x, w: tuple(
        _output(maps, w) for maps in (_mean(rectified(_maps(x, w))), rectified(_mean(_maps(x, w))))
    ),
    "ReLU of the logits": lambda x, w: rectified(_output(_halved(rectified(_maps(x, w))), w)),
    "padded with the edge": _edge("edge"),
    "flattened in another order": lambda x, w: _output(_halved(rectified(_maps(x, w))).transpose(0, 2, 3, 1), w),
}


@case(NAME, "its parameters, and its logits", LAYERS)
def _case_its_parameters_and_its_logits(model_class: Function, rng: Generator) -> Attempt:
    drawn = (int(rng.integers(1, 4)), *(2 * rng.permutation([2, 3, 4])[:2]).tolist())
    for im_size, hidden_dim, kernel_size, n_classes in (
        ((3, 4, 6), 5, 5, 7),
        ((1, 8, 6), 4, 3, 2),
        (drawn, *rng.permutation([4, 6])[:1], _odd(rng), 3),
    ):
        sizes = (im_size, int(hidden_dim), kernel_size, n_classes)
        shapes, k = _shapes(*sizes), kernel_size
        mistaken = {
            "padding lost": _shapes(*sizes, side=lambda size, k=k: (size - k + 1) // 2),
            "padding too small": _shapes(*sizes, side=lambda size, k=k: (size - k + 3) // 2),
            "pooling lost": _shapes(*sizes, side=lambda size: size),
            "kernel_size ignored": _shapes(im_size, int(hidden_dim), 3 if k != 3 else 5, n_classes),
        }
        N = int(rng.integers(2, 5))
        yield from try_model(
            model_class,
            rng,
            sizes,
            shapes,
            mistaken,
            lambda x, w: _output(_halved(rectified(_maps(x, w))), w),
            MISTAKEN,
            N,
            (shapes["the filters"][0], im_size[1] // 2, im_size[2] // 2),
            {"pooling lost": "affine layer for the unpooled image"},
        )


def _odd(rng: Generator) -> int:
    return int(rng.choice([1, 3, 5]))


@case(NAME, "gradients reach every parameter", ATTRIBUTE, leans=True)
def _case_gradients_reach_every_parameter(model_class: Function, rng: Generator) -> Attempt:
    sizes = ((2, 4, 6), 5, 3, 4)
    yield from try_gradients(model_class, rng, sizes, _shapes(*sizes))


@case(NAME, "float32 images", FLOATS, leans=True)
def _float32_images_no_number_is_made_float64_on_the(model_class: Function, rng: Generator) -> Attempt:
    yield from try_float32(model_class, rng, ((2, 4, 6), 5, 3, 4))
