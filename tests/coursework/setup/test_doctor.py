"""What the homework needs: said before anything is installed, in kernels not its own, and on hosted machines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from small import ROOT, call

from coursework import environment, needs
from coursework.cli import all_commands
from coursework.homework import homework, setting
from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition
from coursework.terminal import explain

FIRST_LINES = [
    "import sys",
    "",
    'sys.path.insert(1, "..")  # if the next line finds no coursework: %cd into the folder of this notebook',
    "%load_ext coursework.kernel",
]


def run(command, cwd, **variables):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COURSEWORK_", "PYTHONPATH"))}
    return subprocess.run(
        command, cwd=cwd, env={**kept, **variables}, capture_output=True, encoding="utf-8", timeout=120
    )


@pytest.fixture
def copy(tmp_path):
    """The homework in a folder of its own, without an environment, and without its notebooks."""
    for package in ("coursework", "cs7643"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def test_the_doctor_needs_nothing_and_installs_nothing(copy):
    found = run([sys.executable, "-S", "-m", "cs7643", "doctor"], copy)
    assert (found.returncode, found.stderr) == (1, "")
    assert re.search(r"^MEND +packages +there is no \.venv yet; type: .* -m cs7643 check", found.stdout, re.M)
    assert not (copy / ".venv").exists()


def test_the_doctor_finds_everything_here():
    found = run([sys.executable, "-m", "cs7643", "doctor"], ROOT, COURSEWORK_NO_VENV="1")
    assert found.returncode == 0, found.stdout
    for name in ("numpy", "torch"):
        assert f"{name} {version(name)}" in found.stdout
    assert re.search(r"^ok +data +\S", found.stdout, re.M)
    assert "MEND" not in found.stdout


def test_the_doctor_names_what_is_missing_and_what_does_not_import(copy):
    with open(copy / "requirements.txt", "a", encoding="utf-8") as stream:
        stream.write("no-such-package>=1\nnumpy>=1000\n")
    found = run([sys.executable, "-m", "cs7643", "doctor"], copy, COURSEWORK_NO_VENV="1")
    assert found.returncode == 1
    assert "not here: no-such-package; type: python -m pip install no-such-package" in found.stdout
    assert f"older than what was tested: numpy {version('numpy')}" in found.stdout


@pytest.mark.parametrize("extra", [None, "pdf"])
def test_the_requirements_are_read_as_pip_reads_them(extra):
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if extra:
        tomllib = pytest.importorskip("tomllib")
        table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        lines += table["optional-dependencies"][extra]
    expected = {found.name: str(found.specifier) for found in map(Requirement, lines)}
    assert needs.required(extra) == expected


numbers = st.lists(st.integers(0, 30), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))


@given(numbers, st.sampled_from([">=", ">"]), numbers)
def test_versions_fit_as_pip_says(has, sign, wanted):
    assert needs._fits(has, sign + wanted) == SpecifierSet(sign + wanted).contains(has)


CELL = "\n".join([*FIRST_LINES, "import os, coursework, cs7643", "print(os.getcwd(), coursework.__file__)"])


EDITS = """
import os, sys
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell

shell, path = InteractiveShell.instance(), Path("../cs7643/descent.py")
first, good = sys.argv[1], path.read_text(encoding="utf-8")
for number, (more, cell) in enumerate([
    ("", first), ("", first), ("f(:", "print(2)"), ("", "print(3)"), ("f = 4", "print(descent.f)"), ("1/0", "print(5)"),
]):
    path.write_text(f"{good}\\n{more}\\n", encoding="utf-8")
    os.utime(path, times=2 * (path.stat().st_mtime + 10 * number,))
    shell.run_cell(cell)
