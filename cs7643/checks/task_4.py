"""Cases of task 4: a step of SGD against finite differences of its term, and the counterexample against f itself."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs7643.checks.case import CaseFailed, Function, case, parts
from cs7643.comparison import Comparison, compare
from cs7643.gradient_check import eval_numerical_gradient

CENTRES = {1: 2.0, 2: -1.0}


def _term(term: int, w: NDArray[Any]) -> float:
    """Return (w - 2)^2 / 2 or (w + 1)^2 / 2, at a point of shape (1,)."""
    return float((w[0] - CENTRES[term]) ** 2 / 2)


@case(
    "sgd_step", "against the slope of each term", "the slope of one term is meant, that with the number given, not of f"
)
def _(sgd_step: Function) -> Iterator[Comparison]:
    for term in CENTRES:
        for w, eta in ((0.0, 0.5), (0.5, 0.1), (-3.0, 1.25), (2.0, 0.3), (4.0, 0.01)):
            slope = eval_numerical_gradient(functools.partial(_term, term), np.array([w]))
            yield compare(f"sgd_step({w:g}, {term}, {eta:g})", sgd_step(w, term, eta), w - eta * slope[0], 1e-8)


@case("sgd_step", "many points at once, each with a term of its own", "np.where chooses element by element")
def _(sgd_step: Function) -> Iterator[Comparison]:
    w, term = np.array([0.0, 1.0, -2.0, 3.0]), np.array([1, 2, 2, 1])
    yield compare("the next points", sgd_step(w, term, 0.5), [1.0, 0.0, -1.5, 2.5])


@case("sgd_counterexample", "the sampled term falls, and f rises", "look between the two minimisers, -1 and 2")
def _(sgd_counterexample: Function) -> Iterator[Comparison]:
    w, term, eta = parts(sgd_counterexample(), "w", "term", "eta")
    if term not in CENTRES or not (np.isfinite(w) and 0 < eta < np.inf):
        raise CaseFailed(f"w must be finite, term 1 or 2, and eta above 0, got ({w!r}, {term!r}, {eta!r})")
    before, after = np.array([w]), np.array([w - eta * (w - CENTRES[term])])
    change = {each: _term(each, after) - _term(each, before) for each in CENTRES}
    if not change[term] < -1e-9:
        raise CaseFailed(f"the sampled term should fall, it changes by {change[term]:+.3g}")
    if not sum(change.values()) > 1e-9:
        raise CaseFailed(f"f should rise, it changes by {sum(change.values()):+.3g}")
    yield compare("whether f rises", 1, 1)
