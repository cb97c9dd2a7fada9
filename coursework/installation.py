"""What is installed into an environment by pip, and what pip says when it fails, in a line that says what to do."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from coursework.homework import homework
from coursework.terminal import is_live

VERSION = ".".join(map(str, sys.version_info[:2]))
# What the installation takes at its peak. On Linux PyTorch brings CUDA along: 6 GB, and 3 GB of downloads beside it.
NEEDED_GB = 10 if sys.platform == "linux" else 2


class SetupError(Exception):
    """Why the environment cannot be made, and what to do, in a line."""


def python_of(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def packages(venv: Path) -> list[Path]:
    """Return the folders that describe the installed packages."""
    return [*venv.glob("lib/python*/site-packages/*.dist-info"), *venv.glob("Lib/site-packages/*.dist-info")]


def is_whole(package: Path) -> bool:
    """Tell whether all files of an installed package are there, in their sizes; its list is written last."""
    try:
        with open(package / "RECORD", encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
        for name, _, size in rows:
            found = (package.parent / name).stat().st_size
            if size and found != int(size) and not name.startswith(".."):  # a script may have been renewed
                return False
    except (OSError, ValueError):
        return False
    return True


def forget_damaged(venv: Path) -> None:
    """Remove the descriptions of packages whose installation was cut off, so that pip installs them again."""
    for package in packages(venv):
        if not package.name.startswith(f"{homework().package}-") and not is_whole(package):
            shutil.rmtree(package)


def pip_install(venv: Path, what: Sequence[str]) -> None:
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
                if line.startswith("Installing collected packages"):  # until now nothing has changed
                    (venv / "stamp.json").unlink(missing_ok=True)
                progress.show(line.strip())
        if process.returncode != 0:
            output.append(_asked_again(venv, "".join(output)))
            log.write(output[-1])
    shutil.rmtree(temporary, ignore_errors=True)
    if process.returncode != 0:
        raise SetupError(advice_on("".join(output), venv, f"; all that it said is in {venv / 'install.log'}"))


def _asked_again(venv: Path, output: str) -> str:
    """Return what the package index answers where pip has found no release at all, which it says only when asked."""
    found = re.search(r"from versions: none\)[^$]*?No matching distribution found for ([\w.-]+)", output)
    if not found:
        return ""
    command = [str(python_of(venv)), "-m", "pip", "index", "versions", "-vv", "--retries=0", "--timeout=15", found[1]]
    with contextlib.suppress(subprocess.TimeoutExpired):
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=60
        ).stdout
    return ""


class _Progress:
    """What pip is doing: in a terminal one line that lives, else a line for each large download."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.live = is_live(sys.stderr)
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
        r"CERTIFICATE_VERIFY_FAILED|confirming the ssl certificate",
        "the certificate of the package index is not trusted, as where a firewall reads along or the clock is wrong: "
        "set PIP_CERT to the certificate that your network gives you, or use another network",
    ),
    (
        r"407 Proxy Authentication|\" 407 |407 Client Error",
        "the proxy asks for a name and a password: set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT and call again",
    ),
    (
        r"\" 40[13] |40[13] Client Error",
        "the package index refuses access (error 401 or 403): see to PIP_INDEX_URL and pip's configuration, "
        "or use another network",
    ),
    (
        r"\" 404 |404 Client Error",
        "the package index has no such page (error 404): see to PIP_INDEX_URL and pip's configuration",
    ),
    (
        r"\" 5\d\d |5\d\d Server Error|too many 5\d\d error responses",
        "the package index is out of order (an error of its server): call again later",
    ),
    (
        r"(?s)Fetched page \S+ as text/html(?!.*(Found link|Skipping link: (?!not a file)))",
        "a web page came in the place of the package index, as from a network that asks you to sign in: "
        "sign in with a browser and call again",
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


def advice_on(output: str, venv: Path, more: str = "") -> str:
    """Turn what pip, venv or the system said into a line that says what to do."""
    details = {"venv": venv, "needed": NEEDED_GB, "python": VERSION}
    if shutil.disk_usage(venv.parent).free < 5e6:
        output = "No space left on device"  # which venv does not hand on
    for pattern, advice in CAUSES:
        found = re.search(pattern, output)
        if found:
            return advice.format(**details, **found.groupdict())
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no output")
    return f"the installation failed ({last.strip()}){more}"
