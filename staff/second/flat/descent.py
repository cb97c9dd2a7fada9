"""Gradient descent with masks and sums over indices."""

import numpy as np


def _floats(x):
    return np.array(x, dtype=float)


def _square(x):
    # of the length of a vector; of the lengths of all rows of a matrix, added up
    return float(np.tensordot(x, x, axes=x.ndim))


def proximal_step(w, grad, lam):
    w, grad = _floats(w), _floats(grad)
    return w - grad * float(lam) ** -1.0


def step_size(lam):
    return float(lam) ** -1.0


def follow(v, eta):
    v = _floats(v)
    T = len(v)
    # point s has the vectors t < s behind it
    behind = np.where(np.arange(T) < np.arange(T + 1)[:, np.newaxis], 1.0, 0.0)
    return -eta * np.einsum("st,td->sd", behind, v)


def regret(iterates, w_star, v):
    v = _floats(v)
    gaps = _floats(iterates)[: len(v)] - _floats(w_star)
    return float(np.einsum("td,td->", gaps, v))


def regret_bound(w_star, v, eta):
    w_star, v = _floats(w_star), _floats(v)
    return 0.5 * (_square(w_star) / eta + eta * _square(v))


def gradient_descent(grad, w1, eta, T):
    points = [_floats(w1)]
    while len(points) < T + 1:
        here = points[-1]
        points.append(here - eta * _floats(grad(here.copy())))
    return np.stack(points)


def rate_step_size(B, rho, T):
    return B * T**-0.5 / rho


def rate_bound(B, rho, T):
    return B * rho * T**-0.5


def sgd_step(w, term, eta):
    w = _floats(w)
    centres = np.array([2.0, -1.0])[np.asarray(term) - 1]
    return w - eta * (w - centres)


def sgd_counterexample():
    # 0.8 is past the minimiser of f already, and term 1 goes on to 2
    return 0.8, 1, 0.25
