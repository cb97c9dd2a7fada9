"""The commands around the homework: each runs well-known tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHES = ROOT / "build" / ".cache"


def headless() -> dict[str, str]:
    """Return the environment in which notebooks and tests give the same results everywhere.

    The embedded images, no progress bars, one thread for each process, as there is a process for each core, and
    nobody's own settings of IPython and Matplotlib, which may also lie where nothing can be written.
    """
    variables = {
        **os.environ,
        "CS7643_CIFAR10": "embedded",
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUTF8": "1",
        "IPYTHONDIR": str(CACHES / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(CACHES / "jupyter"),
        "MPLCONFIGDIR": str(CACHES / "matplotlib"),
    }
    variables.pop("MPLBACKEND", None)  # each kernel then chooses the one that draws into the notebook
    return variables


def prepare_caches() -> None:
    """Make the folders that :func:`headless` names, and let Matplotlib look for fonts now.

    It does so only once; in a notebook it would say that this takes a while, and the outputs would differ.
    """
    for name in ("ipython", "jupyter", "matplotlib"):
        (CACHES / name).mkdir(parents=True, exist_ok=True)
    if not any((CACHES / "matplotlib").glob("fontlist-*.json")):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=headless(), stderr=subprocess.DEVNULL)
