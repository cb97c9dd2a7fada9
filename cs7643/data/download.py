"""Fetching CIFAR-10: from several sources, in several attempts if necessary, and completely or not at all.

The archive grows in a ``.part`` file, which the next source, or the next run, continues. Once its checksum is right, it
is unpacked into a temporary folder, every file is checked, and the folder is renamed to its final name.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer, make_folder, stand_in, try_lock
from coursework.progress import progress_bar
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import DatasetError
from cs7643.data.sources import DATASETS, near_matches

CHUNK = 1 << 18
TIMEOUT = 20.0  # seconds without an answer or a byte, after which the next source is tried


class _SourceFailedError(Exception):
    """A source that cannot continue; the message says why."""


class _ArchiveError(Exception):
    """An archive that does not hold the data set; the message says why."""


def download(
    destination: Path = DATASETS,
    *,
    catalogue: Catalogue = CIFAR10,
    timeout: float = TIMEOUT,
    report: Callable[[str], object] = print,
) -> Path:
    """Fetch the archive, check it, unpack it and check every file.

    An archive that was put into ``destination`` by hand is used instead, even if a browser has renamed it or unpacked
    it to a .tar. A download that was stopped or killed is resumed. ``report`` takes each line of progress.

    Returns:
        The folder that holds the data set, complete and checked; it must not exist before.

    Raises:
        DatasetError: if no source delivers, the folder exists, the disk is too full or another download is running.
    """
    make_folder(destination)
    folder = destination / catalogue.folder
    part = destination / f"{catalogue.archive}.part"
    with _only_one(destination / ".download.lock"):
        if folder.exists():
            raise DatasetError(f"{folder}: exists already. Move it away to fetch the set again.")
        _check_space(destination, catalogue, _size(part))
        for archive in near_matches(destination, catalogue):
            if archive.is_file() and archive != part:
                try:
                    _unpack(archive, folder, catalogue)
                except _ArchiveError as error:
                    report(f"Leaving {archive} alone: {error}")
                else:
                    report(f"Used {archive}: every file in it is correct")
                    return folder
        _fetch_archive(part, catalogue, timeout, report)
        try:
            _unpack(part, folder, catalogue)
        except _ArchiveError as error:
            raise DatasetError(f"{part}: {error}. Delete it and try again.") from error
        part.unlink()
    return folder


def _fetch_archive(part: Path, catalogue: Catalogue, timeout: float, report: Callable[[str], object]) -> None:
    """Complete ``part``, with the right checksum, from one source after another."""
    problems: list[str] = []
    for url in catalogue.sources:
        start = _size(part)
        report(f"Fetching {url}" + (f", from byte {start:,} on" if start else ""))
        try:
            _fetch(url, part, catalogue.archive_bytes, timeout)
            if start and _md5(part) != catalogue.archive_md5:
                report("  the checksum is wrong: fetching all of it")  # the start may have come from elsewhere
                part.unlink()
                _fetch(url, part, catalogue.archive_bytes, timeout)
            if _md5(part) == catalogue.archive_md5:
                return
            part.unlink()
            raise _SourceFailedError("the archive has the wrong checksum")
        except _SourceFailedError as error:
            problems.append(f"{url}: {error}")
            report(f"  {error}")
    raise DatasetError(
        f"{catalogue.archive}: no source delivered it ({'; '.join(problems)}). Run the same command again later: it "
        f"resumes the download. Or put the archive, fetched in another way, into {part.parent} and run it again. "
        "Without CIFAR-10 everything runs on the embedded data."
    )


def _fetch(url: str, part: Path, size: int, timeout: float) -> None:
    """Complete ``part`` from one source, with new connections as long as they make progress and do not stall."""
    while (before := _size(part)) < size:
        try:
            _receive(url, part, size, timeout)
        except _SourceFailedError as error:
            if _size(part) == before or isinstance(error.__cause__, TimeoutError):
                raise


def _receive(url: str, part: Path, size: int, timeout: float) -> None:
    """Append to ``part`` what one connection delivers."""
    have = _size(part)
    response, position = _open(url, have, size, timeout)
    with (
        response,
        part.open("ab") as stream,
        progress_bar(initial=position, total=size, unit="B", unit_scale=True, desc=part.stem, leave=False) as bar,
    ):
        while position < size:
            with _source_errors():
                chunk = response.read1(CHUNK)
            if not chunk:
                raise _SourceFailedError(f"ended after {position:,} of {size:,} bytes")
            stream.write(chunk[max(0, have - position) : size - position])
            position += len(chunk)
            bar.update(len(chunk))


def _open(url: str, have: int, size: int, timeout: float) -> tuple[Any, int]:
    """Return a source's response and where in the archive it begins: at ``have``, or at 0 if it supports no ranges."""
    wanted = f"bytes {have}-{size - 1}/{size}"
    for headers in ({"Range": f"bytes={have}-"}, {}) if have else ({},):
        headers = {"User-Agent": "cs7643", "Accept-Encoding": "identity", **headers}
        with _source_errors():
            response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
        length, sent = response.headers.get("Content-Length"), response.headers.get("Content-Range")
        if response.status == 206 and sent == wanted:
            return response, have
        if response.status != 206 and length in (None, str(size)):
            return response, 0
        response.close()
    raise _SourceFailedError(f"is not the archive: it has {length} bytes (range: {sent}), expected {size}")


