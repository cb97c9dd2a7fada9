"""Cases of task 6.6: the network with one convolutional layer in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from cs7643.checks.case import Function, case
from cs7643.checks.diagnosis import mistake
from cs7643.checks.torch_models import compare_logits, images, linear, made
from cs7643.comparison import Comparison

mistake("CNN", "ReLU lost", "there is no ReLU behind the convolution.")
mistake("CNN", "mean pooling", "the pooling takes the mean of each window: it should take the largest value.")
mistake("CNN", "border mirrored", "the border is padded with something else than zeros.")
mistake("CNN", "another activation", "behind the convolution is a sigmoid or a tanh: it should be a ReLU.")


@case("CNN", "the logits, from its own weights", "convolution with padding, ReLU, 2x2 max pooling, affine.")
def _(network: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _logits(network, rng, int(rng.integers(2, 5)), (3, 6, 8), 5, 3, 7)


@case("CNN", "filters of 5x5 and of 1x1, one image", "padding = kernel_size // 2 keeps the size of the image.")
def _(network: Function, rng: Generator) -> Iterator[Comparison]:
    yield from _logits(network, rng, 1, (2, 8, 6), 4, 5, 3)
    yield from _logits(network, rng, 1, (2, 4, 6), 5, 1, 3)


def _logits(
    network: Function, rng: Generator, count: int, size: tuple[int, int, int], filters: int, kernel: int, classes: int
) -> Iterator[Comparison]:
    C, H, W = size
    model, x = made(network, rng, size, filters, kernel, classes), images(rng, count, size)
    shapes = {
        **{"W1": (filters, C, kernel, kernel), "b1": (filters,)},
        **{"W2": (classes, filters * (H // 2) * (W // 2)), "b2": (classes,)},
    }

    def logits(x: Tensor, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
        filters, bias = parameters["W1"], parameters["b1"]
        pad = [kernel // 2] * 4
        maps = F.conv2d(F.pad(x, pad), filters, bias)
        mirrored = F.conv2d(F.pad(x, pad, mode="replicate"), filters, bias)
        through = {
            "": F.max_pool2d(maps.relu(), 2),
            "ReLU lost": F.max_pool2d(maps, 2),
            "mean pooling": F.avg_pool2d(maps.relu(), 2),
            "border mirrored": F.max_pool2d(mirrored.relu(), 2),
            "another activation": F.max_pool2d(maps.tanh(), 2),
        }
        return {name: linear(values, parameters, "2") for name, values in through.items()}

    yield from compare_logits(model, x, shapes, logits)
