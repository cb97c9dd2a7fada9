"""Task 5b: all points first, then f of each, then one subtraction."""

import numpy as np


def numerical_jacobian(f, w, delta=0.01, scheme="forward"):
    w = point("numerical_jacobian: w", w)
    if not delta > 0:
        raise ValueError("numerical_jacobian: delta must be above 0")
    if scheme not in SCHEMES:
        raise ValueError("numerical_jacobian: there is no such scheme")

    def values(points):
        # a row for each point
        return np.array([outputs(f(p)) for p in points])

    steps = delta * np.eye(w.size)  # row j changes coordinate j alone
    if scheme == "forward":
        return (values(w + steps) - values([w])).T / delta
    if scheme == "central":
        return (values(w + steps) - values(w - steps)).T / (2 * delta)
    return values(w + 1j * steps).T.imag / delta
