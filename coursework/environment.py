"""The virtual environment ``.venv``: the first command creates it, and every command runs in it.

Only the standard library is used, because nothing else is installed yet. A stamp in ``.venv`` says what is installed;
as long as it fits, a command starts at once, in that environment, whichever Python called it. What is installed is what
requirements.lock says, where that fits, and otherwise what requirements.txt allows. There are two ways to
install. An environment with a stamp is updated in place. One without a stamp is unfinished and is replaced: it waits in
``.venv.old`` until the new one is complete, and comes back if the installation fails or is killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from coursework import needs
from coursework.files import atomic_writer, remove, try_lock
from coursework.homework import homework
from coursework.installation import (
    LOCK,
    NEEDED_GB,
    VERSION,
    NoReleaseError,
    SetupError,
    advice_on,
    between_lines,
    has_begun,
    pip_install,
    python_of,
    show,
)
from coursework.root import ROOT
from coursework.terminal import complain

# Variables that make Python import other packages, or run other code, than those of the environment.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONPLATLIBDIR", "PYTHONOPTIMIZE", "PYTHONINSPECT")
OF_AN_EDITOR = ("MPLBACKEND", "MATPLOTLIBRC")  # how the user's own programs draw; kernels set the first themselves


def prepare(extra: str | None, arguments: Sequence[str], *, root: Path = ROOT, program: str) -> int | None:
    """Make sure that a command runs in an environment that holds what it needs, and nothing of the user's own.

    It needs requirements.txt and an extra of pyproject.toml. Return None when this process is in the environment and
    may go on; otherwise the exit code of the command, which has run in its own process (on POSIX this process is
    replaced instead), or 1 if the environment could not be created.
    """
    for name in OF_AN_EDITOR:
        os.environ.pop(name, None)
    if os.environ.get("COURSEWORK_NO_VENV") == "1":
        return None
    if needs.is_hosted():  # it has its packages: nothing is installed
        lost = " ".join(needs.missing(needs.required(extra, kernel=True)))
        advice = f"this Python lacks some packages; type: python -m pip install {lost}"
        return complain("set-up", advice) if lost else None
    foreign = [name for name in FOREIGN if os.environ.pop(name, None)]
    os.environ["PYTHONNOUSERSITE"] = "1"
    entered = os.environ.pop("COURSEWORK_VENV", None)  # not inherited: a terminal in JupyterLab may call from outside
    venv = root / ".venv"
    inside = is_inside(venv)
    try:
        if not is_installed(venv, extra, inside) or _aside(venv).exists():
            with _lock(_lock_of(venv)):
                _end_replacement(venv)
                _follow(venv)
                if not is_installed(venv, extra, inside):  # another call may have done it meanwhile
                    install(venv, extra)
            inside, entered = False, None  # this process has seen the old packages: start again with the new ones
    except (SetupError, OSError) as error:
        return complain("set-up", str(error) if isinstance(error, SetupError) else advice_on(str(error), venv))
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return complain("set-up", "stopped; call again to install", 130)
    if inside and not foreign:
        return None
    command = [str(python_of(venv)), "-m", program, *arguments]
    if entered == str(venv):
        return complain("set-up", f"{command[0]} does not run inside {venv}: delete that folder and call again")
    os.environ["COURSEWORK_VENV"] = str(venv)  # prevents an endless loop
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command as well, which decides when it ends
    return subprocess.run(command).returncode


def _say(line: str) -> None:
    print(f"set-up: {line}", file=sys.stderr)


def is_inside(venv: Path) -> bool:
    """Tell whether this process runs in ``venv``, whichever of the folder's names either uses."""
    return venv.exists() and os.path.samefile(sys.prefix, venv)


