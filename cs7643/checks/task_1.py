"""Cases of task 1: the proximal step is what SciPy finds when it minimises eq. (3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from cs7643.checks.case import Function, case
from cs7643.comparison import Comparison, compare

WRONG_TURN = (
    "the derivative of lam/2 ||z - w||^2 is lam (z - w); that of the norm without its square has length 1, always"
)


def _minimise(w: NDArray[Any], grad: NDArray[Any], lam: float) -> NDArray[Any]:
    """Minimise eq. (3) numerically, without the constant f(w)."""
    found = optimize.minimize(
        lambda z: grad @ (z - w) + lam / 2 * np.sum((z - w) ** 2),
        np.zeros_like(w),
        jac=lambda z: grad + lam * (z - w),
        hess=lambda z: lam * np.eye(len(w)),
        method="trust-exact",
        options={"gtol": 1e-13 * (1 + lam), "max_trust_radius": 1e9, "initial_trust_radius": 1e3},
    )
    minimiser: NDArray[Any] = found.x
    return minimiser


@case("proximal_step", "the minimiser that SciPy finds, in 1 to 6 dimensions", WRONG_TURN)
def _(proximal_step: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(0)
    for d in range(1, 7):
        w, grad, lam = rng.standard_normal(d), rng.standard_normal(d), float(rng.uniform(0.2, 5))
        yield compare("w(t+1)", proximal_step(w, grad, lam), _minimise(w, grad, lam), 1e-8)


@case("proximal_step", "numbers by hand: w = (1, 2), grad = (4, -8), lam = 4", WRONG_TURN)
def _(proximal_step: Function) -> Iterator[Comparison]:
    yield compare("w(t+1)", proximal_step(np.array([1.0, 2.0]), np.array([4.0, -8.0]), 4.0), [0.0, 4.0])


@case("proximal_step", "a gradient of zero stays where it is", WRONG_TURN)
def _(proximal_step: Function) -> Iterator[Comparison]:
    yield compare("w(t+1)", proximal_step(np.array([3.0, -1.0]), np.zeros(2), 2.0), [3.0, -1.0])


@case("step_size", "gradient descent with this step reaches the minimum of eq. (3)", "eta and lam are not proportional")
def _(step_size: Function) -> Iterator[Comparison]:
    for lam in (0.1, 0.5, 1.0, 2.0, 30.0):
        minimiser = _minimise(np.zeros(1), np.array([-1.0]), lam)  # from 0 with slope -1: eta itself
        yield compare(f"step_size({lam:g})", step_size(lam), minimiser[0], 1e-8)
