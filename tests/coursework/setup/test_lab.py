"""The command ``lab``: a real JupyterLab, started by a user whose own settings would break it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from coursework.commands import lab
from coursework.notebooks import kernels as notebooks
from coursework.root import ROOT


def settings(home):
    """Write what a user may have set, and return the variables that lead to it."""
    files = {
        "packages/numpy.py": "__version__ = 'another'",
        "jupyter/kernels/python3/kernel.json": '{"argv": ["false"], "display_name": "x", "language": "x"}',
        "ipython/profile_default/startup/0.py": "planted = True",
        "config/jupyter_server_config.py": "raise SystemExit('broken')",
        "config/jupyter_lab_config.py": "raise SystemExit('broken')",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return {
        "PYTHONPATH": str(home / "packages"),
        "JUPYTER_PATH": str(home / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLBACKEND": "module://nowhere",
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that only this process would get")
def test_jupyterlab_starts_with_our_kernel_and_submit_finds_it(tmp_path):
    code = "import sys; from types import SimpleNamespace; from coursework.commands import lab;"
    code += "sys.exit(lab.main(SimpleNamespace(arguments=sys.argv[1:])))"
    options = ["--no-browser", "--port=0", "--ServerApp.token=secret"]
    environment = {**os.environ, **settings(tmp_path)}
    environment.pop("PYTHONPATH")  # the environment of the command has none
    process = subprocess.Popen(
        [sys.executable, "-c", code, *options],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while not (found := list((tmp_path / "runtime").glob("jpserver-*.json"))):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        server = json.loads(found[0].read_text(encoding="utf-8"))
        assert Path(server["root_dir"]) == ROOT
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask(path):
            headers = {"Authorization": f"token {server['token']}"}
            with opener.open(urllib.request.Request(server["url"] + path, headers=headers), timeout=60) as answer:
                return answer.geturl(), answer.read().decode()

        assert urllib.parse.urlparse(server["url"]).hostname in ("localhost", "127.0.0.1")
        assert urllib.parse.urlparse(ask("")[0]).path == "/lab/tree/notebooks/1_gradient_descent.ipynb"
        for path in ("cs7643/descent.py", "collaborators.txt", "experiments/run_softmax.sh"):  # what students edit
            assert json.loads(ask(f"api/contents/{path}")[1])["writable"]
        kernels = json.loads(ask("api/kernelspecs")[1])
        assert kernels["default"] == "python3"
        assert kernels["kernelspecs"]["python3"]["spec"]["argv"] == notebooks.KERNEL
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_kernel_of_jupyterlab_has_nothing_of_the_users(tmp_path, monkeypatch):
    for name, value in settings(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ARGS", "-- --no-browser")  # as in `make lab ARGS=...`
    notebooks.prepare()
    environment = lab.environment()
    assert "ARGS" not in environment
    assert environment["JUPYTER_RUNTIME_DIR"] == str(tmp_path / "runtime")
    assert environment["JUPYTERLAB_SETTINGS_DIR"] == str(tmp_path / "config" / "lab" / "user-settings")
    in_terminal = [sys.executable, "-m", "cs7643", "--version"]
    assert subprocess.run(in_terminal, cwd=tmp_path, env=environment, capture_output=True).returncode == 0
    monkeypatch.setenv("JUPYTER_PATH", environment["JUPYTER_PATH"])
    manager, client = start_new_kernel(env=environment, cwd=str(tmp_path))
    said = []
    try:
        source = "import os, numpy; print(numpy.__version__ != 'another', 'planted' in globals(), os.environ)"
        client.execute_interactive(source, timeout=60, output_hook=lambda m: said.append(m["content"].get("text", "")))
        blank = "%load_ext coursework.kernel\nraise NotImplementedError('Task 1: proximal_step')"
        reply = client.execute_interactive(blank, timeout=60, output_hook=lambda message: None)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok"  # a blank does not stop the notebook
    text = "".join(said)
    assert text.startswith("True False")
    assert "TQDM_DISABLE" not in text
    assert str(tmp_path / "packages") not in text
    assert "'PYTHONPATH': ''" in text