def is_installed(venv: Path, extra: str | None, inside: bool = False) -> bool:
    """Tell whether ``venv`` is complete and holds what is needed; from inside, also for the running Python."""
    stamp = read_stamp(venv)
    return bool(
        stamp
        and stamp["requirements"] == _requirements(venv.parent)
        and stamp["root"] == str(venv.parent)
        and (extra is None or extra in stamp["extras"])
        and (not inside or stamp["python"] == VERSION)
        and python_of(venv).exists()  # a link to a Python that is gone does not exist
        and (venv / "pyvenv.cfg").exists()
    )


def install(venv: Path, extra: str | None) -> None:
    """Update ``venv``, or replace it if it is unfinished or does not work; after an error, put back what was there."""
    before = read_stamp(venv)
    extras = sorted({*([extra] if extra else []), *(before["extras"] if before else [])})
    if before and not _can_install(venv, before["python"]):
        before = None
    try:
        if before:
            _say(f"bringing {venv} up to date: {_reason(venv, extra, before)}")
            (venv / "stamp.json").unlink()  # a call that is killed leaves an environment that counts as unfinished
        else:
            _make(venv)
        what = ["--editable", "." + (f"[{','.join(extras)}]" if extras else "")]
        locked = _pip_install_as_locked(venv, what)
        _link(venv)
        stamp = {"requirements": _requirements(venv.parent), "root": str(venv.parent), "extras": extras}
        _write_stamp(venv, {**stamp, "python": before["python"] if before else VERSION, "locked": locked})
    except BaseException:
        if before and not has_begun(venv):
            _write_stamp(venv, before)
        raise
    finally:
        _end_replacement(venv)


def _reason(venv: Path, extra: str | None, stamp: dict[str, Any]) -> str:
    """Say what an environment with that stamp lacks."""
    if extra is None or extra in stamp["extras"] or stamp["requirements"] != _requirements(venv.parent):
        return "what it must hold has changed"
    names = needs.required(extra).keys() - {*needs.required(), homework().package}
    return f"this command also needs {', '.join(sorted(names))}"


def _pip_install_as_locked(venv: Path, what: Sequence[str]) -> bool:
    """Install packages as the lock says; where that is impossible, as requirements.txt allows. Tell which."""
    if (venv.parent / LOCK).exists():
        try:
            pip_install(venv, [*what, "--constraint", LOCK])
            return True
        except NoReleaseError:
            instead = "taking what requirements.txt allows"
            _say(f"the versions in {LOCK} cannot be installed here, on Python {VERSION}: {instead}")
    pip_install(venv, what)
    return False


def _aside(venv: Path) -> Path:
    """Return where an environment waits while another is created in its place."""
    return venv.with_name(f"{venv.name}.old")


def _end_replacement(venv: Path) -> None:
    """Remove the old environment if the new one is complete; otherwise put it back."""
    aside = _aside(venv)
    if read_stamp(venv):
        remove(aside)
    elif os.path.lexists(aside):
        remove(venv)
        aside.rename(venv)


def _follow(venv: Path) -> None:
    """After the folder was renamed or copied, make the scripts of ``venv`` and the package work in the new place."""
    stamp = read_stamp(venv)
    if not stamp or stamp["root"] == str(venv.parent):
        return
    old, new = (os.fsencode(Path(root) / venv.name) for root in (stamp["root"], venv.parent))
    for script in venv.glob("bin/*"):
        if script.is_file() and not script.is_symlink() and script.stat().st_size < 100_000:
            first, _, rest = script.read_bytes().replace(old, new).partition(b"\n")
            if first.startswith(b"#!" + new):  # which the system reads only up to a space, and not if it is long
                first = b"#!/bin/sh\n'''exec' \"%s\" \"$0\" \"$@\"\n' '''" % first[2:]
            script.write_bytes(first + b"\n" + rest)
    _link(venv)
    _write_stamp(venv, {**stamp, "root": str(venv.parent)})


def _link(venv: Path) -> None:
    """Let the environment import the package from the repository, wherever a program is started."""
    name = homework().package
    for site in (*venv.glob("lib/python*/site-packages"), *venv.glob("Lib/site-packages")):
        for other in site.glob(f"__editable__*{name}*"):
            other.unlink()
        with atomic_writer(site / f"{name}.pth", "w") as stream:  # in ASCII: its encoding is the user's
            stream.write(f"import sys; sys.path.append({str(venv.parent)!a})\n")


