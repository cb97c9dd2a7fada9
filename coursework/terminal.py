"""How a program prints and ends: printing never raises an error, and an error of the system is one sentence."""

from __future__ import annotations

import codecs
import contextlib
import errno
import importlib.util
import io
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

from coursework.root import ROOT

CUT_OFF = 141  # the exit code of a program whose reader has gone, as shells count it
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space and call again",
    errno.EDQUOT: "your quota of the disk is used up: free some space and call again",
    errno.EFBIG: "the file would exceed the limit on file sizes: raise the limit (ulimit -f) and call again",
    errno.EACCES: "check its permissions, or choose another place",
    errno.EPERM: "check its permissions, or choose another place",
    errno.EROFS: "nothing can be written there: copy the folder to where you can write",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "check the name",
    errno.ENOTDIR: "a part of the path is a file: rename it, or choose another place",
    errno.EISDIR: "a folder has that name: rename it, or choose another",
    errno.EMFILE: "raise the limit on open files (ulimit -n) and call again",
    errno.ENOMEM: "close other programs and call again",
    errno.EAGAIN: "the system allows no more processes: close other programs and call again",
    errno.EIO: "the disk or the network drive does not respond: copy the folder to another and call again",
}
LIKE = {"✓": "+", "✗": "x", "·": ".", "≈": "~", "\u2013": "-", "\u2026": "...", "→": "->"}
NO_MEMORY = r"can't allocate memory|not enough memory|out of memory|[Cc]annot allocate memory|failed to map segment"


def is_live(stream: TextIO) -> bool:
    """Tell whether ``stream`` is a terminal that can redraw a line."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colours(stream: TextIO) -> bool:
    """Tell whether ``stream`` is a terminal with colours, and NO_COLOR is not set."""
    return is_live(stream) and not os.environ.get("NO_COLOR")


def never_raise() -> None:
    """Replace the characters that an output cannot show, here and in the programs that are started from here."""
    codecs.register_error("legible", _legible)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="legible")
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.environ["PYTHONIOENCODING"] = f"{sys.stdout.encoding}:replace"


def guarded(program: Callable[[], int | None], name: str) -> int:
    """Run a program and return its exit code; Ctrl-C and errors of the system are a line that begins with ``name``."""
    never_raise()
    try:
        code = _exit_code_of(program)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _say("\nstopped")
        return 130
    except BrokenPipeError:
        return CUT_OFF
    except Exception as error:
        if os.environ.get("COURSEWORK_DEBUG") == "1":
            _say(traceback.format_exc().rstrip())
        sentence = explain(error)
        if sentence is None:
            raise
        _say(f"{name}: {sentence}")
        return 1
    finally:
        _drop_unwritten(sys.stdout)
        _drop_unwritten(sys.stderr)


def complain(program: str, message: str, code: int = 1) -> int:
    """Say on standard error why a program ends, and return its exit code."""
    print(f"{program}: {message}", file=sys.stderr)
    return code


def explain(error: BaseException) -> str | None:
    """Say in one line what the system could not do, and what to do; return None for a fault of the program."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or (
        isinstance(error, (RuntimeError, ImportError)) and re.search(NO_MEMORY, text)
    ):
        return f"there is not enough memory{f' ({text})' if text else ''}: close other programs and call again"
    if isinstance(error, RuntimeError) and "can't start new thread" in text:
        return f"no more threads are allowed here ({text}): raise the limit (ulimit -u), or close other programs"
    if isinstance(error, ModuleNotFoundError) and (name := _package(error)):
        return f"this Python ({sys.executable}) has no {name}; type: python -m pip install {name}"
    if not isinstance(error, OSError):
        return None
    if error.errno is None or error.strerror is None:
        return text or type(error).__name__
    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes, os.PathLike)) else ""
    where = f"{name if name.isprintable() else repr(name)}: " if name else ""
    remedy = REMEDIES.get(error.errno)
    return f"{where}{error.strerror}{f'; {remedy}' if remedy else ''}"


def _package(error: ModuleNotFoundError) -> str:
    """Return the name of the package that is not installed; "" if a module of the homework or of Python is meant."""
    name = (error.name or "").partition(".")[0]
    ours = name in sys.stdlib_module_names or (ROOT / name).exists()
    return "" if ours or importlib.util.find_spec(name) else name


def _legible(error: UnicodeError) -> tuple[str, int]:
    """Replace characters by similar ones, so that right and wrong look different in every encoding."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(LIKE.get(char, "?") for char in error.object[error.start : error.end]), error.end


def _exit_code_of(program: Callable[[], int | None]) -> int:
    try:
        return int(program() or 0)
    except SystemExit as stop:  # of argparse, which has said why
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _drop_unwritten(stream: TextIO) -> None:
    """Discard what could not be written, so that the interpreter does not try again when it ends."""
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
