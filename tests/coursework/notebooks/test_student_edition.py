"""The student edition's ``make test``: with blanks it names the task, and completed and executed it passes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition, restore
from coursework.staff.release.release_command import write

NOTEBOOK = "notebooks/2_autodiff.ipynb"


@pytest.fixture(scope="module")
def edition():
    return make_edition(read_source())


def call(folder, *arguments):
    """Run a command in the edition of a folder; return its exit code and what it says."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR")}
    command = [sys.executable, "-m", "cs7643", *arguments]
    environment = {**kept, "COURSEWORK_NO_VENV": "1"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    return result.returncode, result.stdout + result.stderr


def test_a_blank_is_named_with_its_task(edition, tmp_path):
    write(edition.files, tmp_path)
    code, said = call(tmp_path, "test", "--", "-k", "2_autodiff")
    assert code == 1
    assert "2_autodiff.ipynb, code cell 5 (id values): Task 5a: f1 is not written yet" in said
    assert "1 failed, 4 passed" in said


@pytest.mark.slow
def test_what_is_complete_and_was_run_passes_but_for_what_was_changed(edition, tmp_path):
    solved = {path: content for path, content in restore(edition).items() if path.startswith("cs7643/autodiff/")}
    solved |= {path: restore(edition)[path] for path in ("cs7643/classifiers/two_layer_net.py", NOTEBOOK)}
    write({**edition.files, **solved}, tmp_path)
    code, said = call(tmp_path, "run", "2", "--in-place", "--output", "report")
    assert code == 0, said
    text = (tmp_path / NOTEBOOK).read_text(encoding="utf-8")
    (tmp_path / NOTEBOOK).write_text(text.replace("6.224300275", "6.224300274"), encoding="utf-8")
    code, said = call(tmp_path, "test", "--", "-k", "2_autodiff")
    assert (code, "1 failed, 40 passed" in said) == (1, True), said
    assert "code cell 5 (id values): what comes out differs from what is stored" in said
