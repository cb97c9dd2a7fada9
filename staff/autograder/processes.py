"""The processes of a worker: which there are, what they use, and how all of them end, detached ones too."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

CHILD_SUBREAPER = 36  # of prctl(2)


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
    """Return all processes of this machine that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/status", encoding="utf-8", errors="replace") as stream:
                    fields = dict(line.split(":", 1) for line in stream if ":" in line)
                memory = sum(int(fields.get(key, "0 kB").split()[0]) for key in ("RssAnon", "RssShmem")) * 1024
                ended = fields["State"].split()[0] in "ZX"
                yield Process(int(name), int(fields["PPid"]), int(fields["Uid"].split()[0]), ended, memory)
            except (OSError, KeyError, ValueError, IndexError):
                continue  # it has ended meanwhile


def of_worker(first: int, user: int | None) -> list[Process]:
    """Return the processes of a worker: those of its user, or, where it has none, what descends from its first one."""
    every = list(running())
    if user is not None:
        return [process for process in every if process.user == user]
    family, found = {first}, [process for process in every if process.pid == first]
    while True:
        more = [process for process in every if process.parent in family and process.pid not in family]
        if not more:
            return found
        family |= {process.pid for process in more}
        found += more


def end_all(first: int, user: int | None, orphans: frozenset[int] = frozenset()) -> bool:
    """End every process of a worker, and wait until they are gone.

    Args:
        first: its first process.
        user: its own user, if it has one.
        orphans: children of this process from before the worker, which are not the worker's.

    Returns:
        Whether all are gone.
    """
    for attempt in range(100):
        if user is not None:
            _end_user(user)
        left = of_worker(first, user)
        if user is None:  # what was detached is a child of this process now
            own = os.getpid()
            left += [p for p in running() if p.parent == own and p.pid not in orphans and p.pid != first]
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)
        for process in left:
            if process.ended or process.parent == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)
        if not left or (attempt > 20 and all(process.ended for process in left)):
            return True
        time.sleep(0.005 * min(attempt, 20))
    return False


def _end_user(user: int) -> None:
    """End all processes of a user at one blow, as only that user can: a fork bomb has no time to go on."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(user, user, user)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
