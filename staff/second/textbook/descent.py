"""Gradient descent with loops and lists."""

import numpy as np


def proximal_step(w, grad, lam):
    w = np.array(w, dtype=np.float64)
    grad = np.array(grad, dtype=np.float64)
    # grad + lam * (z - w) = 0
    eta = 1.0 / lam
    step = eta * grad
    z = w - step
    return z


def step_size(lam):
    eta = 1.0 / lam
    return eta


def follow(v, eta):
    v = np.array(v, dtype=np.float64)
    T, d = v.shape
    w = np.zeros(d)
    iterates = [w]
    for t in range(T):
        step = eta * v[t]
        w = w - step
        iterates.append(w)
    return np.array(iterates)


def regret(iterates, w_star, v):
    iterates = np.array(iterates, dtype=np.float64)
    w_star = np.array(w_star, dtype=np.float64)
    v = np.array(v, dtype=np.float64)
    T = v.shape[0]
    assert iterates.shape == (T + 1, v.shape[1])
    total = 0.0
    for t in range(T):
        difference = iterates[t] - w_star
        inner = np.dot(difference, v[t])
        total += inner
    return total


def regret_bound(w_star, v, eta):
    w_star = np.array(w_star, dtype=np.float64)
    v = np.array(v, dtype=np.float64)
    T = v.shape[0]
    first = np.linalg.norm(w_star) ** 2 / (2 * eta)
    sum_of_squares = 0.0
    for t in range(T):
        sum_of_squares += np.linalg.norm(v[t]) ** 2
    second = eta / 2 * sum_of_squares
    return first + second


def gradient_descent(grad, w1, eta, T):
    w = np.array(w1, dtype=np.float64)
    start = w.copy()
    iterates = []
    iterates.append(start)
    for t in range(T):
        g = np.array(grad(w.copy()), dtype=np.float64)
        w = w - eta * g
        iterates.append(w)
    return np.array(iterates)


def rate_step_size(B, rho, T):
    root = np.sqrt(T)
    eta = B / (rho * root)
    return eta


def rate_bound(B, rho, T):
    root = np.sqrt(T)
    bound = B * rho / root
    return bound


def sgd_step(w, term, eta):
    w = np.array(w, dtype=np.float64)
    terms = np.zeros(w.shape)
    terms[...] = term
    # the derivative of (w - 2)^2 / 2 is w - 2, that of (w + 1)^2 / 2 is w + 1
    slope = np.zeros(w.shape)
    first = terms == 1
    second = terms == 2
    slope[first] = w[first] - 2.0
    slope[second] = w[second] + 1.0
    w_next = w - eta * slope
    return w_next


def sgd_counterexample():
    # halfway between the two minimisers f is as small as it can be, so every step raises it
    w = 0.5
    term = 1
    eta = 0.1
    return w, term, eta
