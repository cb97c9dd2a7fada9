"""Problems 1 to 4: gradient descent, from one proximal step to the rate at which it converges.

A point is a vector of shape (d,), and everything is float64. T steps visit T + 1 points, w(1), ..., w(T+1), which are
the rows of an array of shape (T + 1, d). The last one is where the method arrives: regret and average leave it out.
No argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def proximal_step(w: ArrayLike, grad: ArrayLike, lam: float) -> Array:
    """Minimise eq. (3), f(w(t)) + <z - w(t), grad> + lam/2 ||z - w(t)||^2, over z in R^d.

    Args:
        w: (d,), the point w(t).
        grad: (d,), the gradient of f there.
        lam: the weight of the penalty on the distance, above 0.

    Returns:
        (d,), the next point w(t+1); where grad is zero, that is w(t) itself.
    """
    w, grad = _array("proximal_step: w", w, (None,)), _array("proximal_step: grad", grad, np.shape(w))
    lam = _positive("proximal_step: lam", lam)
    # BEGIN SOLUTION 1 proximal_step
    return w - grad / lam
    # END SOLUTION


def step_size(lam: float) -> float:
    """Return the eta for which gradient descent, w(t+1) = w(t) - eta grad, takes the step of :func:`proximal_step`."""
    lam = _positive("step_size: lam", lam)
    # BEGIN SOLUTION 1 step_size
    return 1 / lam
    # END SOLUTION


def follow(v: ArrayLike, eta: float) -> Array:
    """Start at w(1) = 0 and take the steps w(t+1) = w(t) - eta v(t).

    Args:
        v: (T, d), any vectors at all, of any length: gradients, noise, or the choice of an adversary.
        eta: the step size, above 0.

    Returns:
        (T + 1, d), the points w(1), ..., w(T+1).
    """
    v, eta = _array("follow: v", v, (None, None)), _positive("follow: eta", eta)
    # BEGIN SOLUTION 2 follow
    return np.concatenate([np.zeros((1, v.shape[1])), -eta * np.cumsum(v, axis=0)])
    # END SOLUTION


def regret(iterates: ArrayLike, w_star: ArrayLike, v: ArrayLike) -> float:
    """Return the left side of eq. (4), the sum of <w(t) - w*, v(t)> over t = 1..T.

    Args:
        iterates: (T + 1, d), as :func:`follow` returns them; the last one has no v and is not used.
        w_star: (d,), the point to compare with.
        v: (T, d), the vectors of the steps.
    """
    v = _array("regret: v", v, (None, None))
    w_star = _array("regret: w_star", w_star, v.shape[1:])
    iterates = _array("regret: iterates", iterates, (len(v) + 1, v.shape[1]))
    # BEGIN SOLUTION 2 regret
    return float(np.sum((iterates[:-1] - w_star) * v))
    # END SOLUTION


def regret_bound(w_star: ArrayLike, v: ArrayLike, eta: float) -> float:
    """Return the right side of eq. (4), ||w*||^2 / (2 eta) + eta/2 times the sum of ||v(t)||^2. Arguments as above."""
    v, eta = _array("regret_bound: v", v, (None, None)), _positive("regret_bound: eta", eta)
    w_star = _array("regret_bound: w_star", w_star, v.shape[1:])
    # BEGIN SOLUTION 2 regret_bound
    return float(np.sum(w_star**2) / (2 * eta) + eta / 2 * np.sum(v**2))
    # END SOLUTION


def gradient_descent(grad: Callable[[Array], ArrayLike], w1: ArrayLike, eta: float, T: int) -> Array:
    """Take T steps of gradient descent, w(t+1) = w(t) - eta grad(w(t)).

    Args:
        grad: takes a point (d,), returns the gradient there, or any subgradient, (d,). It is called once for each step.
        w1: (d,), the first point.
        eta: the step size, above 0.
        T: the number of steps, at least 1.

    Returns:
        (T + 1, d), the points w(1), ..., w(T+1).
    """
    w1, eta = _array("gradient_descent: w1", w1, (None,)), _positive("gradient_descent: eta", eta)
    T, gradient = _count("gradient_descent: T", T), _checked(grad, w1.shape)
    # BEGIN SOLUTION 3 gradient_descent
    iterates = np.empty((T + 1, len(w1)))
    iterates[0] = w1
    for t in range(T):
        iterates[t + 1] = iterates[t] - eta * gradient(iterates[t])
    return iterates
    # END SOLUTION


def average(iterates: ArrayLike) -> Array:
    """Return the mean of w(1), ..., w(T), (d,), the point of problem 3. It leaves out w(T+1)."""
    iterates = _array("average: iterates", iterates, (None, None))
    if len(iterates) < 2:
        raise ValueError(f"average: iterates must hold at least w(1) and w(2), got shape {iterates.shape}")
    mean: Array = iterates[:-1].mean(axis=0)
    return mean


def rate_step_size(B: float, rho: float, T: int) -> float:
    """Return the step size for which :func:`rate_bound` holds: the one that makes the bound smallest.

    Args:
        B: a bound on the distance of a minimiser from w(1), above 0.
        rho: the Lipschitz constant of f, which bounds the norm of its subgradients; above 0.
        T: the number of steps, at least 1.
    """
    B, rho, T = _positive("rate_step_size: B", B), _positive("rate_step_size: rho", rho), _count("rate_step_size: T", T)
    # BEGIN SOLUTION 3 rate_step_size
    return float(B / (rho * np.sqrt(T)))
    # END SOLUTION


def rate_bound(B: float, rho: float, T: int) -> float:
    """Return what f(average) - f(w*) cannot exceed after T steps of that size: the bound. Arguments as above."""
    B, rho, T = _positive("rate_bound: B", B), _positive("rate_bound: rho", rho), _count("rate_bound: T", T)
    # BEGIN SOLUTION 3 rate_bound
    return float(B * rho / np.sqrt(T))
    # END SOLUTION


def sgd_step(w: ArrayLike, term: ArrayLike, eta: float) -> Array:
    """Take a step against the gradient of one term of f(w) = (w - 2)^2 / 2 + (w + 1)^2 / 2.

    Args:
        w: a number, or an array of any shape, one point per element.
        term: 1 for (w - 2)^2 / 2, 2 for (w + 1)^2 / 2; a number for all points, or an array of w's shape.
        eta: the step size, above 0.

    Returns:
        The next point or points, of w's shape.
    """
    w, eta = _array("sgd_step: w", w, None), _positive("sgd_step: eta", eta)
    terms = _numbers(term, "iu")
    if terms is None or not np.all(np.isin(terms, (1, 2))) or terms.shape not in ((), w.shape):
        raise ValueError(f"sgd_step: term must be 1 or 2, or an array of them of shape {w.shape}, got {term!r}")
    # BEGIN SOLUTION 4 sgd_step
    return np.asarray(w - eta * (w - np.where(np.equal(term, 1), 2.0, -1.0)))
    # END SOLUTION


def sgd_counterexample() -> tuple[float, int, float]:
    """Return (w, term, eta) such that :func:`sgd_step` lowers the sampled term but raises f."""
    # BEGIN SOLUTION 4 sgd_counterexample
    return 0.0, 2, 0.5
    # END SOLUTION


def _numbers(value: object, kinds: str) -> NDArray[Any] | None:
    """Return the value as an array, if its dtype is of one of these kinds: f, i and u are the real numbers."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        return None
    return array if array.dtype.kind in kinds else None


