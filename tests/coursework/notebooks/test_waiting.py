"""Blanks and a notebook in a real kernel: who waits, who runs, and what the last cell lists."""

from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pytest

from coursework.check.todo import todo
from coursework.notebooks.execute import run
from coursework.notebooks.waiting import STOP, WAITS, _place, set_in
from coursework.root import ROOT
from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition, restore
from coursework.staff.release.release_command import write

CELLS = (
    "%load_ext coursework.notebooks.waiting\nold, kept = 1, {}",
    "given = 2",
    'old = 3\nkept["a"] = 4\nraise NotImplementedError("Task 6.1: tuned")',
    "print(given)",
    "new = old + 1",
    "print(kept)",
    "print(new)",
    "print(misspelt)",
    "print('never')",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("notebooks") / "1_cells.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, CELLS))), path)
    return path


def said(cell):
    return [output.get("text") or output.get("data", {}).get("text/plain") or output.ename for output in cell.outputs]


def test_a_blank_makes_only_those_wait_that_need_it_and_an_error_stops_as_ever(path, tmp_path):
    (execution,) = run([path], tmp_path, variables={STOP: "0"})
    assert execution.done == 7
    assert execution.problem.endswith("NameError: name 'misspelt' is not defined")
    waiting = [cell for cell in execution.cells if any(WAITS in output.get("metadata", {}) for output in cell.outputs)]
    assert [execution.cells.index(cell) for cell in waiting] == [2, 4, 5, 6]
    assert {cell.outputs[0].metadata[WAITS] for cell in waiting} == {"6.1"}
    assert all("coursework_code" in cell.outputs[0].metadata for cell in waiting)  # it may be there now
    assert "tuned is yours to write, here, in this cell" in said(execution.cells[2])[0]
    assert said(execution.cells[3]) == ["2\n"]
    assert "waits for task 6.1, as the cell that makes new does" in said(execution.cells[6])[0]
    assert not execution.cells[8].outputs


def test_a_file_is_named_from_the_root_wherever_the_notebook_found_it():
    names, path = {}, ROOT / "notebooks" / ".." / "cs7643" / "descent.py"
    exec(compile("def f():\n    raise ValueError", str(path), "exec"), names)
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        names["f"]()
    assert _place(raised.tb, {}) == ("cs7643/descent.py", 2, False)


def test_a_command_stops_at_the_blank(path, tmp_path):
    (execution,) = run([path], tmp_path)
    assert execution.done == 2
    assert execution.problem.endswith("NotImplementedError: Task 6.1: tuned")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a, (b, *c) = f()\nd += 1\ne[0] = 1\nfor g in h:\n    with i as j:\n        pass", "a b c d e g j"),
        ("def f():\n    a = 1\nclass C:\n    b = 2\nprint([c for c in d])\nimport e", ""),
        ("if (a := 1):\n    b: int = 2", "a b"),
    ],
)
def test_what_a_cell_sets(source, names):
    assert set_in(source) == set(names.split())


@pytest.fixture(scope="module")
def edition():
    return make_edition(read_source())


def left_in(folder, number):
    command = [sys.executable, "-c", f"from cs7643.checks import todo; print(todo({number}))"]
    return subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, encoding="utf-8").stdout


def test_what_is_left_has_its_place(edition, tmp_path):
    write(edition.files, tmp_path)
    lines = left_in(tmp_path, 3).splitlines()
    assert lines[0] == "Left to do in notebook 3: 6"
    assert "  · momentum: not started, in cs7643/optim.py" in lines
    assert "  · task 6.1, debugging: no answer yet, under “6. What is wrong with it?”" in lines
    assert "  · task 6.1, tuned: not started, under “7. Tuning”" in lines
    assert left_in(tmp_path, 2).splitlines()[0] == "Left to do in notebook 2: 13"
    assert "  · task 6.7, MyModel layers: not started, in cs7643/pytorch/models.py" in left_in(tmp_path, 7)
    solved = restore(edition)["cs7643/optim.py"].decode()
    spoilt = solved.replace("momentum * ", "2 * momentum * ")
    assert solved != spoilt
    (tmp_path / "cs7643/optim.py").write_text(spoilt, encoding="utf-8")
    lines = left_in(tmp_path, 3).splitlines()
    assert "  ✗ momentum: wrong, in cs7643/optim.py" in lines
    assert "  ✓ right: rmsprop" in lines


@pytest.mark.parametrize("number", range(1, 8))
def test_nothing_is_left_in_the_solved_edition(number):
    found = todo(number)
    assert not found.items, str(found)
    assert "Everything" in str(found)
    assert "Everything" in found._repr_html_()


def test_todo_wants_a_notebook():
    with pytest.raises(ValueError, match=r"expected the number of a notebook .*got 8"):
        todo(8)


def test_what_is_below_its_range_is_a_warning(tmp_path):
    cells = [
        f"from coursework.notebooks.results import record\nrecord('accuracy', {value}, (0.4, 0.6))"
        for value in ("0.1", "0.5", "0.9")
    ]
    path = tmp_path / "1_figures.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells))), path)
    (execution,) = run([path], tmp_path / "report")
    shown = [cell.outputs[0].data for cell in execution.cells]
    for data, word in zip(shown, ("no", "yes", "more"), strict=True):
        assert f"(expected 0.4 to 0.6: {word})" in data["text/plain"]
        assert ("text/html" in data) == data["text/plain"].startswith("⚠") == (word == "no")
    page = (tmp_path / "report" / "1_figures.html").read_text(encoding="utf-8")
    assert page.count('<pre class="output figure">') == 2
