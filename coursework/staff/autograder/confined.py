"""Reading what strangers wrote in a process of its own: little memory, little time, and no rights where root calls.

A function that is called so does the first part of its work, opening files, with the rights of the caller, and returns
what does the second part, reading them, which has given those rights up. What comes back is JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from coursework.homework import hook
from coursework.root import ROOT

NOBODY = 60_999  # a user id that no account has, beside those of the workers
ANSWER = 256_000_000  # bytes of an answer
READY = b"ready\n"
START = "import sys; sys.path.insert(0, sys.argv[1]); import coursework.staff.autograder.confined as c; c.main()"
CODECS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp437", "latin-1")


class UnreadableError(ValueError):
    """What a stranger wrote cannot be read; the text is a clause."""


def call(function: str, *arguments: Any, seconds: int = 30, memory: int = 512) -> Any:
    """Call a function in a process of its own.

    Args:
        function: ``"module:function"``; given the arguments, it returns a function without arguments.
        arguments: as JSON holds them.
        seconds: that it may take.
        memory: megabytes of address space, where the system limits that.

    Returns:
        What the second function returns.

    Raises:
        UnreadableError: if it fails, or needs more than it may.
        OSError: if the process does not start, which is nobody's fault who handed in.
    """
    plan = json.dumps([function, arguments, seconds, memory])
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", "-X", "utf8", "-c", START, str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(seconds + 30, process.kill)  # the start of Python included; the limit on CPU comes first
    timer.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(plan.encode())
            process.stdin.close()
        started = process.stdout.readline(len(READY)) == READY
        content = process.stdout.read(ANSWER + 1)
    finally:
        timer.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    if not started:
        raise OSError(f"{sys.executable} does not start, as a process that reads what was handed in")
    try:
        kind, answer = json.loads(content) if len(content) <= ANSWER else ("", None)
    except (ValueError, TypeError):
        kind, answer = "", None
    if kind == "error":
        raise UnreadableError(str(answer)[:300])
    if kind != "answer":
        raise UnreadableError(f"to read it takes more than {seconds} s or {memory} MB")
    return answer


def main() -> None:
    """Read the plan, carry it out, and write the answer: the program of the process."""
    function, arguments, seconds, memory = json.load(sys.stdin)
    out = sys.stdout.buffer
    opened: Callable[..., Callable[[], Any]] = hook(function)
    for name in CODECS:  # what is imported later may be unreadable without rights
        "x".encode(name)
    limit(seconds, memory)
    out.write(READY)
    out.flush()
    try:
        read = opened(*arguments)
        give_up_rights()
        answer = json.dumps(["answer", read()])
    except MemoryError:
        return
    except (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, KeyError) as error:
        answer = json.dumps(["error", str(error)[:2000] or type(error).__name__])
    out.write(answer.encode("ascii"))
    out.flush()


def limit(seconds: int, memory: int) -> None:
    """Take limits of the operating system, as far as it has them; no file can be written from here on."""
    if sys.platform == "win32":
        return
    import resource

    for name, most in (("CPU", seconds), ("AS", memory * 1_000_000), ("FSIZE", 0), ("CORE", 0), ("NOFILE", 256)):
        with contextlib.suppress(OSError, ValueError):  # macOS knows no limit on memory
            _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def give_up_rights() -> None:
    """Become a user without rights, if this is root; then nothing can be started either."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
