"""The command `test`: the tests, and the notebooks compared with their committed outputs.

Style and types are for maintainers and CI, with ``--strict``: a newer ruff, mypy or NumPy finds new faults in code that
works.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from coursework.commands import headless, prepare_caches, processors
from coursework.root import ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``test``."""
    parser.add_argument("--strict", action="store_true", help="check style and types first, as CI does")
    parser.add_argument(
        "--processors",
        nargs="*",
        choices=processors.CHOICES,
        metavar="NAME:THREADS",
        help="run what depends on arithmetic under emulated processors, all unless some are named: "
        + ", ".join(processors.CHOICES),
    )
    parser.add_argument(
        "arguments", nargs="*", help="for pytest alone, after --: its own arguments, as in: -- -k layers"
    )


def main(args: argparse.Namespace) -> int:
    """Run every step, also after one that failed; return 0 if all passed."""
    tool = [sys.executable, "-m"]
    pytest = [*tool, "pytest", "--nbval"]
    prepare_caches()
    if args.processors is not None:
        return processors.run(args.processors, [*pytest, *args.arguments])
    workers = [f"-n{os.cpu_count() or 1}", "--dist=loadfile"]
    strict = {
        "style": [*tool, "ruff", "check", "."],
        "format": [*tool, "ruff", "format", "--check", "."],
        "types": [*tool, "mypy"],
    }
    steps = {**(strict if args.strict else {}), "tests": [*pytest, *(args.arguments or workers)]}
    failed = []
    for name, command in steps.items():
        print(f"--- {name}", flush=True)
        start = time.monotonic()
        if subprocess.run(command, cwd=ROOT, env=headless()).returncode != 0:
            failed.append(name)
        print(f"--- {name}: {'failed' if name in failed else 'passed'} in {time.monotonic() - start:.0f} s", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
