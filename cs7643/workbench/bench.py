"""``python -m cs7643 bench``: the measurements of speed in benchmarks/, each on one thread.

More threads than idle cores make a matrix product many times slower, and a ratio a matter of chance.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from cs7643.workbench import ROOT

PROGRAMS = ("layers", "autodiff")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``bench``."""
    parser.add_argument("programs", nargs="*", help=f"which of {', '.join(PROGRAMS)} (default: all)")


def main(args: argparse.Namespace) -> int:
    """Run the programs one after another; return 0 if all ran to their end."""
    unknown = sorted(set(args.programs) - set(PROGRAMS))
    if unknown:
        print(f"bench: expected {', '.join(PROGRAMS)}, got {', '.join(unknown)}", file=sys.stderr)
        return 2
    commands = [[sys.executable, "-m", f"benchmarks.{name}"] for name in args.programs or PROGRAMS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return max(subprocess.run(command, cwd=ROOT, env=environment).returncode for command in commands)
