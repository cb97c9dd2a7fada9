"""Questions on a student's own code: the keys are true, and every style of code gets three."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from coursework.check.case import cases_of, run_case
from coursework.homework import homework, path_of
from coursework.quiz import describe, edits, make, quiz_command
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


@pytest.mark.parametrize("name", ["proximal_step", "regret_bound", "momentum", "relu_backward", "conv_backward_naive"])
def test_a_key_is_what_the_changed_function_returns(name):
    module = module_of(name)
    before = getattr(importlib.import_module(module), name)
    asked = [each for seed in range(3) for each in json.loads(make.asked(homework().task_of(name).number, name, seed))]
    asked = [each for each in asked if each["kind"] in ("input", "output")]
    assert asked
    for each in asked:
        line, old, new = re.search(r"Line (\d+) is changed from\n    (.*)\nto\n    (.*)", each["text"]).groups()
        rows = (ROOT / path_of(module)).read_text(encoding="utf-8").split("\n")
        assert rows[int(line) - 1].strip() == old
        rows[int(line) - 1] = rows[int(line) - 1].replace(old, new)
        after = getattr(edits.load("\n".join(rows), module), name)
        right = each["options"][each["key"]]
        if each["kind"] == "input":
            changed = [call for call in each["options"] if not same(returned(before, call), returned(after, call))]
            assert changed == [right]
            continue
        call = re.search("The call is `(.*)`", each["text"]).group(1)
        value = returned(after, call)
        if right[0] in "-[0123456789":
            assert same(value, np.array(json.loads(right)))
        else:
            assert (value is None) == (right == make.RAISES)
            assert same(value, returned(before, call)) == (right in (make.UNCHANGED, make.NOTHING))


def test_a_function_whose_calls_cannot_be_written_is_asked_about_by_case():
    name, module = "numerical_jacobian", "cs7643.autodiff.numerical"
    asked = [each for seed in range(3) for each in json.loads(make.asked("5b", name, seed))]
    found = [each for each in asked if each["kind"] == "input"]
    assert found
    assert {each["kind"] for each in asked} == {"input", "reason"}
    for each in found:
        line, after = re.search(r"Line (\d+) is changed from\n    .*\nto\n    (.*)", each["text"]).groups()
        rows = (ROOT / path_of(module)).read_text(encoding="utf-8").split("\n")
        row = rows[int(line) - 1]
        rows[int(line) - 1] = row[: len(row) - len(row.lstrip())] + after
        changed = getattr(edits.load("\n".join(rows), module), name)
        fail = [case.title for case in cases_of(name) if run_case(case, changed, predict=False).status != "right"]
        assert set(fail) & set(each["options"]) == {each["options"][each["key"]]}


def returned(function, text):
    """Run a call as it is written, with random numbers where it gives a shape; return None if it raises."""
    rng = np.random.default_rng(0)

    def given(value):
        if isinstance(value, dict):
            return value
        if isinstance(value, tuple):
            return tuple(map(given, value))
        if isinstance(value, str):
            return rng.standard_normal(ast.literal_eval(value))
        return np.array(value, float) if isinstance(value, list) else value

    call = ast.parse(re.sub(r"an array of shape (\(.*?\))", r"'\1'", text), mode="eval").body
    try:
        return function(*(given(ast.literal_eval(each)) for each in call.args))
    except Exception:
        return None


def same(one, other):
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(map(same, one, other))
    if one is None or other is None:
        return one is other
    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, equal_nan=True))


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
    assert kept[first + 2, "k"] == ["0", "1", "2", "2"]
    assert kept[first + 3, "total"] == ["[1, 3]", "[3, 9]"]
    assert kept[first + 4, "half"] == ["[1.5, 4.5]"]


def test_a_variable_that_is_set_to_what_it_was_counts_too():
    def function(values):
        for start in values:
            best = start
            if best < 5:
                best = 5
        return best

    kept = make._assigned(function, (([1, 5],), {}))
    assert kept[function.__code__.co_firstlineno + 2, "best"] == ["1", "5"]


def test_what_would_have_to_be_rounded_is_not_written():
    assert describe.describe(0.1 + 0.2) == "0.3"
    assert describe.describe(1 / 3) == ""
    assert describe.describe(np.array([1 / 3, 1])) == "shape (2,)"
    assert describe.describe([np.array([2.0]), -0.0]) == "[[2], 0]"
    assert describe.argument({"w": np.ones(13), "b": (np.eye(2, dtype=np.float32),)}) == (
        "{'w': an array of shape (13,), 'b': ([[1, 0], [0, 1]],)}"
    )
    assert describe.argument(abs) == ""
    x = np.array([0.2562, -1.9])
    simple = describe.simple((x, 0.5853, 0.99, 3, {"b": np.array([0.25])}))
    assert describe.argument(simple) == "([0.5, -2], 0.6, 0.99, 3, {'b': [0.25]})"


def test_only_what_the_numbers_that_are_not_shown_leave_open_is_asked():
    call = ((np.arange(20.0), np.array([1.0])), {})
    assert [describe.argument(each[0]) for each in make._both(call)] == ["(an array of shape (20,), [1])"] * 2
    first, second = (each[0][0] for each in make._both(call))
    assert not np.isin(second, first).any()


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
