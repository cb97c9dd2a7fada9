"""Cases of task 4: a step of SGD against finite differences of its term, and the counterexample against f itself."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from coursework.check.case import Attempt, CaseFailed, Function, IfRaises, case, parts
from coursework.check.comparison import Prediction, compare
from coursework.check.diagnosis import mistake
from cs7643.gradient_check import eval_numerical_gradient

CENTRES = {1: 2.0, 2: -1.0}
TERM = "Take a step against the gradient of one term of f(w) = (w - 2)^2 / 2 + (w + 1)^2 / 2"
COUNTER = "lowers the sampled term but raises f"
BETWEEN = "stand between the two minimisers, -1 and 2: there the terms pull in opposite directions."

mistake("sgd_step", "terms exchanged", "term 1 is (w - 2)^2 / 2 and term 2 is (w + 1)^2 / 2; here they are exchanged.")
mistake("sgd_step", "whole gradient", "the slope of f is taken, or its half: the step follows one term alone.")
mistake("sgd_step", "uphill", "the step goes along the slope, and should go against it.")
mistake("sgd_step", "eta lost", "eta has no influence on the step.")
mistake("sgd_step", "half lost", "the step is twice what it should be: the slope of (w - c)^2 / 2 is w - c.")
mistake("sgd_step", "half kept", "the step is half of what it should be: the slope of (w - c)^2 / 2 is w - c.")
mistake("sgd_step", "w lost", "the step alone is returned, without the point w that it starts from.")
mistake("sgd_step", "centre negated", "the slope of (w - c)^2 / 2 is w - c, here it is w + c.")
mistake(
    "sgd_step",
    "one term for all",
    "each point has a term of its own: np.where chooses element by element.",
)
mistake("sgd_counterexample", "f falls", f"f falls, or stays, with this step; {BETWEEN}")
mistake("sgd_counterexample", "own term rises", "the step overshoots the minimum of its own term: eta is too large.")
mistake("sgd_counterexample", "nothing moves", "w is the minimiser of the sampled term, so the step is zero.")
mistake("sgd_counterexample", "term counted from 0", "the terms are numbered 1 and 2, not 0 and 1.")


def _one_term(w: NDArray[Any], eta: float) -> dict[str, Prediction]:
    return {"one term for all": tuple(w - eta * (w - centre) for centre in CENTRES.values())}


def _term(term: Any, w: NDArray[Any]) -> float:
    """Return (w - 2)^2 / 2 or (w + 1)^2 / 2, at a point of shape (1,)."""
    return float((w[0] - CENTRES[term]) ** 2 / 2)


@case("sgd_step", "against the slope of each term", TERM)
def _sgd_step_against_the_slope_of_each_term(sgd_step: Function, rng: Generator) -> Attempt:
    drawn = (0.0, 0.0)
    while min(abs(drawn[0] - drawn[1] * (drawn[0] - centre)) for centre in CENTRES.values()) < 0.05:
        drawn = (float(rng.uniform(-5, 5)), float(rng.uniform(0.1, 0.9)))  # next to 0 the differences' rounding shows
    for w, eta in ((0.25, 0.5), (0.75, 0.1), (-3.0, 1.25), (2.5, 0.3), (4.0, 0.01), drawn):
        slope = {term: eval_numerical_gradient(functools.partial(_term, term), np.array([w]))[0] for term in CENTRES}
        for term, other in ((1, 2), (2, 1)):
            both = slope[1] + slope[2]
            mistakes: dict[str, Prediction] = {
                "terms exchanged": w - eta * slope[other],
                "whole gradient": (w - eta * both, w - eta * both / 2),
                "uphill": w + eta * slope[term],
                "eta lost": w - slope[term],
                "half lost": w - 2 * eta * slope[term],
                "half kept": w - eta / 2 * slope[term],
                "w lost": (-eta * slope[term], eta * slope[term]),
                "centre negated": w - eta * (2 * w - slope[term]),
            }
            found = sgd_step(w, term, eta)
            right = w - eta * slope[term]
            yield compare(f"sgd_step({w:g}, {term}, {eta:g})", found, right, 1e-8, mistakes=mistakes, base=w)


@case(
    "sgd_step", "many points at once, each with a term of its own", "a number for all points, or an array of w's shape"
)
def _sgd_step_many_points_at_once_each_with_a_term_of(sgd_step: Function, rng: Generator) -> Attempt:
    w, term = np.array([0.0, 1.0, -2.0, 3.0]), np.array([1, 2, 2, 1])
    yield IfRaises({"one term for all": "truth value of an array with more than one element is ambiguous"})
    yield compare("the result", sgd_step(w, term, 0.5), [1.0, 0.0, -1.5, 2.5], mistakes=_one_term(w, 0.5))
    shape = tuple(rng.integers(2, 5, 2))
    w, term = rng.uniform(-5, 5, shape), rng.integers(1, 3, shape)
    right = [
        point - 0.3 * eval_numerical_gradient(functools.partial(_term, number), np.array([point]))[0]
        for point, number in zip(w.flat, term.flat, strict=True)
    ]
    yield compare("the result", sgd_step(w, term, 0.3), np.reshape(right, shape), 1e-8, mistakes=_one_term(w, 0.3))


@case("sgd_counterexample", "the sampled term falls, and f rises", COUNTER)
def _sgd_counterexample_the_sampled_term_falls_and_f(sgd_counterexample: Function, _: Generator) -> Attempt:
    w, term, eta = parts(sgd_counterexample(), "w", "term", "eta")
    if term not in CENTRES or not (np.isfinite(w) and 0 < eta < np.inf):
        found = f"w must be finite, term 1 or 2, and eta above 0, got ({w!r}, {term!r}, {eta!r})"
        from_zero = isinstance(term, (int, np.integer)) and term == 0
        raise CaseFailed(found, "term counted from 0" if from_zero else "")
    before, centre = Fraction(float(w)), Fraction(CENTRES[int(term)])  # exact, however small eta is
    after = before - Fraction(float(eta)) * (before - centre)
    change = {each: ((after - Fraction(c)) ** 2 - (before - Fraction(c)) ** 2) / 2 for each, c in CENTRES.items()}
    if not change[term] < 0:
        found = f"the sampled term should fall, it changes by {float(change[term]):+.3g}"
        raise CaseFailed(found, "nothing moves" if after == before else "own term rises")
    if not sum(change.values()) > 0:
        raise CaseFailed(f"f should rise, it changes by {float(sum(change.values())):+.3g}", "f falls")
    yield compare("whether f rises", 1, 1)
