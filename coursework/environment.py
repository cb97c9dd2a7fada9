"""The virtual environment ``.venv``: made, filled and entered by whichever command comes first.

Only the standard library is used, because nothing else is there yet. A stamp in ``.venv`` says what is installed; as
long as it fits, a command starts at once, in that environment, whichever Python it was called with. An interrupted
installation leaves no stamp, so the next call completes it. An environment that must be made anew waits in
``.venv.old`` until the new one is complete, and is back if that fails or is killed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer, try_lock
from coursework.homework import homework
from coursework.installation import (
    NEEDED_GB,
    VERSION,
    SetupError,
    advice_on,
    forget_damaged,
    is_whole,
    packages,
    pip_install,
    python_of,
)
from coursework.root import ROOT

# What makes Python import other packages, or run other code, than those of the environment.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONPLATLIBDIR", "PYTHONOPTIMIZE", "PYTHONINSPECT")
OF_AN_EDITOR = ("MPLBACKEND", "MATPLOTLIBRC")  # how the user's own programs draw; kernels set the first themselves


def prepare(extra: str | None, arguments: Sequence[str], *, root: Path = ROOT, program: str) -> int | None:
    """See to it that the command runs in an environment that holds what it needs, and nothing of the user's own.

    Args:
        extra: the extra of pyproject.toml that the command needs beside requirements.txt.
        arguments: the command line, to be run again inside the environment.
        root: the repository.
        program: the module that is called.

    Returns:
        None when this process is in the environment and may go on; else the exit code of the command, which has run
        in a process of its own, or 1 if the environment could not be made. On POSIX the process is replaced instead.
    """
    for name in OF_AN_EDITOR:
        os.environ.pop(name, None)
    if os.environ.get("COURSEWORK_NO_VENV") == "1":
        return None
    foreign = [name for name in FOREIGN if os.environ.pop(name, None)]
    os.environ["PYTHONNOUSERSITE"] = "1"
    entered = os.environ.pop("COURSEWORK_VENV", None)  # not handed on: a terminal in JupyterLab may call from outside
    venv = root / ".venv"
    inside = _is_inside(venv)
    try:
        if not is_installed(venv, extra, inside) or _aside(venv).exists():
            with _lock(root / ".venv.lock"):
                _end_replacement(venv)
                _follow(venv)
                if not is_installed(venv, extra, inside):  # another call may have done it meanwhile
                    install(venv, extra)
            inside, entered = False, None  # this process has seen the old packages: start again with the new ones
    except (SetupError, OSError) as error:
        print(f"set-up: {error if isinstance(error, SetupError) else advice_on(str(error), venv)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: stopped; the next call goes on", file=sys.stderr)
        return 130
    if inside and not foreign:
        return None
    command = [str(python_of(venv)), "-m", program, *arguments]
    if entered == str(venv):
        print(f"set-up: {command[0]} does not run inside {venv}: delete that folder and call again", file=sys.stderr)
        return 1
    variables = {**os.environ, "COURSEWORK_VENV": str(venv)}  # against going round in circles
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


def is_installed(venv: Path, extra: str | None, inside: bool = False) -> bool:
    """Tell whether ``venv`` is whole and holds what is wanted; from inside also whether it is of the running Python."""
    stamp = _read_stamp(venv)
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
    """Bring ``venv`` up to date, or make it anew if it does not work or is the unfinished one of another Python.

    Raises:
        SetupError: if that fails; what was there is there again. The full output is in install.log in ``venv``.
    """
    stamp, version = _read_stamp(venv), _version_of(venv)
    extras = sorted({*([extra] if extra else []), *(stamp["extras"] if stamp else [])})
    try:
        if version is None or (stamp is None and version != VERSION):
            version = VERSION
            _make(venv)
        else:
            print(f"set-up: bringing {venv} up to date", file=sys.stderr)
            if stamp is None:
                forget_damaged(venv)
        pip_install(venv, ["--editable", "." + (f"[{','.join(extras)}]" if extras else "")])
        _link(venv)
        _write_stamp(venv, version, extras)
    except OSError as error:
        raise SetupError(advice_on(str(error), venv)) from error
    finally:
        _end_replacement(venv)


def _aside(venv: Path) -> Path:
    """Return where an environment waits while another is made in its place."""
    return venv.with_name(f"{venv.name}.old")


def _end_replacement(venv: Path) -> None:
    """Remove the old environment if the new one is complete; else put it back."""
    aside = _aside(venv)
    if not os.path.lexists(aside):
        return
    if _read_stamp(venv):
        _remove(aside)
        return
    with contextlib.suppress(OSError):
        shutil.copy(venv / "install.log", aside / "install.log")
    _remove(venv)
    aside.rename(venv)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _follow(venv: Path) -> None:
    """After the folder was renamed or copied, let the scripts of ``venv`` and the package be found in the new place."""
    stamp = _read_stamp(venv)
    if not stamp or stamp["root"] == str(venv.parent):
        return
    old, new = (os.fsencode(Path(root) / venv.name) for root in (stamp["root"], venv.parent))
    for script in venv.glob("bin/*"):
        if script.is_symlink() or not script.is_file() or script.stat().st_size > 100_000:
            continue
        content = script.read_bytes()
        changed = content.replace(old, new)
        first, _, rest = changed.partition(b"\n")
        if first.startswith(b"#!" + new):  # which the system reads only up to a space, and not if it is long
            changed = b"#!/bin/sh\n'''exec' \"%s\" \"$0\" \"$@\"\n' '''\n%s" % (first[2:], rest)
        if changed != content:
            temporary = script.with_name(f"{script.name}.part")
            temporary.write_bytes(changed)
            shutil.copymode(script, temporary)
            temporary.replace(script)
    _link(venv)
    _write_stamp(venv, stamp["python"], stamp["extras"])


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
    contents = b"".join((root / name).read_bytes() for name in ("requirements.txt", "pyproject.toml"))
    return hashlib.sha256(contents.replace(b"\r\n", b"\n")).hexdigest()


def _read_stamp(venv: Path) -> dict[str, Any] | None:
    """Return the description of a complete installation, None if there is none."""
    try:
        stamp = json.loads((venv / "stamp.json").read_text(encoding="utf-8"))
        return {name: stamp[name] for name in ("requirements", "root", "python", "extras")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_stamp(venv: Path, python: str, extras: Sequence[str]) -> None:
    stamp = {"requirements": _requirements(venv.parent), "root": str(venv.parent), "python": python, "extras": extras}
    with atomic_writer(venv / "stamp.json", "w") as stream:
        json.dump(stamp, stream)


def _version_of(venv: Path) -> str | None:
    """Return "major.minor" of the Python that ``venv`` holds, None if it cannot install anything."""
    if not (venv / "pyvenv.cfg").exists():
        return None
    if not any(package.name.startswith("pip-") and is_whole(package) for package in packages(venv)):
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
    """Make an empty virtual environment; what was in its place waits beside it."""
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise SetupError(
            f"this Python {VERSION} ({sys.executable}) has no complete venv module; "
            f"on Debian and Ubuntu: sudo apt install python{VERSION}-venv"
        )
    if os.pathsep in str(venv):
        raise SetupError(
            f"no environment can be made in a folder with {os.pathsep!r} in its path: rename {venv.parent}"
        )
    free = shutil.disk_usage(venv.parent).free / 1e9
    if free < NEEDED_GB:
        raise SetupError(f"the disk is too full: {venv} takes up to {NEEDED_GB} GB, and {free:.1f} GB are free")
    program = homework().package
    program = homework().package
    if os.name == "nt" and _is_inside(venv):
        raise SetupError(f"{venv} is damaged and in use: call again with another Python, as in: py -m {program} run")
    print(
        f"set-up: installing into {venv}: up to {NEEDED_GB} GB, only once; it takes from 3 to 20 minutes,",
        file=sys.stderr,
    )
    print("set-up: and pip says nothing for a good part of them, while it unpacks PyTorch", file=sys.stderr)
    python = _python_outside(venv)
    if os.path.lexists(venv):
        venv.rename(_aside(venv))
    command = [python, "-m", "venv", str(venv)]
    result = subprocess.run(command, close_fds=False, capture_output=True, encoding="utf-8", errors="replace")
    if result.returncode != 0:
        raise SetupError(advice_on(result.stdout + result.stderr, venv))


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Keep a second installation waiting until the first is done. The system lifts the lock when a process ends."""
    try:
        stream = open(path, "w", encoding="utf-8")  # noqa: SIM115  (held open: that is the lock)
    except OSError as error:
        raise SetupError(advice_on(str(error), path.parent)) from error
    with stream:
        os.set_inheritable(stream.fileno(), True)
        waiting = False
        while not try_lock(stream):
            if not waiting:
                print("set-up: another call is installing; waiting for it", file=sys.stderr)
            waiting = True
            time.sleep(0.5)
        yield
