"""Cases of task 4: a step of SGD against finite differences of its term, and the counterexample against f itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cs7643.checks.case import CaseFailed, Function, case, parts
from cs7643.gradient_check import Comparison, compare, eval_numerical_gradient

TERMS = {1: lambda w: (w - 2) ** 2 / 2, 2: lambda w: (w + 1) ** 2 / 2}


@case(
    "sgd_step", "against the slope of each term", "term 1 is (w - 2)^2 / 2, term 2 is (w + 1)^2 / 2; one of them, not f"
)
def _(sgd_step: Function) -> Iterator[Comparison]:
    for term, value in TERMS.items():
        for w, eta in ((0.0, 0.5), (0.5, 0.1), (-3.0, 1.5), (2.0, 0.3), (4.0, 0.01)):
            slope = eval_numerical_gradient(lambda z, value=value: float(value(z[0])), np.array([w]))
            yield compare(f"sgd_step({w:g}, {term}, {eta:g})", sgd_step(w, term, eta), w - eta * slope[0], 1e-8)


@case("sgd_step", "many points at once, each with a term of its own", "np.where chooses element by element")
def _(sgd_step: Function) -> Iterator[Comparison]:
    w, term = np.array([0.0, 1.0, -2.0, 3.0]), np.array([1, 2, 2, 1])
    yield compare("the next points", sgd_step(w, term, 0.5), [1.0, 0.0, -1.5, 2.5])


@case("sgd_counterexample", "the sampled term falls, and f rises", "look between the two minimisers, -1 and 2")
def _(sgd_counterexample: Function) -> Iterator[Comparison]:
    w, term, eta = parts(sgd_counterexample(), "w", "term", "eta")
    if term not in TERMS or not (np.isfinite(w) and 0 < eta < np.inf):
        raise CaseFailed(f"w must be finite, term 1 or 2, and eta above 0, got ({w!r}, {term!r}, {eta!r})")
    after = w - eta * (w - {1: 2.0, 2: -1.0}[term])
    changes = {"the sampled term": TERMS[term](after) - TERMS[term](w)}
    changes["f"] = sum(value(after) - value(w) for value in TERMS.values())
    if not changes["the sampled term"] < -1e-9:
        raise CaseFailed(f"the sampled term should fall, it changes by {changes['the sampled term']:+.3g}")
    if not changes["f"] > 1e-9:
        raise CaseFailed(f"f should rise, it changes by {changes['f']:+.3g}")
    yield compare("f rises", 1, 1)
