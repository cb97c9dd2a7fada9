"""The two-layer network and the ConvNet: stored facts, PyTorch's gradients, and refused arguments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tolerances import STANDARD_ERRORS, apart, assert_within, network, stored

from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.toy import toy_data, toy_model
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net


def torch_two_layer_net(X, model):
    return torch.relu(X @ model["W1"] + model["b1"]) @ model["W2"] + model["b2"]


def torch_convnet(X, model):
    maps = F.conv2d(X, model["W1"], model["b1"], padding=(model["W1"].shape[2] - 1) // 2)
    return F.max_pool2d(torch.relu(maps), 2).flatten(1) @ model["W2"] + model["b2"]


def random_two_layer_net(rng):
    D, H, C = rng.integers(1, 9, 3)
    shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}, (D,)


def random_convnet(rng):
    C, F_, size = rng.integers(1, 4), rng.integers(1, 5), 2 * rng.integers(0, 3) + 1
    H, W = 2 * rng.integers(1, 5, 2)
    model = init_two_layer_convnet(0.5, 0.5, (C, H, W), rng.integers(1, 6), F_, size, seed=rng)
    return model, (C, H, W)


NETS = {
    "two_layer_net": (two_layer_net, torch_two_layer_net, random_two_layer_net),
    "two_layer_convnet": (two_layer_convnet, torch_convnet, random_convnet),
}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", NETS)
def test_scores_loss_and_gradients_equal_pytorch(name, seed):
    net, oracle, draw = NETS[name]
    rng = np.random.default_rng(seed)
    model, image = draw(rng)
    reg = float(rng.choice([0.0, 0.3]))
    X, y = rng.standard_normal((4, *image)), rng.integers(0, len(model["b2"]), 4)

    parameters = {key: torch.tensor(w, requires_grad=True) for key, w in model.items()}
    scores = oracle(torch.tensor(X), parameters)
    penalty = sum((parameters[key] ** 2).sum() for key in ("W1", "W2"))
    expected = F.cross_entropy(scores, torch.tensor(y)) + 0.5 * reg * penalty
    expected.backward()

    before = {key: w.copy() for key, w in model.items()}
    positions = X[0, 0].size if X.ndim == 4 else 1
    scores_off, loss_off, gradient_off = network(
        X, model, net(abs(X), {key: abs(w) for key, w in model.items()}), reg, positions
    )
    assert_within(net(X, model), scores.detach(), scores_off)
    loss, grads = net(X, model, y, reg)
    assert_within(loss, expected.item(), loss_off)
    assert grads.keys() == model.keys()
    for key, tensor in parameters.items():
        assert_within(grads[key], tensor.grad, gradient_off, key)
        assert np.array_equal(model[key], before[key])


def test_the_loss_of_the_toy_network():
    X, y = toy_data()
    assert two_layer_net(X, toy_model(), y, 0.1)[0] == pytest.approx(1.38191946092, rel=0, abs=stored(11))


def test_the_loss_of_the_convnet_at_initialisation():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((100, 3, 32, 32)), rng.integers(0, 10, 100)
    model = init_two_layer_convnet()
    loss, largest = two_layer_convnet(X, model, y)[0], abs(two_layer_convnet(X, model)).max()
    # Small scores: the loss is the mean of log sum exp(scores) - score, and no term moves it by more than a score.
    assert largest < 0.02
    assert_within(loss, np.log(10), 2 * largest)
    # The penalty adds half the sum of n squares of normal numbers of size s, n s^2 / 2 +- s^2 sqrt(n / 2).
    n, s = model["W1"].size + model["W2"].size, 1e-3
    penalty = two_layer_convnet(X, model, y, reg=1)[0] - loss
    assert_within(penalty, 0.5 * sum((model[key] ** 2).sum() for key in ("W1", "W2")), apart(n + 3) * 3)
    assert_within(penalty, n * s**2 / 2, STANDARD_ERRORS * s**2 * np.sqrt(n / 2))


def test_initialisation_comes_from_its_seed():
    for make in (
        lambda seed: init_two_layer_model(20, 7, 3, seed=seed),
        lambda seed: init_two_layer_convnet(seed=seed),
    ):
        first, again, other = make(1), make(1), make(2)
        assert all(np.array_equal(first[key], again[key]) for key in first)
        assert not np.array_equal(first["W1"], other["W1"])


def test_initialisation_has_the_documented_scale_and_shapes():
    model = init_two_layer_model(3072, 50, 10)
    assert {key: w.shape for key, w in model.items()} == {"W1": (3072, 50), "b1": (50,), "W2": (50, 10), "b2": (10,)}
    assert model["W1"].std() == pytest.approx(1e-5, rel=STANDARD_ERRORS / np.sqrt(2 * model["W1"].size))
    convnet = init_two_layer_convnet(dtype=np.float32)
    assert convnet["W1"].shape == (32, 3, 5, 5)
    assert convnet["W2"].shape == (32 * 16 * 16, 10)
    assert {w.dtype for w in convnet.values()} == {np.dtype(np.float32)}


X, Y, MODEL = *toy_data(), toy_model()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[:, :3], MODEL), "W1 takes 4 values per image, X has 3"),
        ((X[0], MODEL), "X must be a floating-point array with 2 axes"),
        ((X.astype(int), MODEL), "X must be a floating-point array"),
        ((X, {"W1": MODEL["W1"]}), r"model must have the keys W1, b1, W2, b2, got \['W1'\]"),
        ((X, {**MODEL, "b1": np.ones(3)}), r"got W1 \(4, 10\), b1 \(3,\)"),
        ((X, MODEL, np.array([0, 1, 2, 3, 0])), "y must hold labels from 0 to 2, got 3"),
        ((X, MODEL, Y[:4]), r"y must have shape \(5,\)"),
        ((X, MODEL, Y.astype(float)), "y must be an array of whole numbers"),
    ],
)
def test_bad_arguments_of_the_two_layer_net_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"two_layer_net: .*{message}"):
        two_layer_net(*arguments)


def test_bad_arguments_of_the_convnet_are_refused():
    with pytest.raises(ValueError, match="filter_size must be odd, got 4"):
        init_two_layer_convnet(filter_size=4)
    with pytest.raises(ValueError, match="input_shape must have an even height and width"):
        init_two_layer_convnet(input_shape=(3, 31, 32))
    with pytest.raises(ValueError, match="hidden_size must be at least 1, got 0"):
        init_two_layer_model(3, 0, 2)
    model = init_two_layer_convnet(input_shape=(3, 8, 8), num_filters=2)
    with pytest.raises(ValueError, match="w has 3 input channels, x has 1"):
        two_layer_convnet(np.ones((2, 1, 8, 8)), model)
    with pytest.raises(ValueError, match=r"W1 must be square with an odd size, got \(2, 3, 2, 2\)"):
        two_layer_convnet(np.ones((2, 3, 8, 8)), {**model, "W1": np.ones((2, 3, 2, 2))})
    with pytest.raises(ValueError, match="y must hold labels from 0 to 9, got 10"):
        two_layer_convnet(np.ones((1, 3, 8, 8)), model, np.array([10]))
