"""The same experiment in NumPy and in PyTorch gives the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.softmax import init_softmax_model, softmax_classifier
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.gradient_check import eval_numerical_gradient, rel_error
from cs7643.pytorch.models import CNN, Softmax, TwoLayerNN
from cs7643.pytorch.replication import load_numpy, optimizer_like, replicate, to_numpy

SIZE = (3, 8, 8)


def experiment(name, dtype):
    """Return the network, the module, initial weights of a size at which something happens, and a learning rate."""
    if name == "softmax":
        return softmax_classifier, Softmax(SIZE, 10), init_softmax_model(192, 10, dtype=dtype), 1e-2
    if name == "two-layer":
        model = init_two_layer_model(192, 30, 10, dtype=dtype)
        model = {key: array * (1e4 if key.startswith("W") else 1) for key, array in model.items()}
        return two_layer_net, TwoLayerNN(SIZE, 30, 10), model, 1e-2
    model = init_two_layer_convnet(0.1, 0.1, SIZE, num_filters=6, filter_size=5, dtype=dtype)
    return two_layer_convnet, CNN(SIZE, 6, 5, 10), model, 1e-2


@pytest.fixture(scope="module")
def images(dataset):
    pixels = dataset.X_train[:600].reshape(600, 3, 8, 4, 8, 4).mean(axis=(3, 5))  # 8 x 8 pixels
    return (pixels - pixels.mean(axis=0)) / 40, dataset.y_train[:600]


@pytest.mark.parametrize("rule", ["sgd", "momentum", "rmsprop"])
@pytest.mark.parametrize("name", ["softmax", "two-layer", "convnet"])
def test_parameters_agree_after_500_steps_in_float64(name, rule, images):
    network, module, model, rate = experiment(name, np.float64)
    rate = 1e-3 if rule == "rmsprop" else rate
    before = {key: array.copy() for key, array in model.items()}
    found = replicate(network, module, model, *images, rule=rule, learning_rate=rate, reg=0.01, steps=500)
    assert found.largest_difference < 1e-10, found.differences
    assert found.largest_loss_difference < 1e-10
    assert (
        found.numpy_losses[-1] < 0.9 * found.numpy_losses[0]
    )  # it has learned something, so there was something to see
    assert all(np.array_equal(before[key], model[key]) for key in model)


@pytest.mark.parametrize("name", ["softmax", "two-layer", "convnet"])
def test_the_loss_curves_agree_in_float32(name, images):
    network, module, model, rate = experiment(name, np.float32)
    rate = min(rate, 2e-3)  # where a kink is passed on one side only, large steps blow rounding up
    found = replicate(network, module, model, *images, learning_rate=rate, reg=0.01, steps=500)
    assert found.largest_loss_difference < 1e-3
    assert {array.dtype for array in (*found.numpy_model.values(), *found.torch_model.values())} == {
        np.dtype(np.float32)
    }


def test_where_eps_stands_in_rmsprop_can_be_seen(images):
    network, module, model, _ = experiment("two-layer", np.float64)
    small = {key: array * 1e-4 for key, array in model.items()}  # the first gradients are as small as sqrt(eps)
    options = {"rule": "rmsprop", "learning_rate": 1e-3, "steps": 100}
    inside = replicate(network, module, small, *images, **options)
    outside = replicate(
        network, module, small, *images, **options, optimizer=lambda net: torch.optim.RMSprop(net.parameters(), 1e-3)
    )
    assert inside.largest_difference < 1e-10
    assert outside.largest_difference > 1e-4


def test_a_penalty_on_the_biases_can_be_seen(images):
    network, module, model, rate = experiment("two-layer", np.float64)
    found = replicate(
        *(network, module, model, *images),
        **{"learning_rate": rate, "reg": 0.1, "steps": 50},
        optimizer=lambda net: torch.optim.SGD(net.parameters(), rate, 0.9, weight_decay=0.1),
    )
    assert found.largest_difference > 1e-4


@pytest.mark.parametrize("name", ["softmax", "two-layer", "convnet"])
def test_arrays_go_there_and_back(name):
    _, module, model, _ = experiment(name, np.float32)
    load_numpy(module, model)
    back = to_numpy(module, list(model))
    assert all(np.array_equal(back[key], model[key]) for key in model)


def test_what_does_not_fit_is_named():
    model = init_two_layer_model(192, 30, 10)
    with pytest.raises(ValueError, match="4 arrays, the module 2 parameters"):
        load_numpy(Softmax(SIZE, 10), model)
    with pytest.raises(ValueError, match=r"W1 \(192, 30\) wants a parameter \(30, 192\), got \(31, 192\)"):
        load_numpy(TwoLayerNN(SIZE, 31, 10), model)
    with pytest.raises(ValueError, match="rule must be one of sgd, momentum, rmsprop, got 'adam'"):
        optimizer_like("adam", nn.Linear(2, 2), 0.1, 0.9, 0)


def test_the_softmax_classifier_has_the_right_gradients():
    rng = np.random.default_rng(0)
    model = init_softmax_model(6, 4, seed=rng)
    X, y = rng.standard_normal((5, 6)), np.array([0, 3, 1, 1, 2])
    _, grads = softmax_classifier(X, model, y, reg=0.3)
    for name, parameter in model.items():
        numerical = eval_numerical_gradient(lambda _: softmax_classifier(X, model, y, reg=0.3)[0], parameter)
        assert rel_error(numerical, grads[name]) < 1e-6
    np.testing.assert_allclose(softmax_classifier(X, model), X @ model["W1"] + model["b1"])
    with pytest.raises(ValueError, match="must have the keys W1, b1"):
        softmax_classifier(X, {"W1": model["W1"]})
    with pytest.raises(ValueError, match=r"the shapes must be X \(N, D\)"):
        softmax_classifier(X[:, :5], model)
    with pytest.raises(ValueError, match="output_size must be at least 1"):
        init_softmax_model(6, 0)
