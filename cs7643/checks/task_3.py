"""Cases of task 3: gradient descent against its closed form on quadratics, and the rate against SciPy's minimum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import optimize

from cs7643.checks.case import CaseFailed, Function, case
from cs7643.comparison import Comparison, compare


@case("gradient_descent", "a quadratic, in closed form", "each gradient is taken at the newest point, w(t)")
def _(gradient_descent: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(0)
    for d, T, eta in ((1, 1, 0.3), (2, 6, 0.1), (5, 20, 0.05)):
        curvatures, w1 = rng.uniform(0.5, 4, d), rng.standard_normal(d)
        points = w1 * (1 - eta * curvatures) ** np.arange(T + 1)[:, None]
        yield compare("iterates", gradient_descent(lambda w, c=curvatures: c * w, w1, eta, T), points)


@case("gradient_descent", "a subgradient of |w|, which jumps", "T steps, T + 1 points, the first of them w1")
def _(gradient_descent: Function) -> Iterator[Comparison]:
    points = gradient_descent(np.sign, np.array([1.0]), 0.75, 4)
    yield compare("iterates", points, [[1.0], [0.25], [-0.5], [0.25], [-0.5]])


@case("gradient_descent", "asks for one gradient a step", "keep the gradient of w(t) instead of computing it again")
def _(gradient_descent: Function) -> Iterator[Comparison]:
    asked = []

    def grad(w: np.ndarray) -> np.ndarray:
        asked.append(w.copy())
        return 2 * w

    gradient_descent(grad, np.array([1.0, -2.0]), 0.25, 3)
    if len(asked) != 3:
        raise CaseFailed(f"it should call grad once for each of the 3 steps, it called it {len(asked)} times")
    yield compare("the points at which grad was asked", np.array(asked), np.array([1.0, -2.0]) * [[1], [0.5], [0.25]])


def _best(B: float, rho: float, T: int) -> tuple[float, float]:
    """Minimise B^2 / (2 eta T) + eta rho^2 / 2 over log eta: the best step size, and the bound there."""
    found = optimize.minimize_scalar(
        lambda log: B**2 / (2 * np.exp(log) * T) + np.exp(log) * rho**2 / 2,
        bracket=(-1.0, 1.0),
        method="brent",
        options={"xtol": 1e-12},
    )
    return float(np.exp(found.x)), float(found.fun)


SETTINGS = ((1.0, 1.0, 1), (2.0, 1.0, 9), (0.5, 3.0, 100), (7.0, 0.2, 1000))


@case(
    "rate_step_size",
    "the step size that makes the bound smallest",
    "where the derivative of the bound with respect to eta is zero",
)
def _(rate_step_size: Function) -> Iterator[Comparison]:
    for B, rho, T in SETTINGS:
        yield compare(f"rate_step_size({B:g}, {rho:g}, {T})", rate_step_size(B, rho, T), _best(B, rho, T)[0], 1e-6)


@case("rate_bound", "the smallest bound", "with the best step size the two terms of the bound are equal")
def _(rate_bound: Function) -> Iterator[Comparison]:
    for B, rho, T in SETTINGS:
        yield compare(f"rate_bound({B:g}, {rho:g}, {T})", rate_bound(B, rho, T), _best(B, rho, T)[1], 1e-9)
