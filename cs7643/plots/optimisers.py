"""Problem 6.1: three update rules in a bowl that is a hundred times steeper in one direction than in the other.

In such a bowl every rule has a form that is not that of a program: plain descent is a power, momentum a matrix that is
applied again and again, and the mean square of RMSProp a sum over all gradients so far.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import NDArray

from coursework.explorable import Drawing, Explorable, drawing_of, frames, place
from cs7643.plots.marks import dot, frame, label, legible, line
from cs7643.plots.style import BLACK, BLUE, GREEN, GREY, VERMILION, done

Array = NDArray[np.float64]
CURVATURES = np.array([1.0, 100.0])
START = np.array([1.0, 0.1])  # both directions contribute the same to f
STEPS, LAST = 60, 10  # a rule is judged by the highest f of the last steps: a lucky step is none
RATES = (0.001, 0.003, 0.01, 0.015, 0.019, 0.025, 0.035, 0.05, 0.1)
MOMENTA = (0.0, 0.7, 0.9, 0.97)
LEVELS = (0.01, 0.08, 0.3, 0.7, 1.3)  # of f, drawn as ellipses
FINE = np.union1d(RATES, np.geomspace(1e-3, 0.3, 90))  # rates among which the best one is found
DECAY, EPS = 0.9, 1e-8  # a memory that is short beside the number of steps
COLOURS = {"SGD": BLUE, "momentum": VERMILION, "RMSProp": GREEN}


def heights(w: Array) -> Array:
    """Return f(w) = (w_1^2 + 100 w_2^2) / 2 for points (..., 2)."""
    return np.asarray((CURVATURES * w**2).sum(axis=-1) / 2)


def reached(path: Array) -> float:
    """Return the highest f of the last steps of a path (STEPS + 1, 2)."""
    return float(heights(path[-LAST:]).max())


def momentum_path(rate: float, momentum: float) -> Array:
    """Return the points (STEPS + 1, 2) of descent with momentum; without any it is plain descent."""
    # Where a coordinate and its last change are after a step depends linearly on where they are before it.
    after = np.array([[[1 - rate * c, momentum], [-rate * c, momentum]] for c in CURVATURES])
    states = [np.stack([START, 0 * START], axis=1)]
    for _ in range(STEPS):
        states.append(np.einsum("cij,cj->ci", after, states[-1]))
    return np.array(states)[:, :, 0]


def rmsprop_path(rate: float) -> Array:
    """Return the points (STEPS + 1, 2) of RMSProp."""
    weights = (1 - DECAY) * DECAY ** np.arange(STEPS)[::-1]  # the newest gradient is the last one
    points, slopes = [START], np.empty((0, 2))
    for t in range(1, STEPS + 1):
        slopes = np.vstack([slopes, CURVATURES * points[-1]])
        points.append(points[-1] - rate * slopes[-1] * (weights[-t:] @ slopes**2 + EPS) ** -0.5)
    return np.array(points)


@legible
def optimiser_paths() -> Explorable:
    """Show the paths of SGD, momentum and RMSProp for many rates and momenta, at the same rate and each at its best."""
    figure, ((same, best), (ends, along)) = plt.subplots(2, 2, figsize=(6.2, 5.6))
    for axis, title in ((same, "all at this η"), (best, "each at its best η")):
        for level in LEVELS:
            axis.add_patch(Ellipse((0, 0), *2 * np.sqrt(2 * level / CURVATURES), fill=False, color=GREY, lw=0.5))
        axis.plot(*START, "o", color=BLACK, ms=5)
        axis.plot(0, 0, "*", color=BLACK, ms=9)
        axis.set(
            title=title,
            xlabel="w₁",
            xticks=[-1, 0, 1],
            yticks=[-0.1, 0, 0.1],
            xlim=(-1.15, 1.15),
            ylim=(-0.16, 0.16),
        )
    same.set_ylabel("w₂")
    ends.set(xscale="log", yscale="log", xlim=(FINE[0], FINE[-1]), ylim=(1e-8, 10))
    ends.set(xlabel="η", ylabel="f", title=f"highest f, steps {STEPS - LAST + 1} to {STEPS}")
    ends.set_xticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"])
    ends.set_yticks([1e-8, 1e-6, 1e-4, 1e-2, 1], ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"])
    ends.minorticks_off()
    along.axhline(0, color=GREY, lw=0.8)
    along.set(xlim=(0, STEPS), ylim=(-1.1, 1.15), xlabel="step", ylabel="w₁", title="along the valley, at this η")
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    for name, colour in COLOURS.items():
        along.plot([], [], color=colour, label=name)
    figure.legend(*along.get_legend_handles_labels(), loc="upper center", ncols=3)
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.09, top=0.89, hspace=0.42, wspace=0.33)
    base = drawing_of(done(figure, ""))
    base = base.under(frame(same) + frame(best) + frame(ends) + frame(along), "")

    runs = {"SGD": [momentum_path(rate, 0.0) for rate in FINE], "RMSProp": [rmsprop_path(rate) for rate in FINE]}
    with_momentum = {momentum: [momentum_path(rate, momentum) for rate in FINE] for momentum in MOMENTA}
    limit = 2 / CURVATURES.max()
    base = base.under(
        "".join(_curve(ends, name, found) + _path(best, name, _lowest(found)[1]) for name, found in runs.items())
        + _limit(ends, limit, "SGD"),
        "",
    )

    def draw(rate: float, momentum: float) -> Drawing:
        found = {"SGD": momentum_path(rate, 0.0), "RMSProp": rmsprop_path(rate)}
        found["momentum"] = momentum_path(rate, momentum)
        steady = limit * (1 + momentum)
        top, bottom = (place(ends, rate, height)[1] for height in reversed(ends.get_ylim()))
        middle = place(ends, rate, 1.0)[0]
        marks = [
            f'<path d="M{middle} {top}V{bottom}" stroke="{BLACK}"/>',
            _curve(ends, "momentum", with_momentum[momentum]),
            _limit(ends, steady, "momentum"),
            _path(best, "momentum", _lowest(with_momentum[momentum])[1]),
        ]
        for name, path in found.items():
            marks += [_path(same, name, path), line(along, range(0, STEPS + 1, 2), path[::2, 0], COLOURS[name])]
            height = float(np.clip(reached(path), *ends.get_ylim()))
            marks.append(dot(ends, rate, height, COLOURS[name]))
        ended = {name: f"{reached(path):.2g}" for name, path in found.items()}
        ended |= {name: "diverges" for name, most in (("SGD", limit), ("momentum", steady)) if rate > most}
        at_best = {name: _lowest(run) for name, run in {**runs, "momentum": with_momentum[momentum]}.items()}
        now = ", ".join(f"{name} {ended[name]}" for name in COLOURS)
        then = ", ".join(f"{name} {reached(path):.2g} at {eta:.2g}" for name, (eta, path) in at_best.items())
        return base.under(
            "".join(marks),
            f"Highest f in steps {STEPS - LAST + 1} to {STEPS}: {now}. Each at its best η: {then}."
            + (_overshoot(found["momentum"][:, 0]) if rate <= steady else ""),
        )

    return frames(draw, {"η": RATES, "μ": MOMENTA}, start=(RATES.index(0.01), MOMENTA.index(0.9)))


def _lowest(paths: list[Array]) -> tuple[float, Array]:
    """Return the rate whose path ends lowest, and that path."""
    k = int(np.argmin([reached(path) for path in paths]))
    return float(FINE[k]), paths[k]


def _overshoot(w: Array) -> str:
    k = int(w.argmin())
    return f" With momentum, w1 passes 0 and reaches {w[k]:.2f}, at step {k}." if w[k] < -0.005 else ""


def _path(axis: Axes, name: str, path: Array) -> str:
    inside = abs(path[:, 1]) < 1  # what diverges would fill the picture
    shown = path[: len(path) if inside.all() else int(inside.argmin()) + 1]
    return line(axis, shown[:, 0], shown[:, 1], COLOURS[name], 1.2)


def _curve(axis: Axes, name: str, paths: list[Array]) -> str:
    ends = np.clip([reached(path) for path in paths], 1e-9, 1e9)
    return line(axis, FINE, ends, COLOURS[name], 1.8)


def _limit(axis: Axes, rate: float, name: str) -> str:
    x, top = place(axis, rate, axis.get_ylim()[1])
    bottom = place(axis, rate, axis.get_ylim()[0])[1]
    at, up = x + (10 if name == "momentum" else -3), bottom - 5
    said = label(at, up, "limit", 9, more=f'fill="{COLOURS[name]}" transform="rotate(-90 {at:g} {up:g})"')
    return f'<path d="M{x} {top}V{bottom}" stroke="{COLOURS[name]}" stroke-dasharray="4 3"/>{said}'
