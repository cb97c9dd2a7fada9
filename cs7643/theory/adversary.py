"""An adversary that tries to violate the regret inequality, by gradient ascent on left side / right side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Side = Callable[..., float]


@dataclass(frozen=True)
class Attack:
    """The course of an attack: after each step the ratio left / right, and the distance ||w(T+1) - w*|| / ||w*||."""

    ratios: Array
    distances: Array


def attack(
    follow: Callable[[Array, float], Array],
    regret: Side,
    regret_bound: Side,
    T: int,
    d: int,
    seed: int,
    steps: int = 100,
) -> Attack:
    """Let an adversary choose v and w* so that the left side of eq. (4) comes as close as possible to the right side.

    The ratio does not change if v and w* are scaled together, or eta and 1/v. So eta is 1, and v and w* together have
    norm 1. A step that would lower the ratio is rejected, and the rate is halved. The gradients are those of

        left = <w(t) - w*, v(t)> summed, with w(t) = -(v(1) + ... + v(t-1)),    right = (||w*||^2 + sum ||v(t)||^2) / 2.

    Args:
        follow: the student's function, like the next two; they determine the ratio and the distance.
        regret: the left side.
        regret_bound: the right side.
        T: the number of vectors v(t).
        d: their dimension.
        seed: that of the random start.
        steps: the number of steps of the ascent.
    """
    rng = np.random.default_rng(seed)
    ratios, distances, rate = np.empty(steps), np.empty(steps), 1.0

    def judge(choice: Array) -> tuple[float, float, Array]:
        """Return the ratio, the distance, and the direction uphill."""
        v, w_star = choice[:-1], choice[-1]
        iterates = follow(v, 1.0)
        left, right = regret(iterates, w_star, v), regret_bound(w_star, v, 1.0)
        total = v.sum(axis=0)
        uphill = np.vstack([v - total - w_star, -total]) / right - left / right**2 * choice
        return left / right, float(np.linalg.norm(iterates[-1] - w_star) / np.linalg.norm(w_star)), uphill

    choice = rng.standard_normal((T + 1, d))  # v(1), ..., v(T), and w* in the last row
    choice /= np.linalg.norm(choice)
    ratio, distance, uphill = judge(choice)
    for step in range(steps):
        ratios[step], distances[step] = ratio, distance
        candidate = choice + rate * uphill
        candidate /= np.linalg.norm(candidate)
        found = judge(candidate)
        if found[0] > ratio:
            choice, (ratio, distance, uphill), rate = candidate, found, 1.5 * rate
        else:
            rate /= 2
    return Attack(ratios, distances)
