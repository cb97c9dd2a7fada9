"""The set-up of the environment, run for real in small repositories that install nothing but themselves."""

from __future__ import annotations

import argparse
import ast
import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small import ROOT, call

from coursework import environment, installation
from coursework.commands import doctor


@pytest.mark.slow
def test_the_first_call_installs_and_later_ones_start_at_once(repository):
    first = call(repository, "check", "6.2")
    assert first.returncode == 0, first.stderr
    assert first.stdout == f"{os.path.realpath(repository / '.venv')} ['6.2']\n"
    assert "set-up: installing" in first.stderr

    second = call(repository, "check", "fail")
    assert (second.returncode, second.stderr) == (7, "")  # nothing to set up, and the command's own exit code

    inside = call(repository, "check", python=environment.python_of(repository / ".venv"))
    assert (inside.returncode, inside.stderr) == (0, "")

    with open(repository / "pyproject.toml", "a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    updated = call(repository, "check").stderr.splitlines()
    assert updated[0].endswith(".venv up to date: what it must hold has changed")
    assert all(line.startswith("set-up: ") for line in updated)  # what pip says is in its log
    assert call(repository, "check").stderr == ""

    for said in ("set-up: bringing", "Traceback"):  # the extra of `submit`, once; the command itself is not here
        assert call(repository, "submit").stderr.startswith(said)

    (repository / ".venv" / "stamp.json").unlink()  # as after an installation that was cut off
    assert "set-up: installing" in call(repository, "check").stderr
    assert not (repository / ".venv.log").exists()

    (repository / ".venv" / "pyvenv.cfg").unlink()  # now its Python takes itself for the one that it was made from
    remade = call(repository, "check", python=environment.python_of(repository / ".venv"))
    assert remade.returncode == 0, remade.stderr
    assert "set-up: installing" in remade.stderr

    (repository / "requirements.txt").write_text("no-such-package-anywhere\n", encoding="utf-8")
    failed = call(repository, "check")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith("set-up: the package index cannot be reached: connect")
    assert failed.stderr.endswith(f"; the log is {repository / '.venv.log'}\n")
    assert failed.stdout == ""
    (repository / "requirements.txt").write_text("", encoding="utf-8")
    assert call(repository, "check").returncode == 0


def test_an_update_for_a_command_names_its_packages(tmp_path):
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    venv = tmp_path / ".venv"
    stamp = {"requirements": environment._requirements(tmp_path), "extras": []}
    assert environment._reason(venv, "pdf", stamp) == "this command also needs pypandoc_binary, pypdf, typst"
    assert environment._reason(venv, "pdf", {**stamp, "extras": ["pdf"]}) == "what it must hold has changed"
    assert environment._reason(venv, "pdf", {**stamp, "requirements": "old"}) == "what it must hold has changed"


def test_what_waits_for_another_call_says_so_again_and_the_doctor_says_it_too(tmp_path, monkeypatch, capsys):
    venv, clock = tmp_path / ".venv", itertools.count(0, 10)
    assert not environment.is_installing(venv)
    tries = iter([False] * 7 + [True])
    with environment._lock(environment._lock_of(venv)):
        assert environment.is_installing(venv)
        monkeypatch.setattr(doctor, "VENV", venv)
        monkeypatch.delenv("COURSEWORK_NO_VENV", raising=False)
        assert doctor.main(argparse.Namespace()) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith("wait  .venv     a call is installing")
    assert not environment.is_installing(venv)

    monkeypatch.setattr(environment, "try_lock", lambda stream: next(tries))
    monkeypatch.setattr(environment.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(environment.time, "sleep", lambda seconds: None)
    with environment._lock(environment._lock_of(venv)):
        pass
    line = "set-up: another call is installing; waiting for it"
    assert capsys.readouterr().err.splitlines() == [f"{line} ({seconds} s)" for seconds in (10, 40, 70)]


def test_a_line_on_pip_is_short_and_says_when_pip_is_silent(tmp_path, monkeypatch, capfd):
    packages = "Installing collected packages: " + ", ".join(f"package{k}" for k in range(130))
    for said, silent, expected in [
        ("", 0, "starting pip"),
        ("Collecting numpy\n\n", 29, "Collecting numpy"),
        ("Collecting numpy\n", 60, "pip is silent for 60 s; it said: Collecting numpy"),
        (f"{packages}\n  Removed old\n", 0, "Removed old"),
        (f"{packages}\n  Removed old\n", 30, "unpacking; pip is silent meanwhile"),
    ]:
        assert installation._progress(said, 7.2, 0, silent) == f"set-up: 7 s: {expected}"
    assert installation._progress("a", 7.2, 31.6, 0) == "set-up: 7 s, 32 MB fetched: a"

    monkeypatch.setattr(installation, "EVERY", 0.5)
    program = f"import time; print({packages!r}, flush=True); time.sleep(3)"
    assert installation._run_pip([sys.executable, "-c", program], tmp_path, os.environ, tmp_path) == 0
    lines = capfd.readouterr().err.splitlines()
    assert any("Installing collected packages: package0" in line for line in lines)
    assert lines[-1].endswith("unpacking; pip is silent meanwhile")
    assert max(map(len, lines)) == installation.NO_TERMINAL


@pytest.mark.slow
def test_two_first_calls_at_once_wait_for_each_other(repository):
    command = [sys.executable, "-m", "cs7643", "check"]
    variables = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PYTHONUTF8": "1"}
    options = {"cwd": repository, "env": variables, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, **options) for _ in range(2)]
    results = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert sum(b"set-up: installing" in stderr for _, stderr in results) == 1


def test_an_old_python_is_told_so_in_one_line(repository):
    for name in ("__init__.py", "__main__.py"):
        ast.parse((repository / "cs7643" / name).read_text(encoding="utf-8"), feature_version=(3, 4))
    program = "import runpy, sys; sys.version_info = (3, 9, 18); runpy.run_module('cs7643', run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "needs Python 3.10 or newer" in result.stderr
    assert "is Python 3.9" in result.stderr
    assert not (repository / ".venv").exists()


def test_a_python_without_venv_is_told_what_to_install(repository, monkeypatch, capsys):
    found = environment.importlib.util.find_spec
    monkeypatch.setattr(
        environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else found(name)
    )
    assert environment.prepare(None, ["check"], root=repository, program="cs7643") == 1
    message = capsys.readouterr().err
    assert "no complete venv module" in message
    assert f"sudo apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in message
    assert not (repository / ".venv").exists()


def test_a_process_that_never_gets_inside_does_not_try_for_ever(repository, monkeypatch, capsys):
    monkeypatch.setattr(environment, "is_installed", lambda *_: True)
    monkeypatch.setenv("COURSEWORK_VENV", str(repository / ".venv"))
    assert environment.prepare(None, ["check"], root=repository, program="cs7643") == 1
    assert "delete that folder and call again" in capsys.readouterr().err


def test_a_disk_that_fills_up_is_named_even_when_nobody_says_so(tmp_path, monkeypatch):
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: full)
    assert "the disk is full" in installation.advice_on("ensurepip returned non-zero exit status 1", tmp_path / ".venv")


