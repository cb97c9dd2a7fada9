"""Where a worker runs: its own folder, user and view of the disk, and the supervision of what it uses."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pwd
import select
import shutil
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from coursework.files import try_lock
from coursework.homework import setting
from coursework.root import ROOT
from coursework.staff.autograder import reaping
from coursework.staff.autograder.inside import protocol
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import files_of

HERE = Path(__file__).resolve().parent
USERS = range(61_000, 61_512)  # user ids for workers; no account has them
SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")  # where everybody may write
HIDDEN = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/root", "/home", "/srv", "/mnt", "/autograder", "/run")
START_PATIENCE = 120  # seconds until a worker is ready, before anything of the submission is imported
PAUSE = 0.05  # seconds between two looks at the worker
START = "import sys; sys.path.insert(0, sys.argv[2]); import coursework.staff.autograder.inside.worker as w; w.main()"


class WorkerGone(BaseException):
    """The worker cannot go on, and why; not an Exception, so that no case mistakes it for one in the student's code."""

    def __init__(self, finding: str, kind: str) -> None:
        """Take a clause for the student, and a word for the staff's table."""
        super().__init__(finding)
        self.finding, self.kind = finding, kind


class Arena:
    """A folder for one submission and its workers, and their user; use it in a ``with`` statement."""

    def __init__(self, limits: Limits, hidden: tuple[Path, ...] = ()) -> None:
        """Take what a worker may use, and the folders, besides the usual ones, that it must not see."""
        self.limits, self.hidden = limits, hidden
        self.user: int | None = None
        self.missing: dict[str, None] = {}  # what the platform does not offer, each once
        self._lock: IO[Any] | None = None

    def __enter__(self) -> Arena:
        """Make the folder, and take a user."""
        reaping.adopt_orphans()
        self.orphans = frozenset(p.pid for p in reaping.running() if p.parent == os.getpid())
        self.folder = Path(tempfile.mkdtemp(prefix="coursework-grade-")).resolve()
        self.folder.chmod(0o711)
        if os.geteuid() == 0:
            self.user, self._lock = _take_user()
            reaping.end_all(0, self.user)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the folder, and give the user back."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for path in self._elsewhere():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def _elsewhere(self) -> list[Path]:
        """Return the files of the workers' user where everybody may write; none where those folders are hidden."""
        found = []
        for place in map(Path, SHARED) if self.user is not None else ():
            for path in place.iterdir() if place.is_dir() else ():
                with contextlib.suppress(OSError):
                    if path.lstat().st_uid == self.user:
                        found.append(path)
        return found

    def on_disk(self) -> int:
        """Return the bytes that the workers' files take on this disk, at least one block each."""
        total = 0
        for place in (self.folder / "tmp", *self._elsewhere()):
            files = [place]
            for folder, _, names in os.walk(place):
                files += [Path(folder, name) for name in names]
            for path in files:
                with contextlib.suppress(OSError):
                    total += max(4096, path.lstat().st_blocks * 512)
        return total

    def write(self, name: str, files: Mapping[str, bytes]) -> Path:
        """Write files, and the worker's own, into a folder of this name, which workers can read but not change."""
        folder = self.folder / name
        for path, content in {**files, **_worker_files()}.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        _open_to_read(folder)
        return folder

    @contextmanager
    def worker(self, package: Path) -> Iterator[Link]:
        """Start a worker that imports from a folder, and end all its processes after the block."""
        tmp = self.folder / "tmp"
        shutil.rmtree(tmp, ignore_errors=True)
        tmp.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(tmp, self.user, self.user)
        ours, theirs = socket.socketpair()
        report, writing = os.pipe()
        plan = {
            "uid": self.user,
            "hidden": sorted({*HIDDEN, *(str(path) for path in (ROOT, *self.hidden) if len(path.parts) > 2)}),
            "kept": [str(path) for path in (*_interpreter(), package)],
            "tmp": str(tmp),
            "disk": self.limits.disk,
            "limits": self.limits.of_process(),
            "report": writing,
            "command": [sys.executable, "-I", "-B", "-c", START, str(theirs.fileno()), str(package), setting("wire")],
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": str(tmp),
                "TMPDIR": str(tmp),
                "USER": "student",
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "MKL_NUM_THREADS": "1",
            },
        }
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(HERE / "inside" / "launch.py"), json.dumps(plan)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), writing),
            start_new_session=True,
            cwd="/",
            env={},
        )
        os.close(writing)
        theirs.close()
        try:
            with os.fdopen(report, "rb") as stream:
                said, _, failed = stream.read().decode("utf-8", "replace").partition("\n")
            if failed or not said:
                reason = failed or "it ended at once"
                raise OSError(f"the worker cannot be started ({reason}): install Python where every user can read it")
            offered = json.loads(said)
            self.missing.update(dict.fromkeys(offered["missing"]))
            if self.user is not None and not offered["hidden"] and _readable(ROOT):
                raise OSError(f"a worker could read {ROOT}: take that right from others (chmod go-rwx)")
            link = Link(ours, process, self)
            try:
                link.receive(time.monotonic() + START_PATIENCE, "the worker", frozenset())
            except WorkerGone as gone:  # nothing that a student wrote has run
                raise OSError(
                    f"a worker cannot be started: {gone.finding}; can every user read {sys.executable}?"
                ) from gone
            yield link
        finally:
            ours.close()
            process.kill()
            if not reaping.end_all(process.pid, self.user, self.orphans):
                self.missing["some process of the submission could not be ended"] = None
            process.wait()


