"""The step between the grader and a worker: builds the walls, starts the worker behind them, watches it and ends it.

It runs as the grader's user and imports nothing but the standard library. The first line of its input is the plan; the
input then stays open, and when it ends, because the grader wants that or is gone, so do all processes of the worker.
Its output is a line when the worker starts, or cannot, and one when the worker has ended or uses too much.

Where the system allows it, the worker lives in namespaces of its own, with a root that holds only what is shown to it,
and this program is process 1 there: the kernel ends all others with it. Elsewhere the worker has a user of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import platform
import re
import resource
import select
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

NAMESPACES, NEW_USER = 0x20000 | 0x08000000 | 0x20000000 | 0x40000000, 0x10000000  # mounts, IPC, processes, network
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 0x1000, 0x4000, 1 << 18
DETACH = 2  # of umount(2)
DEATH_SIGNAL, CHILD_SUBREAPER, NO_NEW_PRIVILEGES, SECCOMP, FILTER = 1, 36, 38, 22, 2  # of prctl(2)
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # instructions of a filter
ALLOW, FAIL = 0x7FFF0000, 0x00050000
# Of each machine: its number, and from where on system calls are those of another convention.
MACHINES = {"x86_64": (0xC000003E, 0x40000000), "aarch64": (0xC00000B7, 0xFFFFFFFF)}
# System calls, by their numbers on these machines.
CLONE, SOCKET, ANY_NAMESPACE = (56, 220), (41, 198), 0x7E020000
REFUSED = (
    "272,97 308,268"  # unshare, setns
    " 165,40 166,39 155,41 161,51 428,428 429,429 430,430 431,431 432,432 433,433 442,442"  # mounts, roots
    " 248,217 249,218 250,219 321,280 298,241 323,282 103,116"  # keys, bpf, perf_event_open, userfaultfd, syslog
    " 101,117 310,270 311,271 438,438"  # ptrace, process_vm_*, pidfd_getfd
    " 29,194 30,196 64,190 68,186 240,180"  # memory, semaphores and queues of System V; mq_open
)
UNKNOWN = "435,435 425,425 319,279 447,447"  # clone3, io_uring_setup, memfd_*: programs then do without
SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")  # where everybody may write
DEVICES = ("null", "zero", "full", "random", "urandom")
KILLER = 2000  # from the number of a worker's user to that of who ends its processes
DEEP = 100  # folders in each other, which nobody needs
PAUSE = 0.05  # seconds between two looks at the worker
PATIENCE = 10  # seconds until all processes have ended

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise an OSError if a system call has failed."""
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system, or raise an OSError; the arguments are those of the system call."""
    given = (source.encode(), target.encode(), kind.encode() if kind else None, flags, options.encode() or None)
    check(libc.mount(*given), f"mount {target}")


def enter() -> None:
    """Enter new namespaces, without root by way of one for users, or raise an OSError."""
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(NAMESPACES | (NEW_USER if uid else 0)), "unshare")
    if uid:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            Path("/proc/self", name).write_text(text, encoding="ascii")


def build_root(root: str, shown: list[str], tmp: str, owner: int, megabytes: int) -> None:
    """Put another root in place of this one: what is shown, read only, and a folder to write to in memory; or raise."""
    mount("none", "/", None, PRIVATE | RECURSIVE)
    mount("tmpfs", root, "tmpfs", NO_SUID | NO_DEVICES, "mode=755,size=1m")
    for path in (*shown, *(f"/dev/{name}" for name in DEVICES)):
        place = root + path
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if os.path.islink(path):
            os.symlink(os.readlink(path), place)
            continue
        os.makedirs(place, exist_ok=True) if os.path.isdir(path) else Path(place).touch()
        mount(path, place, None, BIND | RECURSIVE)
        if not path.startswith("/dev/"):
            kept = os.statvfs(place).f_flag & NO_EXEC
            mount("none", place, None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES | kept)
    os.symlink(tmp, f"{root}/dev/shm")
    options = f"size={megabytes}m,nr_inodes=2000,mode=700,uid={owner}"
    for path, kind, more in (("/proc", "proc", ""), (tmp, "tmpfs", options)):
        os.makedirs(root + path)
        mount(kind, root + path, kind, NO_SUID | NO_DEVICES, more)
    os.chdir(root)
    check(libc.pivot_root(b".", b"."), "pivot_root")
    check(libc.umount2(b".", DETACH), "umount")
    os.chdir("/")
    mount("none", "/", None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES)


def filter_calls() -> bool:
    """Let the system refuse namespaces, mounts, and sockets other than within this machine; return whether it does."""
    if platform.machine() not in MACHINES:
        return False
    which, (machine, foreign) = list(MACHINES).index(platform.machine()), MACHINES[platform.machine()]
    refuse, unknown, allow = ((RETURN, 0, 0, what) for what in (FAIL | errno.EPERM, FAIL | errno.ENOSYS, ALLOW))
    steps = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, machine), refuse, (LOAD, 0, 0, 0), (AT_LEAST, 0, 1, foreign), refuse]
    for numbers, answer in ((REFUSED, refuse), (UNKNOWN, unknown)):
        for pair in numbers.split():
            steps += [(EQUAL, 0, 1, int(pair.split(",")[which])), answer]
    steps += [(EQUAL, 0, 3, CLONE[which]), (LOAD, 0, 0, 16), (ANY_BIT, 0, 1, ANY_NAMESPACE), refuse]
    steps += [(LOAD, 0, 0, 0), (EQUAL, 0, 3, SOCKET[which]), (LOAD, 0, 0, 16), (EQUAL, 1, 0, 1), refuse, allow]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code))
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return bool(libc.prctl(SECCOMP, FILTER, program, 0, 0) == 0)


def start(plan: dict[str, Any]) -> int:
    """Start the worker, and return its number; what this program can do, the worker cannot."""
    uid, worker = plan["uid"], os.fork()
    if worker:
        os.close(plan["socket"])  # so that it ends with the worker
        return worker
    try:
        os.setsid()
        for name, value in plan["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        with contextlib.suppress(OSError):  # when memory runs out, the worker is ended first, and never the grader
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        if plan["group"]:
            os.write(plan["group"][0], b"0")
        if uid is not None:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        os.umask(0o077)
        for descriptor in range(3):
            os.dup2(os.open("/dev/null", os.O_RDWR), descriptor)
        libc.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        os.execve(plan["command"][0], plan["command"], plan["environment"])
    finally:
        os._exit(127)


def fields(path: str) -> dict[bytes, bytes]:
    """Return what the kernel says of a process or a thread: the first word of each line, by its title."""
    with open(path, "rb", buffering=0) as stream:
        return dict(re.findall(rb"^(\w+):\s+(\w+)", stream.read(4096), re.M))


def family() -> dict[int, int]:
    """Return the bytes of memory of each process below this one; another thread has them if the first has ended."""
    parents, sizes, more = dict[int, int](), dict[int, int](), {os.getpid()}
    for each in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, KeyError):  # it has ended since
            parents[int(each)] = int(fields(f"/proc/{each}/status")[b"PPid"])
    while more := {pid for pid, parent in parents.items() if parent in more}:
        for pid in more:
            with contextlib.suppress(OSError, ValueError):
                tasks = [fields(f"/proc/{pid}/task/{each}/status") for each in os.listdir(f"/proc/{pid}/task")]
                sizes[pid] = 1024 * max(int(t.get(b"RssAnon", 0)) + int(t.get(b"RssShmem", 0)) for t in tasks)
    return sizes


def files_of(plan: dict[str, Any]) -> list[str]:
    """Return what the worker can have left on this disk: its folder, and its user's files where everybody may write."""
    found = [plan["tmp"]]
    for place in filter(os.path.isdir, SHARED if plan["uid"] is not None else ()):
        for entry in os.scandir(place):
            with contextlib.suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid == plan["uid"]:
                    found.append(entry.path)
    return found


