"""Problem 6.1: what the start does to a network, and a small network that learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from coursework.explorable import Drawing, Explorable, drawing_of, frames, place
from cs7643.plots.marks import bar, dot, dots, frame, legible, line
from cs7643.plots.style import BLUE, GREEN, PURPLE, VERMILION, clean

Array = NDArray[Any]
BINS = np.linspace(-16, 3, 39)  # of decimal logarithms
FLAT = 0.05  # nats: the loss has left its plateau when it is this far below that of equal probabilities
POINTS, REACH = 120, 2.4  # of the small network: how many points, and how far the picture reaches
WIDTHS = (2, 3, 8)
MOMENTS = (0, 5, 10, 20, 40, 70, 100, 150, 250, 400, 700, 1000)
RATE = 0.5


@legible
def leaving_the_saddle(starts: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike]]) -> Explorable:
    """Show for several starts how large the activations are, and how the weights and the loss go on from there.

    Args:
        starts: for each name the hidden units (N, H) and the scores (N, C) before the first step, the norms of W1 and
            W2 (T, 2) before each step, and the losses (T,).
    """
    figure = plt.figure(figsize=(6.2, 5.2))
    grid = figure.add_gridspec(2, 2)
    sizes, growth, falls = figure.add_subplot(grid[0, :]), *map(figure.add_subplot, (grid[1, 0], grid[1, 1]))
    steps = max(len(np.asarray(losses)) for *_, losses in starts.values())
    sizes.set(xlim=(BINS[0], BINS[-1]), ylim=(0, 0.75), yticks=[], title="activations before the first step")
    sizes.set(xlabel="size", ylabel="share")
    sizes.set_xticks(range(-15, 3, 3), ["10⁻¹⁵", "10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"])
    growth.set(xlim=(0, steps), yscale="log", ylim=(1e-7, 30), xlabel="step", title="‖W1‖ and ‖W2‖")
    growth.set_yticks([1e-6, 1e-4, 1e-2, 1], ["10⁻⁶", "10⁻⁴", "10⁻²", "1"])
    growth.minorticks_off()
    falls.set(xlim=(0, steps), ylim=(0, 3.6), xlabel="step", title="loss (nats)")
    for name, weights, colour, style in (("hidden units", "‖W1‖", BLUE, "-"), ("scores", "‖W2‖", VERMILION, "--")):
        sizes.plot([], [], color=colour, lw=4, label=name)
        growth.plot([], [], style, color=colour, label=weights)
    sizes.legend(loc="upper center", ncols=2)
    growth.legend(loc="lower right")
    base = drawing_of(clean(figure, "")).under(frame(growth) + frame(falls), "")

    def draw(name: str) -> Drawing:
        hidden, scores, norms, losses = (np.asarray(part) for part in starts[name])
        marks = []
        for values, colour in ((hidden, BLUE), (scores, VERMILION)):
            counts, _ = np.histogram(np.log10(abs(values[values != 0])), BINS)
            for low, high, share in zip(BINS[:-1], BINS[1:], counts / max(1, counts.sum()), strict=True):
                if share > 0.002:
                    marks.append(bar(sizes, (low, high), (0, share), colour, 'fill-opacity="0.7"'))
        at = np.arange(len(losses))
        for k, colour, dashes in ((0, BLUE, ""), (1, VERMILION, 'stroke-dasharray="6 4" ')):
            marks.append(line(growth, at, norms[:, k], colour, 2, dashes))
        smooth = np.convolve(losses, np.full(10, 0.1), mode="valid")  # of ten batches
        marks.append(line(falls, at[9:], smooth, GREEN))
        level = np.log(scores.shape[1]) - FLAT
        low = smooth < level
        when = f"after ≈ {int(low.argmax())} steps" if low.any() else f"not within {len(losses)} steps"
        hidden_size, score_size = (np.sqrt(np.mean(values**2)) for values in (hidden, scores))
        return base.under(
            "".join(marks),
            f"Start {name}: the hidden units are ≈ {hidden_size:.1g}, the scores ≈ {score_size:.1g}. The loss falls "
            f"below {level:.2f} {when}. ‖W1‖ goes from ≈ {norms[0, 0]:.2g} to ≈ {norms[-1, 0]:.2g}, "
            f"‖W2‖ from ≈ {norms[0, 1]:.2g} to ≈ {norms[-1, 1]:.2g}.",
        )

    names = list(starts)
    return frames(draw, {"start": names}, start=(min(1, len(names) - 1),))


def rings() -> tuple[Array, Array]:
    """Return points of the plane, (POINTS, 2), and their labels: 0 in a disc, 1 in the ring around it."""
    rng = np.random.default_rng(0)
    y = np.arange(POINTS) % 2
    radius = np.where(y == 0, 0.9 * np.sqrt(rng.random(POINTS)), rng.uniform(1.4, 2.1, POINTS))
    angle = rng.uniform(0, 2 * np.pi, POINTS)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def recorded(net: Callable[..., Any], width: int) -> tuple[list[dict[str, Array]], Array]:
    """Train a network of two inputs with plain gradient descent from He's start, and record it.

    Args:
        net: the student's two_layer_net.
        width: the number of hidden units.

    Returns:
        The model at each of MOMENTS, and the losses at all steps, the last moment included.

    Raises:
        FloatingPointError: if the loss is not finite, as with gradients that are wrong.
    """
    (X, y), rng = rings(), np.random.default_rng(3)
    model = {"W1": rng.standard_normal((2, width)), "b1": np.zeros(width)}  # He: sqrt(2 / 2) = 1
    model |= {"W2": np.sqrt(2 / width) * rng.standard_normal((width, 2)), "b2": np.zeros(2)}
    models, losses = [], []
    for step in range(MOMENTS[-1] + 1):
        with np.errstate(all="ignore"):
            loss, slopes = net(X, model, y)
        if not np.isfinite(loss):
            advice = 'are the gradients right? check("two_layer_net") says'
            raise FloatingPointError(f"learning_network: the loss is {loss} at step {step}; {advice}")
        losses.append(loss)
        if step in MOMENTS:
            models.append(model)
        model = {name: values - RATE * slopes[name] for name, values in model.items()}
    return models, np.array(losses)


@legible
def learning_network(net: Callable[..., Any]) -> Explorable:
    """Show the points of two classes, the boundary that a network draws between them, and its hidden units' lines.

    Args:
        net: the student's two_layer_net.
    """
    X, y = rings()
    runs = {width: recorded(net, width) for width in WIDTHS}
    figure, (plane, falls) = plt.subplots(1, 2, figsize=(6.2, 3.9), width_ratios=(1.7, 1))
    plane.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", xticks=[], yticks=[])
    plane.set(title="boundary, and units' lines", xlabel="dots: disc, squares: ring")
    falls.set(xscale="log", xlim=(1, MOMENTS[-1] + 1), ylim=(0, 1.2), xlabel="step + 1", title="loss (nats)")
    falls.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    falls.minorticks_off()
    base = drawing_of(clean(figure, "")).under(
        frame(plane) + frame(falls) + dots(plane, X[y == 0], BLUE, 5, "round") + dots(plane, X[y == 1], VERMILION, 4.5),
        "",
    )
    side = np.linspace(-REACH, REACH, 41)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)

    scratch = plt.figure()
    contours = scratch.add_subplot()
    plt.close(scratch)

    def draw(width: int, step: int) -> Drawing:
        models, losses = runs[width]
        model = models[MOMENTS.index(step)]
        scores = net(grid, model)
        marks = [_region(plane, contours, side, (scores[:, 1] - scores[:, 0]).reshape(len(side), -1))]
        vote = model["W2"][:, 1] - model["W2"][:, 0]
        strength = np.hypot(*model["W1"]) * abs(vote)
        for w, b, votes, strong in zip(model["W1"].T, model["b1"], vote, strength / strength.max(), strict=True):
            marks.append(_unit(plane, w, float(b), VERMILION if votes > 0 else BLUE, 0.5 + 2 * float(strong)))
        marks += [
            line(falls, range(1, len(losses) + 1), losses, GREEN),
            dot(falls, step + 1, float(losses[step]), GREEN),
        ]
        right = float(np.mean(net(X, model).argmax(axis=1) == y))
        return base.under(
            "".join(marks),
            f"{width} hidden units, step {step}: loss ≈ {losses[step]:.3f}, {right:.0%} of the points are right.",
        )

    return frames(draw, {"hidden units": WIDTHS, "step": MOMENTS}, start=(len(WIDTHS) - 1, MOMENTS.index(250)))


def _region(axis: Axes, scratch: Axes, side: Array, values: Array) -> str:
    """Shade where the values on a grid are positive, and draw the boundary, which contours on a scratch axis find."""
    filled = scratch.contourf(side, side, values, [0, 1e9]).get_paths()[0].to_polygons(closed_only=False)
    edges = scratch.contour(side, side, values, [0]).get_paths()[0].to_polygons(closed_only=False)
    shapes = ["M" + "L".join(f"{x:g} {y:g}" for x, y in (place(axis, *at) for at in _corners(part))) for part in filled]
    shade = f'<path d="{"z".join(shapes)}" fill="{VERMILION}" fill-opacity="0.2" fill-rule="evenodd"/>'
    lines = (_corners(part) for part in edges)
    return shade + "".join(line(axis, points[:, 0], points[:, 1], PURPLE, 2) for points in lines)


def _corners(points: ArrayLike) -> Array:
    """Leave out the points (N, 2) of a line at which it hardly turns: the boundary is straight almost everywhere."""
    points = np.asarray(points)
    kept = [points[0]]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        (a, b), (c, d) = here - kept[-1], after - before
        if abs(a * d - b * c) > 0.004 * np.hypot(c, d):
            kept.append(here)
    return np.array([*kept, points[-1]])


def _unit(axis: Axes, w: Array, b: float, colour: str, width: float) -> str:
    """Draw where a hidden unit begins to be active, and on which side it is."""
    size = float(w @ w)
    if size == 0:
        return ""
    foot, normal = -b * w / size, w / np.sqrt(size)
    along = np.array([-normal[1], normal[0]])
    ends, side = np.array([foot - 8 * along, foot + 8 * along]), np.array([foot, foot + 0.3 * normal])
    whole = line(axis, ends[:, 0], ends[:, 1], colour, width, 'stroke-opacity="0.75" ')
    return whole + line(axis, side[:, 0], side[:, 1], colour, width)
