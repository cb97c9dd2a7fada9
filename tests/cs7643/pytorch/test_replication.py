"""The same experiment in NumPy and in PyTorch gives the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tolerances import apart, assert_within, difference, network, training
from torch import nn

from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.softmax import init_softmax_model, softmax_classifier
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.gradient_check import eval_numerical_gradient
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
def test_parameters_agree_after_100_steps_in_float64(name, rule, images):
    net, module, model, rate = experiment(name, np.float64)
    options = {"rule": rule, "learning_rate": 1e-3 if rule == "rmsprop" else rate, "reg": 0.01, "steps": 100}
    before = {key: array.copy() for key, array in model.items()}
    found = replicate(net, module, model, *images, **options)
    rng = np.random.default_rng(0)
    moved = {key: array * (1 + 2.0**-30 * rng.choice([-1, 1], array.shape)) for key, array in model.items()}
    moved_weights = replicate(net, module, moved, *images, **options).numpy_model
    bound = training(found.numpy_model, moved_weights, 100, terms=600)
    assert bound < 1e-8  # so that it says something
    assert found.largest_difference <= bound, found.differences
    # A loss changes by its slope in each weight times that: by no more than the inputs add up to.
    sums = abs(images[0]).sum(axis=(1, 2, 3)).max() + sum(abs(array).sum() for array in found.numpy_model.values())
    assert found.largest_loss_difference <= bound * sums
    assert found.numpy_losses[-1] < 0.95 * found.numpy_losses[0]  # it has learned something: there was something to see
    assert all(np.array_equal(before[key], model[key]) for key in model)


@pytest.mark.parametrize("name", ["softmax", "two-layer", "convnet"])
def test_a_step_agrees_in_float32_and_stays_in_float32(name, images):
    # One step, for a curve of many is chaotic in float32; float64 has shown that the rules are the same.
    net, module, model, rate = experiment(name, np.float32)
    found = replicate(net, module, model, *images, learning_rate=rate, reg=0.01, steps=1)
    X = images[0].astype(np.float32) if "convnet" in name else images[0].reshape(600, -1).astype(np.float32)
    scores = net(abs(X), {key: abs(array) for key, array in model.items()})
    _, loss, gradient = network(X[:50], model, scores, 0.01, 64 if name == "convnet" else 1, np.float32)
    assert found.largest_loss_difference <= loss
    largest = max(abs(array).max() for array in model.values())
    assert found.largest_difference <= rate * gradient + apart(2, np.float32) * largest
    assert {array.dtype for array in (*found.numpy_model.values(), *found.torch_model.values())} == {
        np.dtype(np.float32)
    }


def test_where_eps_stands_in_rmsprop_can_be_seen(images):
    net, module, model, _ = experiment("two-layer", np.float64)
    small = {key: array * 1e-4 for key, array in model.items()}  # the first gradients are as small as sqrt(eps)
    options = {"rule": "rmsprop", "learning_rate": 1e-3, "steps": 100}
    inside = replicate(net, module, small, *images, **options)
    rng = np.random.default_rng(0)
    moved = {key: array * (1 + 2.0**-30 * rng.choice([-1, 1], array.shape)) for key, array in small.items()}
    bound = training(inside.numpy_model, replicate(net, module, moved, *images, **options).numpy_model, 100, terms=600)
    outside = replicate(
        net, module, small, *images, **options, optimizer=lambda net: torch.optim.RMSprop(net.parameters(), 1e-3)
    )
    assert inside.largest_difference <= bound
    assert outside.largest_difference > max(1e-4, 1000 * bound)


def test_a_penalty_on_the_biases_can_be_seen(images):
    net, module, model, rate = experiment("two-layer", np.float64)
    found = replicate(
        *(net, module, model, *images),
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
    with pytest.raises(ValueError, match=r"W1 \(192, 30\) needs a parameter \(30, 192\), got \(31, 192\)"):
        load_numpy(TwoLayerNN(SIZE, 31, 10), model)
    with pytest.raises(ValueError, match="rule must be one of sgd, momentum, rmsprop, got 'adam'"):
        optimizer_like("adam", nn.Linear(2, 2), 0.1, 0.9, 0)


def test_the_softmax_classifier_has_the_right_gradients():
    rng = np.random.default_rng(0)
    model = init_softmax_model(6, 4, seed=rng)
    X, y = rng.standard_normal((5, 6)), np.array([0, 3, 1, 1, 2])
    _, grads = softmax_classifier(X, model, y, reg=0.3)
    # A loss of about log 4; its third derivatives are below those of the cross-entropy, 1, times cubes of the inputs.
    bound = difference(3 + abs(X).max(), 1e-5, third=abs(X).max() ** 3)
    for name, parameter in model.items():
        numerical = eval_numerical_gradient(lambda _: softmax_classifier(X, model, y, reg=0.3)[0], parameter)
        assert_within(numerical, grads[name], bound)
    np.testing.assert_array_equal(softmax_classifier(X, model), X @ model["W1"] + model["b1"])
    with pytest.raises(ValueError, match="must have the keys W1, b1"):
        softmax_classifier(X, {"W1": model["W1"]})
    with pytest.raises(ValueError, match=r"the shapes must be X \(N, D\)"):
        softmax_classifier(X[:, :5], model)
    with pytest.raises(ValueError, match="output_size must be at least 1"):
        init_softmax_model(6, 0)
