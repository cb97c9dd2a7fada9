"""The solved edition gets every point that a program gives, from the repository and from the zip; a class is graded."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from coursework.check.verdict import try_function
from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.autograder import (
    build,
    classrun,
    exports,
    gradescope_results,
    intake,
    sandbox,
    seeds,
    student_report,
)
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config, clean_package
from coursework.staff.autograder.rubric import by_program
from coursework.zips import zipped
from cs7643 import descent
from staff.hostile.answers import mutated_source
from staff.hostile.submission import folder, solved
from staff.mutants.catalogue import MUTANTS

CONFIG = Config("some seed", pool=(4711,), rounds=1)
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


def test_the_hidden_seeds_follow_from_the_secret_and_the_files():
    config = Config("a secret", pool=tuple(range(1, 17)))
    chosen = [seeds.chosen(config, {"a.py": bytes([k])}) for k in range(200)]
    assert chosen == [seeds.chosen(config, {"a.py": bytes([k])}) for k in range(200)]
    assert all(first == 0 and len({*hidden} & {*config.pool}) == 2 for first, *hidden in chosen)
    assert {seed for _, *hidden in chosen for seed in hidden} == {*config.pool}
    assert chosen != [
        seeds.chosen(dataclasses.replace(config, secret="other"), {"a.py": bytes([k])}) for k in range(200)
    ]


def test_every_hidden_seed_is_fair_to_every_known_solution(monkeypatch):
    """Two solutions, of which one fails with about half of the seeds: those are left out, in the order of the rest."""
    homework_functions = [each for each in seeds.solutions() if each[1] == "proximal_step"]
    assert len({style for style, _, _ in homework_functions}) == 4
    right = homework_functions[0][2]

    def sometimes_wrong(w, grad, lam):
        return right(w, grad, lam) + (np.sum(w) * 1000 % 2 > 1.7)

    solutions = [*homework_functions, ("another", "proximal_step", sometimes_wrong)]
    monkeypatch.setattr(seeds, "solutions", lambda: solutions)
    first = [seed for seed, _ in zip(seeds.candidates("a"), range(40), strict=False)]
    fair = [seed for seed in first if not seeds.failures(solutions, seed)]
    assert 3 < len(fair) < 37
    assert seeds.verified("a", 3) == tuple(fair[:3])
    line = seeds.failures(solutions, next(seed for seed in first if seed not in fair))[0]
    assert line.startswith("another, proximal_step, ")


def test_a_table_of_the_answers_that_students_have_earns_no_hidden_point(tmp_path):
    """And the staff hears of it."""
    task = homework().task("4")
    importlib.import_module(task.cases)
    asked = []
    function = descent.sgd_step

    def note(*args):
        result = function(*args)
        asked.append((repr(args), np.asarray(result).tolist()))
        return result

    try_function("sgd_step", note, seed=0)
    table = f"TABLE = {dict(asked)!r}\n\ndef sgd_step(*args):\n    return np.array(TABLE[repr(args)])\n"
    place = folder({"cs7643/descent.py": FILES["cs7643/descent.py"] + "\n\n" + table})(tmp_path / "in")
    found = grade(place, tmp_path / "results.json", CONFIG, Limits(), ["4"])
    parts = {test["number"]: test["score"] for test in found["tests"] if test.get("number", "").startswith("4")}
    points = task.program_points
    assert parts["4.1"] == pytest.approx(0.4 * points)
    assert parts["4.2"] == pytest.approx(0.6 * points / 2)  # for the other function
    assert "sgd_step: right on the inputs that students have, and not on others" in found["tests"][-1]["output"]


def test_no_message_that_a_student_reads_comes_from_a_worker_that_has_seen_hidden_inputs(tmp_path):
    """A function remembers what it was given, and says it in an error as soon as it is called with something old."""
    code = """
SEEN = []
def sgd_step(w, term, eta):
    SEEN.append((float(w), float(eta)))
    raise RuntimeError(f"I have seen {len(SEEN)} inputs, the last of process {__import__('os').getpid()}: {SEEN[-1]}")
"""
    place = folder({"cs7643/descent.py": FILES["cs7643/descent.py"] + code})(tmp_path / "in")
    processes = {}
    for visible in (True, False):
        pool = CONFIG.pool if visible else (1, 2)
        found = grade(place, tmp_path / "results.json", dataclasses.replace(CONFIG, pool=pool), Limits(), ["4"])
        said = " ".join(test["output"] for test in found["tests"] if test.get("number") == "4.1")
        processes[visible] = re.sub(r"process \d+", "process", said)
    assert "I have seen" in processes[True]
    assert processes[True] == processes[False]  # whatever the hidden inputs are


def test_the_zip_is_the_same_every_time_and_holds_no_solution(tmp_path):
    config = Config("a seed", (1, 2), {"labels": "0123", "staff_accuracy": 0.9})
    content = zipped(build.files(config))
    assert content == zipped(build.files(config))
    assert content != zipped(build.files(Config("another seed", (1, 2))))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert {"setup.sh", "run_autograder", "autograder.json", "pyproject.toml"} <= set(names)
        assert all(archive.getinfo(name).external_attr >> 16 & 0o111 for name in ("setup.sh", "run_autograder"))
        edition = clean_package()
        for name in names:
            if name.startswith("cs7643/"):
                assert archive.read(name) == edition[name]
        assert not [name for name in names if re.search("^tests/|mutants|hostile|marking", name)]
        assert not any(b"BEGIN SOLUTION" in archive.read(name) for name in names if not name.startswith("staff/"))


def test_the_zip_grades_a_folder_by_itself(tmp_path):
    """As the platform does: unpacked into source/, called by run_autograder, with nothing of the repository around."""
    with zipfile.ZipFile(io.BytesIO(zipped(build.files(Config("a seed", (1, 2)))))) as archive:
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


def test_a_class_is_graded_on_a_cluster(tmp_path):
    distributed = pytest.importorskip("distributed")
    place = tmp_path / "class"
    for name in ("ada", "bob"):
        folder({"cs7643/descent.py": FILES["cs7643/descent.py"]})(place / name)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        assert classrun.run(exports.find(place), tmp_path / "out", CONFIG, Limits(), ["4"], 1, address) == 0
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