def _requirements(root: Path) -> str:
    """Return a digest of what must be installed."""
    paths = (root / name for name in ("requirements.txt", "pyproject.toml", LOCK))
    contents = b"".join(path.read_bytes() for path in paths if path.exists())
    return hashlib.sha256(contents.replace(b"\r\n", b"\n")).hexdigest()


def read_stamp(venv: Path) -> dict[str, Any] | None:
    """Return the description of a complete installation, None if there is none."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        stamp = json.loads((venv / "stamp.json").read_text(encoding="utf-8"))
        kept = {name: stamp[name] for name in ("requirements", "root", "python", "extras")}
        return {**kept, "locked": bool(stamp.get("locked"))}
    return None


def _write_stamp(venv: Path, stamp: dict[str, Any]) -> None:
    with atomic_writer(venv / "stamp.json", "w") as stream:
        json.dump(stamp, stream)


def _can_install(venv: Path, version: str) -> bool:
    """Tell whether ``venv`` has a pip that runs on Python ``version`` ("major.minor")."""
    command = [str(python_of(venv)), "-c", "import sys, pip; print('%d.%d' % sys.version_info[:2])"]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return False
    return (venv / "pyvenv.cfg").exists() and result.returncode == 0 and result.stdout.strip() == version


def _python_outside(venv: Path) -> str:
    """Return this interpreter, under a name that remains when ``venv`` is removed."""
    python: str = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(python) if Path(python).is_relative_to(venv) else python


def _make(venv: Path) -> None:
    """Create an empty virtual environment; what was in its place waits beside it."""
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        install = f"on Debian and Ubuntu: sudo apt install python{VERSION}-venv"
        raise SetupError(f"this Python {VERSION} ({sys.executable}) has no complete venv module; {install}")
    if os.pathsep in str(venv):
        where = f"in a folder with {os.pathsep!r} in its path"
        raise SetupError(f"no environment can be created {where}: rename {venv.parent}")
    free = shutil.disk_usage(venv.parent).free / 1e9
    if free < NEEDED_GB:
        raise SetupError(f"the disk is too full: {venv} takes up to {NEEDED_GB} GB, and {free:.1f} GB are free")
    if os.name == "nt" and is_inside(venv):
        program = homework().package
        raise SetupError(f"{venv} is damaged and in use: call again with another Python, as in: py -m {program} run")
    _say(f"installing into {venv}: up to {NEEDED_GB} GB, only once; it takes from 3 to 20 minutes")
    python = _python_outside(venv)
    if os.path.lexists(venv):
        venv.rename(_aside(venv))
    command = [python, "-m", "venv", str(venv)]
    result = subprocess.run(command, close_fds=False, capture_output=True, encoding="utf-8", errors="replace")
    if result.returncode != 0:
        raise SetupError(advice_on(result.stdout + result.stderr, venv))


def _lock_of(venv: Path) -> Path:
    """Return the file that whoever installs into ``venv`` locks."""
    return venv.with_name(f"{venv.name}.lock")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Wait until no other call is installing. The system releases the lock when a process ends."""
    with open(path, "w", encoding="utf-8") as stream:
        os.set_inheritable(stream.fileno(), True)
        start, said = time.monotonic(), -math.inf
        while not try_lock(stream):
            seconds = time.monotonic() - start
            if seconds - said >= between_lines():
                said = seconds
                show(f"set-up: another call is installing; waiting for it ({seconds:.0f} s)")
            time.sleep(0.5)
        if sys.stderr.isatty() and said >= 0:
            print(file=sys.stderr)
        yield


def is_installing(venv: Path) -> bool:
    """Tell whether a call is installing into ``venv`` right now."""
    with contextlib.suppress(OSError), open(_lock_of(venv), "r+", encoding="utf-8") as stream:
        return not try_lock(stream)
    return False
