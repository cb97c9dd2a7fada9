"""The zip: the same files give the same bytes, and a copy of it is unpacked and tried before it counts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coursework.check.case import IMPORT
from coursework.files import copy_tree
from coursework.homework import homework, path_of
from coursework.notebooks.execute import versions
from coursework.submit import names
from coursework.submit.finding import Finding
from coursework.submit.inspection import Entry
from coursework.submit.person import Person
from coursework.terminal import explain
from coursework.zips import zipped

MANIFEST = "manifest.json"  # what is in the zip, who hands it in, what made it, and what was overridden
PATIENCE = 1200  # seconds for all checks of the copy


def pack(
    entries: Sequence[Entry], person: Person, points: Sequence[dict[str, Any]] = (), overridden: Sequence[Finding] = ()
) -> bytes:
    """Return the zip of a person's files and their manifest; the same files give the same bytes.

    The manifest has what the checks say of each task, in the copy made from the zip, and what --force ignored.
    """
    manifest = {
        **{"assignment": homework().title, "edition": homework().version},
        **asdict(person),
        "overridden": [{key: getattr(each, key) for key in ("place", "problem", "remedy")} for each in overridden],
        "points": [{key: task[key] for key in ("task", "points", "for_code", "earned")} for task in points],
        "versions": versions(),
        "data": {entry.path: list(entry.data) for entry in entries if entry.data},
        "files": [
            {
                **{"path": entry.path, "kind": entry.kind, "bytes": len(entry.content)},
                "sha256": hashlib.sha256(entry.content).hexdigest(),
            }
            for entry in entries
        ],
    }
    written = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    files = {entry.path: entry.content for entry in entries}
    return zipped({**files, MANIFEST: written.encode()}, zipfile.ZIP_DEFLATED)


def try_copy(content: bytes, root: Path) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Unpack a zip into a temporary folder, add the given files of the repository, and run all checks there.

    Return for each task what :meth:`coursework.check.report.Report.as_dict` says, and what went wrong.
    """
    with tempfile.TemporaryDirectory(prefix="coursework copy ", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary)
        try:
            for package in ("coursework", homework().package):
                copy_tree(root / package, copy / package, _is_left)
            shutil.copyfile(root / "pyproject.toml", copy / "pyproject.toml")
            for path in homework().code_files():  # so that one that is missing in the zip is missing in the copy
                (copy / path).unlink(missing_ok=True)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(copy)
        except OSError as error:
            raise OSError(f"the copy in which the zip is tried cannot be made: {explain(error)}") from error
        last = ""
        try:
            result = run_in(copy, "-m", homework().package, "check", "--json")
            last = result.stderr.strip()
            checks = list(json.loads(result.stdout)["checks"])
            functions = [function for task in checks for function in task["functions"]]
            return checks, list(dict.fromkeys(filter(None, (_not_imported(copy, each) for each in functions))))
        except subprocess.TimeoutExpired:
            reason = f"its checks take longer than {PATIENCE} s"
        except (ValueError, KeyError):
            reason = f"its checks do not run: {last.splitlines()[-1] if last else 'they say nothing'}"
        return [], [Finding(homework().zip, reason, "Run `make check`, and mend what it says.")]


def _not_imported(copy: Path, function: dict[str, Any]) -> Finding | None:
    """Say that the file of a function is in the copy, and cannot be imported there."""
    path, case = path_of(function["module"]), function["cases"][0]
    reason = case["message"].removeprefix(path).lstrip(", ")
    if case["title"] != IMPORT or reason == f"has no {function['name']}" or not (copy / path).exists():
        return None
    remedy = f"Import only what is in {homework().package}, in requirements.txt, or in Python."
    return Finding(path, f"in a copy made from the zip it {reason}", remedy)


def _is_left(path: Path) -> bool:
    """Tell whether Python, a system or an editor has left a file or folder."""
    return path.name == "__pycache__" or names.is_hidden(path.name)


def run_in(
    folder: Path, *arguments: str, program: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python, or another program, in a folder that holds the packages, with these variables in its environment."""
    own = {"COURSEWORK_NO_VENV": "1", "PYTHONPATH": str(folder), "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**os.environ, **own, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE,
    )
