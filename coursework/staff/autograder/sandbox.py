"""Where a worker runs: its own folder, user and view of the disk, and the connection to it."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import math
import os
import pwd
import re
import select
import signal
import site
import socket
import struct
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired, run
from typing import IO, Any, TypeVar

import numpy as np

from coursework.files import try_lock
from coursework.homework import setting
from coursework.root import ROOT
from coursework.staff.autograder.inside import launch, protocol
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import files_of

USERS = range(61_000, 61_512)  # user ids for workers; no account has them, nor those 2000 higher, which end workers
# What any program needs of the system; nobody keeps homework there.
SYSTEM = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/nix/store"),
    *("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu"),
)
START_PATIENCE = 120  # seconds until a worker is ready, before anything of the submission is imported
LAST_WORDS = 5  # seconds until it is known why a worker has ended
END_PATIENCE = 20  # seconds until all its processes have ended
CREDENTIALS = struct.Struct("3i")  # the process, its user and its group, as the system adds them to a message
ENDED, KILLED = "ended from outside", "killed"  # by the kernel, for want of memory; by whom, nobody knows
START = "import sys; sys.path.insert(0, sys.argv[2]); import coursework.staff.autograder.inside.worker as w; w.main()"

Result = TypeVar("Result")


class WorkerGone(BaseException):
    """The worker cannot go on, and why; not an Exception, so that no case mistakes it for one in the student's code."""

    def __init__(self, finding: str, kind: str) -> None:
        """Take a clause for the student, and a word for the staff's table."""
        super().__init__(finding)
        self.finding, self.kind = finding, kind


class Arena(contextlib.ExitStack):
    """A folder for one submission and its workers, and their user; use it in a ``with`` statement."""

    def __init__(self, limits: Limits, guarded: tuple[Path, ...] = ()) -> None:
        """Take what a worker may use, and what, besides the repository, it must not be able to read."""
        super().__init__()
        self.limits, self.guarded = limits, (ROOT, *guarded)
        self.user: int | None = None
        self.alone = True  # whether workers have namespaces of their own
        self.missing: dict[str, None] = {}  # what the platform does not offer, each once

    def __enter__(self) -> Arena:
        """Make the folder, and take a user."""
        for path, place in itertools.product(self.guarded, _shown()):
            if path.resolve().is_relative_to(Path(place).resolve()):
                raise OSError(f"a worker could read {path}, since Python needs {place}: move it elsewhere")
        self.folder = Path(tempfile.mkdtemp(prefix="coursework-grade-")).resolve()
        self.callback(run, ["rm", "-rf", "--", str(self.folder)])  # however deep it is
        self.folder.chmod(0o711)
        (self.folder / "root").mkdir()
        if os.geteuid() == 0:
            self.user, lock = _take_user()
            self.enter_context(lock)
        return self

    def write(self, name: str, files: Mapping[str, bytes]) -> Path:
        """Write files, and the worker's own, into a folder of this name, which workers can read but not change."""
        folder = self.folder / name
        for path, content in {**files, **_worker_files()}.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        for place in (folder, *folder.rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)
        return folder

    @contextmanager
    def worker(self, package: Path, without: Sequence[str] = ()) -> Iterator[Link]:
        """Start a worker that imports from a folder, or raise an OSError; end all its processes after the block.

        What it does ``without`` are modules that it cannot use.
        """
        arguments = [str(package), setting("wire"), *without]
        ours, theirs = socket.socketpair()
        with ours, theirs, _memory_group(self.folder.name, self.limits) as group:
            process = self._launch(arguments, theirs, group) or self._launch(arguments, theirs, group)
            theirs.close()
            try:
                link = Link(ours, process, self)
                try:
                    link.meet()
                except WorkerGone as gone:  # nothing that a student wrote has run
                    why = f"{gone.finding}; can every user read {sys.executable}?"
                    raise OSError(f"a worker cannot be started: {why}") from gone
                yield link
            finally:
                ours.close()
                self._end(process)

    def _launch(self, arguments: list[str], theirs: socket.socket, group: list[str]) -> Any:
        """Start a worker and return its process; None if there are no namespaces for it, which is then known."""
        tmp = self.folder / "tmp"
        tmp.mkdir(mode=0o700, exist_ok=True)
        if self.user is not None:
            os.chown(tmp, self.user, self.user)
        plan = {
            "uid": self.user,
            "alone": self.alone,
            "root": str(self.folder / "root"),
            "shown": [*_shown(), arguments[0]],
            "guarded": [str(path) for path in self.guarded if path.name and not path.stat().st_mode & 0o002],
            "tmp": str(tmp),
            "disk": self.limits.disk,
            "memory": self.limits.memory,
            "group": group,
            "limits": self.limits.of_process(),
            "socket": theirs.fileno(),
            "command": [sys.executable, "-I", "-B", "-c", START, str(theirs.fileno()), *arguments],
            "environment": {
                **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
                **dict.fromkeys(("HOME", "TMPDIR"), str(tmp)),
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "USER": "student",
            },
        }
        options: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "pass_fds": [theirs.fileno()], "cwd": "/", "env": {}}
        command = [sys.executable, "-I", "-S", "-B", launch.__file__]
        process: Popen[bytes] = Popen(command, 0, start_new_session=True, **options)
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(plan).encode() + b"\n")
        said = _said(process, START_PATIENCE)
        if "missing" in said:
            self.missing.update(dict.fromkeys(said["missing"]))
            return process
        self._end(process)
        if "refused" not in said:
            raise OSError(f"the worker cannot be started: {said.get('failed', 'it ended at once')}")
        self.alone = False
        self.missing[f"no namespaces ({said['refused']}): a worker sees what every user can read"] = None
        return None

    def _end(self, process: Popen[bytes]) -> None:
        """End all processes of a worker."""
        try:
            process.communicate(timeout=END_PATIENCE)  # its input ends
        except TimeoutExpired:
            process.kill()
        if process.returncode != 0:
            self.missing["some process of the submission could not be ended"] = None


