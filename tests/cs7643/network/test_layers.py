"""The layers against PyTorch, and the fast ones against the naive ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import apart, assert_within, cross_entropy, layer

from cs7643 import layers, losses
from cs7643.fast import blocks
from cs7643.fast import layers as fast_layers

CONV = {
    "naive": (layers.conv_forward_naive, layers.conv_backward_naive),
    "fast": (fast_layers.conv_forward_fast, fast_layers.conv_backward_fast),
}
POOL = {
    "naive": (layers.max_pool_forward_naive, layers.max_pool_backward_naive),
    "fast": (fast_layers.max_pool_forward_fast, fast_layers.max_pool_backward_fast),
}


@st.composite
def convolutions(draw):
    """Draw x, w, b, conv_param of any fitting shape, non-square ones and uneven remainders included."""
    size = st.integers(1, 3)
    N, C, num_filters, pad, stride = draw(size), draw(size), draw(size), draw(st.integers(0, 3)), draw(size)
    HH, WW = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    H = draw(st.integers(max(1, HH - 2 * pad), 9))
    W = draw(st.integers(max(1, WW - 2 * pad), 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, w = rng.standard_normal((N, C, H, W)), rng.standard_normal((num_filters, C, HH, WW))
    return x, w, rng.standard_normal(num_filters), {"stride": stride, "pad": pad}


@st.composite
def poolings(draw):
    """Draw x and pool_param; the values are few, so that many tie."""
    N, C, stride = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    H, W = draw(st.integers(height, 9)), draw(st.integers(width, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-2, 3, (N, C, H, W)).astype(np.float64)
    return x, {"pool_height": height, "pool_width": width, "stride": stride}


def upstream(out):
    return np.random.default_rng(out.size).standard_normal(out.shape).astype(out.dtype)


def with_torch(function, *arrays):
    """Return a PyTorch function's output, and its gradients for a random upstream gradient."""
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    out = function(*tensors)
    out.backward(torch.tensor(upstream(out.detach().numpy())))
    return [out.detach().numpy(), *(tensor.grad.numpy() for tensor in tensors)]


def assert_all_within(actual, expected, bounds):
    for a, e, bound in zip(actual, expected, bounds, strict=True):
        assert_within(a, e, bound)


def assert_all_equal(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, e, strict=True)


def as_list(gradients):
    return list(gradients) if isinstance(gradients, tuple) else [gradients]


@pytest.mark.parametrize("kind", CONV)
@settings(max_examples=150)
@given(inputs=convolutions())
def test_convolution_equals_pytorch(kind, inputs):
    x, w, b, conv_param = inputs
    forward, backward = CONV[kind]
    out, cache = forward(x, w, b, conv_param)

    def conv(x, w, b):
        return F.conv2d(x, w, b, stride=conv_param["stride"], padding=conv_param["pad"])

    dout = upstream(out)
    assert_all_within([out, *backward(dout, cache)], with_torch(conv, x, w, b), layer(x, w, b, dout))


@pytest.mark.parametrize("kind", POOL)
@settings(max_examples=150)
@given(inputs=poolings())
def test_max_pooling_equals_pytorch_also_in_ties(kind, inputs):
    x, pool_param = inputs
    forward, backward = POOL[kind]
    out, cache = forward(x, pool_param)

    def pool(x):
        return F.max_pool2d(x, (pool_param["pool_height"], pool_param["pool_width"]), pool_param["stride"])

    dout, expected = upstream(out), with_torch(pool, x)
    np.testing.assert_array_equal(out, expected[0])  # a maximum is not rounded
    windows = pool_param["pool_height"] * pool_param["pool_width"]  # as many may share a maximum
    assert_within(backward(dout, cache), expected[1], apart(windows) * windows * abs(dout).max())


@given(
    N=st.integers(1, 5),
    M=st.integers(1, 5),
    image=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100)
def test_affine_equals_pytorch(N, M, image, seed):
    rng = np.random.default_rng(seed)
    x, w, b = rng.standard_normal((N, *image)), rng.standard_normal((int(np.prod(image)), M)), rng.standard_normal(M)
    out, cache = layers.affine_forward(x, w, b)
    expected = with_torch(lambda x, w, b: x.flatten(1) @ w + b, x, w, b)
    dout = upstream(out)
    assert_all_within([out, *layers.affine_backward(dout, cache)], expected, layer(x, w, b, dout))


@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 4, 5)])
def test_relu_equals_pytorch_also_at_zero(shape):
    x = np.random.default_rng(0).integers(-2, 3, shape).astype(np.float64)
    out, cache = layers.relu_forward(x)
    assert_all_equal([out, layers.relu_backward(upstream(out), cache)], with_torch(F.relu, x))


