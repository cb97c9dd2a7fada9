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
from coursework.staff.release.markers import ReleaseError

PYTHON = [sys.executable, "-B"]  # nothing is left beside the files


def environment(folder: Path) -> dict[str, str]:
    """Return the variables with which this interpreter runs the edition of a folder, and that one only."""
    return {
        **os.environ,
        "COURSEWORK_NO_VENV": "1",
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the edition of a folder."""
    return subprocess.run(
        [*PYTHON, *command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )


def try_out(folder: Path) -> list[str]:
    """Try an edition.

    Returns:
        The lines of the report.

    Raises:
        ReleaseError: with all that does not work.
    """
    lines: list[str] = []
    problems: list[str] = []
    with ThreadPoolExecutor() as pool:  # each waits for processes
        for look in [pool.submit(look, folder) for look in (style, nothing_started, commands, scripts, comparison)]:
            try:
                lines.append(look.result())
            except ReleaseError as error:
                problems += error.problems
    if problems:
        raise ReleaseError(problems)
    return lines


def style(folder: Path) -> str:
    """Run ruff, which must find nothing to say and nothing to format."""
    said = []
    for options in (["check", "--output-format=concise"], ["format", "--check"]):
        # the repository around dist/ ignores it, so ignored files are looked at, too
        result = run(folder, "-m", "ruff", *options, "--no-cache", "--no-respect-gitignore", ".")
        if result.returncode:
            said += (result.stdout + result.stderr).strip().splitlines()
    if said:
        raise ReleaseError([f"student edition: {line}" for line in said])
    return "ruff: clean and formatted"


def nothing_started(folder: Path) -> str:
    """Run all checks: each case of each function must say "not started", and nothing else."""
    result = run(folder, "-m", homework().package, "check", "--all", "--json")
    try:
        reports = json.loads(result.stdout)["checks"]
    except (ValueError, KeyError) as error:
        raise ReleaseError([f"student edition: check --all: {result.stderr.strip() or error}"]) from error
    wrong = [
        f"student edition: check {function['name']}, {case['title']}: {case['status']}, {case['message']}"
        for report in reports
        for function in report["functions"]
        for case in function["cases"]
        if case["status"] != "not started"
    ]
    if wrong or result.returncode != 1:
        raise ReleaseError(wrong or [f"student edition: check --all ends with {result.returncode}, not 1"])
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
    """Load the room of every command that ``--help`` lists."""
    listed = run(folder, "-m", homework().package, "--help").stdout.splitlines()
    names = [line.split()[0] for line in listed if line.startswith("    ") and line[4:5].isalpha()]
    result = run(folder, "-c", OFFERED)
    said = (result.stdout + result.stderr).strip().splitlines()
    if said or not names:
        raise ReleaseError(
            [f"student edition: {homework().package} {line}" for line in said or ["--help lists no command"]]
        )
    return f"{homework().package} has the commands {', '.join(names)}"


def scripts(folder: Path) -> str:
    """Run the scripts with a blank: each must stop there, and say which. Without bash they are not run."""
    paths = [path for path in sorted(folder.rglob("*.sh")) if "Not started. Task" in path.read_text(encoding="utf-8")]
    bash = shutil.which("bash") if os.name == "posix" else None
    wrong = []
    for path in paths if bash else ():
        result = subprocess.run(
            [str(bash), str(path)], cwd=folder, env=environment(folder), capture_output=True, encoding="utf-8"
        )
        if result.returncode != 1 or not result.stderr.startswith("Not started. Task "):
            wrong.append(f"student edition: {path.name} does not stop at its blank: {result.stderr.strip()}")
    if wrong:
        raise ReleaseError(wrong)
    return f"{len(paths)} scripts stop at their blanks" + ("" if bash else " (not run: there is no bash)")


def comparison(folder: Path) -> str:
    """Compare the shortest notebook with its outputs, as ``make test`` does; it must stop at its blank, and say so."""
    with tempfile.TemporaryDirectory() as copy:  # it leaves caches
        place = Path(copy) / "edition"
        copy_tree(folder, place, lambda path: False)
        result = run(place, "-m", homework().package, "test", "--", "-k", Path(homework().notebooks[-1]).stem)
    if result.returncode != 1 or not re.search(r"Task \S+: \w+ is not written yet", result.stdout):
        said = (result.stdout + result.stderr).strip().splitlines()
        raise ReleaseError([f"student edition: test: {line}" for line in said or ["it says nothing"]])
    return "test names the blank of a notebook"
