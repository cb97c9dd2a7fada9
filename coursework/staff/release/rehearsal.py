"""The student edition, tried where it lies: style, the checks, and the command line, as a student has them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from coursework.files import copy_tree
from coursework.homework import homework
from coursework.staff.release.markers import ReleaseError, refuse, run_all
from coursework.submit.archive import run_in


def run(folder: Path, *arguments: str, program: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run Python, or another program, in the edition of a folder; nothing is left beside the files."""
    quiet = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return run_in(folder, *arguments, program=program, **quiet)


def try_out(folder: Path) -> list[str]:
    """Try an edition.

    Returns:
        The lines of the report.

    Raises:
        ReleaseError: with all that does not work.
    """
    looks = (style, nothing_started, commands, scripts, comparison)
    with ThreadPoolExecutor() as pool:  # each waits for processes
        return run_all([pool.submit(look, folder).result for look in looks])


def _refuse(title: str, lines: list[str]) -> None:
    refuse([f"student edition: {title}{line}" for line in lines])


def _lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    return (result.stdout + result.stderr).strip().splitlines()


def style(folder: Path) -> str:
    """Run ruff, which must find nothing to say and nothing to format."""
    said = []
    for options in (["check", "--output-format=concise"], ["format", "--check"]):
        # the repository around dist/ ignores it, so ignored files are looked at, too
        result = run(folder, "-m", "ruff", *options, "--no-cache", "--no-respect-gitignore", ".")
        said += _lines(result) if result.returncode else []
    _refuse("", said)
    return "ruff: clean and formatted"


def nothing_started(folder: Path) -> str:
    """Run all checks: each case of each function must say "not started", and nothing else."""
    result = run(folder, "-m", homework().package, "check", "--all", "--json")
    try:
        reports = json.loads(result.stdout)["checks"]
    except (ValueError, KeyError) as error:
        raise ReleaseError([f"student edition: check --all: {result.stderr.strip() or error}"]) from error
    wrong = [
        f"{function['name']}, {case['title']}: {case['status']}, {case['message']}"
        for report in reports
        for function in report["functions"]
        for case in function["cases"]
        if case["status"] != "not started"
    ]
    _refuse("check ", wrong or ([] if result.returncode == 1 else [f"--all ends with {result.returncode}, not 1"]))
    return f"check --all: {len(reports)} tasks, each function not started"


OFFERED = """
import importlib
from coursework.cli import all_commands
for name, command in all_commands().items():
    try:
        importlib.import_module(command.room).main
    except Exception as error:
        print(f"{name} cannot be used: {error!r}")
"""


def commands(folder: Path) -> str:
    """Import the module of every command that ``--help`` lists."""
    program = homework().package
    listed = re.findall(r"(?m)^    ([a-z]+)", run(folder, "-m", program, "--help").stdout)
    said = _lines(run(folder, "-c", OFFERED))
    _refuse(f"{program} ", said or ([] if listed else ["--help lists no command"]))
    return f"{program} has the commands {', '.join(listed)}"


def scripts(folder: Path) -> str:
    """Run the scripts with a blank: each must stop there, and say which. Without bash they are not run."""
    paths = [path for path in sorted(folder.rglob("*.sh")) if "Not started. Task" in path.read_text(encoding="utf-8")]
    bash = shutil.which("bash") if os.name == "posix" else None
    wrong = []
    for path in paths if bash else ():
        result = run(folder, str(path), program=str(bash))
        if result.returncode != 1 or not result.stderr.startswith("Not started. Task "):
            wrong.append(f"{path.name} does not stop at its blank: {result.stderr.strip()}")
    _refuse("", wrong)
    return f"{len(paths)} scripts stop at their blanks" + ("" if bash else " (not run: there is no bash)")


def comparison(folder: Path) -> str:
    """Compare the shortest notebook with its outputs, as ``make test`` does; it must stop at its blank, and say so."""
    with tempfile.TemporaryDirectory() as copy:  # it leaves caches
        place = Path(copy) / "edition"
        copy_tree(folder, place, lambda path: False)
        result = run(place, "-m", homework().package, "test", "--", "-k", Path(homework().notebooks[-1]).stem)
    if result.returncode != 1 or not re.search(r"Task \S+: \w+ is not written yet", result.stdout):
        _refuse("test: ", _lines(result) or ["it says nothing"])
    return "test names the blank of a notebook"
