"""Problem 6.6: one step of a model that two processes train together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from coursework.explorable import Drawing, Explorable, frames
from cs7643.plots.marks import label
from cs7643.plots.style import BLUE, GREEN, GREY, VERMILION

if TYPE_CHECKING:  # it would bring PyTorch
    from cs7643.pytorch.together import Seen

Array = NDArray[Any]
WIDE, HIGH = 420, 296
BOX = (190, 44)  # width and height
TOPS = (34, 92, 166, 240)  # of the rows: weights, own gradient, mean, weights after the step


def two_processes_step(examples: int, seen: Sequence[Seen]) -> Explorable:
    """Show what two processes hold before a step, after their backward passes, after the exchange, and after the step.

    Args:
        examples: how many the batch has; each process has half of them.
        seen: what each of the two has seen.
    """
    half = examples // 2

    def draw(moment: int) -> Drawing:
        marks = []
        for rank, each in enumerate(seen):
            left = 10 + 210 * rank
            rows = f"examples {rank * half + 1} to {(rank + 1) * half} of {examples}"
            marks.append(label(left + BOX[0] / 2, 22, f"process {rank}: {rows}", 11, "middle", 'font-weight="bold"'))
            boxes = (
                ("weights", each.before, GREY),
                ("gradient of its half", each.own, VERMILION),
                ("gradient after the exchange", each.shared, GREEN),
                ("weights after the step", each.after, BLUE),
            )
            for k, (title, values, colour) in enumerate(boxes):
                if k < moment:
                    marks.append(_box(left, TOPS[k], title, values, colour, now=k == moment - 1))
            if moment >= 2:
                marks.append(_arrow(left + 95, TOPS[0] + BOX[1], TOPS[1]))
            if moment >= 3:
                marks.append(_arrow(left + 95, TOPS[1] + BOX[1], TOPS[1] + BOX[1] + 9))
                marks.append(_arrow(left + 95, TOPS[2] - 9, TOPS[2]))
            if moment >= 4:
                marks.append(_arrow(left + 95, TOPS[2] + BOX[1], TOPS[3]))
        if moment >= 3:
            middle = f'<rect x="60" y="145" width="300" height="12" fill="{GREEN}" fill-opacity="0.25"/>'
            marks.append(middle + label(WIDE / 2, 155, "all-reduce: the mean of the two", 11, "middle"))
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}">{"".join(marks)}</svg>'
        return Drawing(svg, _in_words(moment, seen))

    return frames(draw, {"moment": range(1, 5)}, start=(3,))


def _in_words(moment: int, seen: Sequence[Seen]) -> str:
    first, second = seen
    if moment == 1:
        return f"Both processes start with the same weights, {_row(first.before)}. Each has its half of the batch."
    if moment == 2:
        return f"Each goes backward through its half: the gradients are {_row(first.own)} and {_row(second.own)}."
    if moment == 3:
        return f"They exchange their gradients. Both now hold the mean, {_row(first.shared)} and {_row(second.shared)}."
    return f"Each takes the step by itself. The weights are the same again: {_row(first.after)}, {_row(second.after)}."


def _row(values: Array) -> str:
    return "(" + ", ".join(f"{value + 0.0:.4g}" for value in values) + ")"


def _box(x: float, y: float, title: str, values: Array, colour: str, now: bool) -> str:
    box = (
        f'<rect x="{x}" y="{y}" width="{BOX[0]}" height="{BOX[1]}" rx="5" fill="{colour}" fill-opacity="0.12" '
        f'stroke="{colour}" stroke-width="{2.5 if now else 1}"/>'
    )
    middle = x + BOX[0] / 2
    numbers = _row(values).replace("-", "−")
    return box + label(middle, y + 17, title, 11, "middle") + label(middle, y + 35, numbers, 13, "middle")


def _arrow(x: float, start: float, end: float) -> str:
    return f'<path d="M{x} {start}V{end}m-4 -5l4 5l4 -5" fill="none" stroke="{GREY}" stroke-width="1.5"/>'
