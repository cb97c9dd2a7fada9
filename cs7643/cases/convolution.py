"""Cases of the convolution."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import Attempt, Function, IfRaises, case, parts
from coursework.check.comparison import compare
from coursework.check.diagnosis import mistake
from cs7643.cases.layer_inputs import FLOATS, Mistaken, compare_cache, do_not_fit, first_narrow, images, oblong
from cs7643.cases.oracles import Array, spaced
from cs7643.fast.layers import conv_backward_fast, conv_forward_fast

FORWARD, BACKWARD = "conv_forward_naive", "conv_backward_naive"

for _name in (FORWARD, BACKWARD):
    mistake(_name, "kernel flipped", "the kernel is turned around: the layer is a cross-correlation, with w as it is.")
    mistake(_name, "stride ignored", "the stride is ignored: window (i, j) begins at (i * stride, j * stride).")
    mistake(_name, "one filter for all", "one filter is used for all outputs: output channel f has its own, w[f].")
    mistake(_name, "rows and columns exchanged", "i counts rows and j columns; here they are exchanged.")
    mistake(_name, "one image for all", "one image is used for all outputs: image n has its own, x[n].")
    mistake(_name, "height for width", "HH and WW are mixed up: the window is HH high and WW wide.")
    mistake(_name, "image's height for its width", "the image's height stands where its width should, as for H_out.")
    mistake(_name, "padding ignored", "the windows are taken from x itself: take them from the padded x.")
    mistake(_name, "padding fixed at 1", "the padding is always 1: it is pad.")
    mistake(_name, "padded on every axis", "np.pad(x, pad) pads the images and channels, too: only H and W are padded.")
mistake(FORWARD, "bias lost", "the bias is not added.")
mistake(FORWARD, "bias in every product", "the bias is added inside the sum: add it once for each output.")
mistake(FORWARD, "mean of the products", "the products are averaged: sum them.")
mistake(FORWARD, "padded with the edge", "the padding repeats or reflects the border: it is zeros.")
mistake(FORWARD, "padded on one side", "the padding is all on one side: pad zeros go on every side.")
mistake(FORWARD, "channels apart", "one channel alone counts: the sum runs over all channels.")
mistake(
    FORWARD, "output size from H // stride", "the output size is H // stride: it is 1 + (H + 2 pad - HH) // stride."
)
mistake(BACKWARD, "assigned", "where windows overlap, only the last one counts: add (+=) what each of them sends.")
mistake(BACKWARD, "dw assigned", "only the last window counts in dw: add (+=) over images and positions.")
mistake(
    BACKWARD, "cropped with [pad:-pad]", "with pad 0 the crop [pad:-pad] is empty: cut from pad to pad + H and pad + W."
)
mistake(BACKWARD, "not cropped", "dx still has the padding: cut it off.")
mistake(BACKWARD, "db over the wrong axes", "db is summed over the wrong axes: one number is left for each filter.")
mistake(
    BACKWARD,
    "bias gradient keeps an axis",
    "db keeps axes of length 1: its shape is that of b, (F,), so sum without keepdims.",
)
mistake(BACKWARD, "averaged", "a gradient is averaged: the loss takes the mean, a layer sums.")

Change = Callable[["_Conv"], Mapping[str, Any]]  # of x, w, b, stride, pad
CHANGES: dict[str, Change] = {
    "kernel flipped": lambda conv: {"w": conv.w[..., ::-1, ::-1]},
    "stride ignored": lambda conv: {"stride": 1},
    "one filter for all": lambda conv: {"w": np.repeat(conv.w[:1], len(conv.w), axis=0)},
    "one image for all": lambda conv: {"x": np.repeat(conv.x[:1], len(conv.x), axis=0)},
    "bias lost": lambda conv: {"b": 0 * conv.b},
    "bias in every product": lambda conv: {"b": conv.w[0].size * conv.b},
    "mean of the products": lambda conv: {"w": conv.w / conv.w[0].size},
    "padded with the edge": lambda conv: {"x": conv.padded(mode="edge"), "pad": 0},
    "padded on one side": lambda conv: {"x": conv.padded(before=0), "pad": 0},
    "padding fixed at 1": lambda conv: {"pad": 1},
    "channels apart": lambda conv: {"w": conv.w * (np.arange(conv.w.shape[1]) == 0)[:, np.newaxis, np.newaxis]},
}


class _Conv:
    """Inputs of a convolution, and what the fast layers make of them, or of inputs that a mistake would change."""

    def __init__(
        self,
        rng: Generator,
        *shape: int,
        F: int,
        kernel: tuple[int, int],
        stride: int,
        pad: int,
        dtype: Any = np.float64,
    ) -> None:
        self.x: Array = images(rng, *shape, dtype=dtype)
        self.w: Array = images(rng, F, shape[1], *kernel, dtype=dtype)
        self.b: Array = images(rng, F, dtype=dtype)
        self.param = {"stride": stride, "pad": pad}
        self.stride, self.pad = stride, pad
        self.out = self.forward()
        self.dout = images(rng, *self.out.shape, dtype=dtype)
        self.tolerance = 1e-10 if dtype == np.float64 else 1e-5

    def forward(self, **changed: Any) -> Array:
        """Return the output, with some of x, w, b, stride, pad changed."""
        x, w, b = (changed.get(name, getattr(self, name)) for name in "xwb")
        out: Array = conv_forward_fast(x, w, b, {name: changed.get(name, self.param[name]) for name in self.param})[0]
        return out

    def backward(self, **changed: Any) -> tuple[Array, Array, Array]:
        """Return dx, dw, db, with some of dout, x, w, stride, pad changed."""
        dout, x, w = (changed.get(name, getattr(self, name)) for name in ("dout", "x", "w"))
        param = {name: changed.get(name, self.param[name]) for name in self.param}
        return conv_backward_fast(dout, (x, w, self.b, param))

    def padded(self, before: int | None = None, **how: Any) -> Array:
        """Return the padded images, padded in another way where ``how`` says so, or on one side."""
        sides = (self.pad if before is None else before, self.pad if before is None else 2 * self.pad)
        return np.pad(self.x, ((0, 0), (0, 0), sides, sides), **how)

    @functools.cached_property
    def errors(self) -> IfRaises:
        """The errors that the usual mistakes raise with these shapes."""
        (C, H, W), (HH, WW) = self.x.shape[1:], self.w.shape[2:]
        (H_out, W_out), pad = self.out.shape[2:], self.pad
        ignored = first_narrow(W, WW, self.stride, W_out) or (WW if first_narrow(H, HH, self.stride, H_out) else 0)
        fixed = first_narrow(W + 2, WW, self.stride, W_out) if pad > 1 else 0
        beyond = max(0, W + 2 * pad - W_out * self.stride)  # the width of a window one position too far
        below = first_narrow(H + 2 * pad, HH, self.stride, W_out)  # of windows whose row is counted by j
        beside = first_narrow(W + 2 * pad, WW, self.stride, H_out)  # and whose column by i
        found = {
            "rows and columns exchanged": (below and do_not_fit((below, WW), (HH, WW)))
            or (beside and do_not_fit((HH, beside), (HH, WW))),
            "padding ignored": ignored < WW and do_not_fit((HH, ignored), (HH, WW)),
            "padding fixed at 1": fixed and do_not_fit((HH, fixed), (HH, WW)),
            "padded on every axis": pad and do_not_fit((C + 2 * pad, HH, WW), (C, HH, WW)),
            "image's height for its width": H_out > W_out
            and rf"{do_not_fit((HH, beyond), (HH, WW))}|index {W_out} is out of bounds for axis 3 with size {W_out}",
            "height for width": HH != WW and do_not_fit((HH, HH), (HH, WW)) + "|" + do_not_fit((WW, WW), (HH, WW)),
            "output size from H // stride": H // self.stride > H_out
            and f"index {H_out} is out of bounds for axis 2 with size {H_out}",
            "cropped with [pad:-pad]": pad == 0 and r"broadcast input array from shape \((\d+, ?)*0, ?0\)",
            "not cropped": pad and rf"broadcast input array from shape \((\d+, ?)*{H + 2 * pad}, ?{W + 2 * pad}\)",
        }
        return IfRaises({name: pattern for name, pattern in found.items() if pattern})

    def mistaken_forward(self) -> Mistaken:
        """Return what the usual mistakes, and pairs of them, make of the output."""
        (H_out, W_out), pad = self.out.shape[2:], self.pad
        changes = {name: dict(change(self)) for name, change in CHANGES.items()}
        if not pad:
            del changes["padded with the edge"], changes["padded on one side"]
        single = {name: self._cut(self.forward(**changed)) for name, changed in changes.items()}
        mistakes: Mistaken = dict(single)
        for (one, first), (other, second) in itertools.combinations(changes.items(), 2):
            if not first.keys() & second.keys():
                mistakes[f"{one} + {other}"] = self._cut(self.forward(**first, **second))
        if pad and min(self.x.shape[2:]) > pad:
            reflected = self.forward(x=self.padded(mode="reflect"), pad=0)
            mistakes["padded with the edge"] = (single["padded with the edge"], reflected)
        mistakes["padding fixed at 1"] = (single["padding fixed at 1"], self.forward(pad=1))
        last = self.w * (np.arange(self.w.shape[1]) == self.w.shape[1] - 1)[:, np.newaxis, np.newaxis]
        mistakes["channels apart"] = (single["channels apart"], self.forward(w=last))
        everywhere = np.pad(self.x, pad)[: len(self.x), : self.x.shape[1]]
        mistakes["padded on every axis"] = self.forward(x=everywhere, pad=0)
        if not pad:
            mistakes["padding ignored"] = self.out
        rows, columns = (side // self.stride for side in self.x.shape[2:])
        mistakes["output size from H // stride"] = _resized(self.out, rows, columns)
        mistakes["image's height for its width"] = (
            _resized(self.out, H_out, H_out),
            np.concatenate([self.out[..., :H_out], 0 * self.out[..., H_out:]], axis=3),
        )
        if H_out == W_out:
            mistakes["rows and columns exchanged"] = self.out.transpose(0, 1, 3, 2)
        return mistakes

    def _cut(self, out: Array) -> Array:
        """Return the positions that the right output has."""
        return out[:, :, : self.out.shape[2], : self.out.shape[3]]

    def mistaken_backward(self, which: int) -> Mistaken:
        """Return what the usual mistakes make of dx, of dw, or of db: 0, 1 or 2."""
        return self._mistaken_backward[which]

    @functools.cached_property
    def _mistaken_backward(self) -> tuple[Mistaken, Mistaken, Mistaken]:
        (H, W), (H_out, W_out) = self.x.shape[2:], self.out.shape[2:]
        dx, dw, db = self.backward()
        dense = np.zeros(self.forward(stride=1).shape, self.x.dtype)
        dense[:, :, :H_out, :W_out] = self.dout
        unstrided = self.backward(dout=dense, stride=1)
        last = np.zeros_like(self.dout)
        last[-1, :, -1, -1] = self.dout[-1, :, -1, -1]
        lasts = np.zeros_like(self.dout)  # of all images at once
        lasts[:, :, -1, -1] = self.dout[:, :, -1, -1]
        narrow = self.dout * (np.arange(W_out) < H_out)
        short = self.backward(dout=narrow)
        padded = self.backward(x=self.padded(), pad=0)[0]
        of_dx: Mistaken = {
            "assigned": self._assigned(),
            "stride ignored": unstrided[0],
            "kernel flipped": self.backward(w=self.w[..., ::-1, ::-1])[0],
            "one filter for all": self.backward(w=np.repeat(self.w[:1], len(self.w), axis=0))[0],
            "averaged": dx / len(dx),
            "image's height for its width": (short[0], _resized(dx, H, H)),
        }
        of_dw: Mistaken = {
            "dw assigned": (self.backward(dout=last)[1], self.backward(dout=lasts)[1]),
            "stride ignored": unstrided[1],
            "kernel flipped": dw[..., ::-1, ::-1],
            "averaged": dw / len(dx),
            "one image for all": self.backward(x=np.repeat(self.x[:1], len(self.x), axis=0))[1],
            "image's height for its width": short[1],
        }
        if self.pad:
            of_dx["not cropped"], of_dx["padding fixed at 1"] = padded, padded[:, :, 1:-1, 1:-1]
        else:
            of_dx["cropped with [pad:-pad]"] = np.zeros((*dx.shape[:2], 0, 0))
            moved = np.pad(self.x, [(0, 0)] * 2 + [(1, 1)] * 2)
            of_dw["padding fixed at 1"] = self.backward(x=moved[:, :, :H, :W])[1]
            sent = np.pad(dx, ((0, 0), (0, 0), (0, 1), (0, 1)))
            of_dx["padding fixed at 1"] = (padded[:, :, 1:-1, 1:-1], sent[:, :, 1:, 1:])
            of_dw["padding ignored"] = dw
        of_db: Mistaken = {
            "averaged": (db / len(dx), db / (len(dx) * H_out * W_out), db / (H_out * W_out)),
            "bias gradient keeps an axis": (
                db[np.newaxis],
                db[:, np.newaxis],
                db[np.newaxis, :, np.newaxis, np.newaxis],
            ),
            "db over the wrong axes": tuple(
                np.sum(self.dout, axis=axes)
                for axes in (0, (0, 1), (1, 2), (2, 3), (0, 2), (0, 3), (1, 2, 3), (0, 1, 2))
            ),
        }
        if H_out == W_out:
            exchanged = self.backward(dout=self.dout.transpose(0, 1, 3, 2))
            of_dx["rows and columns exchanged"], of_dw["rows and columns exchanged"] = exchanged[:2]
        return of_dx, of_dw, of_db

    def _assigned(self) -> tuple[Array, Array]:
        """Return dx as it is when each window replaces what was there before: of the last filter, or of all at once."""
        return self._canvas(slice(-1, None)), self._canvas(slice(None))

    def _canvas(self, filters: slice) -> Array:
        (HH, WW), (H, W), (H_out, W_out) = self.w.shape[2:], self.x.shape[2:], self.out.shape[2:]
        canvas = np.zeros_like(self.padded())
        for i, j in reversed(list(np.ndindex(HH, WW))):  # the last window is the one that meets a pixel at its top left
            rows = slice(i, i + self.stride * H_out, self.stride)
            columns = slice(j, j + self.stride * W_out, self.stride)
            sent = np.einsum("nfhw,fc->nchw", self.dout[:, filters], self.w[filters, :, i, j])
            canvas[:, :, rows, columns] = sent
        return canvas[:, :, self.pad : self.pad + H, self.pad : self.pad + W]


def _resized(out: Array, rows: int, columns: int) -> Array:
    """Return an output of another size: cut, or with zeros where nothing was computed."""
    resized = np.zeros((*out.shape[:2], rows, columns), out.dtype)
    kept = out[:, :, :rows, :columns]
    resized[:, :, : kept.shape[2], : kept.shape[3]] = kept
    return resized


def _try_forward(forward: Function, rng: Generator, *shape: int, **options: Any) -> Attempt:
    conv = _Conv(rng, *shape, **options)
    yield conv.errors
    out, _ = parts(forward(conv.x, conv.w, conv.b, conv.param), "out", "cache")
    yield compare("out", out, conv.out, conv.tolerance, conv.x.dtype.type, mistakes=conv.mistaken_forward)


def _try_backward(backward: Function, rng: Generator, *shape: int, **options: Any) -> Attempt:
    conv = _Conv(rng, *shape, **options)
    yield conv.errors
    found = parts(backward(conv.dout, (conv.x, conv.w, conv.b, conv.param)), "dx", "dw", "db")
    for k, (name, actual, right) in enumerate(zip(("dx", "dw", "db"), found, conv.backward(), strict=True)):
        wrong = functools.partial(conv.mistaken_backward, k)
        yield compare(name, actual, right, conv.tolerance, conv.x.dtype.type, mistakes=wrong)


@case(FORWARD, "the example of the assignment", "and all products are summed")
def _the_example(forward: Function, _: Generator) -> Attempt:
    x, w, b = spaced(-0.1, 0.5, 2, 3, 4, 4), spaced(-0.2, 0.3, 3, 3, 4, 4), spaced(-0.1, 0.2, 3)
    out, _cache = parts(forward(x, w, b, {"stride": 2, "pad": 1}), "out", "cache")
    expected = [
        [
            [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
            [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
            [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
        ],
        [
            [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
            [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
            [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
        ],
    ]
    yield compare("out", out, expected, 1e-8)


def _situation(attempt: Any, function: Function, rng: Generator, what: str) -> Attempt:
    """Try a function of the convolution in one of the situations that both of them share."""
    H, W = map(int, rng.permutation([6, 8]) + rng.integers(0, 2))  # never square
    F, C = map(int, rng.permutation([2, 3]))
    if what == "random images":
        yield from attempt(function, rng, 3, C, 5, 5, F=F, kernel=(3, 3), stride=1, pad=1)
    elif what == "a kernel that is not square":
        yield from attempt(function, rng, 2, C, H, W, F=F, kernel=(3, 5), stride=1, pad=2)
        yield from attempt(function, rng, 1, 2, H, W, F=2, kernel=oblong(rng), stride=1, pad=1)
    elif what == "stride 2 and 3":
        yield from attempt(function, rng, 2, C, 2 * H + 1, 2 * W + 1, F=F, kernel=(3, 3), stride=2, pad=1)
        yield from attempt(function, rng, 1, 1, 3 * C + 1, 3 * F + 4, F=2, kernel=(1, 1), stride=3, pad=0)
    elif what == "rows left over":
        yield from attempt(function, rng, 2, C, H, W + 1, F=F, kernel=(3, 3), stride=2, pad=1)
        yield from attempt(function, rng, 1, 1, H + 2, W, F=2, kernel=(2, 2), stride=3, pad=1)
    elif what == "no padding, images that are not square":
        yield from attempt(function, rng, 2, C, H, W, F=F, kernel=(3, 3), stride=1, pad=0)
        yield from attempt(function, rng, 1, 1, H, W, F=2, kernel=(2, 2), stride=1, pad=0)
    elif what == "one image, one channel, one filter, one pixel":
        yield from attempt(function, rng, 1, 1, 1, 1, F=1, kernel=(1, 1), stride=1, pad=0)
    else:
        yield from attempt(function, rng, 2, C, 5, 6, F=F, kernel=(3, 3), stride=1, pad=1, dtype=np.float32)


SITUATIONS = {  # and the rule that each tests, of the forward and of the backward pass
    "random images": ("it is multiplied elementwise with the window under it",) * 2,
    "no padding, images that are not square": ('{"stride": at least 1, "pad": at least 0}',) * 2,
    "stride 2 and 3": ("in steps of stride",) * 2,
    "rows left over": ("rows and columns that no complete window covers are ignored",) * 2,
    "a kernel that is not square": ("Each filter of size HH x WW slides over the image",) * 2,
    "one image, one channel, one filter, one pixel": ("N is the number of images, C of channels, F of filters",) * 2,
    "float32 images": (FLOATS,) * 2,
}
for _function, _attempt in ((FORWARD, _try_forward), (BACKWARD, _try_backward)):
    for _what, _rules in SITUATIONS.items():

        @case(_function, _what, _rules[_function == BACKWARD], edge=_what == "rows left over")
        def _case(function: Function, rng: Generator, attempt: Any = _attempt, what: str = _what) -> Attempt:
            yield from _situation(attempt, function, rng, what)


@case(FORWARD, "the cache", "the cache (x, w, b, conv_param)", edge=True)
def _the_cache(forward: Function, rng: Generator) -> Attempt:
    conv = _Conv(rng, 2, 2, 4, 4, F=2, kernel=(3, 3), stride=1, pad=1)
    out, cache = parts(forward(conv.x, conv.w, conv.b, conv.param), "out", "cache")
    yield compare("out", out, conv.out, conv.tolerance)
    yield from compare_cache(cache, {"x": conv.x, "w": conv.w, "b": conv.b, "conv_param": conv.param})
