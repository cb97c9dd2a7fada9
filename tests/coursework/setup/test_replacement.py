"""An environment is never worse than before: entered, kept, moved and replaced, in small repositories that are real."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import small
from small import call, interpreters

from coursework.environment import FOREIGN, python_of

pytestmark = pytest.mark.slow
OTHERS = [path for version, path in interpreters().items() if version >= (3, 10) and version != sys.version_info[:2]]
needs_another = pytest.mark.skipif(not OTHERS, reason="there is no other Python, 3.10 or newer, here")
posix = pytest.mark.skipif(os.name == "nt", reason="links, signals and scripts of POSIX")


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A repository with a working environment, and a copy of both to go back to."""
    root = tmp_path_factory.mktemp("set-up") / "a folder with späces"
    small.build(root)
    assert call(root, "check").returncode == 0
    (root / ".venv" / "mark").touch()
    return root, shutil.copytree(root, root.with_name("kept"), symlinks=True)


@pytest.fixture
def installed(first):
    """A repository with a working environment, which a mark tells from one that is made later."""
    root, kept = first
    shutil.rmtree(root, ignore_errors=True)
    for path in root.parent.iterdir():  # what a test before left beside it
        if path != kept:
            shutil.rmtree(path)
    return shutil.copytree(kept, root, symlinks=True)


def out_of_reach(root):
    """Let the requirements ask for what cannot be had."""
    (root / "requirements.txt").write_text("no-such-package-anywhere\n", encoding="utf-8")


def assert_enters(root, **options):
    result = call(root, "check", **options)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{os.path.realpath(root / '.venv')} []\n"
    assert (root / ".venv" / "mark").exists()
    assert not (root / ".venv.old").exists()


@needs_another
def test_a_working_environment_is_entered_whichever_python_calls(installed):
    for python in OTHERS:
        assert_enters(installed, python=python)


@needs_another
def test_an_environment_that_another_python_cannot_replace_stays(installed):
    stamp = (installed / ".venv" / "stamp.json").read_bytes()
    out_of_reach(installed)
    for lost in (False, True):  # with its stamp it is brought up to date; without it is made anew; both fail
        if lost:
            (installed / ".venv" / "stamp.json").unlink()
        failed = call(installed, "check", python=OTHERS[0])
        assert failed.returncode == 1
        assert ("set-up: installing into" in failed.stderr) is lost
        assert failed.stderr.splitlines()[-1].startswith("set-up: the package index cannot be reached")
        assert (installed / ".venv" / "mark").exists()
        assert not (installed / ".venv.old").exists()
    (installed / "requirements.txt").write_text("", encoding="utf-8")
    (installed / ".venv" / "stamp.json").write_bytes(stamp)
    assert_enters(installed, python=OTHERS[0])


def test_an_update_that_installs_nothing_leaves_everything_in_use(installed):
    out_of_reach(installed)
    assert call(installed, "check").returncode == 1
    (installed / "requirements.txt").write_text("", encoding="utf-8")
    assert_enters(installed)


@posix
@pytest.mark.parametrize("reachable", [False, True])
def test_a_replacement_that_is_killed_is_undone_and_begun_again(installed, reachable):
    (installed / ".venv" / "pyvenv.cfg").unlink()  # so that it must be made anew
    backend = (installed / "backend.py").read_text(encoding="utf-8")
    blocked = "import pathlib, time\npathlib.Path('reached').touch()\ntime.sleep(600)\n"
    (installed / "backend.py").write_text(blocked, encoding="utf-8")
    command, variables = [sys.executable, "-m", "cs7643", "check"], {**os.environ, "PIP_CONFIG_FILE": os.devnull}
    variables.pop("COURSEWORK_NO_VENV", None)
    with subprocess.Popen(
        command, cwd=installed, env=variables, stderr=subprocess.DEVNULL, start_new_session=True
    ) as p:
        deadline = time.monotonic() + 100
        while not (installed / "reached").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(p.pid, signal.SIGKILL)
    assert (installed / "reached").exists()
    assert (installed / ".venv.old" / "mark").exists()
    assert not (installed / ".venv" / "mark").exists()

    (installed / "backend.py").write_text(backend, encoding="utf-8")
    if not reachable:
        out_of_reach(installed)
    result = call(installed, "check")
    assert result.returncode == (0 if reachable else 1), result.stderr
    assert (installed / ".venv" / "mark").exists() is not reachable
    assert not (installed / ".venv.old").exists()


@posix
def test_killed_between_the_two_renames_or_while_the_old_one_is_removed(installed):
    venv, aside = installed / ".venv", installed / ".venv.old"
    venv.rename(aside)
    assert_enters(installed)
    (aside / "lib").mkdir(parents=True)  # a rest of the old one, beside the new one, which is complete
    assert_enters(installed)


