"""Convex, Lipschitz functions, with their subgradients, a minimiser and the constants of problem 3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ConvexFunction:
    """A convex function of a vector (d,).

    Attributes:
        name: for tables and legends.
        value: takes a point, returns f there.
        subgradient: takes a point, returns a subgradient (d,), which is the gradient where f is differentiable.
        w_star: (d,), a minimiser.
        rho: a Lipschitz constant, the largest norm of a subgradient.
    """

    name: str
    value: Callable[[Array], float]
    subgradient: Callable[[Array], Array]
    w_star: Array
    rho: float

    @property
    def B(self) -> float:  # noqa: N802  (the name of the formulas)
        """The distance of the minimiser from w(1) = 0."""
        return float(np.linalg.norm(self.w_star))

    def gap(self, w: Array) -> float:
        """Return f(w) - f(w*)."""
        return self.value(w) - self.value(self.w_star)


def family() -> list[ConvexFunction]:
    """Return four functions of different kinds: smooth or not, of one or several variables, with and without data."""
    return [absolute_value(), hinge(), logistic_regression(), max_affine()]


def absolute_value() -> ConvexFunction:
    """Return |w - 1| of one variable, the simplest function on which a constant step never settles."""
    return ConvexFunction(
        "absolute value", lambda w: float(abs(w[0] - 1)), lambda w: np.sign(w - 1.0), np.ones(1), rho=1.0
    )


def two_clouds(n: int = 60, seed: int = 0) -> tuple[Array, Array]:
    """Return points (n, 3) of two overlapping classes, and their labels (n,), +1 or -1. The third coordinate is 1."""
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    points = rng.standard_normal((n, 2)) + labels[:, None] * [1.0, 0.5]
    return np.column_stack([points, np.ones(n)]), labels


def hinge() -> ConvexFunction:
    """Return the mean hinge loss of a linear classifier on :func:`two_clouds`; a linear program finds the minimiser."""
    X, y = two_clouds()
    N, d = X.shape
    signed = y[:, None] * X

    def subgradient(w: Array) -> Array:
        slope: Array = -((signed @ w < 1) @ signed) / N
        return slope

    # Over (w, slack): the mean slack, with slack >= 0 and slack >= 1 - y <x, w>.
    cost = np.concatenate([np.zeros(d), np.full(N, 1 / N)])
    optimum = optimize.linprog(
        cost,
        A_ub=np.hstack([-signed, -np.eye(N)]),
        b_ub=-np.ones(N),
        bounds=[(None, None)] * d + [(0, None)] * N,
    )
    return ConvexFunction(
        "hinge loss",
        lambda w: float(np.maximum(0, 1 - signed @ w).mean()),
        subgradient,
        optimum.x[:d],
        rho=float(np.linalg.norm(X, axis=1).mean()),
    )


def logistic_regression() -> ConvexFunction:
    """Return the mean logistic loss on :func:`two_clouds`; Newton's method, safeguarded, finds the minimiser."""
    X, y = two_clouds()
    N, d = X.shape
    signed = y[:, None] * X

    def value(w: Array) -> float:
        return float(np.logaddexp(0, -signed @ w).mean())

    def gradient(w: Array) -> Array:
        slope: Array = -(special.expit(-signed @ w) @ signed) / N
        return slope

    def hessian(w: Array) -> Array:
        p = special.expit(signed @ w)
        curvature: Array = (signed.T * (p * (1 - p))) @ signed / N
        return curvature

    optimum = optimize.minimize(value, np.zeros(d), jac=gradient, hess=hessian, method="trust-exact", tol=1e-12)
    return ConvexFunction(
        "logistic regression", value, gradient, optimum.x, rho=float(np.linalg.norm(X, axis=1).mean())
    )


def max_affine(pieces: int = 12, d: int = 4, seed: int = 1) -> ConvexFunction:
    """Return max_i (<a_i, w> + b_i) with random pieces that enclose the minimum; a linear program finds it."""
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((pieces // 2, d))
    a = np.vstack([half, -half + 0.2 * rng.standard_normal(half.shape)])  # bounded below
    b = rng.standard_normal(len(a))
    # Over (w, height): the height, with height >= <a_i, w> + b_i.
    optimum = optimize.linprog(
        [*np.zeros(d), 1.0],
        A_ub=np.hstack([a, -np.ones((len(a), 1))]),
        b_ub=-b,
        bounds=[(None, None)] * (d + 1),
    )
    return ConvexFunction(
        "maximum of affine functions",
        lambda w: float((a @ w + b).max()),
        lambda w: a[np.argmax(a @ w + b)],
        optimum.x[:d],
        rho=float(np.linalg.norm(a, axis=1).max()),
    )


def attaining(T: int, B: float = 1.0, rho: float = 1.0) -> ConvexFunction:
    """Return rho max(-B / sqrt(T), w_1, ..., w_T): no convex function is worse for T steps of gradient descent.

    The subgradient is rho e_i at the first maximal coordinate i. From w(1) = 0 each step lowers a coordinate that was
    not lowered before, so w(1), ..., w(T) and their average have a coordinate at 0, where f is 0. The minimum,
    -B rho / sqrt(T), is attained at -B / sqrt(T) (1, ..., 1).
    """
    floor = -B / np.sqrt(T)

    def subgradient(w: Array) -> Array:
        slope = np.zeros(T)
        slope[np.argmax(w)] = rho * (w.max() >= floor)
        return slope

    return ConvexFunction(
        f"the attaining function for T = {T}",
        lambda w: float(rho * max(floor, w.max())),
        subgradient,
        np.full(T, floor),
        rho,
    )
