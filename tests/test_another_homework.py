"""A toy homework, written against the machinery alone, goes all the way: from the checks to the grades.

What its author writes is in tests/toy/: a table, two modules with markers, cases, a tagged notebook, and, because one
function takes an object of its own, a wire. Nothing of the machinery knows it, and nothing of it knows this homework.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pypdf
import pytest

from coursework.root import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="the grader needs POSIX")]
SUMS = "def total(numbers):\n    {}\n"
POINTS = (ROOT / "tests" / "toy" / "toy" / "points.py").read_text(encoding="utf-8")
HOSTILE = "import os, sys; os.write(1, b'41'); sys.modules['coursework.check.case'] = None; os._exit(0)"


def call(folder, *words, code=0):
    """Run a program in a repository, in this environment, and return what it prints."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "CS7643_"))}
    environment = {**kept, "COURSEWORK_NO_VENV": "1", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-m", *map(str, words)]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The toy's repository: what its author wrote, the machinery, executed notebooks, known to git."""
    root = tmp_path_factory.mktemp("toy") / "repository"
    ignored = shutil.ignore_patterns("__pycache__", "build", "dist")
    shutil.copytree(ROOT / "tests" / "toy", root, ignore=ignored)
    shutil.copytree(ROOT / "coursework", root / "coursework", ignore=ignored)
    shutil.copy(ROOT / "notebooks" / "conftest.py", root / "notebooks")
    call(root, "toy", "run", "--in-place")
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_the_student_checks_and_gets_hints(repository):
    assert "2 of 2 tasks are right" in call(repository, "toy", "check")
    assert call(repository, "toy", "hint", "total") == "The idea: Begin with zero, and add.\n"
    assert "The code earns 2 of the 2 points that checks give." in call(repository, "toy", "status")


def test_what_is_handed_in_is_a_zip_and_a_pdf(repository, tmp_path):
    person = repository / "collaborators.txt"
    before = person.read_text(encoding="utf-8")
    person.write_text("Name: Ada\nCollaborators: none\n", encoding="utf-8")
    try:
        call(repository, "toy", "submit", "--output", tmp_path)
    finally:
        person.write_text(before, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "toy1.zip") as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert names == {"manifest.json", "collaborators.txt", "toy/sums.py", "toy/points.py", "notebooks/1_toy.ipynb"}
    assert (manifest["assignment"], manifest["name"]) == ("A toy homework", "Ada")
    pages = [page.extract_text() for page in pypdf.PdfReader(tmp_path / "toy1.pdf").pages]
    assert ["Problem 1. Sums" in page for page in pages] == [True, False]
    assert "Addition is commutative" in pages[0]
    assert "Problem 2. Points" in pages[1]


def test_the_student_edition_is_proved(repository, tmp_path):
    report = call(repository, "coursework.staff", "release", "--output", tmp_path)
    assert "2 tasks, each function not started" in report
    edition = tmp_path / "toy1-student"
    texts = [path.read_text(encoding="utf-8") for path in edition.rglob("*") if path.suffix in (".py", ".ipynb", ".md")]
    assert not [text for text in texts if "accumulated" in text or "commutative" in text]
    assert not (edition / "staff").exists()
    assert not (edition / "coursework" / "staff").exists()


@pytest.mark.parametrize(
    ("total", "points", "said"),
    [
        ("return float(sum(numbers))", 2, "total: right in 2 of 2 cases"),
        ("return float(sum(numbers) / len(numbers))", 1, "the sum is divided by the number of terms"),
        (HOSTILE, 1, "total ended the interpreter"),
    ],
    ids=["right", "wrong", "hostile"],
)
def test_the_autograder_grades(repository, tmp_path, total, points, said):
    (tmp_path / "seed.txt").write_text("x", encoding="utf-8")
    call(repository, "coursework.staff", "autograder", "--output", tmp_path, "--seed", tmp_path / "seed.txt")
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        archive.extractall(tmp_path / "source")
    (tmp_path / "submission" / "toy").mkdir(parents=True)
    (tmp_path / "submission" / "toy" / "sums.py").write_text(SUMS.format(total), encoding="utf-8")
    (tmp_path / "submission" / "toy" / "points.py").write_text(POINTS, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(tmp_path), "AUTOGRADER_VENV": sys.prefix}
    subprocess.run(["bash", str(tmp_path / "source" / "run_autograder")], env=environment, check=True)
    found = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert sum(test.get("score", 0) for test in found["tests"]) == points
    assert said in " ".join(test["output"] for test in found["tests"])
    assert found["extra_data"]["finished"]
    assert "1: order 0.5, brackets 0.5" in [test["output"] for test in found["tests"]]


def test_what_a_person_marks_is_a_page(repository, tmp_path):
    said = call(repository, "coursework.staff", "marking", "--out", tmp_path)
    assert said == f"{tmp_path / 'index.html'}: 1 points in 1 parts\n"
    assert "Addition is associative." in (tmp_path / "1.html").read_text(encoding="utf-8")
