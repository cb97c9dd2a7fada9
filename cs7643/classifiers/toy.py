"""A network and a data set small enough to check by hand, for the start of problem 6.1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.arrays import Model

INPUT_SIZE, HIDDEN_SIZE, NUM_CLASSES, NUM_IMAGES = 4, 10, 3, 5


def toy_model() -> Model:
    """Return a two-layer network of 4 inputs, 10 hidden units and 3 classes, with evenly spaced weights."""

    def spaced(start: float, stop: float, *shape: int) -> NDArray[np.float64]:
        return np.linspace(start, stop, num=int(np.prod(shape))).reshape(shape)

    return {
        "W1": spaced(-0.2, 0.6, INPUT_SIZE, HIDDEN_SIZE),
        "b1": spaced(-0.3, 0.7, HIDDEN_SIZE),
        "W2": spaced(-0.4, 0.1, HIDDEN_SIZE, NUM_CLASSES),
        "b2": spaced(-0.5, 0.9, NUM_CLASSES),
    }


def toy_data() -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return five images of four values, (5, 4), and their labels, (5,)."""
    X = np.linspace(-0.2, 0.5, num=NUM_IMAGES * INPUT_SIZE).reshape(NUM_IMAGES, INPUT_SIZE)
    return X, np.array([0, 1, 2, 2, 1])
