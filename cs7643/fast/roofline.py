"""The limits of the machine: how fast it multiplies matrices, and how fast it moves numbers to and from memory.

This is the roofline model: a computation takes at least as long as its arithmetic at the first rate, and at least as
long as its memory traffic at the second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from cs7643.fast.threads import share

SIZE = 2048  # of the matrices: large enough for BLAS to reach its peak
LARGE = 2**28  # bytes of an array: much larger than any cache


def flops_per_second(dtype: DTypeLike = np.float32, at_least: float = 0.3) -> float:
    """Return the rate of a product of two large matrices, on all threads of BLAS: multiplications and additions."""
    a, b = np.random.default_rng(0).standard_normal((2, SIZE, SIZE)).astype(dtype)
    out = np.empty_like(a)
    return 2 * SIZE**3 / _best(lambda: np.matmul(a, b, out=out), at_least)


def bytes_per_second(at_least: float = 0.3) -> float:
    """Return the rate at which large arrays are copied, on all threads: bytes read and bytes written."""
    source = np.ones(LARGE // 8)
    target = np.zeros_like(source)
    step = len(source) // 16
    parts = [slice(start, start + step) for start in range(0, len(source), step)]

    def copy(_: Any, part: slice) -> None:
        target[part] = source[part]

    return 2 * LARGE / _best(lambda: share(copy, parts, lambda _: None), at_least)


def _best(call: Callable[[], Any], at_least: float) -> float:
    """Return the shortest time of a call, in seconds, over ``at_least`` seconds of calls after one to warm up."""
    call()
    times: list[float] = []
    start = time.perf_counter()
    while not times or time.perf_counter() - start < at_least:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)
