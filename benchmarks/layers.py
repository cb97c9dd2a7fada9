"""How many times faster the fast layers are than the naive ones: ``python -m benchmarks.layers``.

Each layer runs on the same arrays in both forms, in turn, in one process. The naive forms are timed once a round (they
take seconds), the fast ones are repeated for as long as it takes to read the clock well; the ratio is that of medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys

import numpy as np

from benchmarks.clock import Call, seconds
from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643 import layers
from cs7643.fast import layers as fast_layers


def pairs() -> dict[str, tuple[Call, Call]]:
    """Return, for each layer and direction, the naive call and the fast one."""
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((100, 3, 31, 31)), rng.standard_normal((25, 3, 3, 3)), rng.standard_normal(25)
    conv_param = {"stride": 2, "pad": 1}
    pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
    maps = rng.standard_normal((100, 3, 32, 32))
    out, conv_cache = fast_layers.conv_forward_fast(x, w, b, conv_param)
    pooled, pool_cache = fast_layers.max_pool_forward_fast(maps, pool_param)
    return {
        "convolution, forward": (
            lambda: layers.conv_forward_naive(x, w, b, conv_param),
            lambda: fast_layers.conv_forward_fast(x, w, b, conv_param),
        ),
        "convolution, backward": (
            lambda: layers.conv_backward_naive(out, conv_cache),
            lambda: fast_layers.conv_backward_fast(out, conv_cache),
        ),
        "max pooling, forward": (
            lambda: layers.max_pool_forward_naive(maps, pool_param),
            lambda: fast_layers.max_pool_forward_fast(maps, pool_param),
        ),
        "max pooling, backward": (
            lambda: layers.max_pool_backward_naive(pooled, (maps, pool_param)),
            lambda: fast_layers.max_pool_backward_fast(pooled, pool_cache),
        ),
    }


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="The fast layers against the naive ones, as ratios in one run.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each pair is timed (default: 3)")
    rounds = parser.parse_args().rounds
    if rounds < 1:
        parser.error(f"--rounds must be at least 1, got {rounds}")

    times: dict[str, list[tuple[float, float]]] = {}
    for _ in progress_bar(range(rounds), desc="rounds"):
        for name, (naive, fast) in pairs().items():
            times.setdefault(name, []).append((seconds(naive, 0), seconds(fast, 0.3)))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}")
    print("convolution: x (100, 3, 31, 31), w (25, 3, 3, 3), stride 2, pad 1; pooling: (100, 3, 32, 32), 2x2; float64")
    print(f"{'':24} {'naive':>10} {'fast':>10} {'naive / fast':>13}")
    for name, measured in times.items():
        naive_time, fast_time = (statistics.median(column) for column in zip(*measured, strict=True))
        print(f"{name:24} {naive_time:8.3f} s {1e3 * fast_time:7.2f} ms {naive_time / fast_time:13.0f}")


if __name__ == "__main__":
    sys.exit(guarded(main, "layers"))
