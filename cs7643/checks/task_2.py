"""Cases of task 2: the iterates, and the two sides of eq. (4).

The oracles are closed forms: w(t+1) as a product with a triangular matrix, the sides by hand and from the telescoped
sum, left = (||w*||^2 - ||w(T+1) - w*||^2) / (2 eta) + eta/2 sum ||v(t)||^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.checks.case import Function, case
from cs7643.comparison import Comparison, compare


def _walk(v: NDArray[Any], eta: float) -> NDArray[Any]:
    """Return w(1), ..., w(T+1): row t is -eta times the sum of the first t - 1 rows of v."""
    points: NDArray[Any] = -eta * np.tri(len(v) + 1, len(v), -1) @ v
    return points


@case("follow", "random vectors, and T + 1 points that begin at zero", "w(1) = 0 is the first row; w(T+1) the last")
def _(follow: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(0)
    for T, d in ((1, 1), (1, 4), (5, 1), (7, 3), (50, 20)):
        v, eta = rng.standard_normal((T, d)), float(rng.uniform(0.1, 2))
        yield compare("iterates", follow(v, eta), _walk(v, eta))


@case("follow", "huge and tiny vectors", "the norm of v does not matter: follow divides by nothing")
def _(follow: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(1)
    for scale in (1e12, 1e-3):
        v = scale * rng.standard_normal((6, 2))
        yield compare("iterates", follow(v, 0.5), _walk(v, 0.5))


@case("regret", "numbers by hand: T = 2, d = 1", "the first T points count, and w(1) goes with v(1)")
def _(regret: Function) -> Iterator[Comparison]:
    # (0 - 2) * 3 + (-3 - 2) * 1 = -11; the last point, 100, has no v
    yield compare(
        "regret", regret(np.array([[0.0], [-3.0], [100.0]]), np.array([2.0]), np.array([[3.0], [1.0]])), -11.0
    )


@case("regret", "the telescoped sum", "an index shifted by one: w(t) goes with v(t), not w(t+1)")
def _(regret: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(2)
    for T, d in ((1, 1), (3, 2), (40, 7)):
        v, w_star, eta = rng.standard_normal((T, d)), rng.standard_normal(d), float(rng.uniform(0.1, 2))
        points = _walk(v, eta)
        squares = np.sum(w_star**2) - np.sum((points[-1] - w_star) ** 2)
        yield compare("regret", regret(points, w_star, v), squares / (2 * eta) + eta / 2 * np.sum(v**2))


@case("regret_bound", "numbers by hand", "||w*||^2 / (2 eta) and eta/2 sum ||v||^2: both norms are squared")
def _(regret_bound: Function) -> Iterator[Comparison]:
    v = np.array([[1.0, 2.0], [2.0, 0.0], [0.0, -1.0]])  # the squares sum to 10
    yield compare("bound", regret_bound(np.array([3.0, 4.0]), v, 0.5), 25.0 + 2.5)
    yield compare("bound", regret_bound(np.array([3.0, 4.0]), v, 2.0), 6.25 + 10.0)
    yield compare("bound", regret_bound(np.zeros(2), v, 0.1), 0.5)


@case("regret_bound", "equals the regret where w* = w(T+1)", "the inequality is tight there, so nothing can be missing")
def _(regret_bound: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(3)
    for T, d in ((1, 1), (4, 3), (30, 5)):
        v, eta = rng.standard_normal((T, d)), float(rng.uniform(0.1, 2))
        points = _walk(v, eta)
        yield compare("bound", regret_bound(points[-1], v, eta), np.sum((points[:-1] - points[-1]) * v))
