"""The two-layer network, with its parts as small functions."""

import numpy as np


def init_two_layer_model(input_size, hidden_size, output_size):
    sizes = [input_size, hidden_size, output_size]
    model = {}
    for k in (1, 2):
        model[f"W{k}"] = np.random.randn(sizes[k - 1], sizes[k]) * 1e-5
        model[f"b{k}"] = np.zeros(sizes[k])
    return model


def _affine(x, W, b):
    return np.einsum("ni,io->no", x, W) + b


def _affine_slopes(x, dout):
    return np.einsum("ni,no->io", x, dout), np.einsum("no->o", dout)


def _log_softmax(scores):
    # log(exp(s) / sum(exp(s))) without the division, so that nothing can become log(0)
    shifted = scores - np.amax(scores, axis=1)[:, np.newaxis]
    return shifted - np.log(np.exp(shifted).sum(axis=1))[:, np.newaxis]


def _squares(W):
    return np.einsum("io,io->", W, W)


def two_layer_net(X, model, y=None, reg=0.0):
    W1, b1, W2, b2 = (model[name] for name in ("W1", "b1", "W2", "b2"))
    inputs = _affine(X, W1, b1)
    hidden = np.where(inputs > 0, inputs, 0)
    scores = _affine(hidden, W2, b2)
    if y is None:
        return scores

    N, C = scores.shape
    log_p = _log_softmax(scores)
    truth = y[:, np.newaxis] == np.arange(C)  # (N, C), one True in each row
    data_loss = -np.where(truth, log_p, 0).sum() / N
    loss = data_loss + 0.5 * reg * (_squares(W1) + _squares(W2))

    dscores = (np.exp(log_p) - truth) / N
    dhidden = np.einsum("nc,hc->nh", dscores, W2)
    dinputs = np.where(inputs > 0, dhidden, 0)
    dW2, db2 = _affine_slopes(hidden, dscores)
    dW1, db1 = _affine_slopes(X, dinputs)
    return loss, {"W1": dW1 + reg * W1, "b1": db1, "W2": dW2 + reg * W2, "b2": db2}
