"""Figures of problems 1 to 4 that move: the proximal step, the ledger of the regret, the average, and a step of SGD."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from coursework.explorable import Drawing, Explorable, drawing_of, frames, place
from cs7643.plots.marks import dot, legible
from cs7643.plots.style import BLUE, GREEN, GREY, VERMILION, clean, done
from cs7643.theory import convex, noise

Array = NDArray[Any]
LAMBDAS = (1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0, 16.0)
STEEP = np.array([1.0, 5.0])  # the curvatures of f(z) = (z_1^2 + 5 z_2^2) / 2
AT = np.array([-2.2, 0.8])
TS = (5, 10, 20, 40, 80, 160)
POINTS, RATES = np.linspace(-2, 3, 21), np.linspace(0.1, 1, 7)


def _pair() -> tuple[Figure, Any, Any]:
    """Return a figure with two panels."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.4))
    return figure, left, right


def proximal_plane(
    proximal_step: Callable[[Array, Array, float], ArrayLike],
    step_size: Callable[[float], float],
    lams: Sequence[float] = LAMBDAS,
) -> Explorable:
    """Show the minimum of eq. (3) beside the step of gradient descent, along the gradient and on the plane.

    Args:
        proximal_step: the student's function, which finds the minimum.
        step_size: the student's function, which determines the step of gradient descent.
        lams: the values of the slider.
    """
    gradient = STEEP * AT
    length = float(np.linalg.norm(gradient))

    def f(z: Array) -> Array:
        return np.asarray((z**2 * STEEP).sum(-1) / 2)

    @legible
    def draw(lam: float) -> Figure:
        figure, along, plane = _pair()
        lowest, eta = np.asarray(proximal_step(AT, gradient, lam)), step_size(lam)
        descended = AT - eta * gradient
        s = np.linspace(-0.4, 3.2, 73)
        cut, tangent = f(AT - s[:, None] * gradient / length), f(AT) - length * s
        far = float(np.linalg.norm(lowest - AT))
        along.plot(s, cut, color="black", label="f")
        along.plot(s, tangent, "--", color=GREY, label="its tangent")
        along.plot(s, tangent + lam / 2 * s**2, color=BLUE, label="the model (3)")
        along.plot([far], [f(AT) - length * far + lam / 2 * far**2], "o", color=VERMILION, label="its minimum")
        along.plot([0], [f(AT)], "o", color="black")
        along.plot([far], [f(lowest)], "s", color=VERMILION, mfc="white", label="f there")
        along.set(ylim=(-8.5, 11), xlabel="distance from w(t)", yticks=[-5, 0, 5, 10], title="along the gradient")
        along.legend(loc="lower left", borderpad=0, handlelength=1.5, labelspacing=0.3)
        x, y = np.meshgrid(np.linspace(-3.4, 1.4, 49), np.linspace(-2.6, 2.2, 49))
        plane.contour(x, y, f(np.stack([x, y], -1)), [0.2, 1, 2.5, f(AT), 7, 12], colors=GREY, linewidths=0.7)
        for part in (1, 2 / 3, 1 / 3):
            plane.add_patch(Circle((lowest[0], lowest[1]), part * far, fill=False, color=BLUE, lw=0.9))
        plane.plot(*zip(AT, descended, strict=True), color="black", lw=1.6)
        plane.plot(*lowest, "o", color=VERMILION)
        plane.plot(*descended, "x", color="black", ms=9, mew=1.6)
        plane.plot(*AT, "o", color="black")
        plane.annotate("w(t)", AT, xytext=(-6, 5), textcoords="offset points", ha="right")
        plane.set(xlim=(-3.4, 1.4), ylim=(-2.6, 2.2), aspect="equal", title="on the plane")
        plane.set(xlabel="grey: f, blue: the model", xticks=[], yticks=[])
        gap = float(np.abs(lowest - descended).max())
        ends = "in the same point" if gap < 1e-12 else f"{gap:.2g} away from it"
        trend = "falls" if f(lowest) < f(AT) else "rises"
        return clean(
            figure,
            f"λ = {lam:g}: the model is lowest at a distance of {far:.2f} from w(t). The cross, gradient descent with "
            f"η = {eta:.3g}, ends {ends}. f {trend} from {f(AT):.2f} to {f(lowest):.2f}.",
        )

    return frames(draw, {"λ": lams}, start=[1])


