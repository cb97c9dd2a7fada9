"""Zip files with the same bytes on every machine and day."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

EPOCH = (2026, 1, 1, 0, 0, 0)  # one for all files, in every zip; editors show how old it is


def mode_of(content: bytes) -> int:
    """Return the permissions of a file: a script can be run."""
    return 0o755 if content.startswith(b"#!") else 0o644


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return the bytes of a zip file, from contents by paths: in the order of the paths, with one date, and no owners.

    What the compression ``ZIP_DEFLATED`` gives depends on the release of zlib.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path in sorted(files):
            member = zipfile.ZipInfo(path, EPOCH)
            member.create_system = 3  # Unix, wherever it is made
            member.external_attr = (0o100000 | mode_of(files[path])) << 16
            archive.writestr(member, files[path], compression, 9)
    return stream.getvalue()