@given(N=st.integers(1, 8), C=st.integers(1, 6), scale=st.sampled_from([1e-3, 1.0, 1000.0]), seed=st.integers(0, 1000))
@settings(max_examples=100)
def test_the_losses_equal_pytorch(N, C, scale, seed):
    rng = np.random.default_rng(seed)
    x, y = scale * rng.standard_normal((N, C)), rng.integers(0, C, N)
    scores, labels = torch.tensor(x, requires_grad=True), torch.tensor(y)

    loss = F.cross_entropy(scores, labels)
    loss.backward()
    found, dx = losses.softmax_loss(x, y)
    bounds = cross_entropy(0.0, abs(x).max(), N)
    assert_all_within([found, dx], [loss.item(), scores.grad], bounds)

    scores.grad = None
    hinge = F.multi_margin_loss(scores, labels) * C  # PyTorch divides by the number of classes
    hinge.backward()
    found, dx = losses.svm_loss(x, y)
    # A sum of N C margins, each of three terms; PyTorch's mean is multiplied by C once more.
    rounding = apart(N * C + 5)
    bounds = rounding * C * (1 + 2 * abs(x).max()), rounding * C / N
    assert_all_within([found, dx], [hinge.item(), scores.grad], bounds)


def test_the_losses_at_the_start_of_training():
    rng = np.random.default_rng(0)
    x, y = 0.001 * rng.standard_normal((50, 10)), rng.integers(0, 10, 50)
    # A margin, 1 for scores of zero, moves by at most twice the largest score, and so does the cross-entropy.
    assert_within(losses.svm_loss(x, y)[0], 9, 9 * 2 * abs(x).max())
    assert_within(losses.softmax_loss(x, y)[0], np.log(10), 2 * abs(x).max())


