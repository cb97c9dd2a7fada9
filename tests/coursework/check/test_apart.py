"""Whatever a student's code does, the check says what, and goes on with the next function."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import time

import pytest

from coursework.check import check_command, status
from coursework.check.report import Report
from coursework.check.run import START, run_apart
from coursework.homework import homework
from coursework.root import ROOT
from cs7643.checks import check

TASK = next(task for task in homework().tasks if task.number == "2")
NAMES = [name for _, name in TASK.functions]
BODY = "    # BEGIN SOLUTION 2 regret\n"


@pytest.fixture
def copy(tmp_path):
    """Copy the package, so that its code can be spoilt."""
    for package in ("coursework", "cs7643"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def spoil(copy, line):
    """Put a line at the beginning of regret."""
    path = copy / "cs7643" / "descent.py"
    source = path.read_text(encoding="utf-8")
    assert source.count(BODY) == 1
    path.write_text(source.replace(BODY, f"    {line}\n"), encoding="utf-8")


SPOILT = {
    "it never ends": ("while True: pass", "regret gave no answer within 2 s"),
    "it ends the interpreter": ("import os; os._exit(3)", "regret ended the interpreter (exit code 3)"),
    "it ends it as if all were well": ("import os; os._exit(0)", "regret ended the interpreter (exit code 0)"),
    "it crashes": ("import ctypes; ctypes.string_at(0)", "regret ended the interpreter"),
    "it exits": ("import sys; sys.exit()", "regret ends the program: it should return"),
    "it raises": ("raise KeyError('w')", "regret raises KeyError: 'w'"),
    "it runs out of memory": ("raise MemoryError", "regret raises MemoryError"),
    "it recurses": ("return regret(iterates, w_star, v)", "regret raises RecursionError"),
    "it returns nothing": ("return", "regret is None"),
    "it returns text": ("return '-11'", "should be an array, got str"),
    "it returns another shape": ("return np.zeros(3)", "should have shape (), got (3,)"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_the_check_says_what_happens_and_goes_on(name, copy):
    line, message = SPOILT[name]
    spoil(copy, line)
    found = run_apart(TASK, NAMES, patience=2.0, root=copy)
    assert message in found["regret"].outcomes[0].message
    assert found["regret"].status == ("not started" if name == "it returns nothing" else "wrong")
    for other in ("follow", "regret_bound"):
        assert found[other].status == "right"


def test_a_function_that_keeps_something_between_calls_is_found_out(copy):
    spoil(copy, "global calls; calls = globals().get('calls', 0) + 1; v = v * (1 if calls == 1 else 2)")
    first = run_apart(TASK, ["regret"], root=copy)["regret"]
    assert "called again with the same arguments, it returns something else" in first.outcomes[-1].message
    assert "keeps something" in first.diagnosis.mistakes
    titles = [outcome.title for outcome in first.outcomes]
    assert len(titles) == len(set(titles))  # the last case is reported once, with what the second run showed


def test_an_error_is_shown_with_its_file_line_and_code(copy):
    spoil(copy, "return v[0] @ undefined")
    found = run_apart(TASK, ["regret"], root=copy)["regret"]
    assert re.search(r"NameError: .* \(descent\.py, line \d+: return v\[0\] @ undefined\)", found.outcomes[0].message)


def test_a_blank_below_own_code_is_pointed_out(copy):
    path = copy / "cs7643" / "descent.py"
    blank = '    # Your code here, in place of the next line.\n    raise NotImplementedError("Task 2: regret")\n'
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace(BODY, blank + BODY), encoding="utf-8")
    assert run_apart(TASK, ["regret"], root=copy)["regret"].status == "not started"
    own = blank.replace("    raise", "    total = np.sum((iterates[:-1] - w_star) * v)\n    raise")
    path.write_text(source.replace(BODY, own + BODY), encoding="utf-8")
    found = run_apart(TASK, ["regret"], root=copy)["regret"]
    assert found.status == "wrong"
    assert "a blank is left below your code" in found.outcomes[0].message


def test_an_endless_loop_at_the_import_costs_one_time_out(copy):
    with (copy / "cs7643" / "descent.py").open("a", encoding="utf-8") as file:
        file.write("while True:\n    pass\n")
    start = time.monotonic()
    found = run_apart(TASK, NAMES, root=copy, loading=8.0)
    assert time.monotonic() - start < 2 * 8.0 + START
    for name in NAMES:
        assert "descent.py was not imported within 8 s" in found[name].outcomes[0].message


def test_what_a_function_prints_is_reported_and_does_not_disturb(copy):
    path = copy / "cs7643" / "descent.py"
    noise = "    print('here', v.shape); import os; os.write(1, b'{}')\n"
    path.write_text(path.read_text(encoding="utf-8").replace(BODY, noise + BODY), encoding="utf-8")
    outcomes = run_apart(TASK, NAMES, root=copy)
    assert outcomes["regret"].status == "right"
    assert "here (2, 1)" in outcomes["regret"].outcomes[0].printed
    assert "it prints" in outcomes["regret"].summary
    assert not outcomes["follow"].outcomes[0].printed


def test_a_file_that_cannot_be_read_is_named_by_its_line_and_other_tasks_are_checked(copy):
    spoil(copy, "return (")
    found = run_apart(TASK, NAMES, root=copy)
    for name in NAMES:
        (outcome,) = found[name].outcomes
        assert outcome.status == "wrong"
        assert "SyntaxError" in outcome.message
        assert re.match(r"cs7643/descent\.py, line \d+, is not valid Python: SyntaxError: .*: ", outcome.message)
        assert not found[name].hint
    other = next(task for task in homework().tasks if task.number == "6.2")
    assert run_apart(other, ["relu_forward"], root=copy)["relu_forward"].status == "right"


@pytest.mark.parametrize("name", ["descent.py.txt", "Descent.py", "descent (1).py"])
def test_a_file_that_is_missing_is_named_with_the_one_that_may_be_it(name, copy):
    (copy / "cs7643" / "descent.py").rename(copy / "cs7643" / name)
    found = run_apart(TASK, NAMES, root=copy)
    for each in NAMES:
        (outcome,) = found[each].outcomes
        assert outcome.message.startswith("cs7643/descent.py: the file is missing")
        assert name in outcome.message


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_reports_and_prints_arrive_whole_whatever_the_encoding(encoding, copy, monkeypatch):
    for variable, value in {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}.items():
        monkeypatch.setenv(variable, value)
    spoil(copy, "print('é ✓ \\ud83d'); raise ValueError('中 \\ud83d')")
    found = run_apart(TASK, ["regret"], root=copy)["regret"]
    assert "raises ValueError: 中 ‹U+D83D›" in found.outcomes[0].message
    assert found.outcomes[0].printed == "é ✓ \\ud83d"


def test_blanks_are_not_started_and_earn_nothing(copy):
    spoil(copy, '# Your code here, in place of the next line.\n    raise NotImplementedError("Task 2: regret")')
    report = Report(TASK, tuple(run_apart(TASK, NAMES, root=copy).values()))
    assert [function.status for function in report.functions] == ["right", "not started", "right"]
    assert report.earned == 0
    assert re.match(r"2 +0 of 1 +The regret inequality", status.line(report))
    assert "not started: regret (cs7643/descent.py)" in status.line(report)
    assert status.line(report).endswith("2 points for the proof, marked by a person")


def test_the_report_as_json(capsys):
    assert check_command.main(argparse.Namespace(what=["1", "regret"], all=False, seed=0, json=True)) == 0
    first, second = json.loads(capsys.readouterr().out)["checks"]
    assert (first["task"], first["points"], first["earned"], first["passed"]) == ("1", 3, 1, True)
    assert [function["name"] for function in first["functions"]] == ["proximal_step", "step_size"]
    assert {case["status"] for function in first["functions"] for case in function["cases"]} == {"right"}
    assert (second["task"], second["earned"]) == ("2", 0)  # one function is not the task
    assert check_command.main(argparse.Namespace(what=["7"], all=False, seed=0, json=False)) == 2
    assert "expected a task or a function, got '7'; the tasks are 1, 2" in capsys.readouterr().err
    assert check_command.main(argparse.Namespace(what=["6.3"], all=False, seed=0, json=False)) == 2
    assert "no program checks task 6.3" in capsys.readouterr().err


def test_a_problem_stands_for_its_tasks(capsys):
    assert check_command.main(argparse.Namespace(what=["5"], all=False, seed=0, json=True)) == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [each["task"] for each in checks] == ["5a", "5b", "5c", "5d"]


def test_status_counts_what_the_code_earns_apart_from_what_a_person_marks(capsys):
    assert status.main(argparse.Namespace()) == 0
    points = sum(task.program_points for task in homework().tasks)
    printed = capsys.readouterr().out
    assert f"The code earns {points:g} of the {points:g} points that checks give." in printed
    assert f"The other {41 - points:g} of 41 are for what you prove" in printed
    assert [line.split()[0] for line in printed.splitlines()[:-2]] == [task.number for task in homework().all_tasks]
    assert re.search(r"^6\.3 +\? of 2 ", printed, re.M)


def test_everything_is_checked_at_once_and_numbers_may_be_numbers():
    everything = check(apart=False)
    assert everything.passed
    assert [report.task for report in everything.reports] == list(homework().tasks)
    assert str(check(6.2, apart=False)) == str(check("6.2", apart=False)) in str(everything)
    assert everything._repr_mimebundle_()[0]["text/html"].count("<table") == len(homework().tasks)


def test_apart_and_here_give_the_same_report():
    assert str(check("6.2")) == str(check("6.2", apart=False))
