"""Closed forms for the SGD counterexample, f(w) = (w - 2)^2 / 2 + (w + 1)^2 / 2, and simulations.

A step on the term with centre c is w -> w - eta (w - c). The minimiser is 1/2, and f(w) - f(1/2) = (w - 1/2)^2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
CENTRES = {1: 2.0, 2: -1.0}
MINIMISER = 0.5


def f(w: ArrayLike) -> Array:
    """Return the sum of both terms, for each element of w."""
    w = np.asarray(w)
    return np.asarray((w - 2) ** 2 / 2 + (w + 1) ** 2 / 2)


def raises(w: ArrayLike, term: int, eta: ArrayLike) -> NDArray[np.bool_]:
    """Tell, by the closed form, where a step on the term raises f; w and eta are broadcast.

    With g = w - c, the gradient of the term, f changes by eta g (eta g - (2w - 1)).
    """
    w, eta = np.asarray(w, dtype=np.float64), np.asarray(eta, dtype=np.float64)
    slope = w - CENTRES[term]
    return np.asarray(eta * slope * (eta * slope - (2 * w - 1)) > 0)


def expected_to_descend(w: ArrayLike, eta: ArrayLike) -> NDArray[np.bool_]:
    """Tell where f decreases in expectation: eta ((w - 2)^2 + (w + 1)^2) < (2w - 1)^2; w and eta are broadcast."""
    w, eta = np.asarray(w, dtype=np.float64), np.asarray(eta, dtype=np.float64)
    return np.asarray(eta * ((w - 2) ** 2 + (w + 1) ** 2) < (2 * w - 1) ** 2)


def expected_excess(w1: float, eta: float, steps: ArrayLike) -> Array:
    """Return the expectation of f(w) - f(w*) after each number of steps of constant size, from w1.

    A step takes w - 1/2 to (1 - eta)(w - 1/2) plus or minus 3 eta / 2, so its mean square x obeys
    x -> (1 - eta)^2 x + 9 eta^2 / 4, which converges to :func:`noise_floor`.
    """
    kept = (1 - eta) ** (2 * np.asarray(steps))
    return np.asarray(kept * (w1 - MINIMISER) ** 2 + (1 - kept) * noise_floor(eta))


def noise_floor(eta: float) -> float:
    """Return the limit of the expectation of f(w) - f(w*): 9 eta / (4 (2 - eta)), for eta between 0 and 2."""
    if not 0 < eta < 2:
        raise ValueError(f"noise_floor: eta must be above 0 and below 2, or SGD diverges, got {eta}")
    return 9 * eta / (4 * (2 - eta))


def simulate(
    step: Callable[..., Any], w1: float, eta: Callable[[int], float], steps: int, runs: int, seed: int
) -> Array:
    """Run SGD many times at once, each run with its own random terms.

    Args:
        step: the student's ``sgd_step(w, term, eta)``, for arrays.
        w1: where all runs start.
        eta: takes the number of a step, from 1, returns its size.
        steps: the number of steps.
        runs: the number of runs.
        seed: that of the terms.

    Returns:
        (steps + 1, runs), the points.
    """
    terms = np.random.default_rng(seed).integers(1, 3, (steps, runs))
    points = np.full((steps + 1, runs), w1, dtype=np.float64)
    for t in range(steps):
        points[t + 1] = step(points[t], terms[t], eta(t + 1))
    return points