def _array(name: str, value: ArrayLike, shape: tuple[int | None, ...] | None) -> Array:
    """Return a copy as float64, after a check of its shape: None in it is any length from 1, None alone any shape."""
    array = _numbers(value, "fiu")
    if array is None or array.size == 0:
        raise ValueError(f"{name} must hold real numbers, got {value!r}")
    shape = array.shape if shape is None else shape
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        expected = str(tuple("any" if n is None else n for n in shape)).replace("'", "")
        raise ValueError(f"{name} must have shape {expected}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers, got {array[~np.isfinite(array)][0]}")
    return np.array(array, dtype=np.float64)


def _positive(name: str, value: float) -> float:
    number = _numbers(value, "fiu")
    if number is None or number.ndim or not 0 < number < np.inf:
        raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
    return float(number)


def _count(name: str, value: int) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number, at least 1, got {value!r}")
    return int(value)


def _checked(grad: Callable[[Array], ArrayLike], shape: tuple[int, ...]) -> Callable[[Array], Array]:
    """Wrap a gradient so that it cannot change the iterates and must return a finite vector of their shape."""
    if not callable(grad):
        raise ValueError(f"gradient_descent: grad must be a function, got {grad!r}")
    return lambda w: _array("gradient_descent: grad(w)", grad(w.copy()), shape)
