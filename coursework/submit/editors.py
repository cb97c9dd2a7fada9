"""Unsaved changes, as far as they can be seen: the marks that editors leave, and what a running Jupyter server says.

Changes that exist only in a browser cannot be seen. But a kernel that was active after the last save has, most
likely, results that are not in the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_runtime_dir

from coursework.submit.finding import Finding

PATIENCE = 2.0  # seconds for a server to answer
SLACK = 2.0  # seconds by which clocks and a save's own messages may differ
MARKS = (".{}.swp", ".{}.swo", ".#{}", "#{}#", ".~{}", ".{}.kate-swp", ".~lock.{}#")  # of a file with unsaved changes
SAVE = "Save it there (Ctrl+S or Cmd+S), wait until the kernel is idle, and call again."


def inspect(root: Path, names: Iterable[str]) -> list[Finding]:
    """Say which files of the repository are open with unsaved changes."""
    found = []
    sessions = _sessions()
    for name in names:
        path = root / name
        marks = (mark.format(path.name) for mark in MARKS)
        if left := next((mark for mark in marks if os.path.lexists(path.parent / mark)), ""):
            problem = f"an editor has unsaved changes (it left {left})"
            found.append(Finding(name, problem, f"Save and close it there; if no editor is open, remove {left}."))
        elif path.is_file() and (problem := _unsaved(sessions.get(path.resolve(), []), path.stat().st_mtime)):
            found.append(Finding(name, problem, SAVE))
    return found


def _unsaved(kernels: list[dict[str, Any]], saved: float) -> str:
    for kernel in kernels:
        with contextlib.suppress(Exception):  # whatever a server says
            if kernel.get("execution_state") == "busy":
                return "it is open in JupyterLab, and a cell is running"
            active = datetime.fromisoformat(kernel["last_activity"].replace("Z", "+00:00")).timestamp()
            if active > saved + SLACK:
                return "it is open in JupyterLab, and its kernel was active after the last save"
    return ""


def _sessions() -> dict[Path, list[dict[str, Any]]]:
    """Return the kernels of each open notebook, from every Jupyter server of this user that answers."""
    found: dict[Path, list[dict[str, Any]]] = {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the servers are on this machine
    for record in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        # The server may have ended, want a password, be another user's, or be something else by now.
        with contextlib.suppress(Exception):
            if not record.is_file():
                continue
            server = json.loads(record.read_bytes())
            base = Path(server.get("root_dir") or server.get("notebook_dir") or ".")
            address = urllib.parse.urljoin(server["url"], "api/sessions")
            request = urllib.request.Request(address, headers={"Authorization": f"token {server.get('token', '')}"})
            with opener.open(request, timeout=PATIENCE) as answer:
                for session in json.load(answer):
                    path = session.get("path") or session.get("notebook", {}).get("path", "")
                    found.setdefault((base / path).resolve(), []).append(session["kernel"])
    return found
