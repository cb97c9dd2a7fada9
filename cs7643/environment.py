"""The virtual environment ``.venv``: made, filled and entered by whichever command comes first.

Only the standard library is used, because nothing else is there yet. A stamp in ``.venv`` says what is installed; as
long as it fits, a command starts at once. An interrupted installation leaves no stamp, so the next call completes it.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cs7643.files import atomic_writer, try_lock

ROOT = Path(__file__).resolve().parent.parent
# What the installation takes at its peak. On Linux PyTorch brings CUDA along: 6 GB, and 3 GB of downloads beside it.
NEEDED_GB = 10 if sys.platform == "linux" else 2


class SetupError(Exception):
    """Why the environment cannot be made, and what to do, in a line."""


def prepare(extra: str | None, arguments: Sequence[str], root: Path = ROOT, program: str = "cs7643") -> int | None:
    """See to it that the command runs in an environment that holds what it needs.

    Args:
        extra: the extra of pyproject.toml that the command needs beside requirements.txt.
        arguments: the command line, to be run again inside the environment.
        root: the repository.
        program: the module that is called.

    Returns:
        None when this process is in the environment and may go on; else the exit code of the command, which has run
        in a process of its own, or 1 if the environment could not be made. On POSIX the process is replaced instead.
    """
    if os.environ.get("CS7643_NO_VENV") == "1":
        return None
    venv = root / ".venv"
    inside = _is_inside(venv)
    try:
        if not is_installed(venv, extra):
            inside = False  # this process has seen the old packages: start again with the new ones
            with _lock(root / ".venv.lock"):
                if not is_installed(venv, extra):  # another call may have done it meanwhile
                    install(venv, extra)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: stopped; the next call goes on", file=sys.stderr)
        return 130
    entered = os.environ.pop("CS7643_VENV", None)  # not handed on: a terminal in JupyterLab may call from outside
    if inside:
        return None
    command = [str(python_of(venv)), "-m", program, *arguments]
    if entered == str(venv):
        print(f"set-up: {command[0]} does not run inside {venv}: delete that folder and call again", file=sys.stderr)
        return 1
    variables = {**os.environ, "CS7643_VENV": str(venv)}  # against going round in circles
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, variables)
    return _run_and_wait(command, variables)


def _is_inside(venv: Path) -> bool:
    """Tell whether this process runs in ``venv``, whichever of the folder's names either goes by."""
    try:
        return os.path.samefile(sys.prefix, venv)
    except OSError:
        return False


