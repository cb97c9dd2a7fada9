"""How notebooks are executed and compared: the kernel, its environment, and what may differ between machines.

The command `test` executes them again, with pytest and nbval; notebooks/conftest.py says how.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from coursework.commands import CACHES, prepare_caches, without_settings
from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.notebooks.waiting import STOP
from coursework.root import ROOT

NOTEBOOKS = ROOT / "notebooks"
KERNELS = CACHES / "jupyter" / "kernels"  # where jupyter_client finds the kernel below, whatever the user has installed
KERNEL = [
    *(sys.executable, "-Xfrozen_modules=off", str(Path(__file__).with_name("kernel_program.py"))),
    *("-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"),  # hides the warnings that every kernel prints
]
# A figure that may differ between machines is printed after "≈". The comparison checks only that there is a figure.
MAY_DIFFER = {r"≈ -?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?": "≈ NUMBER"}


def find(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the notebooks of a folder in their order, 9 before 10; files that begin with a dot do not count."""
    found = [path for path in folder.glob("*.ipynb") if not path.name.startswith(".") and path.is_file()]
    return sorted(found, key=lambda path: (int((re.match(r"\d+", path.stem) or [sys.maxsize])[0]), path.stem))


def kernel_environment(folder: Path = CACHES) -> dict[str, str]:
    """Return an environment for kernels without the user's settings and progress bars, in which blanks stop a notebook.

    Jupyter and IPython keep what they need in ``folder``; see :func:`prepare`.
    """
    jupyter = folder / "jupyter"
    return {
        **without_settings(),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PATH": str(jupyter),  # searched first; the kernel is here
        "JUPYTER_DATA_DIR": str(jupyter),
        "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
        "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
        "TQDM_DISABLE": "1",
        STOP: "1",
    }


def stored_data(notebook: Any) -> dict[str, str]:
    """Return the variables that make a notebook read the data set from which its stored outputs come."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    data = homework().data
    return {} if data.other and any(data.other in output.get("text", "") for output in outputs) else dict(data.default)


def is_progress_bar(output: Any) -> bool:
    """Tell whether an output is the bar that JupyterLab shows while a cell runs."""
    data = output.get("data", {})
    bar = re.search(r"[0-9]+%\||[0-9]+it \[", data.get("text/plain", ""))
    return "application/vnd.jupyter.widget-view+json" in data and bar is not None


def prepare() -> None:
    """Fill the caches: the kernel that every notebook asks for by name, and the list of fonts."""
    prepare_caches()
    specification = {"argv": KERNEL, "display_name": "Python 3", "language": "python", "metadata": {"debugger": True}}
    specification["env"] = {"PYTHONPATH": ""}  # `lab` sets it for terminals
    with atomic_writer(KERNELS / "python3" / "kernel.json", "w") as stream:
        json.dump(specification, stream)


def main(args: argparse.Namespace) -> int:
    """Execute every notebook again, compare its outputs with the stored ones, and return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "--nbval", "-rN", "-p", "no:cacheprovider", str(NOTEBOOKS)]
    return subprocess.run([*command, *args.arguments], cwd=ROOT, env=without_settings()).returncode
