"""Numerical differentiation with a table of all changed points; point and outputs are those of the homework's file."""

import numpy as np


def numerical_jacobian(f, w, delta=0.01, scheme="forward"):
    w = point("numerical_jacobian: w", w)
    steps = np.where(np.eye(len(w)) > 0, delta, 0.0)

    def values(points):
        return np.array([outputs(f(p)) for p in points])  # (n, m)

    if scheme == "complex":
        quotients = values(w + 1j * steps).imag / delta
    elif scheme == "central":
        quotients = (values(w + steps) - values(w - steps)) / (2 * delta)
    else:
        quotients = (values(w + steps) - outputs(f(w))) / delta
    return quotients.T
