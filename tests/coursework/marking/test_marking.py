"""The marking guide is complete and stays with the staff, and two who mark from it agree."""

from __future__ import annotations

import argparse
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.autograder import student_report
from coursework.staff.autograder.rubric import by_person
from coursework.staff.marking import agreement, guide, marking_command
from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition, texts

PARTS = guide.parts()
TRIAL = guide.folder() / "trial"
TOY = (ROOT / "tests" / "toy" / "staff" / "marking" / "1.md").read_text(encoding="utf-8")
ONE = TOY.replace(", 0.5:", ", 1:").replace(", 0.25:", ", 0.5:")  # for a task of two points


def answers():
    found = re.split(r"^## (\w+), task (\S+)$", (TRIAL / "answers.md").read_text(encoding="utf-8"), flags=re.M)[1:]
    return {name: (task, text.strip()) for name, task, text in zip(found[::3], found[1::3], found[2::3], strict=True)}


def test_every_part_that_a_person_marks_has_a_guide_of_its_points():
    assert {task.number: points for task, points, _ in by_person()} == {
        number: part.points for number, part in PARTS.items() if part.points
    }
    assert sum(part.points for part in PARTS.values()) == 13.5


def test_a_slip_never_costs_more_than_its_item():
    part = guide.read(ONE, "1")
    lost = [(), ("by example",), ("order",), ("brackets", "by example"), ("order", "brackets", "by example")]
    assert [part.earned(each) for each in lost] == [2, 1.5, 1, 1, 0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- order, 1:", "- order, 1.5:", r"expected items of 2 points, got 2\.5"),
        (
            "- by example, 0.5:",
            "- by example, 1.5:",
            r"'by example' to cost at most the 1 points of 'brackets', got 1\.5",
        ),
        ("- by example, 0.5:", "- order, 0.5:", "each name once, got 'order' twice"),
        ("## Loses brackets", "## Loses commas", r"expected an item or a slip \(order, .*\), got 'commas'"),
        ("## Loses brackets", "## Loses by example", r"a sample of 1 points \(Half\), got \[2\.0, 1\.5, 0\.0\]"),
        ("## Loses brackets", "## Lost: brackets", "expected headings .* got '## Lost: brackets'"),
        ("Half: One", "One", "a line that begins with Half:"),
        ("- order, 1: Addition", "- order: Addition", "expected .* got '- order: Addition"),
    ],
)
def test_a_guide_that_does_not_add_up_is_refused(old, new, said):
    assert old in ONE
    with pytest.raises(ValueError, match=f"task 1: .*{said}"):
        guide.read(ONE.replace(old, new), "1")


def test_a_guide_to_no_task_and_a_task_without_guide_are_named(tmp_path):
    with pytest.raises(ValueError, match="each task that a person marks, got none to 1, 2, 3"):
        guide.parts(tmp_path)
    (tmp_path / "99.md").write_text(TOY, encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected the number of a task .* got '99'"):
        guide.parts(tmp_path)


def test_each_page_shows_its_part_and_the_results_name_the_items(tmp_path, capsys):
    assert marking_command.main(argparse.Namespace(out=tmp_path, compare=None)) == 0
    pages = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(pages) == {"index", *PARTS}
    for number, part in PARTS.items():
        assert pages[number].count("<article") == len(part.losses) + len(part.samples)
        assert all(loss.name in pages[number] for loss in part.losses)
        assert 'class="tex"' not in pages[number], "a formula is not understood"
    found = student_report.build({}, {}, [], [], 1.0, items=guide.items())
    (test,) = (test for test in found["tests"] if test["name"].endswith("item by item"))
    assert "2: expansion 0.5, telescoping 0.5, inequality 0.5, equality 0.5" in test["output"]
    assert test["visibility"] == "after_published"
    assert student_report.most(found) == student_report.most(student_report.build({}, {}, [], [], 1.0))


def test_nothing_of_the_guide_is_in_what_students_get():
    def runs(text):
        words = re.findall(r"\w+", text)
        return {tuple(words[k : k + 12]) for k in range(len(words) - 11)}

    edition = make_edition(read_source(ROOT))
    own = {path: path.read_text(encoding="utf-8") for path in guide.folder().rglob("*.md")}
    assert not [path for path in edition.files if "marking" in path]
    public = set().union(*(runs(text) for path, content in edition.files.items() for text in texts(path, content)))
    shared = {path.name: [" ".join(run) for run in runs(text) & public] for path, text in own.items()}
    assert not {name: found for name, found in shared.items() if found}


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30))
def test_kappa_is_that_of_the_table(pairs):
    """Cohen's definition: a table of pairs, the table that its margins give, and weights (i - j)^2."""
    table = np.zeros((5, 5))
    for pair in pairs:
        table[pair] += 1
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(pairs)
    weights = (np.arange(5)[:, None] - np.arange(5)) ** 2
    if not (weights * expected).sum():
        with pytest.raises(ValueError, match="not all the same"):
            agreement.kappa(*zip(*pairs, strict=True))
        return
    found = agreement.kappa(*([value / 4 for value in each] for each in zip(*pairs, strict=True)))
    assert found == pytest.approx(1 - (weights * table).sum() / (weights * expected).sum(), abs=1e-12)


def test_the_trial_answers_were_marked_twice_and_alike(capsys):
    marks = [agreement.read_marks(TRIAL / f"{name}.csv") for name in ("first", "second")]
    assert {name: task for name, (task, _) in answers().items()} == {name: task for name, (task, _) in marks[0].items()}
    assert len(answers()) >= 20
    assert {task for task, _ in answers().values()} == {task.number for task, _, _ in by_person()}
    known = {sample.text for part in PARTS.values() for sample in part.samples}
    assert not known & {text for _, text in answers().values()}
    rows, kappa = agreement.compare(*marks, PARTS)
    assert len(rows) == len(answers()) + 1
    assert kappa >= agreement.ENOUGH


def test_marks_that_cannot_be_compared_are_refused(tmp_path, capsys):
    def compare(*texts):
        paths = [tmp_path / f"{k}.csv" for k in range(2)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text("answer,task,loses\n" + text, encoding="utf-8")
        code = marking_command.main(argparse.Namespace(out=tmp_path, compare=paths))
        return code, capsys.readouterr()

    code, said = compare("a,4,nothing\nb,4,counterexample; every step size\n", "a,4,nothing\nb,4,every step size\n")
    assert (code, said.out.splitlines()[2]) == (1, "b          4       0.00   0.50  counterexample")
    assert "weighted kappa 0.667 over 2 answers" in said.out
    for pair, text in {
        ("a,4,nothing\n", "b,4,nothing\n"): "the same answers",
        ("a,4,luck\n", "a,4,nothing\n"): "got 'luck'",
        ("a,6.7,nothing\n", "a,6.7,nothing\n"): "a task that a person marks, got '6.7'",
        ("a,4,nothing\na,4,nothing\n", "a,4,nothing\n"): "2 lines about 1 answers",
        ("a,4\n", "a,4,nothing\n"): "lines of three cells",
    }.items():
        code, said = compare(*pair)
        assert (code, text in said.err) == (1, True), said.err


def test_points_that_nobody_can_lose_are_not_in_the_results():
    assert homework().task("6.7").number in PARTS
    assert set(guide.items()) == {task.number for task, _, _ in by_person()}
