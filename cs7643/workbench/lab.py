"""``python -m cs7643 lab``: the notebooks in JupyterLab."""

from __future__ import annotations

import argparse
import subprocess
import sys

from cs7643.workbench import ROOT


def main(args: argparse.Namespace) -> int:
    """Start JupyterLab on the folder of the notebooks; it runs until it is stopped."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT / 'notebooks'}", *args.arguments]
    return subprocess.run(command, cwd=ROOT).returncode
