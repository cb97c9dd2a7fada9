"""Numerical differentiation, one coordinate after the other."""

import numpy as np


def numerical_jacobian(f, w, delta=0.01, scheme="forward"):
    w = point("numerical_jacobian: w", w)
    n = len(w)
    y = outputs(f(w))
    m = len(y)
    jacobian = np.zeros((m, n))
    for j in range(n):
        if scheme == "forward":
            w_plus = w.copy()
            w_plus[j] += delta
            y_plus = outputs(f(w_plus))
            column = (y_plus - y) / delta
        elif scheme == "central":
            w_plus = w.copy()
            w_plus[j] += delta
            w_minus = w.copy()
            w_minus[j] -= delta
            y_plus = outputs(f(w_plus))
            y_minus = outputs(f(w_minus))
            column = (y_plus - y_minus) / (2 * delta)
        else:
            w_complex = w.astype(complex)
            w_complex[j] += 1j * delta
            y_complex = outputs(f(w_complex))
            column = np.imag(y_complex) / delta
        jacobian[:, j] = column
    return jacobian
