"""Problem 6.1: the gradient of the loss with respect to the scores, and what becomes of it in a matrix of weights."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from coursework.explorable import Drawing, Explorable, drawing_of, frames, place
from cs7643.losses import softmax_loss
from cs7643.plots.marks import bar, label, legible
from cs7643.plots.style import BLUE, GREEN, GREY, VERMILION, clean

Array = NDArray[Any]
CLASSES = ("disc", "ring", "square")
SCORES = (1.0, 0.0, -1.0)  # of them; that of the right one is dragged
RIGHT = 1
DRAGGED = tuple(np.linspace(-4, 4, 17).tolist())
HALF = 0.3  # of the height of a bar

HIDDEN = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0], [4.0, 1.0]])  # of four images, two units each
PROBABILITIES = np.array([[0.6, 0.2, 0.2], [0.08, 0.72, 0.2], [0.36, 0.24, 0.4], [0.4, 0.52, 0.08]])
LABELS = np.array([0, 1, 2, 0])
STRONGEST = {BLUE: 4, VERMILION: 0.15, GREEN: 0.7}  # the numbers that have the full colour
CELL = (50, 26)  # width and height, in units of the picture


@legible
def score_pushes() -> Explorable:
    """Show scores, probabilities and the direction of descent for one image; the score of the right class moves."""
    figure, (scores, p, push) = plt.subplots(1, 3, figsize=(6.2, 2.9), sharey=True)
    rows = np.arange(len(CLASSES))
    p.barh(rows[RIGHT], 1, 2 * HALF + 0.14, fill=False, edgecolor="black", lw=1.2)
    for axis in (scores, push):
        axis.axvline(0, color=GREY, lw=0.8)
    scores.set(xlim=(-4.6, 4.6), ylim=(2.6, -0.6), xlabel="score", title="drag the blue bar", xticks=[-4, -2, 0, 2, 4])
    scores.set_yticks(rows, CLASSES)
    p.set(xlim=(0, 1.08), xlabel="probability", title="p, and y framed")
    push.set(xlim=(-1.1, 1.1), xlabel="y − p", title="descent")
    base = drawing_of(clean(figure, ""))

    def draw(score: float) -> Drawing:
        s = np.array(SCORES)
        s[RIGHT] = score
        loss, gradient = softmax_loss(s[np.newaxis], np.array([RIGHT]))
        down = -gradient[0]
        probabilities = (rows == RIGHT) - down
        marks = []
        for k in rows:
            span = (k - HALF, k + HALF)
            marks.append(bar(scores, (0, s[k]), span, BLUE if k == RIGHT else GREY))
            marks.append(bar(p, (0, probabilities[k]), span, BLUE))
            marks.append(bar(push, (0, down[k]), span, GREEN if down[k] > 0 else VERMILION))
        shown, moved = (", ".join(f"{value:.2f}" for value in values) for values in (probabilities, down))
        return base.under(
            "".join(marks),
            f"Scores {s[0]:g}, {s[1]:g}, {s[2]:g}: p = {shown}, and the loss is {loss:.2f}. "
            f"Descent pushes the scores in the direction {moved}.",
        )

    drag = (*place(scores, DRAGGED[0], 2.6), *place(scores, DRAGGED[-1], -0.6))
    start = DRAGGED.index(-1.0)
    return frames(draw, {"score of the ring": DRAGGED}, start=(start,), drag=(drag[0], drag[2], drag[1], drag[3]))


def outer_products() -> Explorable:
    """Show for a batch of four images that the gradient of W2 is a sum of outer products, one for each image."""
    _, dscores = softmax_loss(np.log(PROBABILITIES), LABELS)
    parts = HIDDEN[:, :, np.newaxis] * dscores[:, np.newaxis, :]
    width, height = CELL
    left = 62
    right, low = left + 2 * width + 34, 226  # where the scores' gradient begins, and the second row of tables

    def draw(k: int) -> Drawing:
        part, total = parts[k - 1], parts[:k].sum(axis=0)
        marks = [
            label(left, 20, "A (4, 2)", 13),
            label(right, 20, "∂L/∂S (4, 3)", 13),
            *(label(left - 8, 48 + height * i, f"image {i + 1}", 11, "end", _strong(i == k - 1)) for i in range(4)),
            _table(left, 30, HIDDEN, BLUE, marked=k - 1),
            _table(right, 30, dscores, VERMILION, marked=k - 1),
            label(12, low - 62, f"image {k}: a column times a row", 13),
            _table(12, low, HIDDEN[k - 1][:, np.newaxis], BLUE),
            _table(12 + width + 6, low - height - 6, dscores[k - 1][np.newaxis], VERMILION),
            _table(12 + width + 6, low, part, GREEN),
            label(12, low + 2 * height + 22, "(2, 1) @ (1, 3) = (2, 3)", 12),
            label(262, low - 38, f"sum of images 1 to {k}" if k > 1 else "sum so far", 13),
            _table(262, low, total, GREEN),
            label(262, low + 2 * height + 22, "(2, 4) @ (4, 3) = (2, 3)" if k == 4 else "(2, 3)", 12),
        ]
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 420 312">{"".join(marks)}</svg>'
        end = " All four are added: this is A transposed times ∂L/∂S." if k == 4 else ""
        unit, other = HIDDEN[k - 1]
        return Drawing(
            svg,
            f"Image {k}: its hidden units are {unit:g} and {other:g}, its row of ∂L/∂S is {_row(dscores[k - 1])}. "
            f"{unit:g} × this row goes into row 1 of the gradient of W2, {other:g} × this row into row 2. "
            f"The sum so far: {_row(total[0])}; {_row(total[1])}.{end}",
        )

    return frames(draw, {"image": range(1, 5)}, start=(1,))


def _row(values: Array) -> str:
    return ", ".join(_shown(value) for value in values)


def _shown(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _strong(marked: bool) -> str:
    return 'font-weight="bold"' if marked else ""


def _table(x: float, y: float, values: Array, colour: str, marked: int | None = None) -> str:
    """Return the boxes of a matrix, the stronger coloured the larger the number, with one row marked."""
    width, height = CELL
    cells = []
    for (i, j), value in np.ndenumerate(values):
        across, down = x + width * j, y + height * i
        strength = 0.4 * min(1, abs(value) / STRONGEST[colour])
        cells.append(
            f'<rect x="{across:g}" y="{down:g}" width="{width}" height="{height}" fill="{colour}" '
            f'fill-opacity="{strength:.2f}" stroke="{GREY}"/>'
        )
        text = _shown(value).replace("-", "−")
        cells.append(label(across + width / 2, down + 18, text, 13, "middle", _strong(marked == i)))
    if marked is not None:
        size = f'width="{width * values.shape[1]}" height="{height}"'
        cells.append(
            f'<rect x="{x:g}" y="{y + height * marked:g}" {size} fill="none" stroke="{colour}" stroke-width="3"/>'
        )
    return "".join(cells)
