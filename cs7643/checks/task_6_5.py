"""Cases of task 6.5: the two-layer network in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from torch import Tensor

from cs7643.checks.case import Function, case
from cs7643.checks.diagnosis import mistake
from cs7643.checks.torch_models import compare_logits, images, linear, made
from cs7643.comparison import Comparison

mistake("TwoLayerNN", "ReLU lost", "there is no ReLU between the two layers: together they are one affine layer.")
mistake("TwoLayerNN", "another activation", "the hidden units have a sigmoid or a tanh, and should have a ReLU.")
mistake(
    "TwoLayerNN", "softmax of the hidden units", "the hidden units go through a softmax: they should through a ReLU."
)
mistake("TwoLayerNN", "ReLU of the image", "the ReLU is applied to the image: it belongs behind the first layer.")


@case("TwoLayerNN", "the logits, from its own weights", "affine, ReLU, affine, and nothing behind it.")
def _(network: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _logits(network, rng, int(rng.integers(3, 7)), (3, 4, 5), 9, 7)


@case("TwoLayerNN", "one image, one hidden unit", "flatten all axes but the first.")
def _(network: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _logits(network, rng, 1, (2, 3, int(rng.integers(2, 5))), 1, 4)


def _logits(
    network: Function, rng: Generator, count: int, size: tuple[int, int, int], hidden: int, classes: int
) -> Iterator[Comparison]:
    model, x = made(network, rng, size, hidden, classes), images(rng, count, size)
    shapes = {"W1": (hidden, int(np.prod(size))), "b1": (hidden,), "W2": (classes, hidden), "b2": (classes,)}

    def logits(x: Tensor, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        units = linear(x, parameters, "1")
        through = {
            "": units.relu(),
            "ReLU lost": units,
            "softmax of the hidden units": units.softmax(dim=1),
            "ReLU of the image": linear(x.relu(), parameters, "1"),
            "another activation": units.tanh(),
        }
        return {name: linear(values, parameters, "2") for name, values in through.items()}

    yield from compare_logits(model, x, shapes, logits)
