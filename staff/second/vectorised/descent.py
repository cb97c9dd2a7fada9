"""Tasks 1 to 4, with broadcasting and matrix products."""

import numpy as np


def proximal_step(w, grad, lam):
    # lam (z - w) + grad = 0, solved for z
    return np.asarray(w, dtype=float) - lam**-1.0 * np.asarray(grad, dtype=float)


def step_size(lam):
    return lam**-1.0


def follow(v, eta):
    v = np.asarray(v, dtype=float)
    # w(1) = 0 is the first row, then every row is the one above minus a step
    steps = np.vstack([np.zeros_like(v[:1]), -eta * v])
    return steps.cumsum(axis=0)


def regret(iterates, w_star, v):
    # the last iterate has no v
    differences = np.asarray(iterates)[:-1] - np.asarray(w_star)
    return float(np.einsum("td,td->", differences, v))


def regret_bound(w_star, v, eta):
    w_norm2 = np.dot(w_star, w_star)
    v_norms2 = np.square(v).sum(axis=1)
    return float((w_norm2 / eta + eta * v_norms2.sum()) / 2)


def gradient_descent(grad, w1, eta, T):
    w = np.array(w1, dtype=float)
    ws = [w]
    for t in range(1, T + 1):
        w = w - eta * np.asarray(grad(w))
        ws.append(w)
    return np.vstack(ws)


def rate_step_size(B, rho, T):
    return float(B / rho * T**-0.5)


def rate_bound(B, rho, T):
    # both terms of the bound are equal at the best eta, so it is twice the first
    eta = B / (rho * T**0.5)
    return float(B**2 / (eta * T))


def sgd_step(w, term, eta):
    w = np.asarray(w, dtype=float)
    centres = np.array([2.0, -1.0])  # of term 1 and of term 2
    return w - eta * (w - centres[np.asarray(term) - 1])


def sgd_counterexample():
    # f is smallest at 0.5; from 1 the first term pulls to 2, away from it
    return 1.0, 1, 0.5
