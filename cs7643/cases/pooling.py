"""Cases of max pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, Function, IfRaises, case, parts
from coursework.check.comparison import compare
from coursework.check.diagnosis import mistake
from cs7643.cases.layer_inputs import FLOATS, Mistaken, compare_cache, images, oblong
from cs7643.cases.oracles import Array, rectified, spaced
from cs7643.fast.layers import max_pool_backward_fast, max_pool_forward_fast

FORWARD, BACKWARD = "max_pool_forward_naive", "max_pool_backward_naive"
FIRST = "where several values tie, to the first of them, row by row"

for _name in (FORWARD, BACKWARD):
    mistake(_name, "height for width", "pool_height stands where pool_width should.")
    mistake(_name, "width for height", "pool_width stands where pool_height should.")
    mistake(_name, "image's height for its width", "the image's height stands where its width should, as for H_out.")
    mistake(_name, "stride ignored", "the stride is ignored: window (i, j) begins at (i * stride, j * stride).")
    mistake(_name, "smallest", "the smallest value of each window is taken: take the largest.")
    mistake(_name, "largest absolute value", "the largest absolute value is taken: the maximum may be negative.")
    mistake(_name, "rows and columns exchanged", "i counts rows and j columns; here they are exchanged.")
    mistake(_name, "stride taken for the window", "the window's size stands where the stride should.")
mistake(
    FORWARD, "output size from H // stride", "the output size is H // stride: it is 1 + (H - pool_height) // stride."
)
mistake(FORWARD, "mean", "the mean of each window is taken: take the largest value.")
mistake(FORWARD, "maximum begins at 0", "the maximum starts at 0: where all values are negative, it is negative.")
mistake(FORWARD, "channels together", "the maximum is over all channels: each channel has its own.")
mistake(
    BACKWARD,
    "assigned",
    "where windows overlap, only the last one counts: a value that is the maximum of several gets the sum (+=).",
)
mistake(BACKWARD, "every tie gets all", "each of several equal maxima gets the whole gradient: only the first gets it.")
mistake(BACKWARD, "ties share", "equal maxima share the gradient: the first of them gets it all.")
mistake(BACKWARD, "last tie", "of several equal maxima the last gets the gradient: it is the first.")
mistake(BACKWARD, "spread over the window", "the gradient is spread over the window: the maximum gets it all.")
mistake(BACKWARD, "values for gradients", "dx holds the values of x: it should hold the gradients dout.")
mistake(BACKWARD, "dout ignored", "dout has no influence: the maximum gets dout, not 1.")


def _param(height: int, width: int, stride: int) -> dict[str, int]:
    return {"pool_height": height, "pool_width": width, "stride": stride}


class _Pool:
    """Inputs of a pooling layer, and what the fast layers make of them, or of inputs that a mistake would change."""

    def __init__(self, rng: Generator, x: Array, height: int, width: int, stride: int) -> None:
        self.x, self.height, self.width, self.stride = x, height, width, stride
        self.param = _param(height, width, stride)
        self.out, self.cache = max_pool_forward_fast(x, self.param)
        self.dout = images(rng, *self.out.shape, dtype=x.dtype)

    def as_if(self, x: Array, height: int, width: int, stride: tuple[int, int]) -> tuple[Array, Array] | None:
        """Return out and dx for another window or stride, with windows that reach out of the image cut off.

        None, if a window would lie wholly outside.
        """
        (H_out, W_out), (H, W) = self.out.shape[2:], x.shape[2:]
        rows, columns = stride[0] * np.arange(H_out), stride[1] * np.arange(W_out)
        out, dx = np.zeros_like(self.out), np.zeros_like(self.x)
        if rows[-1] >= H or columns[-1] >= W:
            return None
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                window = x[:, :, top : top + height, left : left + width]
                flat = window.reshape(*window.shape[:2], -1)
                best = flat.argmax(axis=2)
                out[:, :, i, j] = flat.max(axis=2)
                n, c = np.indices(best.shape)
                np.add.at(
                    dx, (n, c, top + best // window.shape[3], left + best % window.shape[3]), self.dout[:, :, i, j]
                )
        return out, dx

    def scattered(self, share: Array) -> Array:
        """Return dx when each window gives this share of its gradient to each of its places."""
        dx = np.zeros_like(self.x)
        H_out, W_out = self.out.shape[2:]
        for i, j in np.ndindex(self.height, self.width):
            rows = slice(i, i + self.stride * H_out, self.stride)
            columns = slice(j, j + self.stride * W_out, self.stride)
            dx[:, :, rows, columns] += self.dout * share[..., i, j]
        return dx

    def windows(self) -> Array:
        """Return every window, (N, C, H_out, W_out, height, width)."""
        found = np.lib.stride_tricks.sliding_window_view(self.x, (self.height, self.width), axis=(2, 3))
        return found[:, :, :: self.stride, :: self.stride]

    def _changed(self) -> dict[str, tuple[Array, Array]]:
        """Return what the mistakes that both passes share make of out and of dx."""
        right = (self.height, self.width, (self.stride, self.stride))
        places = {
            "": right,
            "height for width": (self.height, self.height, right[2]),
            "width for height": (self.width, self.width, right[2]),
            "stride ignored": (self.height, self.width, (1, 1)),
            "stride taken for the window": (self.height, self.width, (self.height, self.width)),
        }
        found = {}
        for name, place in places.items():
            for other, x in {"": self.x, "smallest": -self.x, "largest absolute value": abs(self.x)}.items():
                pair = self.as_if(x, *place)
                if (name or other) and pair is not None:
                    out = -pair[0] if other == "smallest" else pair[0]
                    found[f"{name} + {other}" if name and other else name or other] = (out, pair[1])
        return found

    def errors(self) -> IfRaises:
        """Return the errors that the usual mistakes raise with these shapes."""
        H_out, W_out = self.out.shape[2:]
        outside = f"index {W_out} is out of bounds for axis 3 with size {W_out}"
        return IfRaises({"image's height for its width": outside} if H_out > W_out else {})

    def mistaken_forward(self) -> Mistaken:
        """Return what the usual mistakes make of the output."""
        H_out, W_out = self.out.shape[2:]
        rows, columns = (side // self.stride for side in self.x.shape[2:])
        larger = self.as_if_larger(rows, columns)
        mistakes: Mistaken = {
            **{name: out for name, (out, _) in self._changed().items()},
            "mean": self.windows().mean(axis=(4, 5)),
            "maximum begins at 0": rectified(self.out),
            "channels together": np.repeat(self.out.max(axis=1, keepdims=True), self.x.shape[1], axis=1),
            "output size from H // stride": larger,
            "image's height for its width": (
                self.as_if_larger(H_out, H_out),
                np.concatenate([self.out[..., :H_out], 0 * self.out[..., H_out:]], axis=3),
            ),
        }
        if H_out == W_out:
            mistakes["rows and columns exchanged"] = self.out.transpose(0, 1, 3, 2)
        return mistakes

    def as_if_larger(self, rows: int, columns: int) -> Array:
        """Return an output of another size, with the windows that reach out of the image cut off."""
        out = np.zeros((*self.out.shape[:2], rows, columns), self.x.dtype)
        for i, j in np.ndindex(rows, columns):
            top, left = i * self.stride, j * self.stride
            window = self.x[:, :, top : top + self.height, left : left + self.width]
            if window.size:
                out[:, :, i, j] = window.max(axis=(2, 3))
        return out

    def mistaken_backward(self) -> Mistaken:
        """Return what the usual mistakes make of dx."""
        H_out, W_out = self.out.shape[2:]
        wins = max_pool_backward_fast(np.ones_like(self.dout), self.cache)  # how many windows each pixel wins
        tied = self.windows() == self.out[..., np.newaxis, np.newaxis]
        flat = tied.reshape(*self.out.shape, -1)[..., ::-1]  # the last first
        last = (flat & (np.cumsum(flat, axis=-1) == 1))[..., ::-1].reshape(tied.shape)
        mistakes: Mistaken = {
            **{name: dx for name, (_, dx) in self._changed().items()},
            "every tie gets all": self.scattered(tied),
            "ties share": self.scattered(tied / tied.sum(axis=(4, 5), keepdims=True)),
            "last tie": self.scattered(last),
            "spread over the window": self.scattered(np.full(tied.shape, 1 / (self.height * self.width))),
            "values for gradients": (max_pool_backward_fast(self.out, self.cache), np.where(wins > 0, self.x, 0)),
            "dout ignored": (wins, np.minimum(wins, 1)),
            "image's height for its width": max_pool_backward_fast(self.dout * (np.arange(W_out) < H_out), self.cache),
        }
        if H_out == W_out:
            exchanged = np.ascontiguousarray(self.dout.transpose(0, 1, 3, 2))
            mistakes["rows and columns exchanged"] = max_pool_backward_fast(exchanged, self.cache)
        if (wins > 1).any():
            mistakes["assigned"] = self._assigned()
        return mistakes

    def _assigned(self) -> tuple[Array, ...]:
        """Return dx as it is when a window replaces what was there: at its maximum alone, or everywhere in it."""
        alone, everywhere = np.zeros_like(self.x), np.zeros_like(self.x)
        for i, j in np.ndindex(*self.out.shape[2:]):
            part = (
                ...,
                slice(i * self.stride, i * self.stride + self.height),
                slice(j * self.stride, j * self.stride + self.width),
            )
            sent = (self.x[part] == self.out[:, :, i, j, np.newaxis, np.newaxis]) * self.dout[
                :, :, i, j, np.newaxis, np.newaxis
            ]
            everywhere[part] = sent
            alone[part] = np.where(sent, sent, alone[part])
        return alone, everywhere


def _try_forward(forward: Function, rng: Generator, x: Array, *window: int) -> Attempt:
    pool = _Pool(rng, x, *window)
    yield pool.errors()
    out, _ = parts(forward(x, pool.param), "out", "cache")
    yield compare("out", out, pool.out, 1e-12, dtype=x.dtype.type, mistakes=pool.mistaken_forward)


def _try_backward(backward: Function, rng: Generator, x: Array, *window: int) -> Attempt:
    pool = _Pool(rng, x, *window)
    expected = max_pool_backward_fast(pool.dout, pool.cache)
    tolerance = 1e-12 if x.dtype == np.float64 else 1e-5
    yield pool.errors()
    found = backward(pool.dout, (x, pool.param))
    yield compare("dx", found, expected, tolerance, dtype=x.dtype.type, mistakes=pool.mistaken_backward)


LEFT_OUT = "rows and columns that no complete window covers are ignored"
LARGEST = "the largest value of each window, channel by channel"
WHOLE = "The whole gradient of a window goes to its maximum"
SIZES = '{"pool_height", "pool_width", "stride"}, each at least 1'


@case(FORWARD, "the example of the assignment", LARGEST)
def _the_example(forward: Function, _: Generator) -> Attempt:
    out, _cache = parts(forward(spaced(-0.3, 0.4, 2, 3, 4, 4), _param(2, 2, 2)), "out", "cache")
    first = [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]]
    last = [[0.32631579, 0.34105263], [0.38526316, 0.4]]
    blocks = np.linspace(first, last, num=6).reshape(2, 3, 2, 2)  # evenly spaced, as the input is
    yield compare("out", out, blocks, 1e-7)


@case(FORWARD, "random images", LARGEST)
def _random_images(forward: Function, rng: Generator) -> Attempt:
    yield from _try_forward(forward, rng, images(rng, 2, 3, 8, 8), 2, 2, 2)
    size = int(rng.integers(2, 4))
    yield from _try_forward(forward, rng, images(rng, 1, 1, 3 * size, 5 * size), size, size, size)


@case(FORWARD, "a window that is not square", SIZES)
def _a_window_that_is_not_square(forward: Function, rng: Generator) -> Attempt:
    height, width = oblong(rng)
    yield from _try_forward(forward, rng, images(rng, 2, 3, 6, 10), 2, 4, 2)
    yield from _try_forward(forward, rng, images(rng, 2, 1, height + 6, width + 4), height, width, 2)


def _overlapping(attempt: Any, function: Function, rng: Generator) -> Attempt:
    H, W = map(int, rng.permutation([7, 8]))
    yield from attempt(function, rng, images(rng, 2, 2, H, W), 3, 3, 1)
    yield from attempt(function, rng, images(rng, 1, 2, 7, 9), 3, 3, 2)


@case(FORWARD, "overlapping windows", '{"pool_height", "pool_width", "stride"}, each at least 1')
def _overlapping_windows(forward: Function, rng: Generator) -> Attempt:
    yield from _overlapping(_try_forward, forward, rng)


def _left_over(attempt: Any, function: Function, rng: Generator) -> Attempt:
    H, W = map(int, rng.permutation([7, 9]))
    yield from attempt(function, rng, images(rng, 2, 2, H, W), 2, 2, 2)
    yield from attempt(function, rng, images(rng, 1, 2, 8, 10), 3, 3, 2)


@case(FORWARD, "rows left over", LEFT_OUT, edge=True)
def _rows_left_over(forward: Function, rng: Generator) -> Attempt:
    yield from _left_over(_try_forward, forward, rng)


@case(BACKWARD, "rows left over", LEFT_OUT, edge=True)
def _rows_left_over_backward(backward: Function, rng: Generator) -> Attempt:
    yield from _left_over(_try_backward, backward, rng)


@case(FORWARD, "all values negative, in float32", LARGEST)
def _all_values_negative(forward: Function, rng: Generator) -> Attempt:
    yield from _try_forward(forward, rng, -1 - abs(images(rng, 1, 2, 4, 6, dtype=np.float32)), 2, 2, 2)


@case(FORWARD, "the cache", "the cache (x, pool_param)", edge=True)
def _the_cache(forward: Function, rng: Generator) -> Attempt:
    pool = _Pool(rng, images(rng, 2, 2, 4, 4), 2, 2, 2)
    out, cache = parts(forward(pool.x, pool.param), "out", "cache")
    yield compare("out", out, pool.out, 1e-12)
    yield from compare_cache(cache, {"x": pool.x, "pool_param": pool.param})


@case(BACKWARD, "random images and upstream gradients", WHOLE)
def _random_upstream_gradients(backward: Function, rng: Generator) -> Attempt:
    yield from _try_backward(backward, rng, images(rng, 3, 2, 8, 8), 2, 2, 2)
    yield from _try_backward(backward, rng, images(rng, 1, 1, 9, 12), 3, 3, 3)


@case(BACKWARD, "overlapping windows", "where windows overlap, their gradients add up")
def _overlapping_gradients(backward: Function, rng: Generator) -> Attempt:
    yield from _overlapping(_try_backward, backward, rng)


@case(BACKWARD, "ties, as after a ReLU", FIRST, edge=True)
def _ties(backward: Function, rng: Generator) -> Attempt:
    yield from _try_backward(backward, rng, rectified(images(rng, 2, 3, 6, 6) - 0.5), 2, 2, 2)
    yield from _try_backward(backward, rng, np.zeros((1, 1, 4, 4)), 2, 2, 2)


@case(BACKWARD, "a window that is not square", SIZES)
def _gradients_of_oblong_windows(backward: Function, rng: Generator) -> Attempt:
    # without overlap, to tell the mistakes apart
    height, width = oblong(rng)
    yield from _try_backward(backward, rng, images(rng, 2, 3, 6, 12), 2, 4, 4)
    yield from _try_backward(backward, rng, images(rng, 2, 1, height + 5, width + 10), height, width, 5)


@case(BACKWARD, "float32 images", FLOATS)
def _float32_gradients(backward: Function, rng: Generator) -> Attempt:
    yield from _try_backward(backward, rng, images(rng, 1, 2, 4, 6, dtype=np.float32), 2, 2, 2)
