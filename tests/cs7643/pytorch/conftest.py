"""A data set small enough to train on in a test."""

from __future__ import annotations

import pytest

from cs7643.data import shapes
from cs7643.data.dataset import Dataset


@pytest.fixture(scope="session")
def dataset():
    X_train, y_train, X_test, y_test = shapes.draw(1600, 300, seed=5)
    return Dataset(shapes.NAME, X_train, y_train, X_test, y_test, shapes.CLASS_NAMES, is_cifar10=False)
