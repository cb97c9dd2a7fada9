"""Cases of task 6.5: the two-layer network in PyTorch, against oracles with the same parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, Function, case
from coursework.check.diagnosis import mistake
from cs7643.cases.oracles import Array, affine, rectified
from cs7643.cases.torch_models import ATTRIBUTE, FLOATS, Shapes, shared_mistakes, try_float32, try_gradients, try_model

NAME = "TwoLayerNN"
LAYERS = "affine - ReLU - affine, with hidden_dim units between"

shared_mistakes(NAME)
mistake(NAME, "ReLU lost", "there is no ReLU between the two layers, so together they are only one linear layer.")
mistake(NAME, "sigmoid hidden units", "the hidden units have a sigmoid, and should have a ReLU.")
mistake(NAME, "tanh hidden units", "the hidden units have a tanh, and should have a ReLU.")
mistake(NAME, "hidden_dim ignored", "the hidden layer does not have hidden_dim units.")
mistake(NAME, "one layer", "there is one layer, and there should be two.")


def _shapes(im_size: tuple[int, ...], hidden_dim: int, n_classes: int) -> Shapes:
    return {
        "the hidden weight": (hidden_dim, int(np.prod(im_size))),
        "the hidden bias": (hidden_dim,),
        "the output weight": (n_classes, hidden_dim),
        "the output bias": (n_classes,),
    }


def _hidden(images: Array, w: dict[str, Array]) -> Array:
    return affine(images, w["the hidden weight"], w["the hidden bias"])


def _output(hidden: Array, w: dict[str, Array]) -> Array:
    return affine(hidden, w["the output weight"], w["the output bias"])


MISTAKEN: dict[str, Any] = {
    "ReLU lost": lambda x, w: _output(_hidden(x, w), w),
    "sigmoid hidden units": lambda x, w: _output((1 + np.tanh(_hidden(x, w) / 2)) / 2, w),
    "tanh hidden units": lambda x, w: _output(np.tanh(_hidden(x, w)), w),
    "ReLU of the logits": lambda x, w: tuple(
        rectified(_output(hidden, w)) for hidden in (_hidden(x, w), rectified(_hidden(x, w)))
    ),
}


@case(NAME, "its parameters, and its logits", LAYERS)
def _case_its_parameters_and_its_logits(model_class: Function, rng: Generator) -> Attempt:
    drawn = tuple(map(int, rng.integers(2, 5, 3)))
    for im_size, hidden_dim, n_classes in (
        ((3, 4, 5), 6, 4),
        ((1, 2, 3), 5, 2),
        (drawn, *rng.permutation([7, 5, 9])[:2]),
    ):
        sizes = (im_size, int(hidden_dim), int(n_classes))
        shapes = _shapes(*sizes)
        mistaken = {
            "hidden_dim ignored": _shapes(im_size, 100, sizes[2]),
            "one layer": {"weight": (sizes[2], int(np.prod(im_size))), "bias": (sizes[2],)},
        }
        N = int(rng.integers(2, 6))
        yield from try_model(
            model_class,
            rng,
            sizes,
            shapes,
            mistaken,
            lambda x, w: _output(rectified(_hidden(x, w)), w),
            MISTAKEN,
            N,
            im_size,
        )


@case(NAME, "gradients reach every parameter", ATTRIBUTE, leans=True)
def _case_gradients_reach_every_parameter(model_class: Function, rng: Generator) -> Attempt:
    yield from try_gradients(model_class, rng, ((2, 3, 4), 6, 5), _shapes((2, 3, 4), 6, 5))


@case(NAME, "float32 images", FLOATS, leans=True)
def _float32_images_no_number_is_made_float64_on_the(model_class: Function, rng: Generator) -> Attempt:
    yield from try_float32(model_class, rng, ((2, 3, 4), 6, 5))
