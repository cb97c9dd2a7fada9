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
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from coursework.files import copy_tree
from coursework.homework import homework
from coursework.submit import manifest, names
from coursework.submit.finding import Finding
from coursework.submit.inspection import Entry
from coursework.terminal import explain

LIMIT = 100_000_000  # bytes that Gradescope takes
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold
PATIENCE = 1200  # seconds for all checks of the copy

IMPORT_ALL = """
import contextlib, importlib, io, json, sys
found = []
for path in sys.argv[1:]:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(path.removesuffix(".py").replace("/", "."))
    except BaseException as error:
        found.append([path, f"{type(error).__name__}: {error}"])
print(json.dumps(found))
"""


def pack(entries: Sequence[Entry], manifest_json: bytes) -> bytes:
    """Return the zip: the manifest, and the files in the order of their paths; no date, no owner."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        contents = {entry.path: entry.content for entry in entries}
        for path, content in [(manifest.NAME, manifest_json), *sorted(contents.items())]:
            info = zipfile.ZipInfo(path, EPOCH)
            info.create_system = 3  # Unix, whatever this one is
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()


def unpack(content: bytes, folder: Path) -> dict[str, Any]:
    """Unpack a zip and return its manifest.

    Raises:
        ValueError: if a name leads out of the folder, or the files are not those of the manifest.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = archive.namelist()
        for name in held:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name:
                raise ValueError(f"the zip holds a name that leads out of it: {name}")
        archive.extractall(folder)
    document: dict[str, Any] = json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
    named = {file["path"]: file["sha256"] for file in document["files"]}
    if sorted(held) != sorted([manifest.NAME, *named]):
        raise ValueError("the zip does not hold what its manifest names")
    for path, wanted in named.items():
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != wanted:
            raise ValueError(f"{path} does not have the digest that the manifest names")
    return document


def try_copy(content: bytes, root: Path) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Unpack a zip into a temporary folder, add the given files of the package, and run all checks there.

    Args:
        content: the zip.
        root: the repository, which lends the files that are not handed in.

    Returns:
        For each task what the checks say (:meth:`coursework.check.report.Report.as_dict`), and what went wrong.
    """
    with tempfile.TemporaryDirectory(prefix="coursework copy ", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary)
        try:
            for package in ("coursework", homework().package):
                copy_tree(root / package, copy / package, _is_left)
            shutil.copyfile(root / "pyproject.toml", copy / "pyproject.toml")
        except OSError as error:
            raise OSError(f"the copy in which the zip is tried cannot be made: {explain(error)}") from error
        for path in homework().code_files():  # so that one that is missing in the zip is missing in the copy
            (copy / path).unlink(missing_ok=True)
        try:
            unpack(content, copy)
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            return [], [Finding(homework().zip, f"its copy is not whole: {error}", "Call again; the disk may be full.")]
        found = []
        environment = {**os.environ, "COURSEWORK_NO_VENV": "1", "PYTHONPATH": str(copy)}
        environment |= {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"}
        last = ""
        try:
            modules = [path for path in homework().code_files() if path.endswith(".py") and (copy / path).exists()]
            result = _run(["-c", IMPORT_ALL, *modules], copy, environment)
            last = result.stderr.strip()
            for path, reason in json.loads(result.stdout):
                remedy = f"Import only what is in {homework().package}, in requirements.txt, or in Python."
                found.append(Finding(path, f"in a copy made from the zip it cannot be imported: {reason}", remedy))
            result = _run(["-m", homework().package, "check", "--json"], copy, environment)
            last = result.stderr.strip()
            return list(json.loads(result.stdout)["checks"]), found
        except subprocess.TimeoutExpired:
            reason = f"its checks take longer than {PATIENCE} s"
        except (ValueError, KeyError):
            reason = f"its checks do not run: {last.splitlines()[-1] if last else 'they say nothing'}"
        return [], [*found, Finding(homework().zip, reason, "Run `make check`, and mend what it says.")]


def _is_left(path: Path) -> bool:
    """Tell whether Python, a system or an editor has left a file or folder."""
    return path.name == "__pycache__" or names.is_hidden(path.name)


def _run(arguments: Sequence[str], copy: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE,
    )
