"""Cases of task 2: the iterates, and the two sides of eq. (4).

The oracles are closed forms: w(t+1) as a product with a triangular matrix, the sides by hand and from the telescoped
sum, left = (||w*||^2 - ||w(T+1) - w*||^2) / (2 eta) + eta/2 sum ||v(t)||^2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from coursework.check.case import Attempt, Function, case
from coursework.check.comparison import Comparison, Prediction, compare
from coursework.check.diagnosis import mistake

STEPS = "Start at w(1) = 0 and take the steps w(t+1) = w(t) - eta v(t)"
PAIRS = "the last one has no v and is not used"
SUM = "the sum of <w(t) - w*, v(t)> over t = 1..T"
SIDES = "||w*||^2 / (2 eta) + eta/2 times the sum of ||v(t)||^2"

mistake("follow", "w(1) is missing", "the walk begins after the first step: w(1) = 0 is the first of the T + 1 points.")
mistake("follow", "w(T+1) is missing", "the last point is missing: T steps visit T + 1 points.")
mistake("follow", "uphill", "the steps go along v, and should go against it.")
mistake("follow", "eta lost", "eta has no influence on the steps.")
mistake(
    "follow",
    "one array for all iterates",
    "all rows are one array, changed in place (w -= ...): keep a copy of each point.",
)
mistake("follow", "normalised", "v is divided by its norm, and should be taken as it is, however long.")
mistake("follow", "steps not added up", "each row holds a step alone: a point is the sum of all steps so far.")
mistake("follow", "points averaged", "the rows are means: a point is the sum of all steps so far.")
mistake("regret", "shifted by one", "w(t+1) is paired with v(t): the first T rows of iterates count, not the last T.")
mistake("regret", "w* lost", "w* is not subtracted from the iterates.")
mistake("regret", "sign", "the sign is reversed: the regret is the sum of <w(t) - w*, v(t)>.")
mistake("regret", "mean", "it is the mean over t, and eq. (4) has the sum.")
mistake("regret", "absolute", "each term counts as positive: inner products have a sign, and it stays.")
mistake("regret_bound", "norm of w* not squared", "||w*|| stands where its square should.")
mistake("regret_bound", "norms of v not squared", "||v(t)|| stands where its square should.")
mistake("regret_bound", "first term lost", "the term with w* is missing.")
mistake("regret_bound", "second term lost", "the term with the v(t) is missing.")
mistake("regret_bound", "eta exchanged", "eta divides the one term and multiplies the other; here they are exchanged.")
mistake("regret_bound", "half lost", "a term is twice what it should be: both have a 1/2.")
mistake("regret_bound", "mean", "the squares of the v(t) are averaged, and should be added up.")
mistake("regret_bound", "square of the sum", "the v(t) are added up before the norm: each has a norm of its own.")


def _walk(v: NDArray[Any], eta: float) -> NDArray[Any]:
    """Return w(1), ..., w(T+1): row t is -eta times the sum of the first t - 1 rows of v."""
    points: NDArray[Any] = -eta * np.tri(len(v) + 1, len(v), -1) @ v
    return points


def _follow(follow: Function, v: NDArray[Any], eta: float) -> Comparison:
    right, unit = _walk(v, eta), v / np.linalg.norm(v, axis=1, keepdims=True)
    counts = np.maximum(np.arange(len(right)), 1)[:, np.newaxis]
    mistakes: dict[str, Prediction] = {
        "w(1) is missing": (
            right[1:],
            np.concatenate([right[1:], right[1:2]]),
            np.concatenate([right[1:], right[-1:]]),
        ),
        "w(T+1) is missing": right[:-1],
        "uphill": -right,
        "one array for all iterates": np.repeat(right[-1:], len(right), axis=0),
        "eta lost": right / eta,
        "normalised": _walk(unit, eta),
        "steps not added up": np.concatenate([right[:1], np.diff(right, axis=0)]),
        "points averaged": right / counts,
    }
    for name in ("uphill", "eta lost", "normalised"):
        mistakes[f"{name} + w(1) is missing"] = np.asarray(mistakes[name])[1:]
        mistakes[f"{name} + w(T+1) is missing"] = np.asarray(mistakes[name])[:-1]
    return compare("iterates", follow(v, eta), right, mistakes=mistakes)


@case("follow", "random vectors, and T + 1 points that begin at zero", STEPS)
def _follow_random_vectors_and_t_1_points_that_begin(follow: Function, rng: Generator) -> Attempt:
    for T, d in ((1, 1), (1, 4), (5, 1), (7, 3), rng.integers(2, 60, 2)):
        yield _follow(follow, rng.standard_normal((T, d)), float(rng.uniform(0.1, 0.9)))


@case("follow", "huge and tiny vectors", "any vectors at all, of any length")
def _follow_huge_and_tiny_vectors(follow: Function, rng: Generator) -> Attempt:
    for scale in (1e12, 1e-3):
        yield _follow(follow, scale * rng.standard_normal((6, 2)), 0.5)


@case("regret", "numbers by hand: T = 2, d = 1", PAIRS)
def _regret_numbers_by_hand_t_2_d_1(regret: Function, _: Generator) -> Attempt:
    # (0 - 2) * 3 + (-3 - 2) * 1 = -11; the last point, 100, has no v
    iterates, w_star, v = np.array([[0.0], [-3.0], [100.0]]), np.array([2.0]), np.array([[3.0], [1.0]])
    mistakes: dict[str, Prediction] = {
        "shifted by one": -5 * 3.0 + 98,
        "w* lost": -3.0,
        "sign": 11.0,
        "mean": -5.5,
        "absolute": 11.0,
    }
    yield compare("regret", regret(iterates, w_star, v), -11.0, mistakes=mistakes)


@case("regret", "the telescoped sum", SUM)
def _regret_the_telescoped_sum(regret: Function, rng: Generator) -> Attempt:
    for T, d in ((2, 1), (3, 2), (40, 7), rng.integers(3, 30, 2)):
        v, w_star, eta = rng.standard_normal((T, d)), rng.standard_normal(d), float(rng.uniform(0.1, 2))
        points = _walk(v, eta)
        lengths = np.sum(v**2)
        squares = np.sum(w_star**2) - np.sum((points[-1] - w_star) ** 2)
        right = squares / (2 * eta) + eta / 2 * lengths
        mistakes: dict[str, Prediction] = {
            "shifted by one": right - eta * lengths,  # as w(t+1) = w(t) - eta v(t)
            "w* lost": right + v.sum(axis=0) @ w_star,
            "sign": -right,
            "mean": (right / T, right / (T * d)),
        }
        yield compare("regret", regret(points, w_star, v), right, mistakes=mistakes)


def _bound(bound: Function, w_star: NDArray[Any], v: NDArray[Any], eta: float, right: float) -> Comparison:
    second = eta / 2 * float(np.sum(v**2))
    first = right - second
    length = float(np.linalg.norm(w_star))
    mistakes: dict[str, Prediction] = {
        "norm of w* not squared": first / max(length, 1e-9) + second,
        "norms of v not squared": first + eta / 2 * float(np.sum(np.linalg.norm(v, axis=1))),
        "first term lost": second,
        "second term lost": first,
        "eta exchanged": first * eta**2 + second / eta**2,
        "half lost": (2 * first + second, first + 2 * second, 2 * right),
        "mean": first + second / len(v),
        "square of the sum": first + eta / 2 * float(np.sum(v.sum(axis=0) ** 2)),
    }
    return compare("bound", bound(w_star, v, eta), right, mistakes=mistakes)


@case("regret_bound", "numbers by hand", SIDES)
def _regret_bound_numbers_by_hand(regret_bound: Function, _: Generator) -> Attempt:
    v = np.array([[1.0, 2.0], [2.0, 0.0], [0.0, -1.0]])  # the squares sum to 10
    yield _bound(regret_bound, np.array([3.0, 4.0]), v, 0.5, 25.0 + 2.5)
    yield _bound(regret_bound, np.array([3.0, 4.0]), v, 2.0, 6.25 + 10.0)
    yield _bound(regret_bound, np.zeros(2), v, 0.1, 0.5)


@case("regret_bound", "equals the regret where w* = w(T+1)", SIDES)
def _regret_bound_equals_the_regret_where_w_w_t_1(regret_bound: Function, rng: Generator) -> Attempt:
    for T, d in ((1, 1), (4, 3), (30, 5), rng.integers(2, 40, 2)):
        v, eta = rng.standard_normal((T, d)), float(rng.uniform(0.1, 0.9))
        points = _walk(v, eta)
        yield _bound(regret_bound, points[-1], v, eta, float(np.sum((points[:-1] - points[-1]) * v)))
