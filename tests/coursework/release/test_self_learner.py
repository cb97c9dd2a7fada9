"""The edition for somebody who learns alone: answers behind a fold, other functions after green, and nothing before."""

from __future__ import annotations

import base64
import functools
import inspect
import json
import re
import types

import pytest

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.mutants.mutant import load
from coursework.staff.release import leaks, others, self_learner
from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition
from coursework.staff.release.markers import ReleaseError
from cs7643.descent import step_size

CELL = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["### Exercises\n", "\n", "1. Why?\n", "2. How?"]}
LAST, PAGE = "notebooks/8_together.ipynb", "staff/answers/8_together.ipynb"
NOTEBOOK = json.dumps({"cells": [CELL, {**CELL, "id": "b", "source": ["1. Text"]}]}).encode()


@functools.cache
def source():
    return read_source(ROOT)


@functools.cache
def editions():
    course = make_edition(source())
    return course, self_learner.extend(course, source())


def test_answers_stand_behind_a_fold_below_their_exercises():
    cells = json.loads(self_learner.with_answers(NOTEBOOK, "1. So.\n2. Thus.", "n.ipynb"))["cells"]
    text = "".join(cells[0]["source"])
    assert text.endswith("2. How?\n\n<details><summary>Answers</summary>\n\n1. So.\n2. Thus.\n\n</details>")
    assert "".join(cells[1]["source"]) == "1. Text"
    with pytest.raises(ReleaseError, match=r"n\.ipynb:1: expected an answer to each of 2 exercises in one cell, got 1"):
        self_learner.with_answers(NOTEBOOK, "1. So.", "n.ipynb")


def test_answers_to_no_notebook_are_refused_and_so_is_a_homework_without_any(monkeypatch):
    with pytest.raises(ReleaseError, match=r"staff/answers/9_x\.md:1: there is no notebook of this name"):
        self_learner.extend(editions()[0], {**source(), "staff/answers/9_x.md": b"1. So."})
    with pytest.raises(ReleaseError, match=r"2_autodiff\.ipynb:1: there is a notebook of this name"):
        self_learner.extend(editions()[0], {**source(), "staff/answers/2_autodiff.ipynb": b"{}"})
    monkeypatch.setattr(self_learner, "setting", lambda key: "")
    with pytest.raises(ReleaseError, match=r"expected \[tool\.coursework\] answers\n.*\] second"):
        self_learner.extend(editions()[0], source())


def test_the_course_edition_has_none_of_it_and_the_rest_is_the_same():
    course, alone = editions()
    differ = {path for path, content in alone.files.items() if course.files.get(path) != content}
    added = {"coursework/others.py", "coursework/others.json", LAST}
    assert differ == {*homework().notebooks, "notebooks/outline.json", "README.md", *added}
    assert alone.files.keys() - course.files.keys() == added
    folds = [b"<summary>Answers</summary>" in alone.files[path] for path in homework().notebooks]
    assert all(folds)
    folds = b"<summary>Answers</summary>", b"<summary>What to expect</summary>"
    assert not any(fold in content for content in course.files.values() for fold in folds)
    assert all(len(alone.files[path]) < 1.5e6 for path in homework().notebooks)
    readme = alone.files["README.md"].decode()
    assert f"[Your tape and your layers, together]({LAST})" in readme
    assert readme.index("## Learning alone") < readme.index("## Handing in")
    assert "-student" not in readme


def test_a_picture_stands_behind_a_fold_below_the_cell_that_needs_what_the_reader_writes():
    drawn = [{"data": {"image/png": "AA=="}, "metadata": {"image/png": {"alt": "A [line] \\"}}}]
    sources = {
        "a": "%matplotlib inline\nx = f1(1, 2)",
        "b": "plot(x)",
        "c": "plot(1)",
        "d": "plot(2)",
        "e": "t = %time 1",
        "f": "draw(f1)",
    }
    tags = {"d": ["result"]}
    solved = [
        {"cell_type": "code", "id": id_, "metadata": {"tags": tags.get(id_, [])}, "source": text, "outputs": drawn}
        for id_, text in sources.items()
    ]
    solved[-1]["outputs"] = [{"data": {"image/svg+xml": ["<svg>", "</svg>"]}, "metadata": {}}]
    blank = [{**cell, "outputs": []} for cell in solved]
    new = self_learner.with_pictures(*(json.dumps({"cells": cells}).encode() for cells in (blank, solved)))
    cells = json.loads(new)["cells"]
    assert [cell["id"] for cell in cells] == [
        "a",
        "a-expected",
        "b",
        "b-expected",
        "c",
        "d",
        "d-expected",
        "e",
        "f",
        "f-expected",
    ]
    assert cells[3]["attachments"] == {"expected.png": {"image/png": "AA=="}}
    assert "![A line ](attachment:expected.png)" in "".join(cells[3]["source"])
    (held,) = re.findall(r"\]\(data:image/svg\+xml;base64,(.*)\)", "".join(cells[-1]["source"]))
    assert base64.b64decode(held) == b'<svg style="background:#fff"></svg>'
    assert "attachments" not in cells[-1]
    assert [cell for cell in cells if not cell["id"].endswith("-expected")] == blank


def test_every_notebook_whose_pictures_the_reader_draws_shows_what_to_expect():
    """No output comes with it, and a fold holds one picture and its text alternative."""
    for path in homework().notebooks:
        cells = json.loads(editions()[1].files[path])["cells"]
        folds = [cell for cell in cells if "attachments" in cell]
        assert bool(folds) == ("4_layers" not in path)  # its pictures are those of given functions
        assert all("![]" not in "".join(cell["source"]) and cell["metadata"]["tags"] == ["given"] for cell in folds)
        assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.slow