"""


def test_an_edited_file_takes_effect_or_is_named_in_a_line(copy):
    first = "\n".join([*FIRST_LINES, "from cs7643 import descent"])
    path = {"IPYTHONDIR": str(copy / "ipython"), "PYTHONPATH": str(ROOT / "nowhere")}
    found = run([sys.executable, "-c", EDITS, first], copy / "notebooks", **path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["2", "3", "4", "5"]
    line = len((copy / "cs7643" / "descent.py").read_text(encoding="utf-8").splitlines())
    expected = ["SyntaxError: invalid syntax", "ZeroDivisionError: division by zero"]
    end = "Until that is mended, the notebook uses the file as it was before."
    assert found.stderr.splitlines() == [f"cs7643/descent.py, line {line}: {each}. {end}" for each in expected]


@pytest.mark.parametrize("folder", ["notebooks", "."])
def test_a_kernel_finds_the_homework_beside_the_notebook_and_no_other(copy, folder):
    shutil.copytree(copy / "coursework", copy / "other" / "coursework")
    shutil.copytree(copy / "cs7643", copy / "other" / "cs7643")
    path = {"IPYTHONDIR": str(copy / "ipython"), "PYTHONPATH": str(copy / "other")}
    found = run([sys.executable, "-m", "IPython", "--colors=NoColor", "-c", CELL], copy / folder, **path)
    assert found.returncode == 0, found.stdout + found.stderr
    here, module = found.stdout.split()
    assert Path(here) == copy / "notebooks"
    assert os.path.samefile(module, copy / "coursework" / "__init__.py")


def test_a_kernel_without_a_package_says_so_and_no_more(copy):
    with open(copy / "requirements.txt", "a", encoding="utf-8") as stream:
        stream.write("no-such-package>=1\n")
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", CELL]
    for variables, words in (({}, "There is none yet"), ({"COLAB_RELEASE_TAG": "x"}, "Run this in a cell")):
        found = run(command, copy / "notebooks", IPYTHONDIR=str(copy / "ipython"), **variables)
        said = found.stdout + found.stderr
        assert "lacks no-such-package." in said
        assert "%pip install no-such-package" in said
        assert words in said
        assert "Traceback" not in said


@pytest.mark.parametrize("path", homework().notebooks)
def test_every_notebook_begins_so(path):
    cells = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
    first = next(cell for cell in cells if cell["cell_type"] == "code")
    assert "".join(first["source"]).split("\n")[: len(FIRST_LINES)] == FIRST_LINES


def test_nothing_is_installed_on_a_hosted_machine(repository):
    found = call(repository, "check", "6.2", COLAB_RELEASE_TAG="x")
    assert (found.returncode, found.stderr) == (0, "")
    (repository / "requirements.txt").write_text("no-such-package-anywhere\n", encoding="utf-8")
    found = call(repository, "check", "6.2", KAGGLE_KERNEL_RUN_TYPE="x")
    assert found.returncode == 1
    assert found.stderr.splitlines() == [
        "set-up: this Python lacks some packages; type: python -m pip install no-such-package-anywhere"
    ]
    assert not (repository / ".venv").exists()


def test_a_package_that_is_not_there_is_one_sentence():
    assert "has no no_such_package; type: " in (explain(ModuleNotFoundError(name="no_such_package.part")) or "")
    for name in ("cs7643.nothing", "numpy.nothing", "xml.nothing"):  # a fault of the program
        assert explain(ModuleNotFoundError(name=name)) is None


def test_editors_are_told_what_there_is():
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    folder = settings["python.defaultInterpreterPath"].replace("${workspaceFolder}", str(ROOT))
    assert environment.python_of(Path(folder)) == environment.python_of(ROOT / ".venv")
    package = setting("homework").partition(".")[0]
    called = re.findall(rf"python3 -m {package} (\w+)", container["postCreateCommand"])
    assert called
    assert set(called) <= all_commands().keys()
    assert all((ROOT / name).is_file() for name in container["customizations"]["codespaces"]["openFiles"])


def test_the_hours_of_every_notebook_stand_in_the_readme():
    readme = make_edition(read_source(ROOT)).files["README.md"].decode()
    for path in homework().notebooks:
        least, most = homework().hours[Path(path).stem]
        assert re.search(rf"^\| \[.*\]\({re.escape(path)}\) .*\| {least}-{most} \|$", readme, re.M)
    total = [sum(hours) for hours in zip(*homework().hours.values(), strict=True)]
    assert f"Plan {total[0]}-{total[1]} hours" in readme
