"""Cases of task 1: the proximal step is what SciPy finds when it minimises eq. (3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import optimize

from coursework.check.case import Attempt, Function, case
from coursework.check.comparison import Prediction, compare
from coursework.check.diagnosis import mistake

MINIMISE = "Minimise eq. (3), f(w(t)) + <z - w(t), grad> + lam/2 ||z - w(t)||^2, over z in R^d"

mistake(
    "proximal_step",
    "norm not squared",
    "the step has the same length for every gradient; the norm in eq. (3) is squared, and its derivative is "
    "lam (z - w(t)), not a vector of length 1.",
)
mistake("proximal_step", "half lost", "the step is half of what it should be: the 1/2 in lam/2 goes with the square.")
mistake("proximal_step", "half kept", "the step is twice what it should be: d/dz of lam/2 z^2 is lam z.")
mistake("proximal_step", "uphill", "the step goes along the gradient, and should go against it.")
mistake("proximal_step", "lam multiplies", "lam multiplies the gradient: a heavier penalty makes a shorter step.")
mistake("proximal_step", "lam lost", "lam has no influence on the step.")
mistake("proximal_step", "w lost", "the step alone is returned, without the point w(t) that it starts from.")
mistake("step_size", "lam multiplies", "eta grows with lam: a heavier penalty makes a shorter step.")
mistake("step_size", "half lost", "eta is half of what it should be: the 1/2 in lam/2 goes with the square.")
mistake("step_size", "half kept", "eta is twice what it should be: d/dz of lam/2 z^2 is lam z.")
mistake("step_size", "square", "eta falls with the square or the root of lam: eq. (3) has lam itself.")


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


def _mistaken(w: NDArray[Any], lam: float, right: NDArray[Any]) -> dict[str, Prediction]:
    """Return what the usual mistakes make of a step from w to the right point."""
    step = right - w
    unit = step / np.linalg.norm(step)
    return {
        "norm not squared": (w + unit, w + unit / lam, w + unit * lam),
        "half lost": w + step / 2,
        "half kept": w + 2 * step,
        "uphill": w - step,
        "lam multiplies": w + lam**2 * step,
        "lam lost": w + lam * step,
        "w lost": (step, -step),
    }


@case("proximal_step", "the minimiser that SciPy finds, in 1 to 6 dimensions", MINIMISE)
def _proximal_step_the_minimiser_that_scipy_finds_in(proximal_step: Function, rng: Generator) -> Attempt:
    for d in range(1, 7):
        w, grad, lam = rng.standard_normal(d), rng.standard_normal(d), float(rng.uniform(0.2, 5))
        right = _minimise(w, grad, lam)
        yield compare("w(t+1)", proximal_step(w, grad, lam), right, 1e-8, mistakes=_mistaken(w, lam, right), base=w)


@case("proximal_step", "numbers by hand: w = (1, 2), grad = (4, -8), lam = 4", MINIMISE)
def _proximal_step_numbers_by_hand_w_1_2_grad_4_8_lam(proximal_step: Function, _: Generator) -> Attempt:
    w, right = np.array([1.0, 2.0]), np.array([0.0, 4.0])
    yield compare(
        "w(t+1)", proximal_step(w, np.array([4.0, -8.0]), 4.0), right, mistakes=_mistaken(w, 4.0, right), base=w
    )


@case("proximal_step", "a gradient of zero stays where it is", "where grad is zero, that is w(t) itself", leans=True)
def _proximal_step_a_gradient_of_zero_stays_where_it(proximal_step: Function, rng: Generator) -> Attempt:
    w = rng.standard_normal(int(rng.integers(1, 5)))
    yield compare("w(t+1)", proximal_step(w, np.zeros_like(w), 2.0), w, mistakes={"w lost": np.zeros_like(w)})


@case(
    "step_size",
    "gradient descent with this step reaches the minimum of eq. (3)",
    "w(t+1) = w(t) - eta grad, takes the step of proximal_step",
)
def _step_size_gradient_descent_with_this_step(step_size: Function, rng: Generator) -> Attempt:
    for lam in (0.1, 0.5, 1.0, 2.0, 30.0, float(rng.uniform(0.1, 10))):
        eta = _minimise(np.zeros(1), np.array([-1.0]), lam)[0]  # from 0 with slope -1: eta itself
        mistakes: dict[str, Prediction] = {
            "lam multiplies": (lam, lam / 2),
            "half lost": eta / 2,
            "half kept": 2 * eta,
            "square": (eta**2, np.sqrt(eta)),
        }
        yield compare(f"step_size({lam:g})", step_size(lam), eta, 1e-8, mistakes=mistakes)
