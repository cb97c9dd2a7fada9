"""The checks pass the solution, whatever the seed, and say what a wrong function does."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import operator
import re
import shutil

import numpy as np
import pytest
from tolerances import assert_within, difference

from coursework.check import hints, rules
from coursework.check.case import CASES, SIDE_EFFECTS, Outcome, case, cases_of, run_case
from coursework.check.comparison import compare
from coursework.check.diagnosis import MISTAKES, Diagnosis, diagnose
from coursework.check.verdict import try_function
from coursework.homework import homework
from coursework.root import ROOT
from cs7643 import layers
from cs7643.checks import check, hint
from cs7643.gradient_check import eval_numerical_gradient, eval_numerical_gradient_array, rel_error

for task in homework().tasks:
    importlib.import_module(task.cases)  # registers its cases


def outcomes(function, name):
    return {case.title: run_case(case, function) for case in cases_of(name)}


@pytest.mark.parametrize("task", [task.number for task in homework().tasks])
def test_the_solution_passes(task):
    report = check(task)
    assert report.passed, str(report)
    assert all(verdict.outcomes for verdict in report.functions)  # each function has a case


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_the_solution_passes_on_other_inputs(seed):
    for task in homework().tasks:
        report = check(task.number, apart=False, seed=seed)
        assert report.passed, str(report)


def test_a_seed_makes_the_inputs():
    seen = {}

    def remember(x):
        seen.setdefault(seed, []).append(x)
        return np.maximum(x, 0), x

    for seed in (0, 7):
        assert try_function("relu_forward", remember, seed).status == "right"
    first, other = seen.values()
    assert len(first) == len(other)
    assert any(x.shape != y.shape or not np.array_equal(x, y) for x, y in zip(first, other, strict=True))
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        check("1", seed=-1)


def test_every_mistake_is_one_of_a_function():
    functions = {name for task in homework().tasks for _, name in task.functions}
    for each in MISTAKES:
        assert set(each.functions) <= functions
        assert each.advice.endswith(".")
    pairs = [(function, each.name) for each in MISTAKES for function in each.functions]
    assert len(pairs) == len(set(pairs))


def test_every_rule_that_is_tested_is_stated_where_students_read():
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules.page()


def test_a_diagnosis_weighs_what_speaks_for_and_against():
    def wrong(title, fits=(), misfits=()):
        return Outcome(title, "wrong", "dx differs", fits=tuple(fits), misfits=tuple(misfits))

    averaged, assigned = ("averaged", "db"), ("assigned", "dx")
    name = "conv_backward_naive"
    assert diagnose(name, [Outcome("a", "right")]) == Diagnosis()
    assert diagnose(name, [wrong("a")]) == Diagnosis()  # no evidence, no name
    assert diagnose(name, [wrong("a", [averaged], [("averaged", "dw")])]).mistakes == ("averaged",)  # dw is fine
    assert diagnose(name, [wrong("a", [averaged]), Outcome("b", "right", misfits=(averaged,))]).mistakes == ()
    both = diagnose(name, [wrong("a", [averaged, assigned])])  # one in db, the other in dx
    assert set(both.mistakes) == {"averaged", "assigned"}
    assert ". Also: " in both.sentence
    either = diagnose(name, [wrong("a", [("averaged", "dw"), ("dw assigned", "dw")])])
    assert either.sentence.startswith("Likely: one of these: ")
    side = Outcome(SIDE_EFFECTS, "wrong", "it changes dout", fits=(("changes an argument", "the error"),))
    assert diagnose(name, [wrong("a", [averaged]), side]).mistakes == ("averaged", "changes an argument")


def test_a_case_that_compares_nothing_is_not_right():
    @case("nothing at all", "an empty case", "")
    def empty(function, _):
        function()
        yield from ()

    try:
        assert {outcome.status for outcome in outcomes(lambda: 1, "nothing at all").values()} == {"wrong"}
    finally:
        CASES.pop()
    nones = outcomes(lambda dout, cache: (None, None, None), "affine_backward")
    assert "right" not in {outcome.status for outcome in nones.values()}


def test_a_breach_of_a_side_rule_does_not_hide_that_the_mathematics_is_right():
    def in_place(dout, cache):
        dout[cache <= 0] = 0
        return dout

    verdict = try_function("relu_backward", in_place)
    assert [outcome.title for outcome in verdict.outcomes if outcome.status != "right"] == [SIDE_EFFECTS]
    assert verdict.status == "wrong"
    assert verdict.summary.startswith("right on ordinary inputs, but not in 1 of 4 cases")
    assert verdict.diagnosis.mistakes == ("changes an argument",)


def test_double_precision_costs_nothing():
    def double(x):
        return np.maximum(x, 0.0).astype(np.float64), x

    verdict = try_function("relu_forward", double)
    assert verdict.status == "right"
    assert verdict.summary == "right in 4 of 4 cases; float64 for float32 inputs, which costs nothing"


def test_a_half_written_network_is_begun_and_not_wrong():
    def scores(X, model, y=None, reg=0.0):
        scores = np.maximum(X @ model["W1"] + model["b1"], 0) @ model["W2"] + model["b2"]
        if y is None:
            return scores
        return None, {}

    def blank(X, model, y=None, reg=0.0):
        if y is not None:
            raise NotImplementedError("Task 6.1: two_layer_net")
        return scores(X, model)

    for function in (scores, blank):
        verdict = try_function("two_layer_net", function)
        assert verdict.status == "begun"
        assert verdict.summary.startswith("begun: right in 3 of 13 cases, ")
        assert not verdict.diagnosis.mistakes


def test_every_function_has_three_hints_and_none_is_its_solution(capsys, monkeypatch):
    for module, name in [pair for task in homework().tasks for pair in task.functions]:
        source = inspect.getsource(operator.attrgetter(name)(importlib.import_module(module)))
        solution = re.search(r"BEGIN SOLUTION.*?\n(.*?)# END SOLUTION", source, re.S)
        assert solution, name
        found = hints.hints(name)
        assert found, name
        for place in found:
            assert [title for title, _ in place] == ["The idea", "The formula", "The shapes"]
            for line in map(str.strip, solution[1].splitlines()):
                assert len(line) < 12 or not any(line in text for _, text in place)
    assert hint("conv_forward_naive", 2).startswith("The formula: Position (i, j) has its window at rows i * stride")
    assert hint("sweep") == hint("Tape.sweep")
    assert hint("two_layer_net_loss") == hint("two_layer_net")
    assert hint("Softmax_layers") == hint("Softmax")
    assert hint("5c") == "Task 5c has hints for Dual.apply, forward_jacobian."
    for name, step in (("conv", 1), ("f1", 4), ("f1", 0)):
        with pytest.raises(ValueError, match="hint: "):
            hint(name, step)
    monkeypatch.delenv("MAKELEVEL", raising=False)  # under make, a hint names what make understands
    assert hints.main(argparse.Namespace(name="f2", step=1)) == 0
    idea, more = capsys.readouterr().out.splitlines()
    assert hint("f2") == f"{idea}\n(The next hint: hint('f2', step=2))"
    assert more == "(The next hint: python3 -m cs7643 hint f2 --step 2)"
    assert "next hint" not in hint("f2", 3)
    assert hints.main(argparse.Namespace(name="f3", step=1)) == 2


def test_hint_without_a_name_lists_the_functions(capsys):
    assert hints.main(argparse.Namespace(name=None, step=1)) == 0
    said = capsys.readouterr().out.splitlines()
    listed = [name for line in said[1:] for name in line.partition(": ")[2].split(", ")]
    assert listed == [name for task in homework().tasks for _, name in task.functions]


def test_hints_are_those_of_the_notebook_as_it_is(tmp_path):
    (tmp_path / "notebooks").mkdir()
    notebook = json.loads((ROOT / "notebooks" / "4_layers.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["metadata"] = {}  # as an editor leaves them; the text still says which cell it is
    (tmp_path / "notebooks" / "4_layers.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert hints.hints("relu_forward", tmp_path) == []
    shutil.copy(ROOT / "notebooks" / "outline.json", tmp_path / "notebooks")
    assert hints.hints("relu_forward", tmp_path) == hints.hints("relu_forward")
    (tmp_path / "notebooks" / "4_layers.ipynb").write_text("{", encoding="utf-8")
    assert hints.hints("relu_forward", tmp_path) == []


def test_whatever_a_function_does_an_outcome_comes_back():
    def raises(*_):
        raise KeyError("W3")

    def blank(*_):
        raise NotImplementedError("Task 6.2: relu_forward")

    def nothing(*_):
        return None

    def one_value(*_):
        return np.zeros(3)

    def strings(*_):
        return ["a"], None

    statuses = {
        function.__name__: {outcome.status for outcome in outcomes(function, "relu_forward").values()}
        for function in (raises, blank, nothing, one_value, strings)
    }
    wrong = {"wrong"}
    assert statuses == {
        "raises": wrong,
        "blank": {"not started"},
        "nothing": {"not started"},
        "one_value": wrong,
        "strings": wrong,
    }
    for title, outcome in outcomes(raises, "relu_forward").items():
        assert title == SIDE_EFFECTS or "relu_forward raises KeyError: 'W3'" in outcome.message
    assert try_function("relu_forward", nothing).diagnosis.mistakes == ()  # it has a return statement
    assert try_function("relu_forward", nothing).status == "not started"


def test_a_wrong_function_is_named_in_text_and_table(monkeypatch):
    monkeypatch.setattr(layers, "relu_backward", lambda dout, cache: dout)
    report = check("relu_backward", apart=False)
    assert not report.passed
    assert "✗ relu_backward: wrong" in str(report)
    for shown in (str(report), report._repr_html_()):
        assert "elements are wrong" in shown
        assert "Likely: the gradient passes everywhere" in " ".join(shown.split())
    with pytest.raises(ValueError, match=r"expected a task or a function, got 'relu'; did you mean relu_"):
        check("relu")


def test_a_comparison_says_what_differs():
    expected = np.arange(6.0).reshape(2, 3)
    wrong = expected.copy()
    wrong[1, 2] = 7
    assert compare("dx", expected, expected).passed
    assert (
        "dx, shape (2, 3): 1 of 6 elements are wrong, 0 close, 5 exact; the worst, dx[1, 2], should be 5, got 7 "
        "(difference 2)"
    ) in compare("dx", wrong, expected).message
    assert "shape (2, 3), got (3, 2)" in compare("dx", expected.T, expected).message
    wrong[1, 2] = np.nan
    assert not compare("dx", wrong, expected).passed
    assert compare("dx", np.full(3, 1e-18), np.zeros(3)).passed
    assert not compare("dx", np.full(3, 1e-10), np.zeros(3)).passed


def test_numerical_gradients():
    x = np.random.default_rng(0).standard_normal((3, 4))
    before = x.copy()
    # Sums of 12 values up to 1, with third derivatives up to 1; h is 1e-5 unless it is given.
    found = eval_numerical_gradient(lambda x: np.sum(np.sin(x)), x)
    assert_within(found, np.cos(x), difference(12, 1e-5, third=1))
    df = np.arange(12.0).reshape(3, 4)
    size = (df * np.exp(x)).max()
    found = eval_numerical_gradient_array(np.exp, x, df)
    assert_within(found, df * np.exp(x), difference(size, 1e-5, third=size * np.exp(1e-5)))
    found = eval_numerical_gradient(lambda _: np.sum(x**3), x)  # in place
    assert_within(found, 3 * x**2, difference(np.sum(abs(x) ** 3), 1e-5, third=6))
    assert np.array_equal(x, before)
    with pytest.raises(ZeroDivisionError):
        eval_numerical_gradient(lambda x: 1 / 0, x)
    assert np.array_equal(x, before)
    with pytest.raises(ValueError, match=r"x must be a float64 array .* got float32"):
        eval_numerical_gradient(np.sum, x.astype(np.float32))
    with pytest.raises(ValueError, match="h must be positive, got 0"):
        eval_numerical_gradient(np.sum, x, 0)


def test_rel_error():
    assert rel_error([1.0, 2.0], [1.0, 2.0]) == 0
    assert rel_error([1.0], [3.0]) == 0.5
    assert rel_error([0.0], [0.0]) == 0
    assert rel_error([], []) == 0
    with pytest.raises(ValueError, match="the same shape"):
        rel_error([1.0], [1.0, 2.0])