@pytest.mark.parametrize("right", [True, False])
def test_on_the_last_page_the_tape_and_the_layers_agree_and_train(right, monkeypatch, capsys):
    monkeypatch.setattr("cs7643.checks.check", lambda name: types.SimpleNamespace(passed=right))
    cells = [cell for cell in json.loads(editions()[1].files[LAST])["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)
    names = {}
    for cell in cells[: None if right else 2]:
        exec(self_learner.MAGIC.sub("", "".join(cell["source"])), names)
    said = capsys.readouterr().out
    if not right:
        assert said == "This page waits for Tape.sweep (task 5d), momentum (task 6.1), the layers (task 6.2).\n"
        return
    assert said.startswith("All that this page needs is right.\n23 records: input, input, input, input, conv_forward")
    committed = [cell for cell in json.loads(source()[PAGE])["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in committed] == list(range(1, len(committed) + 1))
    printed = "".join("".join(output.get("text", "")) for cell in committed[:-3] for output in cell["outputs"])
    assert said.startswith(printed)  # before it trains, what stands there is what comes
    assert said.count("agree to 1e-12: True") == 4
    assert names["losses"][-1] < 0.1 * names["losses"][0]
    assert min(names["accuracy"], names["accuracy_tanh"]) > 0.9


@pytest.mark.slow
def test_nothing_can_be_read_before_green():
    """The texts are looked through as ever, and nothing that is new in them is a stretch of the other functions."""

    def stretches(files):
        found = (leaks.CODE.findall(text) for path, content in files.items() for text in leaks.texts(path, content))
        return set().union(*(leaks.runs(tokens, 16) for tokens in found))

    course, alone = editions()
    leaks.look_through(alone, source())
    hidden = stretches(
        {name: "\n".join(text for _, text in self_learner.ways(name)).encode() for name in homework().functions}
    )
    assert len(hidden) > 1000
    assert not (stretches(alone.files) - stretches(course.files)) & hidden


def test_a_definition_comes_with_what_it_uses_and_without_other_tasks():
    each = [
        f"def {name}(x):\n    return {uses}(x)"
        for name, uses in (("_a", "exp"), ("_b", "_a"), ("f1", "_b"), ("f2", "f1"))
    ]
    text = "\n\n\n".join(each)
    assert self_learner.with_helpers(text, "f1") == "\n\n\n".join(each[:3])
    assert self_learner.with_helpers(text, "f2") == each[3]


@pytest.mark.parametrize("name", homework().functions)
def test_there_are_other_ways_to_write_each_function_and_each_stands_alone(name):
    module = {each: module for task in homework().tasks for module, each in task.functions}[name]
    found = self_learner.ways(name)
    assert len(found) > others.COUNT
    assert all("Good " in good_for for good_for, _ in found)
    for _, text in found:
        load(module, name, text)  # among the names of its module


def test_the_two_ways_shown_differ_from_yours_and_from_each_other(tmp_path, monkeypatch, capsys):
    own = inspect.getsource(step_size)
    far, near = "def step_size(lam):\n    one = 1.0\n    return np.divide(one, lam)", own.replace("1", "1.0")
    (tmp_path / "others.json").write_text(
        json.dumps({"step_size": others.pack([("", near), ("", far), ("", far + " ")])})
    )
    monkeypatch.setattr(others, "KEPT", tmp_path / "others.json")
    monkeypatch.setattr(others, "check", lambda name: types.SimpleNamespace(passed=True))
    assert others.main(["step_size"]) == 0
    assert capsys.readouterr().out == f"--- \n\n{far}\n\n--- \n\n{near}\n\n"


@pytest.mark.parametrize("right", [True, False])
def test_others_are_shown_when_the_check_is_right(right, tmp_path, monkeypatch, capsys):
    kept = tmp_path / "others.json"
    kept.write_text(json.dumps({"step_size": others.pack(self_learner.ways("step_size"))}), encoding="utf-8")
    assert "def step_size" not in kept.read_text(encoding="utf-8")
    monkeypatch.setattr(others, "KEPT", kept)
    monkeypatch.setattr(others, "check", lambda name: types.SimpleNamespace(passed=right, name=name))
    assert others.main(["step_size"]) == int(not right)
    said = capsys.readouterr().out
    assert said.count("def step_size") == (others.COUNT if right else 0)
    assert right or "Other ways to write step_size are shown when yours is right." in said
    assert others.main(["no_function"]) == 2
    assert "expected one function or task (step_size), got 'no_function'" in capsys.readouterr().err


@pytest.mark.parametrize("right", [True, False])
def test_a_proof_is_shown_when_the_functions_of_its_task_are_right(right, tmp_path, monkeypatch, capsys):
    words = self_learner.in_words(source())
    assert {"1", "2", "3", "4", "5a", "6.1"} <= words.keys() <= {task.number for task in homework().tasks}
    kept = tmp_path / "others.json"
    kept.write_text(json.dumps({number: others.pack(answers) for number, answers in words.items()}), encoding="utf-8")
    monkeypatch.setattr(others, "KEPT", kept)
    monkeypatch.setattr(others, "check", lambda name: types.SimpleNamespace(passed=right))
    assert others.main(["6.1"]) == int(not right)
    said = capsys.readouterr().out
    assert [f"--- Task 6.1, {name}\n" in said for name in ("debugging", "templates")] == [right] * 2
    assert ("every class gets probability 1/10" in said) == right
    assert right or "Answers to task 6.1 are shown when its functions are right." in said
    assert "SOLUTION" not in said