class Deadline:
    """When an answer must be there: after some seconds of computing, and at some time, however little was computed."""

    def __init__(self, computing: float, until: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the seconds of computing, the time on the clock of time.monotonic, and a clock of what is computed."""
        self._until, self._most, self._clock = until, clock() + computing, clock

    def left(self) -> float:
        """Return for how many seconds an answer cannot be late."""
        return min(self._until - time.monotonic(), self._most - self._clock())


class Link:
    """The connection to a worker."""

    def __init__(self, ours: socket.socket, process: Popen[bytes], arena: Arena) -> None:
        """Take the grader's end of the socket, the process, and where it runs."""
        self.socket, self.process, self.arena, self.kills = ours, process, arena, _kernel_kills()
        self._worker = 0  # the number of its process, where the system tells it

    def meet(self) -> None:
        """Wait until the worker is ready; the system says who has sent the first message."""
        deadline = Deadline(START_PATIENCE, time.monotonic() + START_PATIENCE)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        size = socket.CMSG_SPACE(CREDENTIALS.size)
        _, said, *_ = self._do(lambda: self.socket.recvmsg(1, size, socket.MSG_PEEK), deadline, "the worker")
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        if said:
            self._worker, *_ = CREDENTIALS.unpack(said[0][2])
        self.receive(deadline, "the worker", frozenset())

    def deadline(self, computing: float, wait: float, until: float) -> Deadline:
        """Return when the worker must have answered.

        Args:
            computing: the seconds that it may compute.
            wait: the seconds that it may have to wait for the machine besides.
            until: the latest time, on the clock of time.monotonic.
        """
        until = min(until, time.monotonic() + computing + wait)
        return Deadline(computing, until, time.monotonic if math.isinf(self._computed()) else self._computed)

    def _computed(self) -> float:
        """Return the seconds that the worker has computed; infinity where nobody knows."""
        with contextlib.suppress(OSError):
            return time.clock_gettime(~self._worker << 3 | 2) if self._worker else math.inf  # as clock_getcpuclockid(3)
        return math.inf

    def send(self, value: Any, deadline: Deadline, who: str) -> None:
        """Send a value; see :meth:`receive` for the errors."""
        left = memoryview(protocol.pack(value))
        while left:
            left = left[self._do(functools.partial(self.socket.send, left), deadline, who) :]

    def receive(self, deadline: Deadline, who: str, specials: frozenset[str]) -> Any:
        """Return the next value that the worker sends.

        Args:
            deadline: until when.
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

    def _read(self, count: int, deadline: Deadline, who: str) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._do(functools.partial(self.socket.recv, count - len(parts)), deadline, who)
            if not part:
                raise self._ended(who)
            parts += part
        return bytes(parts)

    def _do(self, use: Callable[[], Result], deadline: Deadline, who: str) -> Result:
        """Return what a use of the socket returns, before the deadline."""
        while True:
            self.socket.settimeout(max(0.001, deadline.left()))
            try:
                return use()
            except TimeoutError:
                if deadline.left() <= 0:
                    finding = f"{who} gave no answer in time: is there an endless loop?"
                    raise WorkerGone(finding, "no answer in time") from None
            except OSError as error:
                raise self._ended(who) from error

    def _ended(self, who: str) -> WorkerGone:
        """Return why the connection has ended."""
        why, limits = _said(self.process, LAST_WORDS).get("ended"), self.arena.limits
        if why == "memory":
            return WorkerGone(f"{who} used more than {limits.memory} MB of memory", why)
        if why == "disk":
            return WorkerGone(f"{who} wrote more than {limits.disk} MB of files", why)
        if why is None and self.process.poll() is None:
            return WorkerGone(f"{who} closed the connection", "connection closed")
        if why in (None, -signal.SIGKILL):
            kind = ENDED if _kernel_kills() != self.kills else KILLED
            return WorkerGone(f"the process of {who} was ended by another process (signal 9)", kind)
        how = f"signal {-why}, as after a crash" if why < 0 else f"exit code {why}"
        return WorkerGone(f"{who} ended the interpreter ({how})", "interpreter ended")


def _said(process: Popen[bytes], seconds: float) -> dict[str, Any]:
    """Return the next thing that the launcher says; nothing if it says none in time, or has ended."""
    assert process.stdout is not None
    said = process.stdout.readline() if select.select([process.stdout], [], [], seconds)[0] else b""
    return dict(json.loads(said or b"{}"))


def _kernel_kills() -> list[str]:
    """Return how many processes the kernel has ended for want of memory, if it says so."""
    return re.findall(r"^oom_kill (\d+)", _text("/proc/vmstat"), re.M)


def _text(path: str) -> str:
    """Return what a file of the kernel's says; nothing where there is none."""
    with contextlib.suppress(OSError):
        return Path(path).read_text(encoding="ascii")
    return ""


@contextmanager
def _memory_group(name: str, limits: Limits) -> Iterator[list[str]]:
    """Yield the files of a group of the kernel's with limited memory: who is in it, its events; none at worst."""
    own = dict(line.split(":", 2)[1:] for line in _text("/proc/self/cgroup").splitlines())
    if "memory" in own:
        place, most, events = f"memory{own['memory']}", "memory.limit_in_bytes", "memory.oom_control"
    else:  # only a group without processes may have others whose memory is limited
        place, most, events = os.path.dirname(own.get("", "/"))[1:], "memory.max", "memory.events"
    group = Path("/sys/fs/cgroup", place, name)
    try:
        group.mkdir()
        (group / most).write_text(str((limits.memory + limits.disk) * 1_000_000), encoding="ascii")
        with contextlib.suppress(OSError):
            (group / "memory.swap.max").write_text("0", encoding="ascii")
        found = [str(group / "cgroup.procs"), str(group / events)]
    except OSError:
        found = []
    try:
        yield found
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def _take_user() -> tuple[int, IO[Any]]:
    """Take a user id that no other grader on this machine has."""
    folder = Path(tempfile.gettempdir()) / "coursework-users"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise OSError(f"{folder}: it belongs to somebody else; remove it")
    accounts = {each.pw_uid for each in pwd.getpwall()}
    for user in USERS:
        stream = (folder / str(user)).open("w")
        if try_lock(stream) and not {user, user + launch.KILLER} & accounts:
            return user, stream
        stream.close()
    raise OSError(f"{folder}: all {len(USERS)} users are taken")


@functools.cache
def _shown() -> tuple[str, ...]:
    """Return what a worker sees of the disk besides its own: what a program in Python needs."""
    prefixes = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parents[1])}
    places = {f"{prefix}/{part}" for prefix in prefixes for part in ("bin", "lib", "lib64", "pyvenv.cfg")}
    places |= {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    places |= {*site.getsitepackages(), str(Path(np.__file__).parents[1])}  # NumPy may be installed elsewhere
    found: list[str] = []
    for place in sorted(map(os.path.normpath, {*SYSTEM, *places}), key=len):
        if os.path.lexists(place) and not any(Path(place).is_relative_to(other) for other in found):
            found.append(place)
    return tuple(found)


@functools.cache
def _worker_files() -> dict[str, bytes]:
    """Return the staff's code that a worker imports, by path: the worker itself, and the wire of the homework."""
    paths = [*files_of("coursework.staff.autograder.inside"), *files_of(setting("wire"))]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
