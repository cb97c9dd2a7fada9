"""Problem 6.2: where max pooling's backward pass sends what, window by window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from coursework.explorable import Drawing, Explorable, frames
from cs7643.fast.layers import max_pool_backward_fast, max_pool_forward_fast
from cs7643.plots.grids import TOP, Grid, Part, number, picture
from cs7643.plots.style import GREY, VERMILION

Array = NDArray[Any]


def pooling_routes(x: Array, window: int, douts: Mapping[int, Array]) -> Explorable:
    """Show for each window of max pooling which element has won, and gets the window's gradient.

    Args:
        x: (H, H), the image.
        window: the height and width of the windows.
        douts: for each stride, the gradient with respect to the output.
    """
    most, side, gap = max(map(len, douts.values())), 24.0, 30.0
    images = Grid(8, TOP, side)
    outputs = Grid(images.left + len(x) * side + gap, TOP, side)
    upstream = Grid(outputs.left + most * side + gap, TOP, side)
    dimages = Grid(upstream.left + most * side + gap + 12, TOP, side)

    def draw(stride: int, position: int) -> Drawing | None:
        dout = douts[stride]
        if position > dout.size:
            return None
        out, won = routes(x, window, stride)
        done = np.arange(dout.size).reshape(dout.shape) < position
        dx, times = (pooled_back(x, window, stride, values) for values in (dout * done, done.astype(float)))
        i, j = divmod(position - 1, dout.shape[1])
        row, column = (int(place) for place in won[i, j])
        ends = upstream, upstream.left + len(dout) * side, dimages
        marks = [
            images.titled("x", len(x)) + images.drawn(x, now=Part(i * stride, j * stride, window, window)),
            outputs.titled("output", len(out)) + outputs.drawn(out, shown=done, now=Part(i, j)),
            upstream.titled("dout", len(out)) + upstream.drawn(dout, now=Part(i, j)),
            dimages.titled("dx so far", len(x))
            + dimages.drawn(dx, shown=times > 0, now=Part(row, column), mixed=times > 1),
            _ring(images, row, column),
            *(_route(*ends, tuple(start), won[tuple(start)], now=False) for start in np.argwhere(done)),
            _route(*ends, (i, j), (row, column), now=True),
        ]
        seen = sliding_window_view(x, (window, window))[i * stride, j * stride]
        equal = int((seen == out[i, j]).sum())
        tie = f", the first of {equal} equal ones, row by row" if equal > 1 else ""
        words = f"Window {position} of {dout.size}: the largest value is {number(out[i, j])}, "
        words += f"at row {row}, column {column}{tie}. "
        words += f"All of dout[{i}, {j}] = {number(dout[i, j])} goes there"
        more = times[row, column] > 1
        words += f"; with what is there already, that makes {number(dx[row, column])}." if more else "."
        return picture((dimages.left + len(x) * side + 8, TOP + len(x) * side + 8), marks, words)

    parameters = {"stride": list(douts), "window": range(1, most**2 + 1)}
    return frames(draw, parameters, start=(0, 1))


def routes(x: Array, window: int, stride: int) -> tuple[Array, Array]:
    """Return the output of max pooling, (H_out, W_out), and where in x each value comes from, (H_out, W_out, 2)."""
    param = {"pool_height": window, "pool_width": window, "stride": stride}
    out, cache = max_pool_forward_fast(x[None, None], param)
    places = np.stack(np.unravel_index(cache.winner[:, :, 0, 0], (window, window)), -1)
    corners = stride * np.moveaxis(np.indices(out.shape[2:]), 0, -1)
    return out[0, 0], corners + places


def pooled_back(x: Array, window: int, stride: int, dout: Array) -> Array:
    """Return the gradient of the image, (H, H)."""
    _, cache = max_pool_forward_fast(x[None, None], {"pool_height": window, "pool_width": window, "stride": stride})
    dx: Array = max_pool_backward_fast(dout[None, None], cache)[0, 0]
    return dx


def _ring(grid: Grid, row: int, column: int) -> str:
    x, y = grid.centre(row, column)
    return f'<circle cx="{x:g}" cy="{y:g}" r="9.5" fill="none" stroke="{VERMILION}" stroke-width="1.8"/>'


def _route(start: Grid, edge: float, end: Grid, one: Any, other: Any, *, now: bool) -> str:
    """Return an arrow from an element of dout, whose grid ends at ``edge``, to one of dx, along the lines of both."""
    half = start.side / 2
    (x, y), (u, v) = start.centre(*one), end.centre(*other)
    bend = (edge + end.left) / 2
    look = f'stroke="{VERMILION}" stroke-width="2.2"' if now else f'stroke="{GREY}" stroke-width="1"'
    way = f"M{x + half:g} {y - half:g}H{edge:g}C{bend:g} {y - half:g} {bend:g} {v - half:g} {end.left:g} {v - half:g}"
    return f'<path d="{way}H{u - half:g}l-6 -4m6 4l-6 4" fill="none" {look}/>'
