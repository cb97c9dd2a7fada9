"""The layers, with one loop over the places of the output, and all images and filters at once in it."""

import numpy as np


def _rows(x):
    return x.reshape(x.shape[0], np.prod(x.shape[1:], dtype=int))


def _places(length, window, stride):
    # how often a window fits when it moves on by the stride
    return (length - window) // stride + 1


def _window(images, top, left, height, width):
    # a view, so it can also be written to
    return images[:, :, top : top + height, left : left + width]


def _with_border(x, pad):
    N, C, H, W = x.shape
    bordered = np.zeros((N, C, H + 2 * pad, W + 2 * pad), dtype=x.dtype)
    _window(bordered, pad, pad, H, W)[...] = x
    return bordered


def affine_forward(x, w, b):
    out = np.einsum("nd,dm->nm", _rows(x), w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = np.einsum("nm,dm->nd", dout, w).reshape(x.shape)
    dw = np.einsum("nd,nm->dm", _rows(x), dout)
    db = np.einsum("nm->m", dout)
    return dx, dw, db


def relu_forward(x):
    out = np.where(x > 0, x, 0)
    return out, x


def relu_backward(dout, cache):
    return np.where(cache > 0, dout, 0)


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    H, W = x.shape[2:]
    HH, WW = w.shape[2:]
    H_out, W_out = _places(H + 2 * pad, HH, stride), _places(W + 2 * pad, WW, stride)
    bordered = _with_border(x, pad)
    out = np.zeros((x.shape[0], w.shape[0], H_out, W_out), dtype=x.dtype)
    for k in range(H_out * W_out):
        i, j = divmod(k, W_out)
        window = _window(bordered, i * stride, j * stride, HH, WW)
        # (N, C, HH, WW) times (F, C, HH, WW), summed over all but images and filters
        out[:, :, i, j] = np.tensordot(window, w, axes=((1, 2, 3), (1, 2, 3))) + b
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, _, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    H, W = x.shape[2:]
    HH, WW = w.shape[2:]
    H_out, W_out = dout.shape[2:]
    bordered = _with_border(x, pad)
    dbordered = np.zeros_like(bordered)
    dw = np.zeros_like(w)
    for k in range(H_out * W_out):
        i, j = divmod(k, W_out)
        box = (i * stride, j * stride, HH, WW)
        sent = dout[:, :, i, j]
        dw += np.einsum("nf,nchw->fchw", sent, _window(bordered, *box))
        _window(dbordered, *box)[...] += np.einsum("nf,fchw->nchw", sent, w)
    dx = _window(dbordered, pad, pad, H, W)
    db = np.einsum("nfij->f", dout)
    return dx, dw, db


def max_pool_forward_naive(x, pool_param):
    height, width = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    N, C, H, W = x.shape
    H_out, W_out = _places(H, height, stride), _places(W, width, stride)
    out = np.zeros((N, C, H_out, W_out), dtype=x.dtype)
    for i, j in np.ndindex(H_out, W_out):
        window = _window(x, i * stride, j * stride, height, width)
        out[:, :, i, j] = window.max(axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    height, width = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    N, C, H_out, W_out = dout.shape
    dx = np.zeros_like(x)
    for k in range(H_out * W_out):
        i, j = divmod(k, W_out)
        box = (i * stride, j * stride, height, width)
        values = _window(x, *box).reshape(N, C, height * width)
        # argmax takes the first of several equal values
        winner = np.argmax(values, axis=2)[:, :, np.newaxis]
        wins = np.arange(height * width) == winner
        sent = np.where(wins, dout[:, :, i, j, np.newaxis], 0)
        _window(dx, *box)[...] += sent.reshape(N, C, height, width)
    return dx
