"""The command `lab`: the notebooks in JupyterLab."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from jupyter_core.paths import jupyter_config_dir, jupyter_runtime_dir

from coursework.notebooks.kernels import NOTEBOOKS, kernel_environment, prepare
from coursework.root import ROOT


def main(args: argparse.Namespace) -> int:
    """Start JupyterLab on the folder of the notebooks; it runs until it is stopped."""
    prepare()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={NOTEBOOKS}", *args.arguments]
    return subprocess.run(command, cwd=ROOT, env=environment()).returncode


def environment() -> dict[str, str]:
    """Return the environment of JupyterLab: our kernel, and of the user's settings only those of its appearance."""
    variables = {
        **kernel_environment(),
        "JUPYTER_RUNTIME_DIR": jupyter_runtime_dir(),  # where `submit` looks for notebooks with unsaved changes
        "JUPYTERLAB_SETTINGS_DIR": str(Path(jupyter_config_dir()) / "lab" / "user-settings"),
    }
    del variables["TQDM_DISABLE"]  # here somebody watches the progress
    return variables
