"""Plain ``pytest --nbval``, on small notebooks beside the conftest.py of the real ones, as anybody would type it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from coursework.notebooks import execute
from coursework.notebooks import kernels as notebooks
from coursework.root import ROOT

GOOD = {
    "setup": "import numpy as np\nfrom cs7643 import plots\nfrom coursework.progress import progress_bar\nimport time",
    "bar": "for _ in progress_bar(range(3)):\n    time.sleep(0.2)\nprint('done')",
    "figure": "plots.compare_losses({'a': [3.0, 2.0]}, 'it falls', top=3.0)",
    "about": "print(f'accuracy ≈ {time.time_ns() % 1000 / 1000:.3f}, effect ≈ {-time.time():.1e}; 7 is compared: 7')",
    "where": "import os, sys, matplotlib as m\nprint(np.__version__ != 'none', 'planted' in globals(), "
    "m.rcParams['text.usetex'], os.environ['CS7643_CIFAR10'])",
}


def write(path, cells, **changes):
    """Write a notebook and return its path."""
    body = [new_code_cell(source, id=id) for id, source in {**cells, **changes}.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=body), path)
    return path


def store(path):
    """Execute a notebook in its place, as maintainers do."""
    arguments = argparse.Namespace(
        notebooks=[], cifar10_dir=None, output=path.parent / "build", timeout=60, in_place=True
    )
    assert execute.main(arguments, notebooks=path.parent) == 0
    return path


def compare(where, *arguments, **variables):
    """Type ``pytest --nbval`` in a terminal in which nothing else is set; return what it ends with and says."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP")}
    options = arguments if any("--nbval" in each for each in arguments) else ("--nbval", *arguments)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, options)]
    variables = {"HOME": str(where), **kept, **variables}
    result = subprocess.run(command, cwd=where, env=variables, capture_output=True, encoding="utf-8", errors="replace")
    return result.returncode, result.stdout + result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A repository's folder of notebooks, executed, with what systems and editors leave beside them."""
    folder = tmp_path_factory.mktemp("a repository") / "notebooks"
    path = store(write(folder / "1_good.ipynb", GOOD))
    shutil.copy(ROOT / "notebooks" / "conftest.py", folder)
    (folder / "._1_good.ipynb").write_bytes(b"\x00\x05\x16\x07")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "1_good-checkpoint.ipynb").write_text("{", encoding="utf-8")
    assert path.exists()
    return folder


@pytest.fixture
def broken(folder, tmp_path):
    """A function that writes a changed notebook beside the conftest.py, and returns what the comparison says."""

    def say(*arguments, executed=True, edit=None, **changes):
        target = tmp_path / "notebooks"
        path = write(target / "1_good.ipynb", GOOD, **changes)
        if executed:
            shutil.copy(folder / "1_good.ipynb", path)
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            cell.source = changes.get(cell.id, cell.source)
        if edit:
            edit(notebook)
        nbformat.write(notebook, path)
        shutil.copy(ROOT / "notebooks" / "conftest.py", target)
        return compare(tmp_path, "notebooks", *arguments)

    return say


@pytest.mark.parametrize(
    ("inside", "arguments"),
    [
        (False, ["notebooks/"]),
        (False, ["--nbval-lax", "notebooks/1_good.ipynb"]),
        (False, ["-n2", "notebooks/"]),  # each process has a kernel, and some of the cells
        (True, []),
        (True, ["--nbval-lax", "."]),
    ],
)
def test_what_anybody_types_passes(folder, inside, arguments):
    code, said = compare(folder if inside else folder.parent, *arguments)
    assert (code, f"{len(GOOD)} passed" in said) == (0, True), said


