"""The commands around the homework, which run well-known tools."""

from __future__ import annotations

import os
import subprocess
import sys

from coursework.homework import homework
from coursework.root import ROOT

CACHES = ROOT / "build" / ".cache"
SETTINGS = ("PYTHON", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB", "TQDM_")  # how the names of variables begin
KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONNOUSERSITE", "PYTHONUTF8", "PYTHONIOENCODING")


def without_settings() -> dict[str, str]:
    """Return the environment without the user's own settings of Python, Jupyter and Matplotlib."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith(SETTINGS)}
    return {**kept, "PYTHONUTF8": "1", "MPLCONFIGDIR": str(CACHES / "matplotlib")}


def headless() -> dict[str, str]:
    """Return the environment in which tests give the same results everywhere.

    It chooses the data in the repository, no progress bars, one thread for each process (there is a process for each
    core), and none of the user's own settings, which may be in folders that cannot be written.
    """
    return {
        **without_settings(),
        **homework().data.default,
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "IPYTHONDIR": str(CACHES / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(CACHES / "jupyter" / "runtime"),
    }


def prepare_caches() -> None:
    """Create the folder of the caches, and let Matplotlib look for fonts, once: in a notebook it would say so."""
    (CACHES / "matplotlib").mkdir(parents=True, exist_ok=True)
    if not any((CACHES / "matplotlib").glob("fontlist-*.json")):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, cwd=CACHES, env=without_settings(), stderr=subprocess.DEVNULL)