def on_disk(left: list[str], most: int) -> int:
    """Return the bytes that files and folders take, at least a block each, or some number above the most."""
    total = 0
    while left and total <= most:
        path = left.pop()
        with contextlib.suppress(OSError):
            total += max(4096, os.lstat(path).st_blocks * 512) if path.count("/") < DEEP else most + 1
            if os.path.isdir(path) and not os.path.islink(path):
                left += [os.path.join(path, name) for name in os.listdir(path)]
    return total


def watch(worker: int, plan: dict[str, Any]) -> str | int | None:
    """Return what the worker uses too much of, or how it has ended, or None when the grader wants no more."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if plan["group"] and re.search(rb"^oom(_kill)? [1-9]", os.pread(plan["group"][1], 4096, 0), re.M):
            return "memory"
        if not plan["group"] and sum(family().values()) > plan["memory"] * 1_000_000:
            return "memory"
        if pid == worker:
            return os.waitstatus_to_exitcode(status)
        most = plan["disk"] * 1_000_000
        if not plan["alone"] and on_disk(files_of(plan), most) > most:
            return "disk"
        if select.select([0], [], [], 0 if pid else PAUSE)[0]:
            return None


def end_all(uid: int | None) -> bool:
    """End all processes of a user, or without one all below this one; return whether they have ended in time.

    The user's processes could stop whoever ends them as that user, were it not that it has another real user.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if uid is None:
            for pid in family():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        elif killer := os.fork():
            os.waitpid(killer, 0)
        else:
            try:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid + KILLER, uid, uid + KILLER)
                os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:  # whoever lost its parent has become a child of this process
            return True
        time.sleep(PAUSE / 5)
    return False