def test_a_disk_without_room_is_noticed_before(repository, monkeypatch, capsys):
    monkeypatch.setattr(environment, "NEEDED_GB", 10**9)
    assert environment.prepare(None, ["check"], root=repository, program="cs7643") == 1
    assert "the disk is too full" in capsys.readouterr().err
    assert not (repository / ".venv").exists()


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("[Errno 13] Permission denied: '/srv/hw/.venv'", "cannot be written"),
        (
            "WARNING: Retrying ... NewConnectionError ...\nERROR: No matching distribution found for numpy",
            "cannot be reached",
        ),
        ("ERROR: No matching distribution found for torch>2.13", "no release of torch>2.13 fits Python 3."),
        ("ERROR: ResolutionImpossible: for help visit a page", "exclude each other on Python 3."),
        ("something else\n", "the installation failed (something else); see the log"),
        ("", "no output"),
    ],
)
def test_what_pip_says_becomes_a_line_of_advice(output, advice):
    line = installation.advice_on(output, Path(".venv"), "; see the log")
    assert advice in line
    assert "\n" not in line


def test_the_set_up_can_be_left_out(repository, monkeypatch):
    monkeypatch.setenv("COURSEWORK_NO_VENV", "1")
    assert environment.prepare("dev", ["test"], root=repository, program="cs7643") is None
    assert not (repository / ".venv").exists()


def test_each_requirement_has_a_reason():
    reasons = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        name = requirement.split(">")[0]
        assert f"#   {name} " in reasons, f"pyproject.toml does not say what {name} is for"


def test_make_lists_its_targets():
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    result = subprocess.run(["make", "PYTHON=python3"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0
    for target in ("run", "test", "lab", "data", "check", "bench", "student", "clean"):
        assert f"make {target}" in result.stdout


def test_make_does_the_same_beside_the_notebooks():
    if shutil.which("make") is None:
        pytest.skip("there is no make here")
    for words in ([], ["check", "6.2"]):
        shown = []
        for folder in (ROOT, ROOT / "notebooks"):
            command = ["make", "--no-print-directory", "--dry-run", "PYTHON=python3", *words]
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert (result.returncode, result.stderr) == (0, "")
            shown.append([line for line in result.stdout.splitlines() if line not in (":", "true")])
        assert shown[0] == [line for line in shown[1] if " -C .. " not in line]


@pytest.mark.parametrize(("arguments", "status"), [((), 2), (("nonsense",), 2), (("--help",), 0), (("--version",), 0)])
def test_the_command_line_explains_itself(repository, arguments, status):
    result = call(repository, *arguments)
    assert result.returncode == status
    assert "usage: python -m cs7643" in result.stdout + result.stderr or result.stdout == "1.0.0\n"
    assert not (repository / ".venv").exists()
