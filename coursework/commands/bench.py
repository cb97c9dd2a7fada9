"""The command `bench`: the measurements of speed in benchmarks/."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from coursework.root import ROOT
from coursework.terminal import complain

ONE_THREAD = ("layers", "autodiff")  # what they compare gains nothing from more, and varies less
ALL_CORES = ("pytorch", "growth", "epoch")
PROGRAMS = ONE_THREAD + ALL_CORES


def main(args: argparse.Namespace) -> int:
    """Run the programs one after another; return 0 if all succeeded."""
    unknown = sorted(set(args.programs) - set(PROGRAMS))
    if unknown:
        return complain("bench", f"expected {', '.join(PROGRAMS)}, got {', '.join(unknown)}", 2)
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    commands = {name: [sys.executable, "-m", f"benchmarks.{name}"] for name in args.programs or PROGRAMS}
    runs = ((command, one_thread if name in ONE_THREAD else None) for name, command in commands.items())
    return max(subprocess.run(command, cwd=ROOT, env=environment).returncode for command, environment in runs)
