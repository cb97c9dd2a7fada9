"""The zip file of the student edition, with the same bytes on every machine and day."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping

from coursework.homework import homework

NAME = f"{homework().name}-student"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first day that a zip file knows


def mode_of(path: str) -> int:
    """Return the permissions of a file: shell scripts can be run."""
    return 0o755 if path.endswith(".sh") else 0o644


def archive(files: Mapping[str, bytes], folder: str = NAME, programs: Collection[str] = ()) -> bytes:
    """Return the bytes of a zip file with these files in one folder, or, if that is "", in none.

    Nothing is compressed: what compression gives depends on the release of zlib, and the whole is below a megabyte.

    Args:
        files: their contents, by their paths.
        folder: the one that holds them.
        programs: the paths of those that can be run, beside shell scripts.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as target:
        for path in sorted(files):
            member = zipfile.ZipInfo(f"{folder}/{path}" if folder else path, LONG_AGO)
            member.create_system = 3  # Unix, wherever it is made
            member.external_attr = (0o100000 | (0o755 if path in programs else mode_of(path))) << 16
            target.writestr(member, files[path])
    return stream.getvalue()