BLOCKS = {
    "conv_relu": (
        blocks.conv_relu_forward,
        blocks.conv_relu_backward,
        lambda x, w, b: F.relu(F.conv2d(x, w, b, padding=1)),
        [(3, 2, 6, 8), (4, 2, 3, 3), (4,)],
        ({"stride": 1, "pad": 1},),
    ),
    "conv_relu_pool": (
        blocks.conv_relu_pool_forward,
        blocks.conv_relu_pool_backward,
        lambda x, w, b: F.max_pool2d(F.relu(F.conv2d(x, w, b, padding=1)), 2),
        [(3, 2, 6, 8), (4, 2, 3, 3), (4,)],
        ({"stride": 1, "pad": 1}, {"pool_height": 2, "pool_width": 2, "stride": 2}),
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_equal_pytorch(name):
    forward, backward, oracle, shapes, params = BLOCKS[name]
    rng = np.random.default_rng(1)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    out, cache = forward(*arrays, *params)
    dout = upstream(out)
    assert_all_within([out, *backward(dout, cache)], with_torch(oracle, *arrays), layer(*arrays, dout))


def layer_calls():
    """Return, by name, each layer's two functions with arguments for them."""
    rng = np.random.default_rng(2)
    x, w, b = rng.standard_normal((2, 3, 6, 7)), rng.standard_normal((4, 3, 3, 3)), rng.standard_normal(4)
    calls = {
        "affine": (layers.affine_forward, layers.affine_backward, (x, rng.standard_normal((126, 4)), b), ()),
        "relu": (layers.relu_forward, layers.relu_backward, (x,), ()),
    }
    for kind in CONV:
        calls[f"conv {kind}"] = (*CONV[kind], (x, w, b), ({"stride": 2, "pad": 1},))
        calls[f"pool {kind}"] = (*POOL[kind], (x,), ({"pool_height": 2, "pool_width": 3, "stride": 1},))
    return calls


@pytest.mark.parametrize("name", layer_calls())
def test_float32_stays_float32_and_is_close_to_float64(name):
    forward, backward, arrays, params = layer_calls()[name]
    found = {}
    dout = None
    for dtype in (np.float64, np.float32):
        out, cache = forward(*(array.astype(dtype) for array in arrays), *params)
        dout = upstream(out) if dout is None else dout.astype(dtype)
        found[dtype] = [out, *as_list(backward(dout, cache))]
        assert [array.dtype for array in found[dtype]] == [dtype] * len(found[dtype])
    x, w, b = arrays if len(arrays) == 3 else (arrays[0], np.ones(1), np.zeros(1))  # others have nothing to multiply
    bounds = layer(x, w, b, dout, np.float32)[: len(found[np.float64])]
    assert_all_within(found[np.float32], found[np.float64], bounds)


@pytest.mark.parametrize("name", layer_calls())
def test_nothing_that_a_layer_is_given_changes(name):
    forward, backward, arrays, params = layer_calls()[name]
    before = [array.copy() for array in arrays]
    out, cache = forward(*arrays, *params)
    dout = upstream(out)
    first, second = as_list(backward(dout, cache)), as_list(backward(dout, cache))
    assert_all_equal(arrays, before)
    assert_all_equal([dout], [upstream(out)])
    assert_all_equal(first, second)  # so the cache is as it was, too


@pytest.mark.parametrize("loss", [losses.svm_loss, losses.softmax_loss])
def test_the_losses_keep_float32_and_their_arguments(loss):
    x, y = np.random.default_rng(3).standard_normal((4, 5)).astype(np.float32), np.array([0, 4, 2, 2])
    before = x.copy()
    value, dx = loss(x, y)
    assert isinstance(value, float)
    assert dx.dtype == np.float32
    assert np.array_equal(x, before)


X4, W4, B4 = np.ones((2, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.ones(4)
PARAM = {"stride": 1, "pad": 1}
WINDOW = {"pool_height": 2, "pool_width": 2, "stride": 2}
BAD_CONVOLUTIONS = [
    ((X4, np.ones((4, 2, 3, 3)), B4, PARAM), "w has 2 input channels, x has 3"),
    ((X4[0], W4, B4, PARAM), r"x must have shape \(N, C, H, W\), got \(3, 5, 5\)"),
    ((X4, W4[0], B4, PARAM), r"w must have shape \(F, C, HH, WW\)"),
    ((X4, W4, np.ones(3), PARAM), r"b must have shape \(4,\)"),
    ((X4.astype(np.uint8), W4, B4, PARAM), "x must be a NumPy array of float32 or float64, got uint8"),
    ((X4.tolist(), W4, B4, PARAM), "x must be a NumPy array of float32 or float64, got list"),
    ((X4, W4, B4, {"stride": 0, "pad": 1}), r"conv_param\['stride'\] must be a whole number of at least 1, got 0"),
    ((X4, W4, B4, {"stride": 1.5, "pad": 1}), "whole number of at least 1, got 1.5"),
    ((X4, W4, B4, {"stride": True, "pad": 1}), "got True"),
    ((X4, W4, B4, {"stride": 1, "pad": -1}), r"conv_param\['pad'\] must be a whole number of at least 0, got -1"),
    ((X4, W4, B4, {"stride": 1}), "conv_param must have the key 'pad'"),
    ((X4, np.ones((4, 3, 8, 3)), B4, PARAM), "8 x 3, does not fit into the .padded. image, 7 x 7"),
]
BAD_POOLINGS = [
    ((X4[0], WINDOW), r"x must have shape \(N, C, H, W\)"),
    ((X4, {**WINDOW, "pool_height": 6}), "6 x 2, does not fit"),
    ((X4, {**WINDOW, "stride": 0}), r"pool_param\['stride'\] must be a whole number of at least 1"),
    ((X4, {"pool_height": 2, "stride": 2}), "pool_param must have the key 'pool_width'"),
    ((X4.astype(int), WINDOW), "x must be a NumPy array of float32 or float64, got int"),
]
BAD_AFFINES = [
    ((X4, np.ones((7, 4)), B4), r"w must have shape \(D, M\) with D = 75.* got \(7, 4\)"),
    ((np.ones(3), np.ones((3, 4)), B4), "w must have shape"),
    ((X4, np.ones((75, 4)), np.ones(5)), r"b must have shape \(4,\)"),
    ((X4.astype(int), np.ones((75, 4)), B4), "x must be a NumPy array of float32 or float64"),
]


@pytest.mark.parametrize("kind", CONV)
@pytest.mark.parametrize(("arguments", "message"), BAD_CONVOLUTIONS)
def test_bad_convolutions_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=rf"conv_forward_{kind}: .*{message}"):
        CONV[kind][0](*arguments)


@pytest.mark.parametrize("kind", POOL)
@pytest.mark.parametrize(("arguments", "message"), BAD_POOLINGS)
def test_bad_poolings_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=rf"max_pool_forward_{kind}: .*{message}"):
        POOL[kind][0](*arguments)


@pytest.mark.parametrize(("arguments", "message"), BAD_AFFINES)
def test_bad_affine_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"affine_forward: {message}"):
        layers.affine_forward(*arguments)


@pytest.mark.parametrize("name", layer_calls())
def test_a_wrong_upstream_gradient_is_refused(name):
    forward, backward, arrays, params = layer_calls()[name]
    out, cache = forward(*arrays, *params)
    with pytest.raises(ValueError, match=f"{backward.__name__}: dout must have the shape of the output"):
        backward(out[..., :-1], cache)


@pytest.mark.parametrize("loss", [losses.svm_loss, losses.softmax_loss])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((2, 3)), np.array([0, 3]), "y must hold labels from 0 to 2, got 3"),
        (np.ones((2, 3)), np.array([-1, 0]), "y must hold labels from 0 to 2, got -1"),
        (np.ones((2, 3)), np.array([0, 1, 2]), r"y must have shape \(2,\)"),
        (np.ones((2, 3)), np.array([0.0, 1.0]), "y must be an array of whole numbers, got float64"),
        (np.ones((2, 3), int), np.array([0, 1]), "x must be a floating-point array"),
        (np.ones(3), np.array([0, 1, 2]), r"x must be a floating-point array of shape \(N, C\)"),
    ],
)
def test_bad_scores_and_labels_are_refused(loss, x, y, message):
    with pytest.raises(ValueError, match=f"{loss.__name__}: {message}"):
        loss(x, y)
