"""Files are written whole or not at all, also on file systems that know no permissions, locks or fsync."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from coursework.files import atomic_writer, make_folder, stand_in, try_lock
from coursework.root import ROOT

LIMITED = pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on the size of files")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    with atomic_writer(path) as stream:
        stream.write(b"old")

    def stops_halfway():
        with atomic_writer(path) as stream:
            stream.write(b"half of it")
            stream.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stops_halfway()
    assert path.read_bytes() == b"old"
    with atomic_writer(path, "w") as stream:
        stream.write("new, née so\n")
    assert path.read_bytes() == "new, née so\n".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_file_has_the_permissions_of_a_new_file(tmp_path):
    (tmp_path / "usual").touch()
    with atomic_writer(tmp_path / "file"):
        pass
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("in_the_way", ["file", "file/below"])
def test_a_file_in_the_place_of_a_folder_is_named(in_the_way, tmp_path):
    (tmp_path / "file").touch()
    for make in (make_folder, lambda folder: atomic_writer(folder / "content").__enter__()):
        with pytest.raises(NotADirectoryError) as caught:
            make(tmp_path / in_the_way)
        assert caught.value.filename == str(tmp_path / in_the_way)


FULL = """
import resource, sys
from coursework.files import atomic_writer
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for mode, content in (("wb", bytes(5000)), ("w", "x" * 5000)):
    try:
        with atomic_writer(sys.argv[1], mode) as stream:
            stream.write(content)
    except OSError as error:
        print(error.errno, error.filename)
"""


@LIMITED
def test_a_disk_that_is_full_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    command = [sys.executable, "-c", FULL, str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [f"{errno.EFBIG} {path}"] * 2
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


CODES = {"chmod": errno.EPERM, "fsync": errno.EINVAL}  # as shared folders answer
SHIM = """
#define _GNU_SOURCE
#include <errno.h>
#include <sys/types.h>
int chmod(const char *path, mode_t mode) { errno = EPERM; return -1; }
int fchmod(int file, mode_t mode) { errno = EPERM; return -1; }
int fchmodat(int folder, const char *path, mode_t mode, int flags) { errno = EPERM; return -1; }
int fsync(int file) { errno = EINVAL; return -1; }
int flock(int file, int how) { errno = ENOLCK; return -1; }
int symlink(const char *target, const char *path) { errno = EOPNOTSUPP; return -1; }
"""
WRITE = """
import os, sys
from pathlib import Path
from coursework.files import atomic_writer, copy_tree, try_lock
from cs7643.pytorch.runfiles import RunFiles, RunLog, load, save
folder = Path(sys.argv[1])
for call in (lambda: os.chmod(folder, 0o700), lambda: os.fsync(0), lambda: os.symlink("a", folder / "link")):
    try:
        call()
    except OSError:
        continue
    sys.exit("the shim is not there")
with atomic_writer(folder / "file", "w") as stream:
    stream.write("content")
with open(folder / "lock", "ab") as stream:
    assert try_lock(stream)
files = RunFiles(folder / "run", "softmax")
with RunLog(files, print) as log:
    log.line("a line")
    save(files.checkpoint, {"position": log.position()})
assert load(files.checkpoint)["position"] == (7, 0)
copy_tree(folder / "run", folder / "copy", lambda path: path.suffix == ".log")
assert sorted(os.listdir(folder / "copy")) == sorted(set(os.listdir(folder / "run")) - {files.log.name})
"""
RUN = """
import sys
from pathlib import Path
from coursework.notebooks.execute import run
folder = Path(sys.argv[1])
(execution,) = run([folder / "one.ipynb"], folder / "build")
print(execution.notebook.cells[0].outputs[0].text.strip(), end="")
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("gcc"), reason="makes a library to be loaded first")
def test_a_file_system_that_is_not_posix_gets_the_content(tmp_path):
    (tmp_path / "shim.c").write_text(SHIM)
    library = tmp_path / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "shim.c"], check=True)
    command = [sys.executable, "-c", WRITE, str(tmp_path)]
    variables = {**os.environ, "LD_PRELOAD": str(library)}
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "a line\n", "")
    assert (tmp_path / "file").read_text() == "content"
    notebook = new_notebook(cells=[new_code_cell("print(6 * 7)")])
    nbformat.write(notebook, tmp_path / "one.ipynb")
    result = subprocess.run([*command[:2], RUN, *command[3:]], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert (result.returncode, result.stdout.splitlines()[-1:]) == (0, ["42"]), result.stderr


@pytest.mark.parametrize("name", ["chmod", "fsync"])
def test_what_a_file_system_does_not_know_is_left_out(name, tmp_path, monkeypatch):
    def refuses(*_):
        raise OSError(CODES[name], os.strerror(CODES[name]))

    monkeypatch.setattr(os, name, refuses)
    with atomic_writer(tmp_path / "file") as stream:
        stream.write(b"content")
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_disk_that_fails_is_an_error(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="file") as caught, atomic_writer(tmp_path / "file") as stream:
        stream.write(b"content")
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(tmp_path / "file"))
    assert os.listdir(tmp_path) == []


def test_one_process_holds_a_lock(tmp_path):
    path = tmp_path / "lock"
    program = "import sys; from coursework.files import try_lock; print(try_lock(open(sys.argv[1], 'ab')))"

    def other():
        command = [sys.executable, "-c", program, str(path)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    with path.open("ab") as stream:
        assert try_lock(stream)
        assert other() == "False"
    assert other() == "True"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\r\noid sha256:00\r\nsize 3\r\n", "git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page"),
        (b"<HTML><head>", "a web page"),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
)
def test_what_stands_in_for_a_file_is_named(content, words, tmp_path):
    (tmp_path / "file").write_bytes(content)
    found = stand_in(tmp_path / "file")
    assert (found is None) if words is None else (words in found)
