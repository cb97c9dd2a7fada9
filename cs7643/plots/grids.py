"""Small matrices as squares with numbers, in SVG, for pictures in which what is done now is marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coursework.explorable import Drawing
from cs7643.plots.style import BLACK, GREY, VERMILION

Array = NDArray[Any]
PALE, MIXED = "#FFE9B8", "#CFE3F2"  # of what is done now; of what several have been added to
RULE = "#999999"
TOP = 24.0  # of the first grid, below its title


@dataclass(frozen=True)
class Part:
    """A rectangle of squares: its first row and column, and how many rows and columns it has."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True)
class Grid:
    """Where a matrix stands in a picture, in its units: the left and the upper edge, and the side of a square."""

    left: float
    top: float
    side: float

    def drawn(
        self,
        values: Array,
        *,
        shown: Array | None = None,
        now: Part | None = None,
        mixed: Array | None = None,
        pad: int = 0,
    ) -> str:
        """Return the SVG of a matrix.

        Args:
            values: (rows, columns).
            shown: where its numbers are known, a mask; by default everywhere.
            now: what is marked.
            mixed: where several numbers have been added up, a mask.
            pad: how many rows and columns on each side are padding: grey, and outside a line.
        """
        rows, columns = values.shape
        parts = []
        if mixed is not None:
            parts += [f"{self._box(Part(int(i), int(j)))} fill='{MIXED}'/>" for i, j in np.argwhere(mixed)]
        if now is not None:
            parts.append(f"{self._box(now)} fill='{PALE}'/>")
        across, down = self.side * columns, self.side * rows
        lines = [f"M{self.left:g} {self.top + k * self.side:g}h{across:g}" for k in range(rows + 1)]
        lines += [f"M{self.left + k * self.side:g} {self.top:g}v{down:g}" for k in range(columns + 1)]
        parts.append(f"<path d='{''.join(lines)}' stroke='{RULE}' stroke-width='0.8'/>")
        for (i, j), value in np.ndenumerate(values):
            if shown is None or shown[i, j]:
                x, y = self.centre(i, j)
                inside = pad <= i < rows - pad and pad <= j < columns - pad
                look = "" if inside else f" fill='{GREY}'"
                parts.append(f"<text x='{x:g}' y='{y + 4:g}'{look}>{number(value)}</text>")
        if pad:
            inner = Part(pad, pad, rows - 2 * pad, columns - 2 * pad)
            parts.append(f"{self._box(inner)} fill='none' stroke='{BLACK}' stroke-width='1.4'/>")
        if now is not None:
            parts.append(f"{self._box(now)} fill='none' stroke='{VERMILION}' stroke-width='2.2'/>")
        return "".join(parts).replace("'", '"')

    def titled(self, title: str, columns: int) -> str:
        """Return a title over as many columns."""
        middle = self.left + columns * self.side / 2
        return f'<text x="{middle:g}" y="{self.top - 7:g}" font-size="11">{title}</text>'

    def centre(self, row: float, column: float) -> tuple[float, float]:
        """Return the centre of a square."""
        return self.left + (column + 0.5) * self.side, self.top + (row + 0.5) * self.side

    def inset(self, by: int) -> Grid:
        """Return a grid that begins so many rows and columns further inside."""
        return Grid(self.left + by * self.side, self.top + by * self.side, self.side)

    def _box(self, part: Part) -> str:
        left, top = self.left + part.column * self.side, self.top + part.row * self.side
        size = f"width='{part.columns * self.side:g}' height='{part.rows * self.side:g}'"
        return f"<rect x='{left:g}' y='{top:g}' {size}"


def number(value: float) -> str:
    """Return a number in few letters; there is no minus zero."""
    return f"{value + 0.0:g}"


def rows_of(values: Array) -> str:
    """Return a small matrix in words."""
    return " / ".join(" ".join(map(number, row)) for row in values)


def picture(size: tuple[float, float], marks: list[str], words: str) -> Drawing:
    """Return a picture of this width and height from its parts."""
    style = f'font-family="DejaVu Sans,Verdana,sans-serif" font-size="12" text-anchor="middle" fill="{BLACK}"'
    box = f"0 0 {size[0]:g} {size[1]:g}"
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}"><g {style}>{"".join(marks)}</g></svg>', words
    )
