"""The command `doctor`: what the homework needs, and for each need whether it is met, or what to type."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator

from coursework import needs
from coursework.environment import is_inside, is_installed, is_installing
from coursework.homework import homework
from coursework.installation import NEEDED_GB, python_of
from coursework.root import ROOT

VENV = ROOT / ".venv"
OK, NOTE, MEND = "ok", "note", "MEND"
KERNEL = "in VS Code: Select Kernel > Python Environments > .venv"


def main(args: argparse.Namespace) -> int:
    """Print a line for each need; return 0 if commands and notebooks can run, else 1."""
    own = os.environ.get("COURSEWORK_NO_VENV") == "1" or needs.is_hosted()
    if not own and is_installing(VENV):
        print("wait  .venv     a call is installing into it right now; type this again when that call has ended")
        return 1
    python = python_of(VENV)
    if not own and not is_inside(VENV) and python.exists():
        command = [str(python), "-m", homework().package, "doctor"]
        return subprocess.run(command, cwd=ROOT).returncode
    found = list(_look(own))
    for mark, need, text in found:
        print(f"{mark:4s}  {need:8s}  {text}")
    if mend := sum(mark == MEND for mark, _, _ in found):
        print(f"To mend: {mend}.")
        return 1
    print("Everything that is needed is here.")
    return 0


def _look(own: bool) -> Iterator[tuple[str, str, str]]:
    """Yield a mark, a need, and what was found or what to type; ``own``: commands run in this Python."""
    yield OK, "Python", f"{platform.python_version()}, {sys.executable}"  # an older one has been refused before
    make = needs.own_command("check")
    if own or is_inside(VENV):
        required = needs.required(kernel=own)
        has, lost = needs.installed(required), needs.missing(required)
        if has:
            yield OK, "packages", ", ".join(f"{name} {has[name]}" for name in sorted(has))
        if old := needs.too_old(required):
            yield NOTE, "packages", f"older than what was tested: {', '.join(old)}; they may do"
        if lost:
            install = f"python -m pip install {' '.join(lost)}" if own else make
            yield MEND, "packages", f"not here: {', '.join(lost)}; type: {install}"
        if own and (more := needs.missing(_for_commands())):
            install = f"python -m pip install {' '.join(more)}"
            yield NOTE, "packages", f"submit, verify and site need more; type: {install}"
        if not own and not is_installed(VENV, None):
            yield MEND, ".venv", f"begun, moved, or older than what is required; type: {make} (which mends it)"
        if broken := _broken(list(has)):
            yield MEND, "imports", broken
    else:
        yield MEND, "packages", f"there is no .venv yet; type: {make} (it installs everything, up to {NEEDED_GB} GB)"
        lost = ["everything"]
    writable = os.access(ROOT, os.W_OK)
    yield (OK if writable else MEND), "folder", f"{ROOT}{'' if writable else ': copy it to where you can write'}"
    free = shutil.disk_usage(ROOT).free / 1e9
    needed = 1 if own or VENV.exists() else NEEDED_GB
    yield (OK if free >= needed else MEND), "disk", f"{free:.0f} GB free, {needed} GB needed"
    if not own and not shutil.which("make"):
        yield NOTE, "make", f"not found; for `make check` type: {make}"
    if command := homework().data.command:
        yield (NOTE, "data", "not known before that") if lost else _data(command)
    if not lost:
        yield OK, "kernel", "that of this page" if own else f"`make lab` chooses it; {KERNEL}"


def _for_commands() -> dict[str, str]:
    """Return what the commands around notebooks need besides; of Jupyter only what executes and converts notebooks."""
    others = needs.required("pdf").keys() - needs.required(kernel=True).keys() - {"jupyter"}
    return dict.fromkeys(others | {"nbconvert"}, "")


def _broken(names: list[str]) -> str:
    """Return what the first installed package says that cannot be imported, as one whose libraries are not there."""
    program = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"
    result = _said("-c", program, *(name for name in names if name != "jupyter"))
    return (result.stderr.strip().split("\n")[-1]) if result.returncode else ""


def _data(command: str) -> tuple[str, str, str]:
    """Return what the homework's own command says about its data."""
    result = _said("-m", homework().package, command)
    said = (result.stdout if result.returncode == 0 else result.stderr).strip().split("\n")
    return (MEND if result.returncode else OK), "data", said[-1]


def _said(*words: str) -> subprocess.CompletedProcess[str]:
    """Run this Python, in the environment of this process."""
    variables = {**os.environ, "COURSEWORK_NO_VENV": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, encoding="utf-8", errors="replace")
