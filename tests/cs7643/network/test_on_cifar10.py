"""Training on real images ends in the bands that correct code reaches."""

from __future__ import annotations

import os

import numpy as np
import pytest

from cs7643 import data
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.trainer import ClassifierTrainer

FOLDER = os.environ.get("CS7643_TEST_CIFAR10")
pytestmark = [
    pytest.mark.cifar10,
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="CS7643_TEST_CIFAR10 names no folder with CIFAR-10"),
]


@pytest.fixture(scope="module")
def dataset():
    return data.load(FOLDER)


def test_the_two_layer_net_with_the_given_settings(dataset):
    splits = data.preprocess(dataset)
    *_, val_history = ClassifierTrainer().train(
        *(splits.X_train, splits.y_train, splits.X_val, splits.y_val),
        *(init_two_layer_model(3072, 50, 10, dtype=np.float32), two_layer_net),
        **{"reg": 1.0, "momentum": 0.9, "learning_rate_decay": 0.95, "learning_rate": 1e-5},
        **{"num_epochs": 5, "batch_size": 100},
    )
    assert 0.34 < val_history[-1] < 0.39


def test_the_convnet_learns_fifty_images_by_heart(dataset):
    splits = data.preprocess(dataset, layout="NCHW", dtype=np.float64)
    _, _, train_history, val_history = ClassifierTrainer().train(
        *(splits.X_train[:50], splits.y_train[:50], splits.X_val, splits.y_val),
        *(init_two_layer_convnet(), two_layer_convnet),
        **{"reg": 0.001, "momentum": 0.9, "learning_rate": 1e-4, "batch_size": 10, "num_epochs": 10},
    )
    assert train_history[-1] >= 0.9
    assert 0.12 < val_history[-1] < 0.25
