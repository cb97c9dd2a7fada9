"""The two-layer network, one step a line."""

import numpy as np


def init_two_layer_model(input_size, hidden_size, output_size):
    model = {}
    model["W1"] = 0.00001 * np.random.randn(input_size, hidden_size)
    model["b1"] = np.zeros(hidden_size)
    model["W2"] = 0.00001 * np.random.randn(hidden_size, output_size)
    model["b2"] = np.zeros(output_size)
    return model


def two_layer_net(X, model, y=None, reg=0.0):
    W1 = model["W1"]
    b1 = model["b1"]
    W2 = model["W2"]
    b2 = model["b2"]
    N, D = X.shape
    assert W1.shape[0] == D

    # forward pass
    z1 = np.dot(X, W1) + b1
    a1 = np.maximum(0, z1)
    scores = np.dot(a1, W2) + b2
    if y is None:
        return scores

    # softmax; the largest score of each row is subtracted, so that exp does not overflow
    max_scores = np.max(scores, axis=1, keepdims=True)
    shifted = scores - max_scores
    exp_scores = np.exp(shifted)
    sum_exp = np.sum(exp_scores, axis=1, keepdims=True)
    probs = exp_scores / sum_exp

    # the loss; a probability may be rounded to 0, so the logarithm is taken of the sum alone
    correct_scores = shifted[np.arange(N), y]
    log_sums = np.log(sum_exp[:, 0])
    losses = log_sums - correct_scores
    data_loss = np.sum(losses) / N
    reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    loss = data_loss + reg_loss

    # backward pass
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores = dscores / N

    dW2 = np.dot(a1.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)[0]
    da1 = np.dot(dscores, W2.T)
    dz1 = da1.copy()
    dz1[z1 <= 0] = 0
    dW1 = np.dot(X.T, dz1)
    db1 = np.sum(dz1, axis=0, keepdims=True)[0]

    # the regularisation
    dW2 = dW2 + reg * W2
    dW1 = dW1 + reg * W1

    grads = {}
    grads["W1"] = dW1
    grads["b1"] = db1
    grads["W2"] = dW2
    grads["b2"] = db2
    return loss, grads
