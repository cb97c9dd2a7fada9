"""Unsaved changes, as far as they can be seen: the marks that editors leave, and what a running Jupyter server says.

What stands in a browser and nowhere else cannot be seen. But a kernel that was active after the last save has, most
likely, results that are not in the file.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_runtime_dir

from coursework.submit.finding import Finding

PATIENCE = 2.0  # seconds for a server to answer
SLACK = 2.0  # seconds by which clocks and a save's own messages may differ
# What the file of a server or the server itself may lead to: it ended, wants a password, or is something else by now.
STRANGE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, http.client.HTTPException)
SAVE = "Save it there (Ctrl+S or Cmd+S), wait until the kernel is idle, and call again."


def marks(path: Path) -> list[str]:
    """Return the names of the files by which an editor says that ``path`` is open with unsaved changes."""
    swaps = [f".{path.name}.{ending}" for ending in ("swp", "swo")]  # Vim
    others = [f".#{path.name}", f"#{path.name}#", f".~{path.name}", f".{path.name}.kate-swp", f".~lock.{path.name}#"]
    return [name for name in (*swaps, *others) if (path.parent / name).exists() or (path.parent / name).is_symlink()]


def inspect(root: Path, names: Iterable[str]) -> list[Finding]:
    """Say which files are open with unsaved changes.

    Args:
        root: the repository.
        names: of the files, relative to it.
    """
    found = []
    sessions = _sessions()
    for name in names:
        path = root / name
        left = marks(path)
        if left:
            problem = f"an editor has unsaved changes (it left {left[0]})"
            found.append(Finding(name, problem, f"Save and close it there; if no editor is open, remove {left[0]}."))
        elif path.is_file() and path.suffix == ".ipynb":
            problem = _unsaved(sessions.get(path.resolve(), []), path.stat().st_mtime)
            if problem:
                found.append(Finding(name, problem, SAVE))
    return found


def _unsaved(kernels: list[dict[str, Any]], saved: float) -> str:
    for kernel in kernels:
        with contextlib.suppress(*STRANGE):
            if kernel.get("execution_state") == "busy":
                return "it is open in JupyterLab, and a cell is running"
            active = datetime.fromisoformat(kernel["last_activity"].replace("Z", "+00:00")).timestamp()
            if active > saved + SLACK:
                return "it is open in JupyterLab, and its kernel was active after the last save"
    return ""


def _sessions() -> dict[Path, list[dict[str, Any]]]:
    """Return the kernels of each open notebook, from every Jupyter server of this user that answers."""
    found: dict[Path, list[dict[str, Any]]] = {}
    for record in _servers():
        with contextlib.suppress(*STRANGE):
            server = json.loads(record.read_bytes())
            base = Path(server.get("root_dir") or server.get("notebook_dir") or ".")
            address = urllib.parse.urljoin(server["url"], "api/sessions")
            request = urllib.request.Request(address, headers={"Authorization": f"token {server.get('token', '')}"})
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the server is on this machine
            with opener.open(request, timeout=PATIENCE) as answer:
                sessions = json.load(answer)
            for session in sessions:
                path = session.get("path") or session.get("notebook", {}).get("path", "")
                found.setdefault((base / path).resolve(), []).append(session["kernel"])
    return found


def _servers() -> Iterator[Path]:
    """Return the files in which Jupyter servers say where they are; some may be left over, or another user's."""
    with contextlib.suppress(OSError):
        yield from (path for path in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")) if path.is_file())
