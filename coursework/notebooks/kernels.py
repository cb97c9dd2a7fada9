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
from coursework.root import ROOT

NOTEBOOKS = ROOT / "notebooks"
KERNEL = [
    *(sys.executable, "-Xfrozen_modules=off", str(Path(__file__).with_name("kernel_program.py"))),
    *("-f", "{connection_file}", "--IPKernelApp.log_level=ERROR"),  # no warning that all kernels of a machine give
]
# A figure that may differ between machines is printed after the sign for "about"; only that there is one is compared.
MAY_DIFFER = {r"≈ -?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?": "≈ NUMBER"}


def find(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the notebooks of a folder in their order, 9 before 10; what begins with a dot is none."""
    found = [path for path in folder.glob("*.ipynb") if not path.name.startswith(".") and path.is_file()]
    return sorted(found, key=lambda path: (_number(path.stem), path.stem))


def _number(stem: str) -> int:
    found = re.match(r"\d+", stem)
    return int(found[0]) if found else sys.maxsize


def kernel_environment(folder: Path = CACHES) -> dict[str, str]:
    """Return an environment for kernels that nobody's settings reach, with quiet progress bars.

    Args:
        folder: where Jupyter and IPython keep what they need; see :func:`prepare`.
    """
    jupyter = folder / "jupyter"
    return {
        **without_settings(),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PATH": str(jupyter),  # searched first: here lies the kernel
        "JUPYTER_DATA_DIR": str(jupyter),
        "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
        "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
        "TQDM_DISABLE": "1",
    }


def stored_data(notebook: Any) -> dict[str, str]:
    """Return the variables that make a notebook read the data again that its stored outputs come from."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    data = homework().data
    return {} if data.other and any(data.other in output.get("text", "") for output in outputs) else dict(data.default)


def is_progress_bar(output: Any) -> bool:
    """Tell whether an output is the bar that JupyterLab shows while a cell runs."""
    data = output.get("data", {})
    bar = re.search(r"[0-9]+%\||[0-9]+it \[", data.get("text/plain", ""))
    return "application/vnd.jupyter.widget-view+json" in data and bar is not None


def prepare() -> None:
    """Fill the caches: the kernel of the name that every notebook asks for, and the list of fonts.

    Raises:
        OSError: if the folder cannot be written.
    """
    prepare_caches()
    place = CACHES / "jupyter" / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    specification = {"argv": KERNEL, "display_name": "Python 3", "language": "python", "metadata": {"debugger": True}}
    with atomic_writer(place, "w") as stream:
        json.dump(specification, stream)


def main(args: argparse.Namespace) -> int:
    """Execute every notebook again and compare what comes out with what is stored; return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "--nbval", "-rN", "-p", "no:cacheprovider", str(NOTEBOOKS)]
    return subprocess.run([*command, *args.arguments], cwd=ROOT, env=without_settings()).returncode
