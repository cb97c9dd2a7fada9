"""The layers, with a loop for every index."""

import numpy as np


def affine_forward(x, w, b):
    N = x.shape[0]
    # every image becomes one long row
    x_rows = np.reshape(x, (N, -1))
    product = np.dot(x_rows, w)
    out = product + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    N = x.shape[0]
    x_rows = np.reshape(x, (N, -1))

    dx_rows = np.dot(dout, np.transpose(w))
    dx = np.reshape(dx_rows, x.shape)
    dw = np.dot(np.transpose(x_rows), dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    out = x.copy()
    negative = out < 0
    out[negative] = 0
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    # a copy, because dout belongs to the caller
    dx = dout.copy()
    blocked = x <= 0
    dx[blocked] = 0
    return dx


def conv_forward_naive(x, w, b, conv_param):
    stride = conv_param["stride"]
    pad = conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape

    # size of the output; // leaves out the rows and columns that do not fill a window
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride

    # zeros around every image, but not around the batch and the channels
    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")

    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    h_start = i * stride
                    h_end = h_start + HH
                    w_start = j * stride
                    w_end = w_start + WW
                    window = x_padded[n, :, h_start:h_end, w_start:w_end]
                    products = window * w[f]
                    out[n, f, i, j] = np.sum(products) + b[f]

    cache = (x, w, b, conv_param)
    return out, cache


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride = conv_param["stride"]
    pad = conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    _, _, H_out, W_out = dout.shape

    x_padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    dx_padded = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    dx = np.zeros((N, C, H, W))
    dw = np.zeros((F, C, HH, WW))

    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    h_start = i * stride
                    h_end = h_start + HH
                    w_start = j * stride
                    w_end = w_start + WW
                    window = x_padded[n, :, h_start:h_end, w_start:w_end]
                    dw[f] += dout[n, f, i, j] * window
                    # a pixel lies under several windows and collects from each of them
                    dx_padded[n, :, h_start:h_end, w_start:w_end] += dout[n, f, i, j] * w[f]
        # take the padding away again
        dx[n] = dx_padded[n, :, pad : pad + H, pad : pad + W]

    db = np.sum(dout, axis=(0, 2, 3))
    return dx, dw, db


def max_pool_forward_naive(x, pool_param):
    pool_height = pool_param["pool_height"]
    pool_width = pool_param["pool_width"]
    stride = pool_param["stride"]
    N, C, H, W = x.shape

    H_out = 1 + (H - pool_height) // stride
    W_out = 1 + (W - pool_width) // stride

    out = np.zeros((N, C, H_out, W_out))
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    h_start = i * stride
                    h_end = h_start + pool_height
                    w_start = j * stride
                    w_end = w_start + pool_width
                    window = x[n, c, h_start:h_end, w_start:w_end]
                    out[n, c, i, j] = np.max(window)

    cache = (x, pool_param)
    return out, cache


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    pool_height = pool_param["pool_height"]
    pool_width = pool_param["pool_width"]
    stride = pool_param["stride"]
    N, C, H, W = x.shape
    _, _, H_out, W_out = dout.shape

    dx = np.zeros((N, C, H, W))
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    h_start = i * stride
                    h_end = h_start + pool_height
                    w_start = j * stride
                    w_end = w_start + pool_width
                    # look for the first of the largest values, row by row
                    h_best = h_start
                    w_best = w_start
                    for h in range(h_start, h_end):
                        for v in range(w_start, w_end):
                            if x[n, c, h, v] > x[n, c, h_best, w_best]:
                                h_best = h
                                w_best = v
                    dx[n, c, h_best, w_best] += dout[n, c, i, j]
    return dx
