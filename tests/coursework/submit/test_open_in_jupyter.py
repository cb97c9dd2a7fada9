"""A notebook that is open in a real JupyterLab, with results that are not in its file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request

import pytest
from jupyter_client import BlockingKernelClient
from jupyter_server.serverapp import list_running_servers
from repository import make

from coursework.submit import editors

NOTEBOOK = "notebooks/4_layers.ipynb"


def wait_for(condition, seconds=60):
    for _ in range(seconds * 10):
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError


@pytest.fixture
def server(tmp_path, monkeypatch):
    root = make(tmp_path / "homework")
    runtime = tmp_path / "runtime"
    for name, folder in (("JUPYTER_RUNTIME_DIR", runtime), ("JUPYTER_CONFIG_DIR", tmp_path / "config")):
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root / 'notebooks'}", "--no-browser"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            (found,) = wait_for(lambda: list(list_running_servers()))
            wait_for(lambda: answers(found, "api/status"))
            yield root, runtime, found
        finally:
            process.terminate()


def answers(server, path, body=None):
    request = urllib.request.Request(server["url"] + path, method="POST" if body else "GET")
    request.add_header("Authorization", f"token {server['token']}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, json.dumps(body).encode() if body else None, timeout=30) as answer:
            return json.load(answer)
    except OSError:
        return None


def ready(client):
    """Whether the kernel answers; a client calls it dead while its heart has not begun to beat, on a busy machine."""
    try:
        client.wait_for_ready(timeout=60)
    except RuntimeError:
        return False
    return True


@pytest.mark.slow
def test_results_that_are_not_saved_are_seen(server):
    root, runtime, found = server
    assert editors.inspect(root, [NOTEBOOK]) == []
    body = {"path": "4_layers.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    session = answers(found, "api/sessions", body)
    client = BlockingKernelClient()
    client.load_connection_file(str(runtime / f"kernel-{session['kernel']['id']}.json"))
    client.start_channels()
    wait_for(lambda: ready(client))
    path = root / NOTEBOOK
    os.utime(path, (time.time() + 60, time.time() + 60))  # saved after everything that has happened
    wait_for(lambda: editors.inspect(root, [NOTEBOOK]) == [])

    client.execute("import time; time.sleep(3)")
    (problem,) = wait_for(lambda: editors.inspect(root, [NOTEBOOK]))
    assert problem.problem == "it is open in JupyterLab, and a cell is running"
    wait_for(lambda: editors.inspect(root, [NOTEBOOK]) == [])

    os.utime(path, (time.time() - 60, time.time() - 60))  # saved before the cell ran
    (problem,) = editors.inspect(root, [NOTEBOOK])
    assert problem.problem == "it is open in JupyterLab, and its kernel was active after the last save"
    assert "Ctrl+S" in problem.remedy
    assert editors.inspect(root, ["notebooks/2_autodiff.ipynb"]) == []
    client.stop_channels()
