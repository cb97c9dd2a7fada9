"""What DistributedDataParallel does, shown by two processes with half of a batch each.

    RANK=0 WORLD_SIZE=2 python -m cs7643.pytorch.together FOLDER

is one of the two; :func:`two_processes` starts both, and returns what each has seen.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from coursework.root import ROOT
from cs7643.pytorch.processes import processes

Array = NDArray[Any]
LONGEST = 120  # seconds


@dataclass(frozen=True)
class Seen:
    """What one process sees of a step of a linear model: weights, its own gradient, the shared one, weights again."""

    before: Array
    own: Array
    shared: Array
    after: Array


def two_processes(X: Array, y: Array, weights: Array, rate: float) -> tuple[Seen, Seen]:
    """Take one step of plain gradient descent in two processes, each with its half of the batch.

    Args:
        X: (N, D), the inputs, with N even; the first half goes to process 0.
        y: (N,), the targets.
        weights: (D,), those of the linear model ``X @ weights``, whose loss is the mean squared error.
        rate: the learning rate.

    Raises:
        ValueError: if the batch cannot be halved.
        RuntimeError: if a process fails, or takes longer than two minutes.
    """
    if len(X) % 2 or len(X) != len(y):
        raise ValueError(f"two_processes: X and y must have the same even length, got {len(X)} and {len(y)}")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COURSEWORK_NO_VENV": "1", "WORLD_SIZE": "2"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        np.savez(Path(folder, "given.npz"), X=X, y=y, weights=weights, rate=rate)
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "cs7643.pytorch.together", folder],
                cwd=ROOT,
                env={**environment, "RANK": str(rank)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in (0, 1)
        ]
        try:
            said = [process.communicate(timeout=LONGEST)[1] for process in started]
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"two_processes: they did not end within {LONGEST} seconds") from None
        finally:
            for process in started:
                process.kill()
        for process, words in zip(started, said, strict=True):
            if process.returncode:
                last = (words.strip().splitlines() or ["without a word"])[-1]
                raise RuntimeError(f"two_processes: a process failed: {last}")
        first, second = (Seen(**np.load(Path(folder, f"seen{rank}.npz"))) for rank in (0, 1))
    return first, second


def main(folder: Path) -> None:
    """Be one of the two processes."""
    given = np.load(folder / "given.npz")
    with processes("cpu", (folder / "meeting").as_uri()) as where:
        X, y = (torch.tensor(where.part(given[name])) for name in ("X", "y"))
        net = nn.Linear(X.shape[1], 1, bias=False).double()
        net.weight.data[0] = torch.tensor(given["weights"])
        before = net.weight.detach().clone()
        (own,) = torch.autograd.grad(F.mse_loss(net(X)[:, 0], y), [net.weight])
        shared = where.share(net)  # it exchanges gradients as long as it is kept
        F.mse_loss(shared(X)[:, 0], y).backward()  # type: ignore[no-untyped-call]
        assert net.weight.grad is not None
        after = before - float(given["rate"]) * net.weight.grad
        seen = {"before": before, "own": own, "shared": net.weight.grad, "after": after}
        rows = {name: values[0].numpy() for name, values in seen.items()}
        np.savez(folder / f"seen{where.rank}.npz", **rows)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
