"""The two-layer network of task 6.1, with one-hot labels."""

import numpy as np


def init_two_layer_model(input_size, hidden_size, output_size):
    return {
        "W1": 1e-5 * np.random.randn(input_size, hidden_size),
        "b1": np.zeros(hidden_size),
        "W2": 1e-5 * np.random.randn(hidden_size, output_size),
        "b2": np.zeros(output_size),
    }


def two_layer_net(X, model, y=None, reg=0.0):
    W1, b1, W2, b2 = [model[k] for k in ("W1", "b1", "W2", "b2")]
    N = X.shape[0]

    # forward pass
    z = np.dot(X, W1) + b1
    h = z.clip(min=0)
    scores = np.dot(h, W2) + b2
    if y is None:
        return scores

    # loss: log of the sum of the exponentials, minus the score of the label
    shifted = scores - np.amax(scores, axis=1)[:, None]
    exps = np.exp(shifted)
    sums = np.sum(exps, axis=1)
    losses = np.log(sums) - shifted[np.arange(N), y]
    loss = np.sum(losses) / N
    loss += 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

    # backward pass
    probs = exps / sums[:, None]
    targets = np.arange(b2.size) == y[:, None]  # one-hot
    ds = (probs - targets) / N
    dz = np.dot(ds, W2.T) * (z > 0)
    dW1 = np.dot(X.T, dz) + reg * W1
    dW2 = np.dot(h.T, ds) + reg * W2
    return loss, {"W1": dW1, "b1": dz.sum(axis=0), "W2": dW2, "b2": ds.sum(axis=0)}
