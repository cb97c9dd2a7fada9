"""What is measured, each for us and for PyTorch: training steps and single layers, forward and backward.

A function here takes the contender's name and the sizes, and returns a call, which returns the loss or the output and
all gradients. The contenders are "ours", and PyTorch with its images as "NCHW" and, channels last, as "NHWC". PyTorch
is imported for its own contenders alone; each has a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cs7643 import layers, losses
from cs7643.classifiers.convnet import init_two_layer_convnet, two_layer_convnet
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.fast import blocks
from cs7643.fast import layers as fast_layers
from cs7643.fast.threads import blas_held

Step = Callable[[], list[Any]]
REG = 1e-3
POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


@dataclass(frozen=True)
class Task:
    """A step with its sizes, and what it costs at least."""

    title: str
    make: str  # a function of this module
    flops: float  # multiplications and additions
    bytes: float  # the arrays that must go to memory or come from it, each once a pass
    bar: float  # the ratio to PyTorch that we mean to reach
    options: dict[str, Any] = field(hash=False)


def convnet(who: str, batch: int, filters: int = 32, kernel: int = 7, image: int = 32, dtype: str = "float32") -> Step:
    """Return the step of problem 6.3: convolution - ReLU - pooling - affine - softmax, loss and gradients."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((batch, 3, image, image)).astype(dtype), rng.integers(0, 10, batch)
    sizes: dict[str, Any] = {"num_filters": filters, "filter_size": kernel, "input_shape": (3, image, image)}
    model = init_two_layer_convnet(**sizes, weight_scale=1e-2, dtype=np.dtype(dtype))
    if who == "ours":
        return lambda: in_order(*two_layer_convnet(X, model, y, REG))

    import torch
    from torch.nn import functional as F

    images, W1 = (in_layout(array, who) for array in (X, model["W1"]))
    labels = torch.from_numpy(y)
    parameters = [W1.requires_grad_(), *(torch.from_numpy(model[name]).requires_grad_() for name in ("b1", "W2", "b2"))]

    def theirs() -> list[Any]:
        W1, b1, W2, b2 = parameters
        pooled = F.max_pool2d(F.relu(F.conv2d(images, W1, b1, padding=kernel // 2)), 2)
        loss = F.cross_entropy(pooled.flatten(1) @ W2 + b2, labels)
        loss = loss + 0.5 * REG * ((W1 * W1).sum() + (W2 * W2).sum())
        return [loss, *torch.autograd.grad(loss, parameters)]

    return theirs


def deep_net(who: str, batch: int) -> Step:
    """Return a step of conv 32 - ReLU - conv 64 - ReLU - pool - conv 128 - ReLU - pool - affine, with dX, float32."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((batch, 3, 32, 32), np.float32), rng.integers(0, 10, batch)
    shapes = (32, 3, 3, 3), (32,), (64, 32, 3, 3), (64,), (128, 64, 3, 3), (128,), (128 * 8 * 8, 10), (10,)
    parameters: list[Any] = [0.05 * rng.standard_normal(shape, np.float32) for shape in shapes]
    if who == "ours":
        same = {"stride": 1, "pad": 1}

        def ours() -> list[Any]:
            dout: Any
            W1, b1, W2, b2, W3, b3, W4, b4 = parameters
            with blas_held():
                out, cache1 = blocks.conv_relu_forward(X, W1, b1, same)
                out, cache2 = blocks.conv_relu_pool_forward(out, W2, b2, same, POOL)
                out, cache3 = blocks.conv_relu_pool_forward(out, W3, b3, same, POOL)
                scores, cache4 = layers.affine_forward(out, W4, b4)
                loss, dscores = losses.softmax_loss(scores, y)
                dout, dW4, db4 = layers.affine_backward(dscores, cache4)
                dout, dW3, db3 = blocks.conv_relu_pool_backward(dout, cache3)
                dout, dW2, db2 = blocks.conv_relu_pool_backward(dout, cache2)
                dX, dW1, db1 = blocks.conv_relu_backward(dout, cache1)
            return [loss, dX, dW1, db1, dW2, db2, dW3, db3, dW4, db4]

        return ours

    import torch
    from torch.nn import functional as F

    images, labels = in_layout(X, who), torch.from_numpy(y)
    tensors = [in_layout(array, who) if array.ndim == 4 else torch.from_numpy(array) for array in parameters]
    for tensor in (images, *tensors):
        tensor.requires_grad_()

    def theirs() -> list[Any]:
        W1, b1, W2, b2, W3, b3, W4, b4 = tensors
        out = F.relu(F.conv2d(images, W1, b1, padding=1))
        out = F.max_pool2d(F.relu(F.conv2d(out, W2, b2, padding=1)), 2)
        out = F.max_pool2d(F.relu(F.conv2d(out, W3, b3, padding=1)), 2)
        loss = F.cross_entropy(out.flatten(1) @ W4 + b4, labels)
        return [loss, *torch.autograd.grad(loss, [images, *tensors])]

    return theirs


def two_layer(who: str, batch: int) -> Step:
    """Return the step of problem 6.1: affine - ReLU - affine - softmax, 3072-50-10, float32."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((batch, 3072), np.float32), rng.integers(0, 10, batch)
    model = {name: 1e3 * array for name, array in init_two_layer_model(3072, 50, 10, dtype=np.float32).items()}
    if who == "ours":
        return lambda: in_order(*two_layer_net(X, model, y, REG))

    import torch
    from torch.nn import functional as F

    images, labels = torch.from_numpy(X), torch.from_numpy(y)
    parameters = [torch.from_numpy(model[name]).requires_grad_() for name in ("W1", "b1", "W2", "b2")]

    def theirs() -> list[Any]:
        W1, b1, W2, b2 = parameters
        loss = F.cross_entropy(F.relu(images @ W1 + b1) @ W2 + b2, labels)
        loss = loss + 0.5 * REG * ((W1 * W1).sum() + (W2 * W2).sum())
        return [loss, *torch.autograd.grad(loss, parameters)]

    return theirs


def pooling(who: str, batch: int) -> Step:
    """Return max pooling with windows of 3x3 in steps of 2, of 32 maps of 32x32, float32."""
    rng = np.random.default_rng(0)
    x, dout = (rng.standard_normal((batch, 32, size, size), np.float32) for size in (32, 15))
    if who == "ours":

        def ours() -> list[Any]:
            out, cache = fast_layers.max_pool_forward_fast(x, {"pool_height": 3, "pool_width": 3, "stride": 2})
            return [out, fast_layers.max_pool_backward_fast(dout, cache)]

        return ours

    import torch
    from torch.nn import functional as F

    maps, upstream = in_layout(x, who).requires_grad_(), in_layout(dout, who)

    def theirs() -> list[Any]:
        out = F.max_pool2d(maps, 3, 2)
        return [out, *torch.autograd.grad(out, maps, upstream)]

    return theirs


def strided_convolution(who: str, batch: int) -> Step:
    """Return a convolution in steps of 2, 64 filters of 3x3 on 32 maps of 32x32, float32, with all gradients."""
    rng = np.random.default_rng(0)
    x, dout = (rng.standard_normal((batch, *shape), np.float32) for shape in ((32, 32, 32), (64, 16, 16)))
    w, b = rng.standard_normal((64, 32, 3, 3), np.float32), rng.standard_normal(64, np.float32)
    if who == "ours":

        def ours() -> list[Any]:
            out, cache = fast_layers.conv_forward_fast(x, w, b, {"stride": 2, "pad": 1})
            return [out, *fast_layers.conv_backward_fast(dout, cache)]

        return ours

    import torch
    from torch.nn import functional as F

    images, filters, biases = in_layout(x, who), in_layout(w, who), torch.from_numpy(b)
    inputs = [tensor.requires_grad_() for tensor in (images, filters, biases)]
    upstream = in_layout(dout, who)

    def theirs() -> list[Any]:
        out = F.conv2d(images, filters, biases, stride=2, padding=1)
        return [out, *torch.autograd.grad(out, inputs, upstream)]

    return theirs


def in_order(loss: float, grads: dict[str, Any]) -> list[Any]:
    """Return the loss and the gradients in the order in which PyTorch's contenders return theirs."""
    return [loss, *(grads[name] for name in ("W1", "b1", "W2", "b2"))]


def in_layout(array: Any, who: str) -> Any:
    """Return a tensor of the values of ``array`` (N, C, H, W), in the order in memory that ``who`` stands for."""
    import torch

    order = torch.channels_last if who == "NHWC" else torch.contiguous_format
    return torch.tensor(array).contiguous(memory_format=order)


def _convnet_task(title: str, bar: float, batch: int = 50, kernel: int = 7, dtype: str = "float32") -> Task:
    positions, pooled, window = batch * 32 * 32, batch * 32 * 16 * 16, 3 * kernel**2
    flops = 2 * (2 * positions * window * 32 + 3 * pooled * 10)  # two products, as there is no gradient of the images
    values = 2 * 3 * positions + 4 * pooled + 3 * (32 * window + 8192 * 10)  # reads and writes, forward and backward
    options = {"batch": batch, "kernel": kernel, "dtype": dtype}
    return Task(title, "convnet", flops, values * np.dtype(dtype).itemsize, bar, options)


def _deep_task(title: str, bar: float, batch: int) -> Task:
    products = batch * (1024 * 27 * 32 + 1024 * 288 * 64 + 256 * 576 * 128 + 8192 * 10)
    maps = batch * (1024 * (3 + 32) + 256 * 64 + 64 * 128)  # the images, and what goes from block to block
    values = 5 * maps + 3 * (27 * 32 + 288 * 64 + 576 * 128 + 8192 * 10)
    return Task(title, "deep_net", 3 * 2 * products, 4 * values, bar, {"batch": batch})


_MAPS, _POOLED, _STRIDED = 64 * 32 * 32 * 32, 64 * 32 * 15 * 15, 64 * 64 * 16 * 16
TASKS = (
    _convnet_task("ConvNet of 6.3, 50 images, 7x7", 1.0),
    _convnet_task("ConvNet of 6.3, 128 images, 3x3", 0.7, batch=128, kernel=3),
    _convnet_task("ConvNet of 6.3, 50 images, 7x7, float64", 0.6, dtype="float64"),
    _deep_task("three convolutions, 64 images, with dX", 1.5, batch=64),
    Task(
        "two-layer net 3072-50-10, 100 images",
        *("two_layer", 4 * 100 * 3072 * 50 + 6 * 100 * 50 * 10, 4 * (2 * 100 * 3072 + 3 * 3072 * 50)),
        *(0.8, {"batch": 100}),
    ),
    Task("max pooling 3x3, stride 2", "pooling", 9 * _POOLED, 4 * 2 * (_MAPS + _POOLED), 2.0, {"batch": 64}),
    Task(
        "convolution 3x3, stride 2, with dx",
        *("strided_convolution", 3 * 2 * _STRIDED * 288, 4 * (3 * _MAPS + 2 * _STRIDED + 3 * 288 * 64)),
        *(2.0, {"batch": 64}),
    ),
)