def test_the_users_settings_stay_outside(folder, tmp_path):
    numpy = tmp_path / "packages" / "numpy.py"
    kernel = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    startup = tmp_path / "ipython" / "profile_default" / "startup" / "0.py"
    settings = tmp_path / "config" / "jupyter_config.py"
    rc = tmp_path / "matplotlibrc"
    for path, text in {
        numpy: "__version__ = 'none'",
        kernel: '{"argv": ["false"], "display_name": "x", "language": "x"}',
        startup: "planted = True",
        settings: "raise SystemExit(3)",
        rc: "text.usetex: True\nfont.family: nowhere",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    beside = shutil.copytree(folder, tmp_path / "notebooks")
    shutil.copy(rc, beside)
    code, said = compare(
        tmp_path,
        "notebooks",
        PYTHONPATH=str(numpy.parent),
        JUPYTER_PATH=str(tmp_path / "jupyter"),
        JUPYTER_DATA_DIR=str(tmp_path / "jupyter"),
        JUPYTER_CONFIG_DIR=str(settings.parent),
        IPYTHONDIR=str(tmp_path / "ipython"),
        MPLBACKEND="module://nowhere",
        MATPLOTLIBRC=str(rc),
        TQDM_MININTERVAL="0",
        CS7643_CIFAR10=str(tmp_path / "nowhere"),
    )
    assert (code, f"{len(GOOD)} passed" in said) == (0, True), said


def test_the_code_is_that_of_the_repository_whichever_is_installed(tmp_path):
    for package in ("coursework", "cs7643"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "random.py").write_text("raise SystemExit('in the way')", encoding="utf-8")
    source = "from pathlib import Path\nimport cs7643\nprint(Path(cs7643.__file__).parents[1] == Path.cwd().parent)"
    path = write(tmp_path / "notebooks" / "1_where.ipynb", {"where": source})
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].update(outputs=[new_output("stream", text="True\n")], execution_count=1)
    nbformat.write(notebook, path)
    shutil.copy(ROOT / "notebooks" / "conftest.py", path.parent)
    code, said = compare(path.parent)
    assert (code, "1 passed" in said) == (0, True), said


def test_a_cell_that_is_chosen_has_those_before_it(folder):
    code, said = compare(folder.parent, "notebooks/1_good.ipynb::Cell 3")
    assert (code, "1 passed" in said) == (0, True), said


def test_what_jupyterlab_shows_while_it_runs_is_no_output(folder, tmp_path):
    path = write(tmp_path / "notebooks" / "1_good.ipynb", GOOD)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(path.parent)}}).execute(
        env={**os.environ, "TQDM_DISABLE": "", "CS7643_CIFAR10": "embedded"}
    )
    nbformat.write(notebook, path)
    assert any(notebooks.is_progress_bar(output) for cell in notebook.cells for output in cell.outputs)
    shutil.copy(ROOT / "notebooks" / "conftest.py", path.parent)
    code, said = compare(tmp_path, "notebooks")
    assert code == 0, said


def test_a_blank_is_named_and_ends_the_notebook(broken):
    code, said = broken(bar="raise NotImplementedError('Task 6.2: relu_forward')")
    assert code == 1
    assert "1_good.ipynb, code cell 2 (id bar): Task 6.2: relu_forward is not written yet" in said
    assert "1 failed, 1 passed, 3 skipped" in said
    assert "Traceback" not in said


def test_an_error_is_named_and_ends_the_notebook(broken):
    code, said = broken(bar="1 / 0")
    assert code == 1
    assert "1_good.ipynb, code cell 2 (id bar): ZeroDivisionError: division by zero" in said
    assert "1 failed, 1 passed, 3 skipped" in said


@pytest.mark.parametrize("about", ["print('accuracy ≈ 0.5, effect ≈ 1; 7 is compared: 8')", "print('accuracy')", "1"])
def test_a_difference_is_a_failure(broken, about):
    code, said = broken(about=about)
    assert (code, "1 failed, 4 passed" in said) == (1, True), said
    assert "1_good.ipynb, code cell 4 (id about): what comes out differs from what is stored" in said


def test_a_notebook_that_was_not_run_does_not_pass(broken):
    code, said = broken(executed=False)
    assert code == 1
    assert "code cell 5 (id where): 5 of 5 code cells have not been run: run all and save" in said


def test_one_cell_that_was_not_run_does_not_pass(broken):
    def clear(notebook):
        notebook.cells[1].outputs, notebook.cells[1].execution_count = [], None

    code, said = broken(edit=clear)
    assert (code, "1 of 5 code cells have not been run" in said) == (1, True), said
    assert broken("--nbval-lax", edit=clear)[0] == 0


def test_the_images_are_those_that_the_stored_outputs_come_from():
    def notebook(text):
        output = new_output("stream", text=text)
        return new_notebook(cells=[new_code_cell("data.load()", outputs=[output])])

    assert notebooks.stored_data(notebook("Data: CIFAR-10\n")) == {}
    assert notebooks.stored_data(notebook("Data: Shapes-10 (embedded)\n")) == {"CS7643_CIFAR10": "embedded"}
    assert notebooks.stored_data(new_notebook()) == {"CS7643_CIFAR10": "embedded"}
