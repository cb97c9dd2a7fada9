"""How the cost of the step of problem 6.3 grows with its sizes: ``python -m benchmarks.growth``.

From the middle (50 images of 32x32, 32 filters of 7x7, float32) one size at a time goes its way, for us and for PyTorch
(NCHW), on one thread and on all, each contender in a process of its own. The picture is log-log: a straight line is a
power, and parallel lines are a constant ratio.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.contender import Contender
from benchmarks.machine import machine
from coursework.progress import progress_bar
from coursework.terminal import guarded

MIDDLE = {"batch": 50, "filters": 32, "kernel": 7, "image": 32}
SIZES = {
    "batch": (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
    "filters": (8, 16, 32, 64, 128, 256),
    "kernel": (1, 3, 5, 7, 9, 11),
    "image": (8, 16, 32, 64, 128),
}
WHO = {"ours": "ours, NumPy", "NCHW": "PyTorch, NCHW"}
Times = dict[tuple[str, int, str, int], float]  # what varies, its size, who, threads -> seconds


def measure(rounds: int, thread_counts: tuple[int, ...], at_least: float) -> Times:
    """Time everything: of each point, the smallest of the rounds, which meets the least of what else is going on."""
    points = [(name, size) for name, sizes in SIZES.items() for size in sizes]
    times: Times = {}
    for name, size in progress_bar(points, desc="sizes"):
        with ExitStack() as stack:
            contenders = {
                (who, threads): stack.enter_context(
                    Contender(who, "benchmarks.steps:convnet", {**MIDDLE, name: size}, threads)
                )
                for who in WHO
                for threads in thread_counts
            }
            for (who, threads), contender in list(contenders.items()) * rounds:
                key = name, size, who, threads
                times[key] = min(times.get(key, float("inf")), contender.seconds(at_least))
    return times


def table(times: Times, thread_counts: tuple[int, ...]) -> str:
    """Word the times: milliseconds, and their ratio."""
    head = "".join(f"{f'{threads} threads: ours':>18} {'PyTorch':>9} {'ratio':>6}" for threads in thread_counts)
    lines = [f"{'':14}{head}"]
    for name, sizes in SIZES.items():
        for size in sizes:
            cells = ""
            for threads in thread_counts:
                ours, theirs = (times[name, size, who, threads] for who in WHO)
                cells += f"{1e3 * ours:15.2f} ms {1e3 * theirs:6.2f} ms {ours / theirs:6.2f}"
            lines.append(f"{name:8} {size:5}{cells}")
    return "\n".join(lines)


def chart(times: Times, thread_counts: tuple[int, ...], path: Path) -> None:
    """Draw a panel for each size, log-log."""
    import matplotlib.pyplot as plt

    from coursework.notebooks import figures
    from cs7643.plots.style import BLUE, VERMILION, clean

    figure, axes = plt.subplots(1, len(SIZES), figsize=(3.4 * len(SIZES), 3.8), sharey=True)
    for axis, (name, sizes) in zip(axes, SIZES.items(), strict=True):
        for (who, title), colour in zip(WHO.items(), (VERMILION, BLUE), strict=True):
            for threads, style in zip(thread_counts, ("o:", "o-"), strict=False):
                values = [1e3 * times[name, size, who, threads] for size in sizes]
                label = f"{title}, {threads} thread{'s' if threads > 1 else ''}"
                axis.loglog(sizes, values, style, base=2, ms=3, lw=1.2, color=colour, label=label)
        axis.set_yscale("log", base=10)
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        axis.set_xlabel(
            {"batch": "images", "image": "height and width of an image", "kernel": "size of a filter"}.get(name, name)
        )
    axes[0].set_ylabel("milliseconds a step")
    axes[0].legend(frameon=False, fontsize=7)
    figure.suptitle(
        "Cost of a ConvNet's training step, one size at a time around 50 images of 32x32, 32 filters of 7x7"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    clean(figure, table(times, thread_counts)).savefig(path, metadata=figures.described(figure))


def main() -> None:
    """Measure, print the table, and draw the picture."""
    parser = argparse.ArgumentParser(description="How the cost of a ConvNet's training step grows with its sizes.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each point is timed (default: 3)")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long each time (default: 0.2)")
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="the folder of the picture")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {args.rounds}")
    thread_counts = tuple(sorted({1, os.cpu_count() or 1}))
    print(machine(), flush=True)
    times = measure(args.rounds, thread_counts, args.seconds)
    print(table(times, thread_counts))
    chart(times, thread_counts, args.output / "growth.svg")
    print(f"picture: {args.output / 'growth.svg'}")


if __name__ == "__main__":
    sys.exit(guarded(main, "growth"))
