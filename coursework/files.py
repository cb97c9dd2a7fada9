"""Writing a file completely or not at all, locks, and recognising what often takes the place of a file.

Shared folders and cloud drives often support no permissions, no locks and no fsync. What they cannot do is left out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

NOT_SUPPORTED = {errno.EPERM, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY}
POINTER = b"version https://git-lfs.github.com/spec/"  # how a file begins that Git LFS has not fetched
STAND_INS = {
    POINTER: "a Git LFS pointer, not the file itself: `git lfs pull` fetches that",
    b"<!doctype html": "a web page, perhaps that of a login: fetch the file itself",
    b"<html": "a web page, perhaps that of a login: fetch the file itself",
}


@contextmanager
def atomic_writer(path: str | os.PathLike[str], mode: Literal["wb", "w"] = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside ``path`` that takes its place when the block ends without an error.

    A reader sees the old file or the new one, never a part of it; after an error, or a kill, ``path`` is as it was.
    Missing parent folders are created. Text (mode ``"w"``) is in UTF-8 with the line ends of Unix. An OSError names
    ``path``.
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with naming(path):
            encoding, newline = ("utf-8", "\n") if mode == "w" else (None, None)
            with open(temporary, mode.replace("w", "x"), encoding=encoding, newline=newline) as stream:
                yield stream
                to_disk(stream)
            temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to see
            temporary.unlink()
        raise


def to_disk(stream: IO[Any]) -> None:
    """Write the buffers of an open file to the disk, if its file system supports that."""
    stream.flush()
    try:
        os.fsync(stream.fileno())
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, unless they exist; a NotADirectoryError says that a file is in its place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error


def copy_tree(source: Path, place: Path, left_out: Callable[[Path], bool]) -> None:
    """Copy a folder but what is ``left_out``, without permissions and times, which some file systems do not support."""
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
    """Let an error of the system name ``path`` if it names no file, or a temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and Path(error.filename).suffix != ".part"):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def stand_in(path: Path) -> str | None:
    """Say what a file is if it is something that often takes the place of the right file; otherwise return None."""
    with path.open("rb") as stream:
        start = stream.read(64).lstrip().lower()
    return next((what for opening, what in STAND_INS.items() if start.startswith(opening)), None)


def try_lock(stream: IO[Any]) -> bool:
    """Lock an open file, unless another process holds the lock; the system releases it when its holder ends.

    Tell whether this process may go on. On a file system that has no locks it may.
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