def _run_and_wait(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run a command where a process cannot be replaced; Ctrl-C reaches it by itself, and it decides when it ends."""
    with subprocess.Popen(command, env=variables) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def python_of(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_installed(venv: Path, extra: str | None) -> bool:
    """Tell whether the stamp of ``venv`` fits the requirements, the place and the running Python."""
    try:
        stamp = json.loads((venv / "stamp.json").read_text(encoding="utf-8"))
        wanted = _stamp(venv, extra)
        extras = stamp.pop("extras"), wanted.pop("extras")
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    whole = python_of(venv).exists() and (venv / "pyvenv.cfg").exists()
    return bool(stamp == wanted and set(extras[1]) <= set(extras[0]) and whole)


def install(venv: Path, extra: str | None) -> None:
    """Make ``venv`` if it is not there, is broken, or belongs to another Python, and install into it.

    Raises:
        SetupError: if that fails; the full output is in install.log in ``venv``.
    """
    version = ".".join(map(str, sys.version_info[:2]))
    try:
        if _version_of(venv) != version:
            _make(venv)
        else:
            print(f"set-up: bringing {venv} up to date", file=sys.stderr)
            _forget_damaged(venv)
        extras = sorted({*([extra] if extra else []), *_installed_extras(venv)})
        (venv / "stamp.json").unlink(missing_ok=True)
        what = "." + (f"[{','.join(extras)}]" if extras else "")
        _pip_install(venv, ["--editable", what])
        with atomic_writer(venv / "stamp.json", "w") as stream:
            json.dump({**_stamp(venv, None), "extras": extras}, stream)
    except OSError as error:
        raise SetupError(_advice(str(error), venv)) from error


def _stamp(venv: Path, extra: str | None) -> dict[str, Any]:
    """Describe an installation: when any of this changes, it must be made again."""
    root = venv.parent
    contents = b"".join((root / name).read_bytes() for name in ("requirements.txt", "pyproject.toml"))
    return {
        "requirements": hashlib.sha256(contents.replace(b"\r\n", b"\n")).hexdigest(),
        "root": str(root),
        "python": ".".join(map(str, sys.version_info[:2])),
        "extras": [extra] if extra else [],
    }


def _installed_extras(venv: Path) -> list[str]:
    """Return the extras that the last complete installation had, so that they are kept."""
    try:
        return list(json.loads((venv / "stamp.json").read_text(encoding="utf-8"))["extras"])
    except (OSError, ValueError, KeyError):
        return []


def _packages(venv: Path) -> list[Path]:
    """Return the folders that describe the installed packages."""
    return [*venv.glob("lib/python*/site-packages/*.dist-info"), *venv.glob("Lib/site-packages/*.dist-info")]


def _is_whole(package: Path) -> bool:
    """Tell whether all files of an installed package are there, in their sizes; its list is written last."""
    try:
        with open(package / "RECORD", encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
        return all(not size or (package.parent / name).stat().st_size == int(size) for name, _, size in rows)
    except (OSError, ValueError):
        return False


def _forget_damaged(venv: Path) -> None:
    """Remove the descriptions of packages whose installation was cut off, so that pip installs them again."""
    for package in _packages(venv):
        if not _is_whole(package):
            shutil.rmtree(package)


def _version_of(venv: Path) -> str | None:
    """Return "major.minor" of the Python that ``venv`` holds, None if it cannot install anything."""
    if not (venv / "pyvenv.cfg").exists():
        return None
    if not any(package.name.startswith("pip-") and _is_whole(package) for package in _packages(venv)):
        return None
    code = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run([str(python_of(venv)), "-c", code], capture_output=True, text=True)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def _python_outside(venv: Path) -> str:
    """Return this interpreter, under a name that is still there when ``venv`` is removed."""
    python: str = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(python) if Path(python).is_relative_to(venv) else python


def _make(venv: Path) -> None:
    """Make an empty virtual environment in the place of whatever is there."""
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        version = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(
            f"this Python {version} ({sys.executable}) has no complete venv module; "
            f"on Debian and Ubuntu: sudo apt install python{version}-venv"
        )
    free = shutil.disk_usage(venv.parent).free / 1e9
    if free < NEEDED_GB:
        raise SetupError(f"the disk is too full: {venv} takes up to {NEEDED_GB} GB, and {free:.1f} GB are free")
    if os.name == "nt" and _is_inside(venv):
        raise SetupError(f"{venv} is damaged and in use: call again with another Python, as in: py -m cs7643 run")
    print(
        f"set-up: installing into {venv}: up to {NEEDED_GB} GB, only once; it takes from 3 to 20 minutes,",
        file=sys.stderr,
    )
    print("set-up: and pip says nothing for a good part of them, while it unpacks PyTorch", file=sys.stderr)
    python = _python_outside(venv)
    if venv.exists():
        shutil.rmtree(venv)
    command = [python, "-m", "venv", str(venv)]
    result = subprocess.run(command, close_fds=False, capture_output=True, encoding="utf-8", errors="replace")
    if result.returncode != 0:
        (venv / "install.log").write_text(result.stdout + result.stderr, encoding="utf-8")
        raise SetupError(_advice(result.stdout + result.stderr, venv))


def _pip_install(venv: Path, what: Sequence[str]) -> None:
    """Run pip, with what it does in one line, or a line for each large download, and its whole output in a log."""
    command = [str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off", *what]
    free = shutil.disk_usage(venv).free / 1e9
    if free < 1.5 * NEEDED_GB:
        command.insert(4, "--no-cache-dir")  # else every download lies on the disk twice
    temporary = venv / "tmp"  # the system's own is often a part of the memory, and too small
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    output = []
    with open(venv / "install.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=venv.parent,
            env={
                **os.environ,
                **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temporary)),
                "PIP_USER": "0",
                "PYTHONUNBUFFERED": "1",
            },
            close_fds=False,  # pip holds the lock as well, and keeps it should this process be killed
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None
        with process, _Progress(venv) as progress:
            for line in process.stdout:
                log.write(line)
                output.append(line)
                progress.show(line.strip())
    shutil.rmtree(temporary, ignore_errors=True)
    if process.returncode != 0:
        raise SetupError(_advice("".join(output), venv))


class _Progress:
    """What pip is doing: in a terminal one line that lives, else a line for each large download."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.live = sys.stderr.isatty()
        self.start = time.monotonic()
        self.free = shutil.disk_usage(venv).free
        self.note = "starting"
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._redraw, daemon=True)

    def __enter__(self) -> _Progress:
        if self.live:
            self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        if self.live:
            self.thread.join()
            self._draw("")

    def show(self, line: str) -> None:
        """Take a line of pip's output."""
        if line.startswith(("Collecting", "Downloading", "Using cached", "Installing", "WARNING: Retrying")):
            self.note = line
        if not self.live and re.search(r"Downloading .*\((\d{2,}\.\d|\d{3,}) MB\)", line):
            print(f"set-up: {line}", file=sys.stderr, flush=True)

    def _redraw(self) -> None:
        while not self.ended.wait(0.5):
            seconds = int(time.monotonic() - self.start)
            written = max(0.0, self.free - shutil.disk_usage(self.venv).free) / 1e9
            self._draw(f"set-up: {seconds // 60}:{seconds % 60:02d}, {written:.1f} GB written: {self.note}")

    def _draw(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{text[:width]:{width}}" + ("" if text else "\r"), end="", file=sys.stderr, flush=True)


CAUSES = (
    (r"No space left on device|Errno 28|not enough space|Disk quota exceeded", "the disk is full: free up {needed} GB"),
    (
        r"Permission denied|Errno 13|Access is denied|Read-only file system",
        "{venv} cannot be written: see to its rights",
    ),
    (
        r"NewConnectionError|Failed to establish|Name or service not known|name resolution|getaddrinfo failed"
        r"|Connection refused|Network is unreachable|ConnectTimeout|Read timed out|Could not fetch URL|ProxyError",
        "the package index cannot be reached: connect to the network (or set the proxy) and call again",
    ),
    (
        r"No matching distribution found for (?P<name>\S+)",
        "no release of {name} fits Python {python} on this system: try another, as in: make run PYTHON=python3.12",
    ),
)


def _advice(output: str, venv: Path) -> str:
    """Turn what pip, venv or the system said into a line that says what to do."""
    details = {"venv": venv, "needed": NEEDED_GB, "python": ".".join(map(str, sys.version_info[:2]))}
    if shutil.disk_usage(venv.parent).free < 5e6:
        output = "No space left on device"  # which venv does not hand on
    for pattern, advice in CAUSES:
        found = re.search(pattern, output)
        if found:
            return advice.format(**details, **found.groupdict())
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
    return f"the installation failed ({last.strip()}); all that it said is in {venv / 'install.log'}"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Keep a second installation waiting until the first is done. The system lifts the lock when a process ends."""
    try:
        stream = open(path, "w", encoding="utf-8")  # noqa: SIM115  (held open: that is the lock)
    except OSError as error:
        raise SetupError(_advice(str(error), path.parent)) from error
    with stream:
        os.set_inheritable(stream.fileno(), True)
        waiting = False
        while not try_lock(stream):
            if not waiting:
                print("set-up: another call is installing; waiting for it", file=sys.stderr)
            waiting = True
            time.sleep(0.5)
        yield
