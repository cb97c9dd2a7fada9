"""The step between the grader and a worker: gives up rights, reports which could not be given up, starts the worker.

It runs as the grader's user, imports nothing but the standard library, and ends in ``exec``: what it could do, the
worker cannot. The plan comes as JSON on the command line, the report goes to the descriptor that the plan names.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any

NEW_MOUNTS, NEW_IPC, NEW_NETWORK = 0x20000, 0x08000000, 0x40000000  # of unshare(2)
PRIVATE, RECURSIVE, BIND = 1 << 18, 0x4000, 0x1000  # of mount(2)
NO_SUID, NO_DEVICES = 2, 4
SECCOMP, FILTER = 22, 2  # of prctl(2)
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of a filter
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
# of each machine: its number, that of socket(2), and from where on system calls are those of another convention
MACHINES = {"x86_64": (0xC000003E, 41, 0x40000000), "aarch64": (0xC00000B7, 198, 0xFFFFFFFF)}
IO_URING = 425  # can make a socket, too
DEATH_SIGNAL, NO_NEW_PRIVILEGES = 1, 38  # of prctl(2)

libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount a file system on a folder; the arguments are those of the system call.

    Raises:
        OSError: if it is refused.
    """
    kind_bytes = kind.encode() if kind else None
    if libc.mount(source.encode(), target.encode(), kind_bytes, flags, options.encode() or None):
        error = ctypes.get_errno()
        raise OSError(error, f"mount {target}: {os.strerror(error)}")


def unshare(flag: int, name: str, missing: list[str]) -> bool:
    """Enter a new namespace, or note that it is missing."""
    if libc.unshare(flag) == 0:
        return True
    missing.append(f"no {name} of its own ({os.strerror(ctypes.get_errno())})")
    return False


def hide(folders: list[str], kept: list[str], tmp: str, uid: int, megabytes: int) -> None:
    """Cover folders with empty ones, and mount what must stay readable at its old place inside them.

    Raises:
        OSError: if a mount is refused.
    """
    mount("none", "/", None, PRIVATE | RECURSIVE)
    descriptors = {path: os.open(path, os.O_PATH) for path in (*kept, tmp)}
    hidden: list[str] = []
    for folder in sorted(folders, key=len):
        inside = any(Path(folder).is_relative_to(other) for other in (*hidden, *kept))
        if not inside and os.path.isdir(folder):
            mount("tmpfs", folder, "tmpfs", NO_SUID | NO_DEVICES, "mode=755,size=1m")
            hidden.append(folder)
    for path, descriptor in descriptors.items():
        if any(Path(path).is_relative_to(folder) for folder in hidden):
            os.makedirs(path, exist_ok=True)
            mount(f"/proc/self/fd/{descriptor}", path, None, BIND | RECURSIVE)
        os.close(descriptor)
    options = f"size={megabytes}m,nr_inodes=2000,mode=700,uid={uid},gid={uid}"
    mount("tmpfs", tmp, "tmpfs", NO_SUID | NO_DEVICES, options)


def refuse_sockets() -> bool:
    """Let the system refuse all sockets except those within this machine; return whether it does."""
    if platform.machine() not in MACHINES:
        return False
    machine, socket, foreign = MACHINES[platform.machine()]
    steps = (
        (LOAD, 0, 0, 4),
        (EQUAL, 0, 6, machine),  # a jump of 6 leads to the refusal
        (LOAD, 0, 0, 0),
        (AT_LEAST, 4, 0, foreign),
        (EQUAL, 3, 0, IO_URING),
        (EQUAL, 0, 3, socket),
        (LOAD, 0, 0, 16),
        (EQUAL, 1, 0, 1),  # AF_UNIX
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(code))
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return bool(libc.prctl(SECCOMP, FILTER, program, 0, 0) == 0)


def limit(limits: dict[str, int]) -> None:
    """Set the limits of the process: name of the limit, and its value."""
    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            resource.setrlimit(number, (value, value))


def main() -> None:
    """Carry out the plan."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    missing: list[str] = []
    uid, alone, hidden = plan["uid"], False, False
    os.umask(0o022)
    if uid is None:
        missing.append("not root: the worker is the grader's own user, and could read and end what is the grader's")
    else:
        unshare(NEW_IPC, "shared memory", missing)
        alone = unshare(NEW_NETWORK, "network", [])  # with no interface up: not even the loopback can be reached
        if unshare(NEW_MOUNTS, "view of the disk", missing):
            try:
                hide(plan["hidden"], plan["kept"], plan["tmp"], uid, plan["disk"])
                hidden = True
                mount("proc", "/proc", "proc", NO_SUID | NO_DEVICES, "hidepid=2")
            except OSError as error:
                missing.append(f"part of the disk is not hidden ({error})")
    limit(plan["limits"])
    try:
        # When memory runs out, the worker is ended first, and never the grader.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError as error:
        missing.append(f"no say in who goes when memory is short ({error.strerror})")
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.umask(0o077)
    if not refuse_sockets() and not alone:
        missing.append("the network can be reached")
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    os.set_inheritable(plan["report"], False)  # it ends with this program
    os.write(plan["report"], json.dumps({"missing": missing, "hidden": hidden}).encode() + b"\n")
    try:
        os.execve(plan["command"][0], plan["command"], plan["environment"])
    except OSError as error:
        os.write(plan["report"], f"{plan['command'][0]}: {error.strerror}".encode())
        sys.exit(1)


if __name__ == "__main__":
    main()
