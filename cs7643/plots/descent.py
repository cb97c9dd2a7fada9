"""Problems 1 to 4: models, both sides of the regret inequality, rates, and the noise of SGD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from cs7643.plots.style import BLUE, GREEN, GREY, PALETTE, SKY, VERMILION, clean, listed

Array = NDArray[Any]


def square_or_not(slope: float, lams: Sequence[float]) -> Figure:
    """Draw slope z + lambda/2 z^2, which always has a minimum, beside slope z + lambda/2 |z|, which may have none."""
    z = np.linspace(-3, 3, 301)
    figure, (square, norm) = plt.subplots(1, 2, figsize=(8.6, 3.4), sharey=True)
    for lam, colour in zip(lams, PALETTE, strict=False):
        square.plot(z, slope * z + lam / 2 * z**2, color=colour, label=rf"$\lambda$ = {lam:g}")
        square.plot([-slope / lam], [-(slope**2) / (2 * lam)], "o", color=colour)
        norm.plot(z, slope * z + lam / 2 * abs(z), color=colour, label=rf"$\lambda$ = {lam:g}")
        if lam > 2 * abs(slope):
            norm.plot([0], [0], "o", color=colour)
    square.set(
        xlabel="z - w(t)", ylabel="model", ylim=(-4, 5), title="the norm squared: a minimum for every $\\lambda$"
    )
    norm.set(xlabel="z - w(t)", title="the norm: stays at w(t), or decreases forever")
    square.legend(frameon=False)
    figure.suptitle("Only the square grows faster than the slope decreases")
    bounded = [lam for lam in lams if lam > 2 * abs(slope)]
    return clean(
        figure,
        f"Two models of slope {slope:g} over z - w(t). With the norm squared each has a minimum: "
        + ", ".join(f"at {-slope / lam:.3g} for lambda = {lam:g}" for lam in lams)
        + ". With the norm itself the model stays at w(t) for lambda = "
        + (", ".join(f"{lam:g}" for lam in bounded) or "none of them")
        + " and has no single minimum for the others.",
    )


def regret_sides(sides: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """Draw both sides of eq. (4) after 1, ..., T steps, one panel for each kind of v."""
    figure, axes = plt.subplots(1, len(sides), figsize=(3.3 * len(sides), 3.4), squeeze=False)
    for axis, (name, (left, right)) in zip(axes[0], sides.items(), strict=True):
        t = np.arange(1, len(np.asarray(left)) + 1)
        axis.fill_between(t, left, right, color=SKY, alpha=0.3, lw=0, label=r"$\|w(t+1) - w^*\|^2 / 2\eta$")
        axis.plot(t, right, color=VERMILION, label="right side")
        axis.plot(t, left, color=BLUE, label="left side: regret")
        axis.set(xlabel="t", title=name)
    axes[0, 0].set_ylabel("value")
    axes[0, -1].legend(frameon=False, fontsize=8, loc="lower right")
    figure.suptitle("Whatever v is, the regret stays below; the gap between the sides is a squared distance")
    ends = {name: [np.asarray(side)[-1] for side in both] for name, both in sides.items()}
    return clean(
        figure,
        "Both sides of equation (4) over the steps; the regret, the left side, stays below the right side. "
        + listed(f"{name}: {left:.3g} and {right:.3g} after the last step" for name, (left, right) in ends.items()),
    )


def attacks(histories: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Draw how the ratio left / right approaches 1 and w(T+1) approaches w* during gradient ascent."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), sharex=True)
    for (name, (ratios, distances)), colour in zip(histories.items(), PALETTE, strict=False):
        left.semilogy(np.maximum(1 - ratios, 1e-17), color=colour, label=name)
        right.semilogy(np.maximum(distances, 1e-17), color=colour)
    left.set(xlabel="step of the adversary", ylabel="1 - left / right", title="the ratio approaches 1 from below")
    right.set(xlabel="step of the adversary", ylabel=r"$\|w(T+1) - w^*\| / \|w^*\|$", title="and w(T+1) approaches w*")
    left.legend(frameon=False, fontsize=8)
    return clean(
        figure,
        "Gradient ascent on v: the ratio of the two sides of equation (4) approaches 1 while w(T+1) approaches w*. "
        + listed(
            f"{name}: after {len(ratios) - 1} steps the ratio differs from 1 by {abs(1 - ratios[-1]):.1g}, "
            f"the relative distance is {distances[-1]:.2g}"
            for name, (ratios, distances) in histories.items()
        ),
    )


def rates(Ts: ArrayLike, averages: Mapping[str, ArrayLike], lasts: Mapping[str, ArrayLike]) -> Figure:
    """Draw (f - f*) / (B rho) over T, log-log: at the average iterate and at the last, with the bound 1 / sqrt(T)."""
    T = np.asarray(Ts)
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 4), sharey=True)
    for axis, gaps, what in zip(axes, (averages, lasts), ("the average iterate", "the last iterate"), strict=True):
        axis.loglog(T, 1 / np.sqrt(T), color="black", lw=3, alpha=0.25, label=r"the bound, $1/\sqrt{T}$")
        for (name, gap), colour in zip(gaps.items(), PALETTE, strict=False):
            axis.loglog(T, np.maximum(gap, 1e-6), "o-", ms=3, lw=1, color=colour, label=name)
        axis.set(xlabel="number of steps T", title=f"at {what}", ylim=(2e-6, 2))
    axes[0].set_ylabel(r"$(f - f^*) / (B\rho)$")
    axes[0].legend(frameon=False, fontsize=8, loc="lower left")
    figure.suptitle("The average obeys the bound on every function; problem 3 says nothing about the last iterate")
    return clean(
        figure,
        f"The gap to the minimum over the number of steps, as a multiple of B rho. After T = {T[-1]:g} steps the "
        f"bound is {T[-1] ** -0.5:.3g}. "
        + listed(
            f"at the {what} iterate: " + ", ".join(f"{name} {np.asarray(gap)[-1]:.2g}" for name, gap in gaps.items())
            for what, gaps in (("average", averages), ("last", lasts))
        ),
    )


def step_sizes(
    factors: ArrayLike, bound: ArrayLike, gaps: Mapping[str, ArrayLike], worst: Mapping[float, float]
) -> Figure:
    """Draw (f(average) - f*) / (B rho) over the step size as a multiple of the prescribed one, log-log."""
    figure, axis = plt.subplots(figsize=(8.8, 4))
    axis.loglog(factors, bound, color="black", lw=3, alpha=0.25, label=r"the bound, $B^2/(2\eta T) + \eta\rho^2/2$")
    for (name, gap), colour in zip(gaps.items(), PALETTE, strict=False):
        axis.loglog(factors, np.maximum(gap, 1e-6), color=colour, lw=1, label=name)
    axis.loglog(list(worst), list(worst.values()), "D", color="black", ms=6, label="the worst of all functions")
    axis.axvline(1, color=GREY, lw=0.8, ls=":")
    axis.set(xlabel="step size, in multiples of the prescribed one", ylabel=r"$(f(average) - f^*) / (B\rho)$")
    axis.set(title="The bound is lowest at the prescribed step size", ylim=(3e-3, 4))
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    x, limit = np.asarray(factors), np.asarray(bound)
    return clean(
        figure,
        "The gap at the average iterate over the step size, as multiples of B rho and of the prescribed step. The "
        f"bound is lowest, {limit.min():.3g}, at {x[limit.argmin()]:.3g}, and {limit[0]:.3g} and {limit[-1]:.3g} at "
        f"{x[0]:.3g} and {x[-1]:.3g}. The largest gap of each function: "
        + ", ".join(f"{name} {np.max(gap):.2g}" for name, gap in gaps.items())
        + ". The worst of all functions: "
        + listed([", ".join(f"{gap:.3g} at {factor:g}" for factor, gap in worst.items())]),
    )


def raising_steps(w: Array, eta: Array, regions: Mapping[str, tuple[Array, Array]]) -> Figure:
    """Shade where f increases, as computed on the grid eta x w, and draw the boundary from the closed form.

    Args:
        w: (n,), the points.
        eta: (m,), the step sizes.
        regions: for each panel the computed truth values, (m, n), and those of the closed form.
    """
    figure, axes = plt.subplots(1, len(regions), figsize=(3.4 * len(regions), 3.5), sharey=True, squeeze=False)
    for axis, (name, (computed, closed)) in zip(axes[0], regions.items(), strict=True):
        axis.contourf(w, eta, computed, levels=[0.5, 1.5], colors=[VERMILION], alpha=0.35)
        axis.contour(w, eta, closed, levels=[0.5], colors=["black"], linewidths=1)
        axis.axvline(0.5, color=BLUE, lw=1, ls="--")
        axis.set(xlabel="w", title=name)
    axes[0, 0].set_ylabel(r"step size $\eta$")
    axes[0, 0].text(0.52, 0.03, " w*", color=BLUE, transform=axes[0, 0].get_xaxis_transform())
    figure.suptitle("Where a step raises f (shaded): around w* even the smallest one does, on one of the terms")
    return clean(
        figure,
        f"Where a step raises f, for w from {w[0]:g} to {w[-1]:g} and step sizes from {eta[0]:.2g} to {eta[-1]:.2g}; "
        "the line is the closed form, and w* is 0.5. "
        + listed(
            f"{name}: {np.mean(computed):.0%} of the points, {np.mean(computed == closed):.1%} as the closed form says"
            for name, (computed, closed) in regions.items()
        ),
    )


def sgd_runs(runs: Mapping[str, Array], minimiser: float) -> Figure:
    """Draw many runs of SGD, (steps + 1, runs), one panel for each choice of step sizes."""
    figure, axes = plt.subplots(1, len(runs), figsize=(2.9 * len(runs), 3.2), sharey=True, squeeze=False)
    for axis, (name, points) in zip(axes[0], runs.items(), strict=True):
        axis.plot(points, color="#BBDDF3", lw=0.5, antialiased=False)  # makes the file small
        axis.plot(points[:, 0], color=BLUE, lw=1, label="one run")
        axis.axhline(minimiser, color="black", lw=0.8, ls="--", label="w*")
        axis.set(xlabel="step", title=name)
    axes[0, 0].set_ylabel("w")
    axes[0, -1].legend(frameon=False, fontsize=8, loc="lower right")
    count = next(iter(runs.values())).shape[1]
    figure.suptitle(f"{count} runs each: a constant step leaves a cloud around w*, a decaying one converges")
    return clean(
        figure,
        f"{count} runs of SGD for each choice of step size, with w* = {minimiser:g}. At the last step: "
        + listed(
            f"{name}: w = {points[-1].mean():.3g} on average, with a standard deviation of {points[-1].std():.2g}"
            for name, points in runs.items()
        ),
    )


def noise_floors(measured: Mapping[str, Array], closed: Mapping[str, Array]) -> Figure:
    """Draw the mean of f - f* over the steps, log-log: measured, and the closed form of the same name, dashed."""
    figure, axis = plt.subplots(figsize=(6.8, 4))
    for (name, excess), colour in zip(measured.items(), (VERMILION, BLUE, GREEN, *PALETTE[3:]), strict=False):
        steps = np.arange(1, len(excess))
        axis.loglog(steps, excess[1:], color=colour, lw=1, label=name)
        axis.loglog(steps, closed[name][1:], "--", color="black", lw=0.8)
    axis.set(
        xlabel="step", ylabel=r"mean of $f(w) - f(w^*)$", title="Dashed, the closed forms: constant steps have a floor"
    )
    axis.legend(frameon=False, fontsize=8)
    return clean(
        figure,
        "The mean of f(w) - f(w*) over the steps of SGD, log-log, each with its closed form, dashed. At the last step: "
        + listed(
            f"{name}, {excess[-1]:.2g} measured and {closed[name][-1]:.2g} in closed form"
            for name, excess in measured.items()
        ),
    )
