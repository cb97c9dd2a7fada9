"""Which code a cell of a notebook ran with: left beside its output, so that a result older than its code is found.

Dates of files say little: a clone, an unpacked zip and an automatic save all change them. A digest of the code travels
with the output it belongs to, and only running the cell again renews it.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from coursework.root import ROOT

PACKAGE = ROOT / "cs7643"
# Rooms that show or check results and do not compute them; a submission runs the checks anew.
SHOWN_ONLY = ("cases", "checks", "handed_in", "homework", "plots")


def digest(path: Path) -> str:
    """Return 12 hexadecimal digits that stand for the lines of a file, whatever ends them and blanks at their ends."""
    lines = path.read_bytes().splitlines()
    return hashlib.sha256(b"\n".join(line.rstrip() for line in lines)).hexdigest()[:12]


def loaded_code() -> dict[str, str]:
    """Return the digest of every module of this package that is imported in this process and computes results."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if name.startswith("cs7643.") and name.split(".")[1] not in SHOWN_ONLY and path and Path(path).exists():
            found[name.removeprefix("cs7643.")] = digest(Path(path))
    return found


def changed_code(recorded: dict[str, str], package: Path = PACKAGE) -> list[str]:
    """Return the files, relative to the repository, that are no longer what they were when a cell ran.

    Args:
        recorded: what :func:`loaded_code` returned then.
        package: the folder of this package, in the repository that is looked at.
    """
    changed = []
    for name, was in recorded.items():
        folder = package.joinpath(*name.split("."))
        path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        if not path.is_file() or digest(path) != was:
            changed.append(path.relative_to(package.parent).as_posix())
    return changed
