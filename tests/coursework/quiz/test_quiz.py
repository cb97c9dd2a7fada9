"""Questions on a student's own code: the keys are true, and every style of code gets three."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from coursework.check.run import run_apart
from coursework.homework import homework, path_of
from coursework.quiz import make, quiz_command
from coursework.root import ROOT
from coursework.staff.mutants.mutant import second_source
from staff.mutants.catalogue import STYLES

REPLACED = ("cs7643.layers", "cs7643.classifiers.two_layer_net", "cs7643.pytorch.models")


def module_of(name):
    return next(module for module, each in homework().task_of(name).functions if each == name)


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """The repository's packages, with the solutions of each style in the place of ours."""
    made = {"": ROOT}
    for style in STYLES:
        made[style] = root = tmp_path_factory.mktemp(style)
        for package in ("coursework", "cs7643"):
            shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", root)
        for module in REPLACED:
            (root / path_of(module)).write_text(second_source(style, module), encoding="utf-8")
    return made


def asked(root, name, seed=0):
    command = [sys.executable, "-m", "coursework.quiz.make", homework().task_of(name).number, name, str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, encoding="utf-8", check=True)
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["", *STYLES])
def test_every_style_is_asked_and_the_code_is_theirs(copies, style):
    kinds = set()
    for name in ("two_layer_net", "max_pool_backward_naive", "relu_backward"):
        found = asked(copies[style], name)
        assert found == asked(copies[style], name)  # a seed asks the same
        text = (copies[style] / path_of(module_of(name))).read_text(encoding="utf-8")
        assert found
        for each in found:
            assert all(row[6:] in text for row in each["code"])
            assert len(set(each["options"])) == len(each["options"])
            assert each["options"] == [] or 0 <= each["key"] < len(each["options"]) >= 3
            kinds.add(each["kind"])
    assert len(kinds) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu_backward", "max_pool_backward_naive"])
def test_the_case_that_would_fail_fails_in_a_check_of_the_changed_file(copies, name):
    root, task = copies[next(iter(STYLES))], homework().task_of(name)
    question = next(each for seed in range(5) for each in asked(root, name, seed) if each["kind"] == "case")
    line, before, after = re.search(r"Line (\d+) is changed from\n    (.*)\nto\n    (.*)", question["text"]).groups()
    path = root / path_of(module_of(name))
    text = path.read_text(encoding="utf-8")
    rows = text.split("\n")
    assert rows[int(line) - 1].strip() == before
    rows[int(line) - 1] = rows[int(line) - 1].replace(before, after)
    path.write_text("\n".join(rows), encoding="utf-8")
    try:
        outcomes = {each.title: each.status for each in run_apart(task, [name], root=root)[name].outcomes}
    finally:
        path.write_text(text, encoding="utf-8")
    right = question["options"][question["key"]]
    assert {title: outcomes[title] == "right" for title in question["options"]} == {
        title: title != right for title in question["options"]
    }


def test_a_variable_has_the_value_that_it_had():
    def function(x, n):
        total = np.zeros(2)
        for k in range(n):
            total += x * k
        half = total / 2
        return half

    kept = make._assigned(function, ((np.array([1.0, 3.0]), 3), {}))
    first = function.__code__.co_firstlineno
    assert kept[first + 1, "total"] == ["[0, 0]"]
    assert kept[first + 2, "k"] == ["0", "1", "2"]
    assert kept[first + 3, "total"] == ["[1, 3]", "[3, 9]"]
    assert kept[first + 4, "half"] == ["[1.5, 4.5]"]


def test_what_never_ends_ends():
    def endless():
        while True:
            pass

    with pytest.raises(make.EndlessError):
        make._run(endless, ((), {}))
    before = sys.gettrace()
    with pytest.raises(make.EndlessError):
        make._assigned(endless, ((), {}))
    assert sys.gettrace() is before


def test_what_is_not_right_is_not_asked_about(monkeypatch):
    from cs7643 import optim

    assert json.loads(make.asked("6.1", "momentum", 0))
    monkeypatch.setattr(optim, "momentum", lambda *args: args[:2])
    assert make.asked("6.1", "momentum", 0) == "[]"


def test_only_what_came_twice_is_asked():
    one, two = (
        {"task": "1", "function": "f", "kind": "value", "text": t, "code": [], "options": [], "key": -1, "answer": ""}
        for t in "ab"
    )
    assert [each.text for each in quiz_command.same(json.dumps([one, two]), json.dumps([two]))] == ["b"]
    assert quiz_command.same("", json.dumps([one])) == []


def typed(root, *words):
    command = [sys.executable, "-m", "cs7643", "quiz", *words]
    environment = {**os.environ, "PYTHONPATH": str(root), "COURSEWORK_NO_VENV": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_the_command_asks_three_questions(copies, tmp_path):
    code, said, _ = typed(ROOT, "momentum", "rmsprop", "relu_forward", "--seed", "1")
    assert code == 0
    assert [f"Question {k} of 3" in said for k in (1, 2, 3)] == [True] * 3
    assert said.count("Right is ") + said.count("A full answer ") == 3
    assert said.rstrip().endswith("quiz --seed 1 momentum rmsprop relu_forward")
    assert typed(ROOT, "momentum", "rmsprop", "relu_forward", "--seed", "1")[1] == said
    code, _, wrong = typed(ROOT, "momentun")
    assert code == 2
    assert wrong.rstrip() == "quiz: expected a task or a function, got 'momentun'; did you mean momentum?"
    root = shutil.copytree(copies[next(iter(STYLES))], tmp_path / "copy")
    (root / "cs7643" / "optim.py").write_text("momentum = rmsprop = print\n", encoding="utf-8")
    code, said, _ = typed(root, "momentum")
    assert code == 1
    assert "None of them is right yet" in said
