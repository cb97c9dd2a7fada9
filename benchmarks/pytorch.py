"""Our layers against PyTorch on the same cores, and against what the machine can do: ``python -m benchmarks.pytorch``.

Each contender has a process of its own, and they are timed in turn, round after round; a ratio is the median over the
rounds of the ratio in a round. So what else the machine does at a time meets all of them.

The roofline of a step is the time that it would take if its arithmetic ran at the rate of a product of large matrices,
or its arrays moved at the speed of a copy of large ones, whichever is longer. Both are measured between the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.contender import Contender
from benchmarks.machine import machine
from benchmarks.steps import TASKS, Task
from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643.fast.roofline import bytes_per_second, flops_per_second

WHO = ("ours", "NCHW", "NHWC")
MB = 1e6


@dataclass
class Result:
    """The seconds of each contender in each round, the memory of each, and the machine's rates in each round."""

    task: Task
    seconds: dict[str, list[float]] = field(default_factory=lambda: {who: [] for who in WHO})
    memory: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    flops_rate: list[float] = field(default_factory=list)
    bytes_rate: list[float] = field(default_factory=list)

    @property
    def dtype(self) -> str:
        """The precision of the task."""
        return str(self.task.options.get("dtype", "float32"))

    def ratio(self, opponent: str) -> tuple[float, float, float]:
        """Return the median of ours / opponent over the rounds, and the smallest and largest."""
        ratios = [ours / other for ours, other in zip(self.seconds["ours"], self.seconds[opponent], strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    def median(self, who: str) -> float:
        """Return the median time of a contender."""
        return statistics.median(self.seconds[who])

    def roofline(self) -> tuple[float, str]:
        """Return the least time that the machine's limits allow, and which of them it is."""
        arithmetic = self.task.flops / statistics.median(self.flops_rate)
        traffic = self.task.bytes / statistics.median(self.bytes_rate)
        return max((arithmetic, "arithmetic"), (traffic, "memory"))


def measure(task: Task, rounds: int, threads: int, at_least: float) -> Result:
    """Time all contenders at one task."""
    result = Result(task)
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(Contender(who, f"benchmarks.steps:{task.make}", task.options, threads)) for who in WHO
        ]
        for other in contenders[1:]:  # a step that is not the same would be no contest
            np.testing.assert_allclose(
                contenders[0].first, other.first, rtol=1e-3, err_msg=f"{task.title}: {other.who}"
            )
        for _ in range(rounds):
            for contender in contenders:
                result.seconds[contender.who].append(contender.seconds(at_least))
            result.flops_rate.append(flops_per_second(result.dtype, at_least / 2))
            result.bytes_rate.append(bytes_per_second(at_least / 2))
        result.memory = {contender.who: contender.memory() for contender in contenders}
    return result


def table(results: list[Result]) -> str:
    """Word the results."""
    lines = [f"{'':41} {'ours':>9} {'ours / PyTorch: median (range)':^39} {'bar':>5} {'of the roofline':>22}"]
    lines.append(f"{'':41} {'':9} {'NCHW':^19} {'channels last':^19}")
    for result in results:
        least, limit = result.roofline()
        ratios = " ".join("{:4.2f} ({:.2f}-{:.2f}) ".format(*result.ratio(who)).rjust(19) for who in WHO[1:])
        share = f"{least / result.median('ours'):.0%} ({limit})"
        time = f"{1e3 * result.median('ours'):6.2f} ms"
        lines.append(f"{result.task.title:41} {time} {ratios} {result.task.bar:5.1f} {share:>22}")
    lines.append("")
    lines.append(
        f"{'peak memory, MB: step (whole process)':41} {'ours':>15} {'PyTorch NCHW':>15} {'channels last':>15}"
    )
    for result in results:
        cells = []
        for who in WHO:
            memory = result.memory[who]
            cells.append(f"{memory[1] / MB:.1f} ({memory[0] / MB:.0f})" if memory else "unknown")
        lines.append(f"{result.task.title:41} " + " ".join(f"{cell:>15}" for cell in cells))
    return "\n".join(lines)


def chart(results: list[Result], path: Path) -> None:
    """Draw the times of PyTorch and the roofline beside ours, which is 1."""
    import matplotlib.pyplot as plt

    from coursework.notebooks import figures
    from cs7643.plots.style import BLUE, GREY, ORANGE, VERMILION, clean

    figure, axis = plt.subplots(figsize=(9, 0.75 * len(results) + 1.4))
    names = {"ours": "ours, NumPy", "NCHW": "PyTorch, NCHW", "NHWC": "PyTorch, channels last"}
    places = np.arange(len(results))
    for number, (who, colour) in enumerate(zip(WHO, (VERMILION, BLUE, ORANGE), strict=True)):
        values = [1 if who == "ours" else 1 / result.ratio(who)[0] for result in results]
        bars = axis.barh(places + 0.25 * (number - 1), values, 0.23, color=colour, label=names[who])
        axis.bar_label(bars, [f" {value:.2g}" for value in values], fontsize=8)
    for place, result in zip(places, results, strict=True):
        least = result.roofline()[0] / result.median("ours")
        label = "roofline of the machine" if place == 0 else None
        axis.plot([least, least], [place - 0.4, place + 0.4], color=GREY, lw=2, label=label)
    axis.set_yticks(places, [result.task.title for result in results])
    axis.invert_yaxis()
    axis.set(xlabel="time, relative to ours", title="NumPy layers and PyTorch on the same cores: shorter is faster")
    axis.legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    clean(figure, table(results)).savefig(path, metadata=figures.described(figure))


def main() -> None:
    """Measure, print the table, and draw the chart."""
    parser = argparse.ArgumentParser(description="Our layers against PyTorch and the machine's limits, in one run.")
    titles = [f"{number}: {task.title}" for number, task in enumerate(TASKS, 1)]
    parser.add_argument("tasks", nargs="*", type=int, help=f"(default: all) {'; '.join(titles)}")
    parser.add_argument("--rounds", type=int, default=9, help="how often each contender is timed (default: 9)")
    parser.add_argument("--seconds", type=float, default=0.3, help="how long each time (default: 0.3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="(default: the number of cores)")
    parser.add_argument("--output", type=Path, default=Path("build/bench"), help="the folder of the chart")
    args = parser.parse_args()
    if args.rounds < 1 or args.threads < 1 or not all(1 <= number <= len(TASKS) for number in args.tasks):
        parser.error(f"expected at least one round and one thread, and tasks from 1 to {len(TASKS)}")

    print(f"{machine()}; {args.threads} threads", flush=True)
    chosen = [TASKS[number - 1] for number in args.tasks] or TASKS
    with threadpool_limits(args.threads, user_api="blas"):
        results = [
            measure(task, args.rounds, args.threads, args.seconds) for task in progress_bar(chosen, desc="tasks")
        ]
    for dtype in ("float32", "float64"):
        rates = [rate for result in results if result.dtype == dtype for rate in result.flops_rate]
        if rates:
            print(f"products of large matrices, {dtype}: {statistics.median(rates) / 1e9:.0f} GFLOP/s")
    copies = statistics.median(rate for result in results for rate in result.bytes_rate)
    print(f"copies of large arrays: {copies / 1e9:.0f} GB/s")
    print(table(results))
    print(
        "bar: the ratio to NCHW that we mean to reach; roofline: the least time that these rates allow, as part of ours"
    )
    chart(results, args.output / "pytorch.svg")
    print(f"chart: {args.output / 'pytorch.svg'}")


if __name__ == "__main__":
    sys.exit(guarded(main, "pytorch"))
