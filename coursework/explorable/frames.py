"""The output of a cell that can be explored: every state of a picture, and a script that shows the one asked for."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import itertools
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from coursework.explorable.drawing import Drawing, Pixels, drawing_of, pixels_of, themed
from coursework.notebooks import figures

LIMIT = 60_000  # bytes of HTML
MOST = 4  # sliders
HERE = Path(__file__).parent


class Explorable:
    """What :func:`frames` returns: the last expression of a cell shows it.

    Attributes:
        html: all of it, for a page.
        still: the picture where no script runs.
        texts: the words of each state.
        summary: what it is, in plain text.
    """

    def __init__(self, html: str, still: Drawing | Pixels, texts: Sequence[str], summary: str) -> None:
        self.html, self.still, self.texts, self.summary = html, still, tuple(texts), summary

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        shown = {"text/plain": self.summary, self.still.kind: self.still.content, "text/html": self.html}
        return shown, {self.still.kind: {"alt": self.still.text}, "text/html": {figures.EXPLORABLE: True}}


def frames(
    draw: Callable[..., Figure | Drawing | None],
    parameters: Mapping[str, Sequence[Any]],
    *,
    start: Sequence[int] | None = None,
    still: Figure | Drawing | None = None,
    drag: Sequence[float] | None = None,
) -> Explorable:
    """Draw a picture for all values of one parameter, or of several, and return it with a slider for each.

    Args:
        draw: takes a value of each parameter, in their order, returns the picture of that state with its words; None
            where the last parameter has fewer values, because of what the others are.
        parameters: up to four; for each, its name as a label, and its values in the order of the slider.
        start: the places of the first state's values; by default that of all first values.
        still: what is shown where no script runs; by default the first state.
        drag: left, right, bottom and top of a part of the picture, in units of its viewBox: a finger or a mouse in it
            moves the first parameter from left to right, and the second, if there is one, from bottom to top. Their
            values must be evenly spaced on these axes, and there must be no third.

    Raises:
        ValueError: if there are too few parameters or too many, one has no values, ``start`` is none of the states, or
            a state is missing before one that is there.
    """
    counts = [len(values) for values in parameters.values()]
    if not 1 <= len(counts) <= MOST or 0 in counts:
        raise ValueError(f"frames: parameters must be one to {MOST}, each with values, got {counts} values")
    first = tuple(start) if start is not None else (0,) * len(counts)
    if len(first) != len(counts) or not all(0 <= k < n for k, n in zip(first, counts, strict=True)):
        raise ValueError(f"frames: start must hold a place among {counts} values, got {first}")
    if drag is not None and (len(drag) != 4 or len(counts) > 2):
        raise ValueError(f"frames: drag must be left, right, bottom and top, for up to two parameters, got {drag}")
    drawn = [draw(*values) for values in itertools.product(*parameters.values())]
    for k in range(0, len(drawn), counts[-1]):
        there = [each is not None for each in drawn[k : k + counts[-1]]]
        if not there[0] or there != sorted(there, reverse=True):
            raise ValueError("frames: draw must return None for the last values of the last parameter only")
    drawings = [_drawing(each) for each in drawn]
    place = functools.reduce(lambda sum, each: sum * each[1] + each[0], zip(first, counts, strict=True), 0)
    shown = drawn[place] if still is None else still
    if shown is None:
        raise ValueError(f"frames: start must be a state for which draw returns a picture, got {first}")
    picture = shown if isinstance(shown, Drawing) else pixels_of(shown)
    named = [(name, [_shown(value) for value in values]) for name, values in parameters.items()]
    page = _page(named, first, drawings, picture, drag)
    texts = [drawing.text for drawing in drawings if drawing]
    ranges = ", ".join(f"{name} from {values[0]} to {values[-1]}" for name, values in named)
    return Explorable(page, picture, texts, f"A picture to explore: {ranges}. {picture.text}".rstrip())


def _drawing(drawn: Figure | Drawing | None) -> Drawing | None:
    return drawn if drawn is None or isinstance(drawn, Drawing) else drawing_of(drawn)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _page(
    parameters: Sequence[tuple[str, Sequence[str]]],
    start: Sequence[int],
    drawings: Sequence[Drawing | None],
    still: Drawing | Pixels,
    drag: Sequence[float] | None,
) -> str:
    """Return the HTML: the still picture, and a script that puts the live one in its place."""
    svgs = [drawing.svg if drawing else "" for drawing in drawings]
    texts = [drawing.text if drawing else "" for drawing in drawings]
    digest = hashlib.sha256("".join([*svgs, *texts, str(parameters)]).encode()).hexdigest()[:10]
    joined, colours = themed("\0".join(svgs))
    own = re.sub(r"((?: id=\"|href=\"#|url\(#))", rf"\1x{digest}-", joined)  # no other picture has these ids
    base, *others = (_pieces(svg) for svg in own.split("\0"))
    data = {
        "css": re.sub(r"\s+", " ", (HERE / "explorable.css").read_text(encoding="utf-8")),
        "colours": colours,
        "parameters": parameters,
        "start": start,
        "base": base,
        "changes": [[], *(_changes(base, other) if other != [""] else None for other in others)],
        "texts": texts,
        "drag": drag,
    }
    encoded = base64.b64encode(zlib.compress(json.dumps(data, ensure_ascii=False).encode(), 9)).decode()
    content = still.content if still.kind == "image/png" else base64.b64encode(still.content.encode()).decode()
    picture = f'<img alt="{html.escape(still.text)}" src="data:{still.kind};base64,{content}" style="max-width:100%">'
    script = (HERE / "explorable.js").read_text(encoding="utf-8").replace("ID", digest, 1).replace("DATA", encoded, 1)
    return f'<figure class="explorable" data-explorable="{digest}">{picture}</figure>\n<script>\n{script}</script>'


def _pieces(svg: str) -> list[str]:
    return re.split(r"(?<=>)", svg)


def _changes(base: Sequence[str], other: Sequence[str]) -> list[list[Any]]:
    """Return what makes one list of pieces of another: where, how many to take out, and the text to put in."""
    found = SequenceMatcher(None, base, other, autojunk=False).get_opcodes()
    return [[i, j - i, "".join(other[k:n])] for kind, i, j, k, n in found if kind != "equal"]
