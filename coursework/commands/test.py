"""The command `test`: the tests, and the notebooks compared with their committed outputs.

Style and types are for maintainers and CI, with ``--strict``: a newer ruff, mypy or NumPy finds new faults in code that
works. requirements.lock alone says which versions of them are meant.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from coursework.commands import headless, prepare_caches, processors
from coursework.environment import read_stamp
from coursework.installation import LOCK
from coursework.needs import installed
from coursework.root import ROOT

if TYPE_CHECKING:
    from packaging.requirements import Requirement


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``test``."""
    parser.add_argument("--strict", action="store_true", help="check packages, style and types first, as CI does")
    emulated = "run what depends on arithmetic under emulated processors, all unless some are named: "
    names, some = processors.CHOICES, "NAME:THREADS"
    parser.add_argument("--processors", nargs="*", choices=names, metavar=some, help=emulated + ", ".join(names))
    own = "for pytest alone, after --: its own arguments, as in: -- -k layers"
    parser.add_argument("arguments", nargs="*", help=own)


def main(args: argparse.Namespace) -> int:
    """Run every step, also after one that failed; return 0 if all passed."""
    tool = [sys.executable, "-m"]
    pytest = [*tool, "pytest", "--nbval"]
    prepare_caches()
    different = []
    if (ROOT / LOCK).exists():
        different = differences(ROOT / LOCK)
        print(f"packages: {summary(different)}", flush=True)
    if args.processors is not None:
        return processors.run(args.processors, [*pytest, *args.arguments])
    more = (os.cpu_count() or 1) + 1  # many tests wait for a process
    workers = [f"-n{more}", "--dist=loadfile", "--no-loadscope-reorder"]
    strict = {
        "style": [*tool, "ruff", "check", "."],
        "format": [*tool, "ruff", "format", "--check", "."],
        "types": [*tool, "mypy"],
    }
    steps = {**(strict if args.strict else {}), "tests": [*pytest, *(args.arguments or workers)]}
    stamp = read_stamp(Path(sys.prefix))
    failed = ["packages"] if args.strict and different and not (stamp and not stamp["locked"]) else []
    for name, command in steps.items():
        print(f"--- {name}", flush=True)
        start = time.monotonic()
        if subprocess.run(command, cwd=ROOT, env=headless()).returncode != 0:
            failed.append(name)
        print(f"--- {name}: {'failed' if name in failed else 'passed'} in {time.monotonic() - start:.0f} s", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def locked(path: Path) -> list[Requirement]:
    """Return what the lock names for this Python and system, each with one version: "numpy==2.4.6"."""
    from packaging.requirements import Requirement  # here, so that --help needs nothing installed

    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in "#-"]
    found = map(Requirement, lines)
    return [each for each in found if each.marker is None or each.marker.evaluate()]


def differences(path: Path) -> list[str]:
    """Return which installed packages have another version than in the lock: "numpy 2.5.0 for 2.4.6"."""
    wanted = {each.name: each.specifier for each in locked(path)}
    return [
        f"{name} {version} for {str(wanted[name]).removeprefix('==')}"
        for name, version in installed(wanted).items()  # not those of extras that are not here
        if not wanted[name].contains(version, prereleases=True)
    ]


def summary(different: list[str], path: Path = ROOT / LOCK) -> str:
    """Return in a line whether the installed packages are those of the lock, and the first few that are not."""
    date = re.search(r"\d{4}-\d\d-\d\d", path.read_text(encoding="utf-8"))
    assert date is not None, f"{path} does not say when it was made"
    if not different:
        return f"as locked ({date[0]})"
    more = f" and {len(different) - 5} more" if len(different) > 5 else ""
    return f"not as locked ({date[0]}): {', '.join(different[:5])}{more}"
