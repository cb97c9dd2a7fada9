"""Problem 6.2: a convolution in numbers, forward and backward, to step through. The fast layers compute all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from coursework.explorable import Drawing, Explorable, frames
from cs7643.fast.layers import conv_backward_fast, conv_forward_fast
from cs7643.plots.grids import TOP, Grid, Part, number, picture, rows_of

Array = NDArray[Any]
STRIDES, PADS = (1, 2), (0, 1)
GAP = 34.0  # between two grids


def convolution_forward(x: Array, filters: Sequence[Array], b: float) -> Explorable:
    """Show a convolution position by position: the window, its products with the filter, and their sum.

    Args:
        x: (H, H), the image.
        filters: square ones of different sizes, of which the reader chooses; the first one is the largest.
        b: the bias.
    """
    sizes = {_by(w): w for w in filters}
    room = len(x) + 2 * max(PADS)

    def draw(size: str, stride: int, pad: int, position: int) -> Drawing | None:
        names = (_padded("image x", pad), "filter w", "window ⊙ filter", "out")
        return _step(x, sizes[size], b, stride, pad, position, names, room, len(filters[0]))

    most = max(out.size for w in filters for pad in PADS if (out := forward(x, w, b, 1, pad)) is not None)
    parameters = {**_switches(sizes), "position": range(1, most + 1)}
    return frames(draw, parameters, start=(0, 0, 0, 1))


def turned_filter(w: Array, dout: Array) -> Explorable:
    """Show the gradient of the image, at stride 1, as one more convolution: dout among zeros, and the filter turned.

    Args:
        w: (HH, HH), the filter.
        dout: (H_out, H_out), the gradient with respect to the output.
    """
    pad = len(w) - 1
    names = (_padded("dout", pad), "w, turned", "window ⊙ filter", "dx")

    def draw(position: int) -> Drawing | None:
        return _step(dout, w[::-1, ::-1], None, 1, pad, position, names, len(dout) + 2 * pad, len(w))

    return frames(draw, {"element of dx": range(1, (len(dout) + pad) ** 2 + 1)}, start=(5,))


def _step(
    x: Array,
    w: Array,
    b: float | None,
    stride: int,
    pad: int,
    position: int,
    names: Sequence[str],
    room: int,
    largest: int,
) -> Drawing | None:
    """Draw one position of a convolution; None if there is no such position.

    Args:
        x: (H, H), the image.
        w: (HH, HH), the filter.
        b: the bias; None if none is named.
        stride: of the convolution.
        pad: likewise.
        position: from 1, row by row.
        names: of the padded image, the filter, the products and the output.
        room: for how many rows of a padded image there is room.
        largest: for how many rows of a filter.
    """
    out = forward(x, w, b or 0.0, stride, pad)
    if position > out.size:
        return None
    i, j = divmod(position - 1, out.shape[1])
    padded, side = np.pad(x, pad), 24.0
    products = sliding_window_view(padded, w.shape)[::stride, ::stride][i, j] * w
    images = Grid(8, TOP, side)
    filters = Grid(images.left + room * side + GAP, TOP, side)
    below = Grid(filters.left, TOP + (largest + 1) * side, side)
    outputs = Grid(filters.left + largest * side + GAP, TOP, side)
    total = float(products.sum())
    summed = f"sum {number(total)}" + ("" if b is None else f", + b = {number(out[i, j])}")
    marks = [
        images.titled(names[0], room),
        images.inset((room - len(padded)) // 2).drawn(padded, now=Part(i * stride, j * stride, *w.shape), pad=pad),
        filters.titled(names[1], len(w)) + filters.drawn(w),
        below.titled(names[2], len(w)) + below.drawn(products, now=Part(0, 0, *w.shape)),
        f'<text x="{below.centre(0, (len(w) - 1) / 2)[0]:g}" y="{below.top + len(w) * side + 17:g}">{summed}</text>',
        outputs.titled(names[3], len(out)),
        outputs.drawn(out, shown=np.arange(out.size).reshape(out.shape) < position, now=Part(i, j)),
    ]
    words = f"Position {position} of {out.size}, row {i}, column {j} of {names[3]}. "
    words += f"The products {rows_of(products)} add up to {number(total)}"
    words += "." if b is None else f", and b = {number(b)} makes that {number(out[i, j])}."
    left = (len(padded) - len(w)) % stride
    words += " No window covers the last row and column." if left else ""
    return picture((outputs.left + (room - 1) * side + 8, TOP + (2 * largest + 2) * side), marks, words)


def convolution_backward(x: Array, w: Array, dout: Array) -> Explorable:
    """Show how the three gradients of a convolution add up, one element of dout after another.

    Args:
        x: (H, H), the image.
        w: (HH, HH), the filter.
        dout: the gradient with respect to the largest output; of a smaller one, its first rows and columns.
    """
    side, room = 22.0, len(x) + 2 * max(PADS)
    images = Grid(8, TOP, side)
    weights = Grid(images.left + room * side + GAP, TOP, side)
    dweights = Grid(weights.left, TOP + (len(w) + 1.2) * side, side)
    dimages = Grid(weights.left + len(w) * side + GAP, TOP, side)
    douts = Grid(images.left + side, TOP + (room + 1.2) * side, side)
    dbiases = Grid(dimages.left + (room - 1) / 2 * side, douts.top, side)
    size = dimages.left + room * side + 8, douts.top + len(dout) * side + 8

    def draw(stride: int, pad: int, step: int) -> Drawing | None:
        shape = forward(x, w, 0.0, stride, pad).shape
        if step > shape[0] * shape[1]:
            return None
        upstream, padded = dout[: shape[0], : shape[1]], np.pad(x, pad)
        sent = np.arange(upstream.size).reshape(shape) < step
        i, j = divmod(step - 1, shape[1])
        dx, dw, db = backward(padded, w, upstream * sent, stride)
        times = backward(padded, np.ones_like(w), sent.astype(float), stride)[0]
        window = Part(i * stride, j * stride, *w.shape)
        inset = (room - len(padded)) // 2
        marks = [
            images.titled(_padded("x", pad), room),
            images.inset(inset).drawn(padded, now=window, pad=pad),
            weights.titled("w", len(w)) + weights.drawn(w),
            dweights.titled("dw so far", len(w)) + dweights.drawn(dw, now=Part(0, 0, *w.shape)),
            dimages.titled(_padded("dx so far", pad), room),
            dimages.inset(inset).drawn(dx, shown=times > 0, now=window, mixed=times > 1, pad=pad),
            douts.titled("dout", len(dout)) + douts.drawn(upstream, now=Part(i, j)),
            dbiases.titled("db so far", 1) + dbiases.drawn(np.array([[db]]), now=Part(0, 0)),
        ]
        g = number(upstream[i, j])
        words = f"Step {step} of {upstream.size}: dout[{i}, {j}] = {g} adds {g} · w to its window of dx, "
        words += f"{g} · the window of x to dw, and {g} to db, which is now {number(db)}. "
        words += f"{(times > 1).sum()} elements of dx are sums of several contributions."
        if step == upstream.size:
            words += " At the end the padding of dx is cut off." if pad else " These are the gradients."
        return picture(size, marks, words)

    parameters = {**_switches({}), "step": range(1, dout.size + 1)}
    return frames(draw, parameters, start=(0, 0, 2))  # the first step that leaves a sum outside of its window


def windows_as_rows(x: Array, filters: Array) -> Explorable:
    """Show a convolution as one product of matrices: a row for each window, a column for each filter.

    Args:
        x: (H, H), the image.
        filters: (F, HH, HH).
    """
    count, high, wide = filters.shape
    out = np.array([forward(x, w, 0.0, 1, 0) for w in filters])
    rows = sliding_window_view(x, (high, wide)).reshape(-1, high * wide)
    columns, product = filters.reshape(count, -1).T, out.reshape(count, -1).T
    side, steps = 20.0, out.shape[2]
    images = Grid(8, TOP, side)
    matrix = Grid(images.left + len(x) * side + GAP, TOP, side)
    weights = Grid(matrix.left + rows.shape[1] * side + GAP - 8, TOP, side)
    products = Grid(weights.left + count * side + GAP - 8, TOP, side)
    maps = [Grid(products.left + count * side + GAP, TOP + f * (len(out[0]) + 1.2) * side, side) for f in range(count)]

    def draw(position: int) -> Drawing:
        k = position - 1
        i, j = divmod(k, steps)
        known = np.arange(len(rows)) <= k
        marks = [
            images.titled("image x", len(x)) + images.drawn(x, now=Part(i, j, high, wide)),
            matrix.titled("windows", rows.shape[1])
            + matrix.drawn(rows, shown=np.tile(known[:, None], rows.shape[1]), now=Part(k, 0, 1, rows.shape[1])),
            weights.titled("filters", count) + weights.drawn(columns),
            products.titled("product", count)
            + products.drawn(product, shown=np.tile(known[:, None], count), now=Part(k, 0, 1, count)),
        ]
        for f, (grid, each) in enumerate(zip(maps, out, strict=True)):
            shown = known.reshape(each.shape)
            marks.append(grid.titled(f"output {f}", steps) + grid.drawn(each, shown=shown, now=Part(i, j)))
        for sign, left, right in (("×", matrix.left + rows.shape[1] * side, weights.left), ("=", 0, products.left)):
            x_sign = (left + right) / 2 if left else right - (GAP - 8) / 2
            marks.append(f'<text x="{x_sign:g}" y="{TOP + 2 * side + 4:g}" font-size="15">{sign}</text>')
        words = f"Window {position} of {len(rows)}, {rows_of(rows[k].reshape(high, wide))}, is written as a row. "
        words += f"Its products with the {count} filters, {' and '.join(map(number, product[k]))}, "
        words += f"belong at row {i}, column {j} of the outputs. {x.size} numbers of x become {rows.size}."
        return picture((maps[0].left + steps * side + 8, TOP + len(rows) * side + 8), marks, words)

    return frames(draw, {"window": range(1, len(rows) + 1)}, start=(4,))


def forward(x: Array, w: Array, b: float, stride: int, pad: int) -> Array:
    """Return the output, (H_out, W_out), for one image (H, W) and one filter (HH, WW)."""
    out, _ = conv_forward_fast(x[None, None], w[None, None], np.array([b]), {"stride": stride, "pad": pad})
    found: Array = out[0, 0]
    return found


def backward(x: Array, w: Array, dout: Array, stride: int) -> tuple[Array, Array, float]:
    """Return dx, dw and db for one image (H, W), padded already, and one filter (HH, WW)."""
    cache = x[None, None], w[None, None], np.zeros(1), {"stride": stride, "pad": 0}
    dx, dw, db = conv_backward_fast(dout[None, None], cache)
    return dx[0, 0], dw[0, 0], float(db[0])


def _switches(sizes: Mapping[str, Array]) -> dict[str, Sequence[Any]]:
    return {**({"filter": list(sizes)} if sizes else {}), "stride": STRIDES, "padding": PADS}


def _by(w: Array) -> str:
    return f"{w.shape[0]} × {w.shape[1]}"


def _padded(name: str, pad: int) -> str:
    return f"{name}, padded by {pad}" if pad else name
