"""A change is one place of one line, in code that still parses, wherever it is made."""

from __future__ import annotations

import ast
import importlib
import operator
import textwrap

import pytest

from coursework.homework import homework
from coursework.quiz import edits
from coursework.quiz.edits import Source

WRITTEN = [(module, name) for task in homework().tasks for module, name in task.functions]


@pytest.mark.parametrize(("module", "name"), WRITTEN, ids=[name for _, name in WRITTEN])
def test_a_change_is_one_place_in_one_line(module, name):
    source = Source.of(operator.attrgetter(name)(importlib.import_module(module)))
    with open(source.path, encoding="utf-8") as stream:
        rows = stream.read().splitlines()
    for edit in edits.edits(source):
        changed = edit.file.splitlines()
        different = [k for k, (old, new) in enumerate(zip(rows, changed, strict=True), 1) if old != new]
        assert different == [edit.line]
        assert edit.line in source.body()
        assert (rows[edit.line - 1].strip(), changed[edit.line - 1].strip()) == (edit.before, edit.after)
        nodes = [sum(1 for _ in ast.walk(ast.parse(text))) for text in ("\n".join(rows), edit.file)]
        assert abs(nodes[0] - nodes[1]) <= 1  # an augmented assignment has an operator, a plain one has not


FUNCTION = '''
def f(x, y=1):
    """Add -1 + 2."""
    a = x * y + 3  # + 5
    for k in range(0, 4):
        a += (x
              - k)
    if a <= 7:
        return max(a, x.sum(axis=1))
    return "ä" + str(a)
'''


def test_what_is_changed_and_what_is_not(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("import math\n\n" + textwrap.dedent(FUNCTION), encoding="utf-8")
    found = {(each.line, each.after) for each in edits.edits(Source(str(path), 4, FUNCTION.lstrip("\n")))}
    assert found == {
        (6, "a = x + y + 3  # + 5"),
        (6, "a = x * y - 3  # + 5"),
        (6, "a = x * y + 4  # + 5"),
        (7, "for k in range(1, 4):"),
        (7, "for k in range(0, 5):"),
        (8, "a = (x"),
        (10, "if a < 7:"),
        (10, "if a <= 8:"),
        (11, "return max(a, x.mean(axis=1))"),
        (11, "return max(a, x.sum(axis=0))"),
    }


GUARDED = """
def f(
    x,
):
    # signature above
    z = x + 1
    x = array("f: x", x)
    if x.ndim != 1:
        raise ValueError("no " + str(2 + 3))
    assert len(x) > 0
    y = x[:-1] + 1
    return y
"""


def test_tests_of_the_arguments_are_not_asked_about(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(GUARDED, encoding="utf-8")
    source = Source(str(path), 2, GUARDED.lstrip("\n"))
    assert {each.line: each.after for each in edits.edits(source)} == {11: "y = x[:-1] + 0"}
    assert list(source.signature()) == [2, 3, 4, 5]


def test_a_changed_module_replaces_nothing():
    module = "cs7643.optim"
    before = importlib.import_module(module)
    with open(before.__file__, encoding="utf-8") as stream:
        made = edits.load(stream.read() + "\nmarked = 1\n", module)
    assert made.marked == 1
    assert importlib.import_module(module) is before
    assert not hasattr(before, "marked")
    with pytest.raises(ZeroDivisionError):
        edits.load("1 / 0", module)
    assert importlib.import_module(module) is before
