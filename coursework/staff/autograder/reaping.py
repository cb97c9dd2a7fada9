"""The processes of a worker: which there are, what they use, and how to end all of them, detached ones included."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

CHILD_SUBREAPER = 36  # of prctl(2)
ROUNDS = 100  # of looking for processes and ending them: nine seconds
FIELDS = re.compile(
    rb"^State:\s+(\w).*?^PPid:\s+(\d+).*?^Uid:\s+(\d+)(?:.*?^RssAnon:\s+(\d+).*?^RssShmem:\s+(\d+))?", re.S | re.M
)


@dataclass(frozen=True)
class Process:
    """A process: its number, its parent's, its user, whether it has ended, and the bytes of memory that are its own."""

    pid: int
    parent: int
    user: int
    ended: bool
    memory: int


def adopt_orphans() -> None:
    """Become the parent of whatever a worker leaves behind, so that it can be found and waited for."""
    ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1, 0, 0, 0)


def running() -> Iterator[Process]:
    """Yield all processes of this machine that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/status", "rb", buffering=0) as stream:
                    found = FIELDS.search(stream.read(4096))
            except OSError:
                continue  # it has ended since
            if found:
                state, parent, user, anonymous, shared = found.groups(b"0")
                memory = 1024 * (int(anonymous) + int(shared))  # kB; a process that has ended has none
                yield Process(int(name), int(parent), int(user), state in b"ZX", memory)


def of_worker(first: int, user: int | None) -> list[Process]:
    """Return the processes of a worker: those of its user, or, if it has none, the first one and its descendants."""
    every = list(running())
    if user is not None:
        return [process for process in every if process.user == user]
    family: list[Process] = []
    more = [process for process in every if process.pid == first]
    while more:
        family += more
        parents = {process.pid for process in more}
        more = [process for process in every if process.parent in parents]
    return family


def end_all(first: int, user: int | None, orphans: frozenset[int] = frozenset()) -> bool:
    """End every process of a worker, and wait until they are gone.

    A process can start others while it is being ended, and what it leaves behind becomes a child of this process; so
    the worker's processes are looked for and ended until none is left.

    Args:
        first: its first process.
        user: its own user, if it has one.
        orphans: children of this process from before the worker, which are not the worker's.

    Returns:
        Whether all have ended.
    """
    for attempt in range(ROUNDS):
        left = of_worker(first, user)
        if user is None:
            own = os.getpid()
            left += [p for p in running() if p.parent == own and p.pid not in orphans and p.pid != first]
        elif not all(process.ended for process in left):
            _end_user(user)
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # its parent is another process
                os.waitpid(process.pid, os.WNOHANG)
        if not left or (attempt > ROUNDS // 5 and all(process.ended for process in left)):
            return True
        time.sleep(0.005 * min(attempt, 20))
    return False


def _end_user(user: int) -> None:
    """End all processes of a user at once, as only that user can: a fork bomb cannot outrun it."""
    kill_all = ["/bin/sh", "-c", "kill -KILL -1"]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(kill_all, user=user, group=user, extra_groups=[], stderr=subprocess.DEVNULL, timeout=5)
