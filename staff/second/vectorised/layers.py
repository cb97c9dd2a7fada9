"""The layers of task 6.2 without loops: all windows are taken at once, by index arrays."""

import numpy as np


def affine_forward(x, w, b):
    rows = x.reshape(x.shape[0], -1)
    return np.dot(rows, w) + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = np.einsum("nm,dm->nd", dout, w).reshape(x.shape)
    dw = np.einsum("nd,nm->dm", x.reshape(x.shape[0], -1), dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    return np.where(x > 0, x, 0), x


def relu_backward(dout, cache):
    return np.where(cache > 0, dout, 0)


def conv_forward_naive(x, w, b, conv_param):
    stride = conv_param["stride"]
    pad = conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride

    # im2col: the rows and columns of every pixel of every window, by broadcasting
    rows = stride * np.arange(H_out)[:, None, None, None] + np.arange(HH)[:, None]
    cols = stride * np.arange(W_out)[:, None, None] + np.arange(WW)
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    windows = x_pad[:, :, rows, cols]  # (N, C, H_out, W_out, HH, WW)

    # one matrix product for all windows and filters
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(N * H_out * W_out, -1)
    out = np.dot(columns, w.reshape(F, -1).T) + b
    out = out.reshape(N, H_out, W_out, F).transpose(0, 3, 1, 2)
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride = conv_param["stride"]
    pad = conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out, W_out = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride

    # the same windows as in the forward pass
    rows = stride * np.arange(H_out)[:, None, None, None] + np.arange(HH)[:, None]
    cols = stride * np.arange(W_out)[:, None, None] + np.arange(WW)
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    windows = x_pad[:, :, rows, cols]  # (N, C, H_out, W_out, HH, WW)

    db = np.sum(dout, axis=(0, 2, 3))
    dw = np.tensordot(dout, windows, axes=([0, 2, 3], [0, 2, 3]))

    # what every window sends back; add.at adds up where windows overlap
    dwindows = np.tensordot(dout, w, axes=([1], [0]))  # (N, H_out, W_out, C, HH, WW)
    dx_pad = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    np.add.at(dx_pad, (slice(None), slice(None), rows, cols), dwindows.transpose(0, 3, 1, 2, 4, 5))
    dx = dx_pad[:, :, pad : H + pad, pad : W + pad]
    return dx, dw, db


def max_pool_forward_naive(x, pool_param):
    PH, PW = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    N, C, H, W = x.shape
    H_out, W_out = 1 + (H - PH) // stride, 1 + (W - PW) // stride

    # every window, then only those at the multiples of the stride
    windows = np.lib.stride_tricks.sliding_window_view(x, (PH, PW), axis=(2, 3))
    tops, lefts = stride * np.arange(H_out), stride * np.arange(W_out)
    out = windows[:, :, tops[:, None], lefts].max(axis=(4, 5))
    return out, (x, pool_param)


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    PH, PW = pool_param["pool_height"], pool_param["pool_width"]
    stride = pool_param["stride"]
    N, C, H, W = x.shape
    H_out, W_out = 1 + (H - PH) // stride, 1 + (W - PW) // stride

    # where each window begins, and the windows as rows of PH * PW values
    tops = stride * np.arange(H_out)[:, None]
    lefts = stride * np.arange(W_out)
    windows = np.lib.stride_tricks.sliding_window_view(x, (PH, PW), axis=(2, 3))[:, :, tops, lefts]
    flat = windows.reshape(N, C, H_out, W_out, PH * PW)

    # argmax finds the first of several equal values
    winner = flat.argmax(axis=-1)
    n = np.arange(N)[:, None, None, None]
    c = np.arange(C)[:, None, None]
    dx = np.zeros_like(x)
    np.add.at(dx, (n, c, tops + winner // PW, lefts + winner % PW), dout)
    return dx