class Link:
    """The connection to a worker."""

    def __init__(self, ours: socket.socket, process: subprocess.Popen[bytes], arena: Arena) -> None:
        """Take the grader's end of the socket, the process, and where it runs."""
        self.socket, self.process, self.arena = ours, process, arena
        self.socket.setblocking(False)
        self.looked = time.monotonic()

    def send(self, value: Any, deadline: float, who: str) -> None:
        """Send a value; see :meth:`receive` for the errors."""
        view = memoryview(protocol.pack(value))
        while view:
            self._wait(deadline, who, writing=True)
            try:
                view = view[self.socket.send(view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._ended(who) from error

    def receive(self, deadline: float, who: str, specials: frozenset[str]) -> Any:
        """Return the next value that the worker sends.

        Args:
            deadline: until when, on the clock of time.monotonic.
            who: the function that is called, for the message.
            specials: the kinds of special values that may be in it.

        Raises:
            WorkerGone: if none comes in time, or the worker ends, uses too much, or sends something else.
        """
        (size,) = struct.unpack("<Q", self._read(8, deadline, who))
        if size > protocol.FROM_WORKER:
            raise WorkerGone(f"{who} returned more than {protocol.FROM_WORKER // 1000} kB", "too much returned")
        try:
            return protocol.unpack(self._read(size, deadline, who), specials)
        except protocol.ProtocolError as error:
            raise WorkerGone(f"the answer of {who} cannot be read: {error}", "unreadable answer") from error

    def _read(self, count: int, deadline: float, who: str) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            self._wait(deadline, who)
            try:
                part = self.socket.recv(count - len(parts))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                raise self._ended(who)
            parts += part
        return bytes(parts)

    def _wait(self, deadline: float, who: str, writing: bool = False) -> None:
        """Wait until the socket is ready, and look at what the worker uses meanwhile."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerGone(f"{who} gave no answer in time: is there an endless loop?", "no answer in time")
            if time.monotonic() - self.looked > PAUSE:
                self._look(who)
            reading: list[socket.socket] = [] if writing else [self.socket]
            sending = [self.socket] if writing else []
            ready = select.select(reading, sending, [], min(PAUSE, left))
            if ready[0] or ready[1]:
                return

    def _look(self, who: str) -> None:
        """Check that the worker, with all its processes, stays within its limits."""
        limits = self.arena.limits
        used = sum(each.memory for each in reaping.of_worker(self.process.pid, self.arena.user))
        if used > limits.memory * 1_000_000:
            raise WorkerGone(f"{who} used more than {limits.memory} MB of memory", "memory")
        if self.arena.on_disk() > limits.disk * 1_000_000:
            raise WorkerGone(f"{who} wrote more than {limits.disk} MB of files", "disk")
        self.looked = time.monotonic()

    def _ended(self, who: str) -> WorkerGone:
        try:
            code = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return WorkerGone(f"{who} closed the connection", "connection closed")
        how = f"signal {-code}, as after a crash" if code < 0 else f"exit code {code}"
        return WorkerGone(f"{who} ended the interpreter ({how})", "interpreter ended")


def _readable(folder: Path) -> bool:
    """Tell whether every user can read a folder."""
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents)) and bool(
        folder.stat().st_mode & 0o004
    )


def _take_user() -> tuple[int, IO[Any]]:
    """Take a user id that no other grader on this machine has."""
    folder = Path(tempfile.gettempdir()) / "coursework-users"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise OSError(f"{folder}: it belongs to somebody else; remove it")
    for user in USERS:
        stream = (folder / str(user)).open("w")
        if try_lock(stream) and not _has_account(user):
            return user, stream
        stream.close()
    raise OSError(f"{folder}: all {len(USERS)} users are taken")


def _has_account(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _interpreter() -> list[Path]:
    """Return the folders that Python needs."""
    places = [sys.prefix, sys.base_prefix, *(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib"))]
    # Python may be a link, and NumPy may be installed elsewhere.
    places += [str(Path(sys.executable).resolve().parent.parent), str(Path(np.__file__).parents[1])]
    unique = sorted({Path(place).resolve() for place in places} | {Path(sys.prefix)}, key=lambda path: len(path.parts))
    found: list[Path] = []
    for path in unique:
        if path.is_dir() and not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found


@functools.cache
def _worker_files() -> dict[str, bytes]:
    """Return the staff's code that a worker imports, by path: the worker itself, and the wire of the homework."""
    paths = [*files_of("coursework.staff.autograder.inside"), *files_of(setting("wire"))]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}


def _open_to_read(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        os.chmod(place, 0o755)
        for name in files:
            os.chmod(Path(place, name), 0o644)
