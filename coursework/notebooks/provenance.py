"""Which code a cell of a notebook ran with. It is stored with the output, to detect results older than their code.

Modification times are unreliable: a clone, an unpacked zip and an automatic save all change them. A digest of the code
stays with its output, and only running the cell again updates it.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from coursework.homework import homework


def digest(path: Path) -> str:
    """Return 12 hexadecimal digits that identify the lines of a file, ignoring line endings and trailing blanks."""
    lines = path.read_bytes().splitlines()
    return hashlib.sha256(b"\n".join(line.rstrip() for line in lines)).hexdigest()[:12]


def loaded_code() -> dict[str, str]:
    """Return the digest of every imported module of the homework that computes results."""
    found = {}
    package, others = homework().package, homework().computes_nothing
    for name, module in sorted(sys.modules.items()):
        path = getattr(module, "__file__", None)
        inside = name.removeprefix(f"{package}.")
        if inside != name and inside.split(".")[0] not in others and path and Path(path).exists():
            found[inside] = digest(Path(path))
    return found


def changed_code(recorded: dict[str, str], package: Path) -> list[str]:
    """Return the files of a package, relative to its repository, that changed since :func:`loaded_code` said this."""
    changed = []
    for name, was in recorded.items():
        folder = package.joinpath(*name.split("."))
        path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        if not path.is_file() or digest(path) != was:
            changed.append(path.relative_to(package.parent).as_posix())
    return changed
