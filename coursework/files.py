"""Writing a file whole or not at all, letting one process in at a time, and what a file is instead of the right one.

Shared folders and cloud drives often know no permissions, no locks, and no way to ask for what lies on the disk. What
they cannot do is left out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

NOT_SUPPORTED = {errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY}
POINTER = b"version https://git-lfs.github.com/spec/"  # how a file begins that Git LFS has not fetched
STAND_INS = {
    POINTER: "a Git LFS pointer, not the file itself: `git lfs pull` fetches that",
    b"<!doctype html": "a web page, perhaps that of a login: fetch the file itself",
    b"<html": "a web page, perhaps that of a login: fetch the file itself",
}


@contextmanager
def atomic_writer(path: str | os.PathLike[str], mode: str = "wb", encoding: str | None = None) -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an error.

    A reader sees the old file or the new one, never a part of it; after an error, or a kill, ``path`` is as it was.
    Missing parent folders are made.

    Args:
        path: the file to write.
        mode: ``"wb"`` or ``"w"``.
        encoding: as for :func:`open`; UTF-8 for text when not given.

    Raises:
        OSError: if it cannot be written; it names ``path``.
    """
    if mode not in ("wb", "w"):
        raise ValueError(f"atomic_writer: mode must be 'wb' or 'w', got {mode!r}")
    path = Path(path)
    make_folder(path.parent)
    if mode == "w" and encoding is None:
        encoding = "utf-8"
    with naming(path):
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with naming(path):
            with os.fdopen(descriptor, mode, encoding=encoding, newline="\n" if mode == "w" else None) as stream:
                yield stream
                to_disk(stream)
            with contextlib.suppress(OSError):  # readable for fewer people, where it fails
                os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that came first is the one to see
            os.unlink(temporary)
        raise


def to_disk(stream: IO[Any]) -> None:
    """Write what is in the buffers of an open file to the disk, as far as its file system knows how."""
    stream.flush()
    try:
        os.fsync(stream.fileno())
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, unless they are there.

    Raises:
        NotADirectoryError: if there is a file in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def copy_tree(source: Path, place: Path, left_out: Callable[[Path], bool]) -> None:
    """Copy what is in a folder, without rights and times, which some file systems do not take.

    Args:
        source: the folder.
        place: the copy, made with its parents.
        left_out: tells which files and folders are not copied.
    """
    make_folder(place)
    for path in sorted(source.iterdir()):
        if left_out(path):
            continue
        if path.is_dir():
            copy_tree(path, place / path.name, left_out)
        elif path.is_file():
            shutil.copyfile(path, place / path.name)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system name ``path``, where it names no file or a temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and Path(error.filename).suffix != ".part"):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def stand_in(path: Path) -> str | None:
    """Say what a file is if it is no file of its kind but something that often takes its place; None if it is not."""
    with path.open("rb") as stream:
        start = stream.read(64).lstrip().lower()
    return next((what for opening, what in STAND_INS.items() if start.startswith(opening)), None)


def _umask() -> int:
    """Return the permissions that new files lack (reading it means setting it for a moment)."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def try_lock(stream: IO[Any]) -> bool:
    """Take the lock of an open file, unless another process holds it; the system frees it when its holder ends.

    Returns:
        Whether this process may go on. On a file system that knows no locks it may.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True
