"""The program of every kernel: this Python, and the code of this repository, whatever else is called cs7643."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file; the kernel puts that of the notebook there
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: no file there takes the place of a package

    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()
