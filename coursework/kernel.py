"""``%load_ext coursework.kernel`` begins every notebook: a kernel finds the homework, or says what it lacks.

Edited files take effect when a cell runs again (:mod:`coursework.notebooks.reloading`), and a blank does not stop the
notebook (:mod:`coursework.notebooks.waiting`). Before these are loaded, only the standard library is imported.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from coursework.needs import OLDEST, is_hosted, missing, own_command, required
from coursework.root import ROOT

CHOOSE = "Choose the kernel of .venv (in VS Code: Select Kernel > Python Environments > .venv)."


class KernelError(ImportError):
    """Why a notebook cannot run in this kernel, and what to do; shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def load_ipython_extension(shell: Any) -> None:
    """Prepare the kernel of a notebook, or raise a KernelError."""
    refuse_unfit()
    find_homework()
    for name in ("reloading", "waiting"):
        shell.extension_manager.load_extension(f"coursework.notebooks.{name}")

    def forget(*_: Any) -> None:  # so that the cell can run again, without being told that this is loaded
        shell.extension_manager.loaded.discard(__name__)
        shell.events.unregister("post_run_cell", forget)

    shell.events.register("post_run_cell", forget)


def find_homework() -> None:
    """Import the homework from here, whatever else is on the path, and let every notebook start in its own folder."""
    from coursework.homework import homework

    homework()  # imported now, while this folder comes first
    if Path.cwd().resolve() == ROOT:
        os.chdir(ROOT / "notebooks")
    sys.path[:] = [path for path in sys.path if path != ".."]
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    if is_hosted():
        os.environ["PYTHONPATH"] = str(ROOT)  # for commands that a cell calls, which begin in its folder


def refuse_unfit() -> None:
    """Do nothing in a kernel that has what notebooks need; raise a KernelError in another."""
    kernel = f"This kernel is Python {sys.version_info[0]}.{sys.version_info[1]}, {sys.executable}"
    if sys.version_info < OLDEST:
        raise KernelError(f"{kernel}; the homework needs {OLDEST[0]}.{OLDEST[1]} or newer.\n{CHOOSE}")
    lost = missing(required(kernel=True))
    if not lost:
        return
    kernel += f", and lacks {', '.join(lost)}."
    install = f"%pip install {' '.join(lost)}"
    if is_hosted():
        raise KernelError(f"{kernel}\nRun this in a cell, and then the notebook again:  {install}")
    how = f"type in a terminal, in {ROOT}:  {own_command('check')}"
    make = "" if (ROOT / ".venv").exists() else f"\nThere is none yet; {how}"
    raise KernelError(f"{kernel}\n{CHOOSE}{make}\nOr install what is missing into this kernel:  {install}")
