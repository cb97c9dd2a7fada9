"""Unsaved changes, as far as they can be seen: the marks that editors leave, and what a running Jupyter server says.

What stands in a browser and nowhere else cannot be seen. But a kernel that was active after the last save has, most
likely, results that are not in the file.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import list_running_servers

from cs7643.submission.finding import Finding

PATIENCE = 2.0  # seconds for a server to answer
SLACK = 2.0  # seconds by which clocks and a save's own messages may differ
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
        if kernel.get("execution_state") == "busy":
            return "it is open in JupyterLab, and a cell is running"
        active = datetime.fromisoformat(kernel["last_activity"].replace("Z", "+00:00")).timestamp()
        if active > saved + SLACK:
            return "it is open in JupyterLab, and its kernel was active after the last save"
    return ""


def _sessions() -> dict[Path, list[dict[str, Any]]]:
    """Return the kernels of each open notebook, from every Jupyter server of this user that answers."""
    found: dict[Path, list[dict[str, Any]]] = {}
    for server in list_running_servers():
        base = Path(server.get("root_dir") or server.get("notebook_dir") or ".")
        request = urllib.request.Request(urllib.parse.urljoin(server["url"], "api/sessions"))
        request.add_header("Authorization", f"token {server.get('token', '')}")
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the server is on this machine
            with opener.open(request, timeout=PATIENCE) as answer:
                sessions = json.load(answer)
        except (OSError, ValueError):  # it ended without a word, or wants a password
            continue
        for session in sessions:
            path = session.get("path") or session.get("notebook", {}).get("path", "")
            found.setdefault((base / path).resolve(), []).append(session["kernel"])
    return found