def regret_ledger(
    v: Array,
    w_star: Array,
    eta: float,
    follow: Callable[[Array, float], Array],
    regret: Callable[..., float],
    regret_bound: Callable[..., float],
) -> Explorable:
    """Show step by step how the budget of eq. (4), distance and penalties, is spent: on regret, and what is left.

    Args:
        v: (T, 2), the vectors of the steps.
        w_star: (2,), the point to compare with.
        eta: the step size.
        follow: the student's function, like the next two.
        regret: the left side.
        regret_bound: the right side.
    """
    iterates = follow(v, eta)
    owed = np.sum((iterates - w_star) ** 2, axis=1) / (2 * eta)
    spent = [0.0, *(regret(iterates[: t + 1], w_star, v[:t]) for t in range(1, len(v) + 1))]
    budget = [float(owed[0]), *(regret_bound(w_star, v[:t], eta) for t in range(1, len(v) + 1))]

    @legible
    def draw(t: int) -> Figure:
        figure, plane, bars = _pair()
        plane.plot(*iterates[: t + 1].T, "o-", color="black", ms=3.5, lw=1)
        plane.plot(*zip(iterates[t], w_star, strict=True), color=VERMILION, lw=3, zorder=0)
        plane.plot(*w_star, "*", color="black", ms=12)
        plane.annotate("w*", w_star, xytext=(0, -16), textcoords="offset points", ha="center")
        plane.annotate("w(1)", (0, 0), xytext=(-4, 8), textcoords="offset points", ha="center")
        low, high = np.vstack([iterates, w_star]).min(0), np.vstack([iterates, w_star]).max(0)
        middle, half = (low + high) / 2, (high - low).max() / 2 + 0.25
        plane.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), xticks=[])
        plane.set(yticks=[], aspect="equal", title="the path to w*")
        below, above = [(spent[t], BLUE), (owed[t], VERMILION)], [(owed[0], VERMILION), (budget[t] - owed[0], GREEN)]
        for row, parts in enumerate((below, above)):
            left = 0.0
            for size, colour in parts:
                bars.barh(row, size, left=left, color=colour, height=0.55)
                left += size
        bars.text(0, 1.36, "distance at the start", ha="left")
        bars.text(budget[-1], 1.36, "penalties", ha="right")
        bars.text(0, -0.52, "regret", ha="left")
        bars.text(budget[-1], -0.52, "distance left", ha="right")
        bars.set(ylim=(-0.75, 1.75), xlim=(0, budget[-1] * 1.02), yticks=[], title="the ledger")
        bars.set(xlabel="distances: squared, over 2η")
        bars.spines["left"].set_visible(False)
        step = "Before the first step. "
        if t:
            regretted, paid, penalty = spent[t] - spent[t - 1], owed[t - 1] - owed[t], budget[t] - budget[t - 1]
            step = f"Step {t}: regret {regretted:.3f} = distance paid back {paid:.3f} + penalty {penalty:.3f}. "
        return clean(
            figure,
            f"{step}In all: regret {spent[t]:.3f} + distance left {owed[t]:.3f} = distance at the start "
            f"{owed[0]:.3f} + penalties {budget[t] - owed[0]:.3f}.",
        )

    steps = range(len(v) + 1)
    return frames(draw, {"steps": steps}, start=[len(v) // 2])


def running_average(
    gradient_descent: Callable[..., Array],
    average: Callable[[Array], Array],
    rate_step_size: Callable[..., float],
    rate_bound: Callable[..., float],
) -> Explorable:
    """Show for several T why the average: on a kink the iterates jump from side to side, and their mean does not.

    Args:
        gradient_descent: the student's function, like the others.
        average: that of the iterates.
        rate_step_size: of problem 3.
        rate_bound: of problem 3.
    """

    @legible
    def draw(T: int) -> Figure:
        figure, *panels = _pair()
        said = []
        for axis, f in zip(panels, (convex.absolute_value(), convex.hinge()), strict=True):
            iterates = gradient_descent(f.subgradient, 0 * f.w_star, rate_step_size(f.B, f.rho, T), T)
            means = [average(iterates[: t + 1]) for t in range(1, T + 1)]
            if len(f.w_star) == 1:
                axis.axhline(f.w_star[0], color=GREY, lw=0.8)
                axis.plot(range(1, T + 2), iterates[:, 0], ".-", color=BLUE, lw=0.7, ms=4, label="w(t)")
                axis.plot(range(1, T + 1), np.array(means)[:, 0], color=VERMILION, lw=2, label="the average so far")
                axis.set(ylim=(-0.05, 1.5), ylabel="w", title="|w − 1|")
            else:
                axis.semilogy(range(1, T + 2), [f.gap(w) for w in iterates], ".-", color=BLUE, lw=0.7, ms=4)
                axis.semilogy(range(1, T + 1), [f.gap(w) for w in means], color=VERMILION, lw=2)
                axis.axhline(rate_bound(f.B, f.rho, T), color="black", lw=3, alpha=0.25, label="the bound")
                axis.set(ylim=(3e-3, 3), ylabel="f − f*", title="hinge loss")
            axis.set(xlabel="t")
            axis.legend(loc="lower right" if len(f.w_star) == 1 else "upper right")
            gaps = f.gap(means[-1]), f.gap(iterates[-1]), rate_bound(f.B, f.rho, T)
            said.append(
                f"{f.name}: f − f* = {gaps[0]:.3f} at the average, {gaps[1]:.3f} at the last, bound {gaps[2]:.3f}"
            )
        return clean(figure, f"T = {T}. " + "; ".join(said) + ".")

    return frames(draw, {"T": TS}, start=[2])


@legible
def last_iterates(averages: dict[int, float], lasts: dict[int, float]) -> Figure:
    """Draw the worst cases of the average and of the last iterate over T, and the bound 1 / sqrt(T)."""
    figure, axis = plt.subplots(figsize=(6, 3.6))
    T = np.array(sorted(averages))
    axis.loglog(T, 1 / np.sqrt(T), color="black", lw=3, alpha=0.25, label=r"the bound, $1/\sqrt{T}$")
    for name, gaps, mark, colour in (("last", lasts, "s", VERMILION), ("average", averages, "D", BLUE)):
        axis.loglog(T, [gaps[t] for t in T], mark, ms=5, color=colour, ls=":", label=f"worst case, {name} iterate")
        for t in T:
            offset = (0, 8 if name == "last" else -16)
            axis.annotate(f"{gaps[t]:.3f}", (t, gaps[t]), xytext=offset, textcoords="offset points", ha="center")
    axis.set(xlabel="number of steps T", ylabel=r"$(f - f^*) / (B\rho)$", ylim=(0.12, 1.6), xlim=(0.8, 26))
    axis.set(xticks=T, yticks=[0.2, 0.5, 1], title="The last iterate has the worse worst case")
    axis.set_xticklabels([f"{t}" for t in T])
    axis.set_yticklabels(["0.2", "0.5", "1"])
    axis.minorticks_off()
    axis.legend(loc="lower left")
    return clean(
        figure,
        "The worst case of all functions, as a multiple of B rho: "
        + "; ".join(f"T = {t}, {averages[t]:.3f} at the average and {lasts[t]:.3f} at the last iterate" for t in T)
        + ". The average lies on the bound 1 / sqrt(T), the last iterate above it.",
    )


@legible
def sgd_region(sgd_step: Callable[[ArrayLike, int, float], ArrayLike]) -> Explorable:
    """Show where a step on the second term raises f, and for each w and step size the step itself.

    Args:
        sgd_step: the student's function.
    """
    figure, region, curves = _pair()
    w, eta = np.linspace(-2.1, 3.1, 261), np.linspace(0.04, 1.06, 103)
    change = np.array([noise.f(sgd_step(w, 2, rate)) for rate in eta]) - noise.f(w)
    region.contourf(w, eta, change, levels=[0, np.inf], colors=[VERMILION], alpha=0.35)
    region.axvline(noise.MINIMISER, color=BLUE, lw=1, ls="--")
    region.text(noise.MINIMISER + 0.06, 0.06, "w*", color=BLUE)
    region.text(-0.25, 0.3, "f rises", ha="center")
    region.text(2.1, 0.3, "f falls", ha="center")
    region.text(-1.55, 0.3, "f falls", ha="center")
    region.set(xlabel="w", ylabel="step size η", xlim=(-2.1, 3.1), ylim=(0.04, 1.06), title="a step on term 2")
    curves.plot(w, noise.f(w), color="black", label="f")
    curves.plot(w, (w + 1) ** 2 / 2, color=GREY, ls="--", label="term 2")
    curves.set(xlabel="w", xlim=(-2.1, 3.1), ylim=(0, 9), title="from ● to ○")
    curves.legend(loc="upper center")
    base = drawing_of(clean(figure, ""))
    done(
        figure,
        f"Where a step on term 2 raises f: at every step size between w = -1 and w* = {noise.MINIMISER:g}, "
        "and to the right of it where the step is so long that it passes w* by more than w is away from it.",
    )

    def draw(w: float, eta: float) -> Drawing:
        to = float(np.asarray(sgd_step(w, 2, eta)))
        before, after = float(noise.f(w)), float(noise.f(to))
        own = (w + 1) ** 2 / 2, (to + 1) ** 2 / 2
        colour = VERMILION if after > before else GREEN
        marks = [dot(region, w, eta, colour, 5.5)]
        for start, end, shade in ((own[0], own[1], GREY), (before, after, colour)):
            (x, y), (u, z) = place(curves, w, start), place(curves, to, end)
            marks.append(f'<path d="M{x} {y}L{u} {z}" stroke="{shade}" stroke-width="2"/>')
            marks += [dot(curves, w, start, shade), dot(curves, to, end, shade, fill="#ffffff")]
        trend = "stays" if abs(after - before) < 1e-12 else "rises" if after > before else "falls"
        return base.under(
            "".join(marks),
            f"From w = {w:g} with η = {eta:.3g} the step on term 2 leads to {to:.3g}. "
            f"Term 2 goes from {own[0]:.3g} to {own[1]:.3g}; f {trend}, from {before:.3g} to {after:.3g}.",
        )

    values = {"w": POINTS.tolist(), "η": RATES.round(2).tolist()}
    drag = (*place(region, POINTS[0], RATES[0]), *place(region, POINTS[-1], RATES[-1]))
    return frames(draw, values, start=(8, 2), still=figure, drag=(drag[0], drag[2], drag[1], drag[3]))