@posix
def test_a_python_that_is_gone_is_noticed(installed):
    python = python_of(installed / ".venv")
    python.unlink()
    python.symlink_to(installed / "no" / "python")
    result = call(installed, "check")
    assert result.returncode == 0, result.stderr
    assert "set-up: installing" in result.stderr


@posix
def test_a_renamed_folder_works_without_a_network_and_back_again(installed, tmp_path):
    (installed / "backend.py").write_text("raise RuntimeError('nothing may be installed')\n", encoding="utf-8")
    places = [installed, tmp_path / "renamed", tmp_path / ("long " * 30), installed]
    for previous, place in itertools.pairwise(places):
        previous.rename(place)
        assert_enters(place)
        for program in ([".venv/bin/pip", "--version"], [".venv/bin/python", "-c", "import cs7643; print(cs7643)"]):
            result = subprocess.run(program, cwd=place, capture_output=True, encoding="utf-8")
            assert result.returncode == 0, result.stderr
            assert f"{place}/" in result.stdout
    assert not list((installed / ".venv" / "bin").glob("*.part"))


@posix
def test_a_copy_beside_the_original_imports_its_own_package(installed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(installed, copy, symlinks=True)
    assert_enters(copy)
    for root in (copy, installed):
        command = [str(python_of(root / ".venv")), "-c", "import cs7643; print(cs7643.__file__)"]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
        assert result.stdout.strip() == str(root / "cs7643" / "__init__.py")


@posix
def test_a_colon_in_the_path_is_said_before_anything_is_built(repository, tmp_path):
    place = tmp_path / "week 3: homework"
    repository.rename(place)
    result = call(place, "check")
    assert result.returncode == 1
    assert result.stderr == f"set-up: no environment can be created in a folder with ':' in its path: rename {place}\n"
    assert not (place / ".venv").exists()


WHERE = """
    import json, os, sys

    def main(args):
        print(json.dumps({"path": sys.path, "variables": dict(os.environ), "optimised": sys.flags.optimize}))
        return 0
"""


def test_the_users_own_packages_stay_outside(installed, tmp_path):
    (installed / "coursework" / "check" / "hints.py").write_text(textwrap.dedent(WHERE), encoding="utf-8")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "numpy.py").write_text("raise RuntimeError('not this one')\n", encoding="utf-8")
    theirs = {"PYTHONPATH": str(tmp_path / "theirs"), "PYTHONSTARTUP": str(tmp_path / "x.py"), "PYTHONOPTIMIZE": "2"}
    for python in (sys.executable, python_of(installed / ".venv")):
        result = call(installed, "hint", "f2", python=python, **theirs)
        assert (result.returncode, result.stderr) == (0, "")
        seen = json.loads(result.stdout)
        assert not set(FOREIGN) & set(seen["variables"])
        assert seen["variables"]["PYTHONNOUSERSITE"] == "1"
        assert seen["optimised"] == 0
        assert str(tmp_path / "theirs") not in seen["path"]


def test_a_log_is_referred_to_only_if_it_is_there(installed):
    (installed / "backend.py").write_text("raise RuntimeError('a fault of the backend')\n", encoding="utf-8")
    (installed / ".venv" / "pyvenv.cfg").unlink()  # a replacement, which is undone
    result = call(installed, "check")
    assert result.returncode == 1
    log = result.stderr.splitlines()[-1].split("the log is ")[1]
    with open(log, encoding="utf-8") as stream:
        assert "a fault of the backend" in stream.read()
    assert (installed / ".venv" / "mark").exists()


CAUSES = {
    "403": "the package index refuses access",
    "404": "the package index has no such page (error 404)",
    "407": "the proxy asks for a name and a password",
    "503": "the package index is out of order",
    "login": "a web page came instead of the package index",
    "certificate": "the certificate of the package index is not trusted",
}


@pytest.mark.parametrize("kind", CAUSES)
def test_the_cause_of_a_failed_installation_is_named(installed, tmp_path, kind):
    class Index(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = b"<html><body>Sign in to the network</body></html>"
            self.send_response(int(kind) if kind.isdigit() else 200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        do_CONNECT = do_GET  # noqa: N815  (the name that the library looks for)

        def log_message(self, *_):
            pass

    (installed / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        if kind == "certificate":
            if shutil.which("openssl") is None:
                pytest.skip("there is no openssl here to make a certificate")
            key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
            command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
            subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        scheme, port = "https" if kind == "certificate" else "http", server.server_address[1]
        result = call(installed, "check", PIP_INDEX_URL=f"{scheme}://localhost:{port}/simple")
        server.shutdown()
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"set-up: {CAUSES[kind]}")
