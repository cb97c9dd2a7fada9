"""Cases of task 3: gradient descent against its closed form on quadratics, and the rate against SciPy's minimum."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import optimize

from coursework.check.case import Attempt, CaseFailed, Function, case
from coursework.check.comparison import Prediction, compare
from coursework.check.diagnosis import mistake

NEWEST = "Take T steps of gradient descent, w(t+1) = w(t) - eta grad(w(t))"

mistake("gradient_descent", "gradient at w1", "every gradient is taken at w1: take it at the newest point.")
mistake(
    "gradient_descent",
    "one array for all iterates",
    "all rows are one array, changed in place (w -= ...): keep a copy of each point.",
)
mistake("gradient_descent", "uphill", "the steps go along the gradient, and should go against it.")
mistake("gradient_descent", "eta lost", "eta has no influence on the steps.")
mistake("gradient_descent", "w1 lost", "the walk begins at zero, and should begin at w1.")
mistake("gradient_descent", "w1 is missing", "w1 is missing from the rows: T steps visit T + 1 points.")
mistake("gradient_descent", "w(T+1) is missing", "the last point is missing: T steps visit T + 1 points.")
mistake("gradient_descent", "last point only", "only the last point is returned, and all T + 1 are wanted.")
mistake("gradient_descent", "normalised", "all steps have the same length: the gradient is taken as it is.")
mistake("gradient_descent", "falling steps", "the steps shrink with t: eta is the same in each.")
mistake("gradient_descent", "asks twice", "one gradient a step is enough: keep it instead of computing it again.")
mistake("rate_step_size", "T without its root", "T stands where its square root should.")
mistake("rate_step_size", "T lost", "T has no influence: more steps are shorter ones.")
mistake("rate_step_size", "rho multiplies", "rho multiplies, and should divide: a steeper f needs shorter steps.")
mistake("rate_step_size", "exchanged", "B and rho are exchanged: the further the minimiser, the longer the steps.")
mistake("rate_step_size", "factor", "a constant factor is left over; with norms at most B and rho it cancels.")
mistake("rate_bound", "T without its root", "T stands where its square root should.")
mistake("rate_bound", "T lost", "T has no influence: the bound falls as T grows.")
mistake("rate_bound", "regret", "it is the bound on the regret, the sum over T steps; the average has 1/T of it.")
mistake("rate_bound", "half", "one term of two, or both twice: at the best eta both terms are equal, and add up.")
mistake("rate_bound", "rho divides", "rho divides, and should multiply: a steeper f is further above its minimum.")


def _steps_are(eta: float, points: NDArray[Any]) -> bool:
    return bool(np.allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), eta))


@case("gradient_descent", "a quadratic, in closed form", NEWEST)
def _gradient_descent_a_quadratic_in_closed_form(gradient_descent: Function, rng: Generator) -> Attempt:
    for d, T, eta in (
        (1, 1, 0.3),
        (2, 6, 0.1),
        (5, 20, 0.05),
        (int(rng.integers(2, 9)), int(rng.integers(3, 30)), 0.07),
    ):
        curvatures, w1 = rng.uniform(0.5, 4, d), rng.standard_normal(d)
        t = np.arange(T + 1)[:, np.newaxis]
        points = w1 * (1 - eta * curvatures) ** t
        shrinking = [np.cumprod(1 - eta * curvatures / n(t[1:]), axis=0) for n in (lambda t: t, np.sqrt)]
        mistakes: dict[str, Prediction] = {
            "gradient at w1": w1 * (1 - eta * curvatures * t),
            "one array for all iterates": np.repeat(points[-1:], len(points), axis=0),
            "uphill": w1 * (1 + eta * curvatures) ** t,
            "eta lost": w1 * (1 - curvatures) ** t,
            "w1 lost": np.zeros_like(points),
            "w1 is missing": points[1:],
            "w(T+1) is missing": points[:-1],
            "last point only": points[-1],
            "normalised": functools.partial(_steps_are, eta),
            "falling steps": tuple(np.concatenate([w1[np.newaxis], w1 * factors]) for factors in shrinking),
        }
        mistakes["gradient at w1 + uphill"] = w1 * (1 + eta * curvatures * t)
        for name in ("gradient at w1", "uphill", "eta lost", "w1 lost"):
            mistakes[f"{name} + w1 is missing"] = np.asarray(mistakes[name])[1:]
            mistakes[f"{name} + w(T+1) is missing"] = np.asarray(mistakes[name])[:-1]
        found = gradient_descent(lambda w, c=curvatures: c * w, w1, eta, T)
        yield compare("iterates", found, points, mistakes=mistakes)


@case("gradient_descent", "a subgradient of |w|, which jumps", "returns the gradient there, or any subgradient")
def _gradient_descent_a_subgradient_of_w_which_jumps(gradient_descent: Function, _: Generator) -> Attempt:
    points = np.array([[1.0], [0.25], [-0.5], [0.25], [-0.5]])
    mistakes: dict[str, Prediction] = {"gradient at w1": 1 - 0.75 * np.arange(5.0)[:, np.newaxis]}
    yield compare("iterates", gradient_descent(np.sign, np.array([1.0]), 0.75, 4), points, mistakes=mistakes)


@case("gradient_descent", "asks for one gradient a step", "It is called once for each step", edge=True)
def _gradient_descent_asks_for_one_gradient_a_step(gradient_descent: Function, _: Generator) -> Attempt:
    asked = []

    def grad(w: np.ndarray) -> np.ndarray:
        asked.append(w.copy())
        return 2 * w

    gradient_descent(grad, np.array([1.0, -2.0]), 0.25, 3)
    if len(asked) != 3:
        found = f"it should call grad once for each of the 3 steps, it called it {len(asked)} times"
        raise CaseFailed(found, "asks twice" if len(asked) > 3 else "")
    points = np.array([1.0, -2.0]) * [[1], [0.5], [0.25]]
    yield compare("the points at which grad was asked", np.array(asked), points)


def _best(B: float, rho: float, T: int) -> tuple[float, float]:
    """Minimise B^2 / (2 eta T) + eta rho^2 / 2 over log eta: the best step size, and the bound there."""
    found = optimize.minimize_scalar(
        lambda log: B**2 / (2 * np.exp(log) * T) + np.exp(log) * rho**2 / 2,
        bracket=(-1.0, 1.0),
        method="brent",
        options={"xtol": 1e-12},
    )
    return float(np.exp(found.x)), float(found.fun)


def _settings(rng: Generator) -> list[tuple[float, float, int]]:
    drawn = (float(rng.uniform(0.2, 9)), float(rng.uniform(0.2, 9)), int(rng.integers(2, 500)))
    return [(1.0, 1.0, 1), (2.0, 1.0, 9), (0.5, 3.0, 100), (7.0, 0.2, 1000), drawn]


@case(
    "rate_step_size",
    "the step size that makes the bound smallest",
    "the one that makes the bound smallest",
)
def _rate_step_size_the_step_size_that_makes_the(rate_step_size: Function, rng: Generator) -> Attempt:
    for B, rho, T in _settings(rng):
        right = _best(B, rho, T)[0]
        mistakes: dict[str, Prediction] = {
            "T without its root": right / np.sqrt(T),
            "T lost": right * np.sqrt(T),
            "rho multiplies": right * rho**2,
            "exchanged": 1 / (right * T),
            "factor": (right / 2, right * 2, right * np.sqrt(2), right / np.sqrt(2)),
        }
        found = rate_step_size(B, rho, T)
        yield compare(f"rate_step_size({B:g}, {rho:g}, {T})", found, right, 1e-6, mistakes=mistakes)


@case("rate_bound", "the smallest bound", "what f(average) - f(w*) cannot exceed after T steps of that size")
def _rate_bound_the_smallest_bound(rate_bound: Function, rng: Generator) -> Attempt:
    for B, rho, T in _settings(rng):
        right = _best(B, rho, T)[1]
        mistakes: dict[str, Prediction] = {
            "T without its root": right / np.sqrt(T),
            "T lost": right * np.sqrt(T),
            "regret": right * T,
            "half": (right / 2, right * 2),
            "rho divides": right / rho**2,
        }
        found = rate_bound(B, rho, T)
        yield compare(f"rate_bound({B:g}, {rho:g}, {T})", found, right, 1e-9, mistakes=mistakes)
