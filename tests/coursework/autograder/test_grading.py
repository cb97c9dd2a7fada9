"""The solved edition gets every point that a program gives, from the repository and from the zip; a class is graded."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.autograder import build, classrun, gradescope_results, intake, sandbox, student_report
from coursework.staff.autograder.grade import grade, seeds_of
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config, clean_package
from coursework.staff.autograder.rubric import by_program
from coursework.zips import zipped
from staff.hostile.answers import mutated, mutated_source
from staff.hostile.submission import folder, solved
from staff.mutants.catalogue import MUTANTS

CONFIG = Config("some seed", rounds=1)
FILES = {path: solved(path) for path in intake.modules()}


def per_task(found):
    """Return the points of each task in a document, and those that it could have."""
    parts = {}
    for test in found["tests"]:
        if "number" in test:
            number = test["number"].rpartition(".")[0] if test["number"] != "6.7" else "6.7"
            score, most = parts.get(number, (0, 0))
            parts[number] = (score + test["score"], most + test["max_score"])
    return parts


def test_the_solved_edition_gets_all_points_of_tasks_without_pytorch(tmp_path):
    tasks = [task.number for task in homework().tasks if task.number < "6.4"]
    found = grade(folder(FILES)(tmp_path / "in"), tmp_path / "results.json", CONFIG, Limits(), tasks)
    assert all(score == most for number, (score, most) in per_task(found).items() if number in tasks)
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8")) == found
    assert gradescope_results.problems(found) == []


@pytest.mark.slow
def test_the_solved_edition_gets_every_point_with_predictions(tmp_path):
    labels = "".join(str(k % 10) for k in range(10_000))
    predictions = "image_id,label\n" + "".join(f"{k},{k % 10}\n" for k in range(10_000))
    place = folder({**FILES, "predictions.csv": predictions})(tmp_path / "in")
    found = grade(place, tmp_path / "results.json", dataclasses.replace(CONFIG, facts={"labels": labels}))
    assert student_report.points(found) == by_program()
    assert found["leaderboard"] == [{"name": "Accuracy", "value": 1.0, "order": "desc"}]


@pytest.mark.parametrize("start", ["import sys; sys.exit(127)", "import time; time.sleep(60)"])
def test_a_worker_that_does_not_start_is_not_the_students_fault(start, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "START", start)
    monkeypatch.setattr(sandbox, "START_PATIENCE", 2)
    found = grade(folder(FILES)(tmp_path / "in"), tmp_path / "results.json", CONFIG, Limits(), ["4"])
    assert "The grading was not completed" in found["output"]
    assert "a worker cannot be started" in found["tests"][-1]["output"]
    assert found["tests"][-1]["visibility"] == "hidden"
    assert all("sgd_step" not in test["output"] for test in found["tests"][:-1])


def test_the_student_edition_gets_none(tmp_path):
    blanks = {path: clean_package()[path] for path in FILES}
    tasks = ["1", "5a", "6.2"]
    found = grade(folder(blanks)(tmp_path / "in"), tmp_path / "results.json", CONFIG, Limits(), tasks)
    assert student_report.points(found) == 0
    assert found["extra_data"]["mistakes"]["relu_forward"] == "not started"


@pytest.mark.slow
@pytest.mark.parametrize("number", [task.number for task in homework().tasks])
def test_a_mutant_loses_points_in_its_task_and_not_in_another(number, tmp_path):
    mutant = next(each for each in MUTANTS if each.task == number)
    lose_in_one_task(mutant, [number, "1" if number != "1" else "4"], tmp_path)


@pytest.mark.everything
@pytest.mark.parametrize("number", [task.number for task in homework().tasks])
def test_every_mutant_loses_points(number, tmp_path):
    """Every mutant is graded for its own task, and the first of each for all."""
    for k, mutant in enumerate(each for each in MUTANTS if each.task == number):
        lose_in_one_task(mutant, [number] if k else [task.number for task in homework().tasks], tmp_path / str(k))


def lose_in_one_task(mutant, tasks, tmp_path):
    path = mutant.module.replace(".", "/") + ".py"
    place = folder({**FILES, path: mutated_source(mutant)})(tmp_path / "in")
    parts = per_task(grade(place, tmp_path / "results.json", CONFIG, tasks=tasks))
    for number in tasks:
        score, most = parts[number]
        assert (score < most) == (number == mutant.task), f"{mutant.name}: {score} of {most} in task {number}"


def test_the_hidden_seeds_are_those_of_the_secret():
    assert seeds_of(CONFIG) == seeds_of(Config("some seed", rounds=1))
    assert seeds_of(CONFIG)[0] == 0
    assert seeds_of(CONFIG)[1:] != seeds_of(Config("another seed", rounds=1))[1:]


def test_the_zip_is_the_same_every_time_and_holds_no_solution(tmp_path):
    config = Config("a seed", {"labels": "0123", "staff_accuracy": 0.9})
    content = zipped(build.files(config))
    assert content == zipped(build.files(config))
    assert content != zipped(build.files(Config("another seed")))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert {"setup.sh", "run_autograder", "autograder.json", "pyproject.toml"} <= set(names)
        assert all(archive.getinfo(name).external_attr >> 16 & 0o111 for name in ("setup.sh", "run_autograder"))
        edition = clean_package()
        for name in names:
            if name.startswith("cs7643/"):
                assert archive.read(name) == edition[name]
        assert not [name for name in names if "mutants" in name or "hostile" in name or name.startswith("tests/")]
        assert not any(b"BEGIN SOLUTION" in archive.read(name) for name in names if not name.startswith("staff/"))


def test_the_zip_grades_a_folder_by_itself(tmp_path):
    """As the platform does: unpacked into source/, called by run_autograder, with nothing of the repository around."""
    with zipfile.ZipFile(io.BytesIO(zipped(build.files(Config("a seed"))))) as archive:
        archive.extractall(tmp_path / "source")
    folder({"cs7643/descent.py": FILES["cs7643/descent.py"]})(tmp_path / "submission")
    environment = {
        "PATH": os.environ["PATH"],
        "AUTOGRADER_ROOT": str(tmp_path),
        "AUTOGRADER_VENV": sys.prefix,
    }
    command = ["bash", str(tmp_path / "source" / "run_autograder")]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert gradescope_results.problems(found) == []
    assert student_report.points(found) == 4


def test_a_class_is_graded_and_goes_on_where_it_stopped(tmp_path, capsys):
    place = tmp_path / "class"
    right = {"cs7643/descent.py": FILES["cs7643/descent.py"], "collaborators.txt": "Name: =cmd()\n"}
    folder(right)(place / "ada")
    mutated(next(each for each in MUTANTS if each.function == "step_size"))(place / "bob")
    (place / "eve").mkdir()
    found = classrun.submissions(place)
    assert list(found) == ["ada", "bob", "eve"]
    assert classrun.submissions(place / "ada") == {}
    arguments = (found, tmp_path / "out", CONFIG, Limits(), ["1"])
    assert classrun.run(*arguments) == 0
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8") as stream:
        rows = {row["submission"]: row for row in csv.DictReader(stream)}
    assert [float(rows[name]["points"]) for name in found] == [1.0, 0.5, 0.0]
    assert rows["ada"]["name"] == "'=cmd()"
    mistakes = (tmp_path / "out" / "mistakes.csv").read_text(encoding="utf-8")
    assert "step_size,lam multiplies,1" in mistakes
    assert "proximal_step,not started,1" in mistakes
    assert (tmp_path / "out" / "histogram.png").read_bytes().startswith(b"\x89PNG")
    stamp = (tmp_path / "out" / "ada" / "results.json").stat().st_mtime_ns
    (tmp_path / "out" / "eve" / "results.json").write_text(json.dumps(student_report.zeros("not graded")))
    capsys.readouterr()
    assert classrun.run(*arguments) == 0
    assert "3 submissions, 1 of them graded now, 0 failed" in capsys.readouterr().out
    assert (tmp_path / "out" / "ada" / "results.json").stat().st_mtime_ns == stamp


def test_a_class_is_graded_on_a_cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    place = tmp_path / "class"
    for name in ("ada", "bob"):
        folder({"cs7643/descent.py": FILES["cs7643/descent.py"]})(place / name)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        assert classrun.run(classrun.submissions(place), tmp_path / "out", CONFIG, Limits(), ["4"], 1, address) == 0
    lines = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == ["1.0", "1.0"]


def test_the_command_says_what_is_wrong(tmp_path):
    command = [sys.executable, "-m", "staff", "grade"]
    environment = {**os.environ, "COURSEWORK_NO_VENV": "1"}
    calls = (
        ([str(ROOT / "README.md"), "--out", str(tmp_path), "--jobs", "0"], 1, "--jobs must be at least 1, got 0"),
        (["nothing.zip", "--seed", "a text"], 2, "a text should be a file with the seed"),
        (["nothing.zip", "--out", str(tmp_path)], 1, "there is no file or folder nothing.zip"),
    )
    for arguments, code, said in calls:
        done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
        assert done.returncode == code
        assert said in done.stderr