@contextmanager
def _source_errors() -> Iterator[None]:
    """Turn the errors of a connection into one kind of error; a full disk is not one of them."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        raise _SourceFailedError(f"answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise _SourceFailedError(f"cannot be reached ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise _SourceFailedError(f"the connection failed ({str(error) or type(error).__name__})") from error


def _unpack(archive: Path, folder: Path, catalogue: Catalogue) -> None:
    """Unpack the expected files and no others; ``folder`` appears once all of them are complete and checked."""
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)  # left by a run that was killed
    try:
        temporary.mkdir()
        _extract(archive, temporary, catalogue)
        for name, md5 in catalogue.files.items():
            if _md5(temporary / name) != md5:
                raise _ArchiveError(f"{name} in it has the wrong checksum")
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(archive: Path, folder: Path, catalogue: Catalogue) -> None:
    wanted = {f"{catalogue.folder}/{name}": folder / name for name in catalogue.files}
    room = catalogue.folder_bytes
    with archive.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    try:
        with tarfile.open(archive, "r:gz" if compressed else "r:") as tar:
            while wanted and (member := tar.next()):
                room -= member.size
                if room < 0:
                    raise _ArchiveError(f"it unpacks to more than {catalogue.folder_bytes:,} bytes")
                path = wanted.pop(member.name, None)  # never a path from the archive
                if path:
                    source = tar.extractfile(member) if member.isreg() else None
                    if source is None:
                        raise _ArchiveError(f"{member.name} in it is not a regular file")
                    with source, atomic_writer(path) as stream:
                        shutil.copyfileobj(source, stream)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        instead = stand_in(archive)
        raise _ArchiveError(f"it is {instead}" if instead else f"it cannot be unpacked ({error})") from error
    if wanted:
        raise _ArchiveError(f"it lacks {', '.join(wanted)}")


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Allow one process at a time. The system releases the lock when the process ends, however it ends."""
    with lock.open("ab") as stream:
        if not try_lock(stream):
            raise DatasetError(f"{lock.parent}: another download into it is running. Wait until it ends.")
        yield


def _check_space(destination: Path, catalogue: Catalogue, have: int) -> None:
    needed, free = catalogue.archive_bytes - have + catalogue.folder_bytes, shutil.disk_usage(destination).free
    if free < needed:
        raise DatasetError(f"{destination}: {needed / 1e6:,.0f} MB are needed there, {free / 1e6:,.0f} MB are free.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _md5(path: Path) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            md5.update(chunk)
    return md5.hexdigest()
