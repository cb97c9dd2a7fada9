"""A contender in a process of its own, which measures when it is told to.

Threads of PyTorch and of BLAS stay awake for a while after their work, and take the cores from whoever comes next; and
a peak of memory belongs to a process. So each contender has a process of its own. All are started at first, and one
after the other gets its turn. ``python -m benchmarks.contender`` is the other end; they talk in lines of JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REST = 0.05  # seconds before a turn, in which the threads of the last one go to sleep


class Contender:
    """A process that holds one step, ready to run."""

    def __init__(self, who: str, make: str, options: dict[str, Any], threads: int) -> None:
        """Start it with ``threads`` threads; ``make`` is "module:function", which takes ``who`` and ``options``."""
        self.who = who
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contender", who, make, json.dumps(options)],
            cwd=ROOT,
            env={**os.environ, **dict.fromkeys(names, str(threads))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.first: list[float] = self._answer()  # a number for each array of the first result, to compare

    def seconds(self, at_least: float) -> float:
        """Run for ``at_least`` seconds and return the median time of a call."""
        time.sleep(REST)
        return float(self._ask(["seconds", at_least]))

    def memory(self) -> tuple[float, float] | None:
        """Return the peak of the process and by how much a call raises it, in bytes; None where it cannot be had."""
        answer = self._ask(["memory"])
        return tuple(answer) if answer else None

    def _ask(self, request: list[Any]) -> Any:
        assert self._process.stdin is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.who} ended with code {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Contender:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()  # closes its input, at which it ends


def main() -> None:
    """Hold a step, and do what is asked for on the standard input."""
    import numpy as np

    who, make, sizes = sys.argv[1:]
    if who != "ours":
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    module, function = make.split(":")
    make_step, options = getattr(importlib.import_module(module), function), json.loads(sizes)
    with contextlib.redirect_stdout(sys.stderr):  # the standard output is for answers
        make_step(who, **{**options, "batch": 2})()  # brings in what is loaded at the first call
        step = make_step(who, **options)
    before = _reset_peak()
    first = [float(np.linalg.norm(result)) for result in map(_detached, step())]
    peak = _status("VmHWM")
    memory = [peak, peak - before] if peak and before else None
    print(json.dumps(first), flush=True)
    for line in sys.stdin:
        match json.loads(line):
            case ["seconds", at_least]:
                times: list[float] = []
                start = time.perf_counter()
                while not times or time.perf_counter() - start < at_least:
                    begin = time.perf_counter()
                    step()
                    times.append(time.perf_counter() - begin)
                print(statistics.median(times), flush=True)
            case ["memory"]:
                print(json.dumps(memory), flush=True)


def _detached(result: Any) -> Any:
    """Return a result as NumPy takes it: a tensor without its graph."""
    return result.detach() if hasattr(result, "detach") else result


def _status(name: str) -> int:
    """Return a number of bytes that Linux tells of this process; 0 elsewhere."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)


def _reset_peak() -> int:
    """Forget the peak of memory, which the import of PyTorch may have set, and return the memory in use."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    except OSError:
        return 0
    return _status("VmRSS")


if __name__ == "__main__":
    main()
