"""What the machine can do at best: how fast it multiplies matrices, and how fast it moves numbers."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from benchmarks.clock import seconds
from cs7643.threads import share

SIZE = 2048  # of the matrices, large enough for BLAS to reach its best
LARGE = 2**28  # bytes, far more than any cache holds


def flops_per_second(dtype: str, at_least: float = 0.3) -> float:
    """Return the rate of a product of two large matrices, on all threads of BLAS."""
    a, b = np.random.default_rng(0).standard_normal((2, SIZE, SIZE)).astype(dtype)
    out = np.empty_like(a)
    np.matmul(a, b, out=out)
    return 2 * SIZE**3 / seconds(lambda: np.matmul(a, b, out=out), at_least)


def bytes_per_second(at_least: float = 0.3) -> float:
    """Return the rate at which large arrays are copied, by all threads: bytes read and bytes written."""
    source = np.ones(LARGE // 8)
    target = np.zeros_like(source)
    parts = [slice(start, start + len(source) // 8) for start in range(0, len(source), len(source) // 8)]

    def copy(own: Any, part: slice) -> None:
        target[part] = source[part]

    return 2 * LARGE / seconds(lambda: share(copy, parts, lambda size: None), at_least)


def machine() -> str:
    """Name the processor's kind, and the libraries that compute."""
    blas = "; ".join(
        f"{library['internal_api']} {library['version']} ({library.get('architecture', 'kernel unknown')})"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    return f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__} with {blas or 'its BLAS'}"
