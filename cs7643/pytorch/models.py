"""The four models of problems 6.4 to 6.7. Each takes images and returns logits: scores, without a softmax.

``im_size`` is (C, H, W), the size of an image; images come as (N, C, H, W), float32 or float64, and logits go as
(N, n_classes). Each layer is an attribute of the model, so that its parameters are found and gradients reach them. The
cross-entropy of PyTorch applies the softmax itself, so a model that ends in one applies it twice and learns slowly. No
argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F  # for your own forward methods


class Softmax(nn.Module):
    """A linear classifier: one linear layer, from all values of an image to one logit for each class."""

    def __init__(self, im_size: Sequence[int], n_classes: int) -> None:
        """Make the layer.

        Args:
            im_size: (C, H, W).
            n_classes: the number of classes.
        """
        super().__init__()
        self._im_size = _checked_size("Softmax", im_size, n_classes=n_classes)
        # BEGIN SOLUTION 6.4 Softmax_layers
        self.linear = nn.Linear(math.prod(im_size), n_classes)
        # END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (N, n_classes), of images (N, C, H, W)."""
        _check_images("Softmax", images, self._im_size)
        # BEGIN SOLUTION 6.4 Softmax_forward
        logits: Tensor = self.linear(images.flatten(1))
        return logits
        # END SOLUTION


class TwoLayerNN(nn.Module):
    """The network of problem 6.1: affine - ReLU - affine, with hidden_dim units between."""

    def __init__(self, im_size: Sequence[int], hidden_dim: int, n_classes: int) -> None:
        """Make the two layers.

        Args:
            im_size: (C, H, W).
            hidden_dim: the number of hidden units.
            n_classes: the number of classes.
        """
        super().__init__()
        self._im_size = _checked_size("TwoLayerNN", im_size, hidden_dim=hidden_dim, n_classes=n_classes)
        # BEGIN SOLUTION 6.5 TwoLayerNN_layers
        self.hidden = nn.Linear(math.prod(im_size), hidden_dim)
        self.output = nn.Linear(hidden_dim, n_classes)
        # END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (N, n_classes), of images (N, C, H, W)."""
        _check_images("TwoLayerNN", images, self._im_size)
        # BEGIN SOLUTION 6.5 TwoLayerNN_forward
        logits: Tensor = self.output(self.hidden(images.flatten(1)).relu())
        return logits
        # END SOLUTION


class CNN(nn.Module):
    """The network of problem 6.3: convolution - ReLU - 2x2 max pooling - affine. The convolution keeps the size."""

    def __init__(self, im_size: Sequence[int], hidden_dim: int, kernel_size: int, n_classes: int) -> None:
        """Make the two layers.

        Args:
            im_size: (C, H, W), with an even height and width.
            hidden_dim: the number of filters.
            kernel_size: the height and width of a filter, odd, so that zeros around the image can keep its size.
            n_classes: the number of classes.
        """
        super().__init__()
        self._im_size = _checked_size(
            "CNN", im_size, hidden_dim=hidden_dim, kernel_size=kernel_size, n_classes=n_classes
        )
        check_conv_sizes("CNN", self._im_size, kernel_size, halvings=1)
        # BEGIN SOLUTION 6.6 CNN_layers
        C, H, W = im_size
        self.conv = nn.Conv2d(C, hidden_dim, kernel_size, padding=kernel_size // 2)
        self.pool = nn.MaxPool2d(2)
        self.output = nn.Linear(hidden_dim * (H // 2) * (W // 2), n_classes)
        # END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (N, n_classes), of images (N, C, H, W)."""
        _check_images("CNN", images, self._im_size)
        # BEGIN SOLUTION 6.6 CNN_forward
        pooled = self.pool(self.conv(images)).relu()  # the same as ReLU first, with a quarter of its work
        logits: Tensor = self.output(pooled.flatten(1))
        return logits
        # END SOLUTION


class MyModel(nn.Module):
    """Your own model for the challenge, problem 6.7: anything that turns images into logits."""

    def __init__(self, im_size: Sequence[int], hidden_dim: int, kernel_size: int, n_classes: int) -> None:
        """Make the layers; what ``hidden_dim`` and ``kernel_size`` mean to your model is for you to decide.

        Args:
            im_size: (C, H, W).
            hidden_dim: a width.
            kernel_size: the height and width of a filter.
            n_classes: the number of classes.
        """
        super().__init__()
        self._im_size = _checked_size(
            "MyModel", im_size, hidden_dim=hidden_dim, kernel_size=kernel_size, n_classes=n_classes
        )
        # BEGIN SOLUTION 6.7 MyModel_layers
        # Each stage halves the image, down to about 4 x 4 pixels; those after the first have twice the filters, because
        # each position covers more pixels, and a second convolution. Batch normalisation allows a large learning rate.
        channels, H, W = self._im_size
        halvings = max(1, int(math.log2(min(H, W) / 4)))
        check_conv_sizes("MyModel", self._im_size, kernel_size, halvings)
        plan = [(hidden_dim, True), *[(2 * hidden_dim, True), (2 * hidden_dim, False)] * (halvings - 1)]
        self.features = nn.Sequential()
        for filters, halved in plan:
            same = kernel_size // 2  # keeps the size; the normalisation would subtract a bias
            self.features.append(nn.Conv2d(channels, filters, kernel_size, padding=same, bias=False))
            if halved:
                self.features.append(nn.MaxPool2d(2))
            self.features.append(nn.BatchNorm2d(filters)).append(nn.ReLU())
            channels = filters
        self.output = nn.Linear(channels * (H // 2**halvings) * (W // 2**halvings), n_classes)
        # END SOLUTION

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, (N, n_classes), of images (N, C, H, W)."""
        _check_images("MyModel", images, self._im_size)
        # BEGIN SOLUTION 6.7 MyModel_forward
        logits: Tensor = self.output(self.features(images).flatten(1))
        return logits
        # END SOLUTION


def check_conv_sizes(where: str, im_size: tuple[int, int, int], kernel_size: int, halvings: int) -> None:
    """Check that filters have a centre and the image can be halved ``halvings`` times; errors begin with ``where``."""
    if kernel_size % 2 == 0:
        raise ValueError(f"{where}: kernel_size must be odd, so that a filter has a centre, got {kernel_size}")
    if any(side % 2**halvings for side in im_size[1:]):
        raise ValueError(
            f"{where}: im_size must have a height and a width that are multiples of {2**halvings}, got {im_size}"
        )


def _checked_size(where: str, im_size: Sequence[int], **numbers: int) -> tuple[int, int, int]:
    """Check the arguments of a constructor and return ``im_size`` as a tuple."""
    if len(im_size) != 3 or any(not isinstance(side, int) or side < 1 for side in im_size):
        raise ValueError(f"{where}: im_size must be (C, H, W), three whole numbers of at least 1, got {im_size!r}")
    for name, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ValueError(f"{where}: {name} must be a whole number of at least 1, got {number!r}")
    C, H, W = im_size
    return C, H, W


def _check_images(where: str, images: Tensor, im_size: tuple[int, int, int]) -> None:
    if images.ndim != 4 or tuple(images.shape[1:]) != im_size:
        expected = ", ".join(map(str, im_size))
        raise ValueError(f"{where}: images must have shape (N, {expected}), got {tuple(images.shape)}")
    if not images.is_floating_point():
        raise ValueError(f"{where}: images must be floating-point numbers, got {images.dtype}")
