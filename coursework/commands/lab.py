"""The command `lab`: the homework in JupyterLab, with the first notebook open."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from jupyter_core.paths import jupyter_config_dir, jupyter_runtime_dir

from coursework.homework import homework
from coursework.notebooks.kernels import kernel_environment, prepare
from coursework.notebooks.waiting import STOP
from coursework.root import ROOT


def main(args: argparse.Namespace) -> int:
    """Start JupyterLab on the homework's folder, so that every file can be edited; it runs until it is stopped."""
    prepare()
    first = quote(homework().notebooks[0])
    options = [f"--ServerApp.root_dir={ROOT}", f"--LabApp.default_url=/lab/tree/{first}"]
    if os.name == "posix" and os.geteuid() == 0:  # as in a container; the address is this machine's alone
        options += ["--allow-root", "--ServerApp.ip=127.0.0.1"]
    command = [sys.executable, "-m", "jupyterlab", *options, *args.arguments]
    return subprocess.run(command, cwd=ROOT, env=environment()).returncode


def environment() -> dict[str, str]:
    """Return the environment of JupyterLab: our kernel, and of the user's settings only those of its appearance.

    In its terminals ``python -m PACKAGE`` works in every folder.
    """
    variables = {
        **kernel_environment(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(ROOT),  # also for another Python, if the shell's own settings put that first
        "JUPYTER_RUNTIME_DIR": jupyter_runtime_dir(),  # where `submit` looks for notebooks with unsaved changes
        "JUPYTERLAB_SETTINGS_DIR": str(Path(jupyter_config_dir()) / "lab" / "user-settings"),
    }
    for name in ("TQDM_DISABLE", STOP):  # here somebody watches, and goes on below a blank
        del variables[name]
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "ARGS"):  # of `make lab`, not of `make` in a terminal
        variables.pop(name, None)
    return variables