def readable(paths: list[str], uid: int) -> list[str]:
    """Return the files that a user can read, and the folders that it can enter."""
    found = []
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    for path in paths:
        with contextlib.suppress(OSError):
            os.stat(f"{path}/.") if os.path.isdir(path) else os.close(os.open(path, os.O_RDONLY))
            found.append(path)
    os.seteuid(0)
    os.setegid(0)
    return found


def report(**what: Any) -> None:
    """Tell the grader something, if it is still there."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(what).encode() + b"\n")


def main() -> None:
    """Carry out the plan."""
    plan: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    uid, missing = plan["uid"], []
    os.umask(0o022)
    plan["group"] = [os.open(path, mode) for path, mode in zip(plan["group"], (os.O_WRONLY, os.O_RDONLY), strict=False)]
    libc.prctl(CHILD_SUBREAPER, 1, 0, 0, 0)
    if plan["alone"]:
        try:
            enter()
            first = os.fork()
            if first:
                os.close(plan["socket"])
                os.waitpid(first, 0)
                return
            libc.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            build_root(plan["root"], plan["shown"], plan["tmp"], os.geteuid() if uid is None else uid, plan["disk"])
        except OSError as error:
            return report(refused=error.strerror)
    elif uid is None:
        missing.append("not root: the worker is the grader's own user, and could read and end what is the grader's")
    else:
        end_all(uid)
        for path in readable(plan["guarded"], uid):
            return report(failed=f"a worker could read {path}: take that right from others (chmod go-rwx)")
    if not filter_calls():
        missing.append("system calls are not filtered, so the network can be reached")
    report(missing=missing)
    why = watch(start(plan), plan)
    if why is not None:
        report(ended=why)
    if plan["alone"]:
        os._exit(0)  # and the kernel ends all others
    ended = end_all(uid)
    os.spawnv(os.P_WAIT, "/bin/rm", ["rm", "-rf", "--", *files_of(plan)])
    os._exit(not ended)


if __name__ == "__main__":
    main()
