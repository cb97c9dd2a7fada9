"""Installing packages with pip, and turning what pip says when it fails into a line that says what to do."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

VERSION = ".".join(map(str, sys.version_info[:2]))
# What the installation takes at its peak. On Linux PyTorch comes with CUDA: 6 GB, and 3 GB of downloads beside it.
NEEDED_GB = 10 if sys.platform == "linux" else 2

EVERY = 30  # seconds between two lines on what goes on, where they are not shown in a terminal
NO_TERMINAL = 100  # characters of such a line

# Beside the ranges of requirements.txt: one version of each package, tested together. A constraints file and no
# pylock.toml, because that names the host of every file, and here pip's own configuration says where packages are.
LOCK = "requirements.lock"


class SetupError(Exception):
    """Why the environment cannot be created, and what to do, in a line."""


class NoReleaseError(SetupError):
    """No choice of releases does: one that is asked for does not exist for this Python and system, or two collide."""


def python_of(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pip_install(venv: Path, what: Sequence[str]) -> None:
    """Install packages with pip. A line shows what it does; all that it says is in its log."""
    log, temporary = _log_of(venv), venv / "tmp"  # the system's own is often a part of the memory, and too small
    log.unlink(missing_ok=True)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    command = [str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check", f"--log={log}", *what]
    command.append("--progress-bar=off")
    if shutil.disk_usage(venv).free / 1e9 < 1.5 * NEEDED_GB:
        command.append("--no-cache-dir")  # otherwise the disk holds every download twice
    variables = {**os.environ, **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temporary)), "PIP_USER": "0"}
    returncode = _run_pip(command, venv.parent, variables, temporary)
    shutil.rmtree(temporary, ignore_errors=True)
    if returncode != 0:
        said = _said(log)
        found = _cause(said)
        error = NoReleaseError if found and found.re.pattern in NO_RELEASE else SetupError
        raise error(advice_on(said, venv, f"; the log is {log}"))
    log.unlink(missing_ok=True)


def _run_pip(command: Sequence[str], folder: Path, variables: Mapping[str, str], temporary: Path) -> int:
    """Run pip and return its exit code; meanwhile show for how long it runs, what it has fetched, and what it does."""
    said, start = temporary / "said.txt", time.monotonic()
    news, since = ("", 0.0), start
    with (
        said.open("wb") as stream,
        subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            close_fds=False,  # pip holds the lock as well, and keeps it if this process is killed
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ) as pip,
    ):
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                pip.wait(between_lines())
                break
            output, now = said.read_text(encoding="utf-8", errors="replace"), time.monotonic()
            fetched = sum(_size(Path(place, name)) for place, _, names in os.walk(temporary) for name in names) / 1e6
            if (output, fetched) != news:
                news, since = (output, fetched), now
            show(_progress(output, now - start, fetched, silent=now - since))
    if sys.stderr.isatty():
        show("")
        sys.stderr.write("\r")
    return pip.returncode


def between_lines() -> float:
    """Return the seconds between two lines on what goes on."""
    return 1 if sys.stderr.isatty() else EVERY


def show(line: str) -> None:
    """Show a line on what goes on: in a terminal in the place of the one before, elsewhere below it."""
    alive = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns - 1 if alive else NO_TERMINAL
    sys.stderr.write(f"\r{line[:width]:{width}}" if alive else f"{line[:width]}\n")
    sys.stderr.flush()


def _progress(output: str, seconds: float, fetched: float, silent: float) -> str:
    """Return a line on a pip that runs: for how many seconds, how many MB it has fetched, and what it does."""
    does = next(filter(str.strip, reversed(output.split("\n"))), "starting pip").strip()
    if silent >= EVERY:
        if "Installing collected packages" in output:
            does = "unpacking; pip is silent meanwhile"
        else:
            does = f"pip is silent for {silent:.0f} s; it said: {does}"
    size = f", {fetched:.0f} MB fetched" if fetched >= 1 else ""
    return f"set-up: {seconds:.0f} s{size}: {does}"


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):  # pip has removed it meanwhile
        return path.stat().st_size
    return 0


def has_begun(venv: Path) -> bool:
    """Tell whether the last call of pip changed the environment, rather than fail while it was still collecting."""
    # What pip installs elsewhere, to build a package, is indented further in its log.
    return re.search(r"^\S+ Installing collected packages", _said(_log_of(venv)), re.M) is not None


def _log_of(venv: Path) -> Path:
    """Return where pip writes its log: outside of an environment that is put back when pip fails."""
    return venv.with_name(f"{venv.name}.log")


def _said(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


CAUSES = {  # the first pattern that is found says what to do
    r"No space left on device|Errno 28|not enough space|Disk quota exceeded": "the disk is full: free up {needed} GB",
    r"Permission denied|Errno 13|Access is denied|Read-only file system": (
        "{venv} cannot be written: check its permissions"
    ),
    r"CERTIFICATE_VERIFY_FAILED|confirming the ssl certificate": (
        "the certificate of the package index is not trusted; a firewall may intercept the connection, or the clock be "
        "wrong: set PIP_CERT to the certificate that your network gives you, or use another network"
    ),
    r"407 Client Error|407 Proxy Authentication": (
        "the proxy asks for a name and a password: set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT and call again"
    ),
    r"40[13] Client Error": (
        "the package index refuses access (error 401 or 403): check PIP_INDEX_URL and pip's configuration, "
        "or use another network"
    ),
    r"404 Client Error": "the package index has no such page (error 404): check PIP_INDEX_URL and pip's configuration",
    r"5\d\d Server Error|too many 5\d\d error": "the package index is out of order (server error): call again later",
    r"(?s)Fetched page \S+ as text/html(?!.*(Found link|Skipping link: (?!not a file)))": (
        "a web page came instead of the package index, as from a network that asks you to sign in: "
        "sign in with a browser and call again"
    ),
    r"NewConnectionError|Failed to establish|Name or service not known|name resolution|getaddrinfo failed"
    r"|Connection refused|Network is unreachable|ConnectTimeout|Read timed out|Could not fetch URL|ProxyError": (
        "the package index cannot be reached: connect to the network (or set the proxy) and call again"
    ),
    r"No matching distribution found for (?P<name>\S+)": (
        "no release of {name} fits Python {python} on this system: try another, as in: make run PYTHON=python3.12"
    ),
    r"ResolutionImpossible": "the releases that requirements.txt asks for exclude each other on Python {python}",
}
NO_RELEASE = tuple(CAUSES)[-2:]


def _cause(output: str) -> re.Match[str] | None:
    """Find the pattern of the cause, in pip's log from the package on at which it stopped."""
    output = output.rpartition("to search for versions of")[2]
    return next(filter(None, (re.search(pattern, output) for pattern in CAUSES)), None)


def advice_on(output: str, venv: Path, more: str = "") -> str:
    """Turn what pip, venv or the system said into a line that says what to do."""
    if shutil.disk_usage(venv.parent).free < 5e6:
        output = "No space left on device"  # which venv does not report
    if found := _cause(output):
        words = {"venv": venv, "needed": NEEDED_GB, "python": VERSION, **found.groupdict()}
        return CAUSES[found.re.pattern].format(**words) + more
    errors = re.findall(r"ERROR: (.+)", output) or output.strip().split("\n")
    return f"the installation failed ({errors[-1].strip() or 'no output'}){more}"
