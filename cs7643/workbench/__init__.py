"""The commands around the homework, test, lab, bench and clean: each runs well-known tools."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def headless() -> dict[str, str]:
    """Return the environment in which notebooks and tests give the same results everywhere.

    The embedded images, no progress bars, and one thread for each process, as there is a process for each core.
    """
    return {
        **os.environ,
        "CS7643_CIFAR10": "embedded",
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUTF8": "1",
    }
