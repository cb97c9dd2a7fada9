"""Fetching CIFAR-10: from several sources, in pieces if need be, and whole or not at all.

The archive grows in a ``.part`` file, which the next source, or the next run, goes on with. Once its checksum is right
it is unpacked into a folder beside the final one, every file is checked, and the folder takes its final name.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer, make_folder, stand_in, try_lock
from coursework.progress import progress_bar
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import DatasetError
from cs7643.data.sources import DATASETS, near_matches

CHUNK = 1 << 18


@dataclass(frozen=True)
class Patience:
    """How long a source is waited for."""

    timeout: float = 20.0  # seconds without an answer, or without a byte
    slow: float = 200_000.0  # bytes per second: a source below that ...
    slow_for: float = 20.0  # ... for so many seconds gives way to the next


class _SourceFailedError(Exception):
    """A source that cannot go on; the message says why."""


class _ArchiveError(Exception):
    """An archive that does not hold the set; the message says why."""


class _SourceSlowError(Exception):
    """A source that is too slow while there are others; the argument is its speed in bytes per second."""


def download(
    destination: Path = DATASETS,
    *,
    catalogue: Catalogue = CIFAR10,
    patience: Patience | None = None,
    report: Callable[[str], object] = print,
) -> Path:
    """Fetch the archive, check it, unpack it and check every file.

    An archive that already lies in ``destination``, put there by hand, is used instead, whatever a browser has made of
    its name, and also when it has unpacked half of it, to a .tar. A download that was stopped or killed goes on where
    it was.

    Args:
        destination: the folder that gets the set, in a folder of its own, which must not exist yet.
        catalogue: what to fetch, and from where.
        patience: when to give a source up.
        report: takes each line of news.

    Returns:
        The folder that holds the set, whole and checked.

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
                    report(f"Used {archive}: every file in it is the right one")
                    return folder
        _fetch_archive(part, catalogue, patience or Patience(), report)
        try:
            _unpack(part, folder, catalogue)
        except _ArchiveError as error:
            raise DatasetError(f"{part}: {error}. Delete it and try again.") from error
        part.unlink()
    return folder


def _fetch_archive(part: Path, catalogue: Catalogue, patience: Patience, report: Callable[[str], object]) -> None:
    """Bring ``part`` to the right size and checksum, with one source after the other."""
    waiting, slow, problems = list(catalogue.sources), dict[str, float](), list[str]()
    started_afresh = set[str]()
    while waiting or slow:
        last_resort = not waiting  # only slow ones are left: the fastest of them, to the end
        url = max(slow, key=lambda url: slow[url]) if last_resort else waiting.pop(0)
        slow.pop(url, None)
        start = _size(part)
        report(f"Fetching {url}" + (f", from byte {start:,} on" if start else ""))
        try:
            _fetch(url, part, catalogue.archive_bytes, patience, may_give_way=bool(waiting or slow) and not last_resort)
            if _md5(part) == catalogue.archive_md5:
                return
            part.unlink()
            if start and url not in started_afresh:  # the wrong bytes may have come from elsewhere
                started_afresh.add(url)
                waiting.insert(0, url)
            raise _SourceFailedError("the archive has the wrong checksum")
        except _SourceSlowError as error:
            (slow[url],) = error.args
            report(f"  only {slow[url] / 1000:.0f} kB/s: trying another source")
        except _SourceFailedError as error:
            problems.append(f"{url}: {error}")
            report(f"  {error}")
    raise DatasetError(
        f"{catalogue.archive}: no source delivered it ({'; '.join(problems)}). Run the same command again later: it "
        f"goes on where it was. Or put the archive, fetched in another way, into {part.parent} and run it again. "
        "Without CIFAR-10 everything runs on the embedded data."
    )


def _fetch(url: str, part: Path, size: int, patience: Patience, may_give_way: bool) -> None:
    """Bring ``part`` to its full size from one source, with new connections as long as they bring it forward."""
    speed = _Speed(patience, may_give_way)
    while (before := _size(part)) < size:
        try:
            _receive(url, part, size, patience.timeout, speed)
        except _SourceFailedError:
            speed.count(0)
            if _size(part) == before:
                raise


def _receive(url: str, part: Path, size: int, timeout: float, speed: _Speed) -> None:
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
                raise _SourceFailedError(f"broke off after {position:,} of {size:,} bytes")
            stream.write(chunk[max(0, have - position) : size - position])
            position += len(chunk)
            bar.update(len(chunk))
            speed.count(len(chunk))


def _open(url: str, have: int, size: int, timeout: float) -> tuple[Any, int]:
    """Return a source's answer and where in the archive it begins: at ``have``, or at 0 where it can do no better."""
    wanted = f"bytes {have}-{size - 1}/{size}"
    for headers in ({"Range": f"bytes={have}-"}, {}) if have else ({},):
        request = urllib.request.Request(
            url, headers={"User-Agent": "cs7643", "Accept-Encoding": "identity", **headers}
        )
        with _source_errors():
            response = urllib.request.urlopen(request, timeout=timeout)
        length, sent = response.headers.get("Content-Length"), response.headers.get("Content-Range")
        if response.status == 206 and sent == wanted:
            return response, have
        if response.status != 206 and length in (None, str(size)):
            return response, 0
        response.close()
    raise _SourceFailedError(f"is not the archive: it has {length} bytes (range: {sent}), expected {size}")


class _Speed:
    """Watches over the speed of one source, over all its connections."""

    def __init__(self, patience: Patience, may_give_way: bool) -> None:
        self.patience, self.may_give_way = patience, may_give_way
        self.since, self.received = time.monotonic(), 0

    def count(self, received: int) -> None:
        self.received += received
        elapsed = time.monotonic() - self.since
        if elapsed >= self.patience.slow_for:
            if self.may_give_way and self.received < self.patience.slow * elapsed:
                raise _SourceSlowError(self.received / elapsed)
            self.since, self.received = time.monotonic(), 0


@contextmanager
def _source_errors() -> Iterator[None]:
    """Turn what can go wrong between here and a source into one kind of error (a full disk is not among it)."""
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
    """Unpack the expected files and no others; ``folder`` appears when all of them are there and right."""
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
                path = wanted.pop(member.name, None)  # our own path, whatever the archive says
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
    """Let one process in at a time. The system frees the lock when its holder ends, in whatever way."""
    with lock.open("ab") as stream:
        if not try_lock(stream):
            raise DatasetError(f"{lock.parent}: another download into it is running. Wait for its end.")
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
