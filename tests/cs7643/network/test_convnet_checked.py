"""Problem 6.3: what is counted by hand, the settings that are tried on one batch, and the filters while they learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coursework.explorable import LIMIT
from cs7643 import plots
from cs7643.classifiers import checking
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.recording import Recorded
from cs7643.plots import sizes
from cs7643.trainer import ClassifierTrainer

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 3, 8, 8)), RNG.integers(0, 4, 20)
MODEL = init_two_layer_convnet(0.01, 0, (3, 8, 8), num_classes=4, num_filters=6, filter_size=5)
COUNTED = {"convolution": (6, 8, 8), "pooling": (6, 4, 4), "row": (96,), "scores": (4,), "W1": (6, 3, 5, 5)}
COUNTED |= {"W2": (96, 4), "parameters": 6 * 75 + 6 + 96 * 4 + 4}


def test_what_is_counted_right_is_right():
    assert checking.true_counts(X, MODEL) == COUNTED
    assert checking.check_counts(COUNTED | {"row": 96}, X, MODEL).count("✓") == 7


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_wrong_is_named_with_a_hint_and_not_told(name):
    said = checking.check_counts(COUNTED | {name: (1, 2)}, X, MODEL).splitlines()
    (wrong,) = [line for line in said if line.startswith("✗")]
    assert wrong == f"✗ {name}: you say (1, 2). Look again: {checking.WHERE_TO_LOOK[name]}."
    with pytest.raises(ValueError, match="counted must name"):
        checking.check_counts({key: value for key, value in COUNTED.items() if key != name}, X, MODEL)


@pytest.mark.parametrize(
    ("rate", "scale", "expected"),
    [
        (3e-2, 0.01, "It can learn."),
        (1e-7, 0.01, "raise the learning rate?"),
        (1e4, 0.01, "Lower the learning rate."),
        (3e-2, 10.0, "are the initial weights too large?"),
    ],
)
def test_settings_are_judged_by_one_batch(rate, scale, expected):
    model = init_two_layer_convnet(scale, 0, (3, 8, 8), num_classes=4, num_filters=6, filter_size=5)
    before = {name: array.copy() for name, array in model.items()}
    assert expected in checking.check_settings(X, Y, model, {"learning_rate": rate, "reg": 0.0}, steps=80)
    assert all(np.array_equal(array, before[name]) for name, array in model.items())


def test_the_loss_at_the_start_includes_the_penalty():
    model = {name: 50 * array if name == "W1" else array for name, array in MODEL.items()}
    said = checking.check_settings(X, Y, model, {"learning_rate": 1e-7, "reg": 0.1}, steps=1)
    half = 0.05 * sum(np.sum(model[name] ** 2) for name in ("W1", "W2"))
    assert half > 1
    assert f"expected ≈ {np.log(4) + half:.3f}" in said


def recorded():
    net = Recorded(two_layer_convnet, (0, 2, 5))
    settings = {"learning_rate": 0.05, "batch_size": 10, "num_epochs": 3}
    best, *_ = ClassifierTrainer().train(X, Y, X, Y, MODEL, net, **settings)
    return net, best


def test_frames_are_copies_of_the_weights_before_their_steps():
    net, _ = recorded()
    assert sorted(net.frames) == [0, 2, 5]
    assert np.array_equal(net.frames[0][0], MODEL["W1"])
    assert not np.array_equal(net.frames[2][0], net.frames[5][0])
    plain, *_ = ClassifierTrainer().train(
        X, Y, X, Y, MODEL, two_layer_convnet, learning_rate=0.05, batch_size=10, num_epochs=3
    )
    again, _ = recorded()
    assert np.array_equal(again.frames[5][0], net.frames[5][0])
    assert set(plain) == set(MODEL)


def test_the_responses_are_those_of_the_network():
    net, _ = recorded()
    images = RNG.integers(0, 256, (2, 3, 8, 8), np.uint8)
    shown = plots.filters_and_maps(net.frames, X[:2], images, ("ring", "triangle"))
    assert len(shown.html.encode()) < LIMIT
    assert len(set(shown.texts)) == len(shown.texts) == 6
    W1, b1 = net.frames[5]
    moved = np.linalg.norm((W1 - MODEL["W1"]).reshape(6, -1), axis=1)
    padded = np.pad(X[1], ((0, 0), (2, 2), (2, 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (1, 2))
    maps = np.maximum(0, np.einsum("cijuv,fcuv->fij", windows, W1) + b1[:, None, None])
    strongest = maps.max(axis=(1, 2))[np.argsort(-moved)[:5]]
    assert shown.texts[5].startswith("triangle, step 5:")
    assert shown.texts[5].endswith(", ".join(f"≈ {value:.2g}" for value in strongest) + ".")


@pytest.mark.parametrize(("size", "filters", "convolutions"), [(7, 32, 1), (3, 8, 2), (3, 8, 3), (11, 8, 1)])
def test_the_sizes_of_networks_are_those_of_pytorch(size, filters, convolutions):
    parts, channels = [], 3
    for _ in range(convolutions):  # a mean in place of the maximum, whose gradient reaches one element only
        parts += [torch.nn.Conv2d(channels, filters, size, padding=size // 2), torch.nn.AvgPool2d(2)]
        channels = filters
    side = 32 >> convolutions
    products = []
    for part in (*parts, affine := torch.nn.Linear(filters * side * side, 10)):
        if isinstance(part, (torch.nn.Conv2d, torch.nn.Linear)):
            part.register_forward_hook(lambda own, _, out: products.append(own.weight[0].numel() * out[0].numel()))
    image = torch.ones(1, 3, 32, 32, requires_grad=True)
    maps = torch.nn.Sequential(*parts)(image)
    affine(maps.flatten(1))
    maps[0, 0, side // 2, side // 2].backward()
    layers = sizes.layers_of(size, filters, convolutions)
    assert [each.parameters for each in layers] == [
        sum(w.numel() for w in part.parameters()) for part in (*parts[::2], affine)
    ]
    assert [each.products for each in layers] == products
    assert [each.shape for each in layers][-2:] == [tuple(maps.shape[1:]), (10,)]
    reached = image.grad[0].abs().sum(dim=0) > 0
    assert layers[-2].sees == reached.any(dim=0).sum() == reached.any(dim=1).sum()


def test_the_picture_of_the_sizes_begins_with_the_network_of_the_notebook():
    shown = plots.network_sizes()
    assert len(shown.html.encode()) < LIMIT
    assert len(set(shown.texts)) == len(shown.texts) == 60
    (start,) = [text for text in shown.texts if text.startswith("One convolution with 32 filters of 7 × 7")]
    assert start.endswith(
        "86,666 parameters, 95% of them in the affine layer; 4,898,816 products. "
        "A number of the last maps depends on 8 × 8 pixels."
    )
