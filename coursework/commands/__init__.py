"""The commands around the homework: each runs well-known tools."""

from __future__ import annotations

import os
import subprocess
import sys

from coursework.homework import homework
from coursework.root import ROOT

CACHES = ROOT / "build" / ".cache"
SETTINGS = ("PYTHON", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB", "TQDM_")  # how the names of variables begin
HARMLESS = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONNOUSERSITE", "PYTHONUTF8", "PYTHONIOENCODING")


def without_settings() -> dict[str, str]:
    """Return the environment without what the user has set for Python, Jupyter and Matplotlib in general.

    Other packages in PYTHONPATH, the backend of an editor, a kernel of the same name: none is meant for this homework.
    """
    kept = {name: value for name, value in os.environ.items() if name in HARMLESS or not name.startswith(SETTINGS)}
    return {**kept, "PYTHONUTF8": "1", "MPLCONFIGDIR": str(CACHES / "matplotlib")}


def headless() -> dict[str, str]:
    """Return the environment in which tests give the same results everywhere.

    The data of the repository itself, no progress bars, one thread for each process, as there is a process for each
    core, and nobody's own settings, which may also lie where nothing can be written.
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
    """Make the folder of the caches, and let Matplotlib look for fonts now.

    It does so only once; in a notebook it would say that this takes a while, and the outputs would differ.
    """
    (CACHES / "matplotlib").mkdir(parents=True, exist_ok=True)
    if not any((CACHES / "matplotlib").glob("fontlist-*.json")):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, cwd=CACHES, env=without_settings(), stderr=subprocess.DEVNULL)
