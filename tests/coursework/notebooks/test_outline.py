"""What each cell is for is told by its tags; and where they are gone, by its text, its order and its heading."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from coursework.homework import homework
from coursework.notebooks import outline
from coursework.root import ROOT
from coursework.staff.release.blanks import cut
from coursework.staff.release.markers import MARKDOWN, Place

CELLS = {
    Path(path).name: json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"] for path in homework().notebooks
}
OUTLINES = outline.read(ROOT / "notebooks")


def text(cell):
    return "".join(cell["source"])


def test_the_file_is_that_of_the_notebooks():
    assert (ROOT / "notebooks" / outline.NAME).read_text(encoding="utf-8") == outline.dump(CELLS)


@pytest.mark.parametrize("name", CELLS)
def test_every_given_cell_has_tags(name):
    for cell in CELLS[name]:
        tags = outline.known(cell)
        assert tags, text(cell)
        roles = set(tags) & set(outline.ROLES)
        tasks = set(tags) & {task.number for task in homework().all_tasks}
        assert bool(roles) == bool(tasks) == (outline.GIVEN not in tags), tags
        if "answer" in tags:
            assert cell["cell_type"] == "markdown"
        if "result" in tags:
            assert cell["outputs"]
        if "settings" in tags:
            assert "result" in tags
        if cell["cell_type"] == "markdown" and "BEGIN SOLUTION" in text(cell):
            assert "answer" in tags


def test_every_task_is_stated_and_shown():
    for task in homework().all_tasks:
        roles = {
            tag
            for cells in CELLS.values()
            for cell in cells
            if task.number in (tags := outline.known(cell))
            for tag in tags
        }
        assert {"statement", "result"} <= roles, task.number


def answered(cells, rng):
    """Return cells without ids and tags, in which a student has written, and to which one was added."""
    cells = copy.deepcopy(cells)
    for cell in cells:
        cell["metadata"], cell["id"] = {}, "".join(rng.choice(list("0123456789abcdef"), 8))
        if outline.WRITTEN_IN.search(text(cell)):
            cell["source"] = [f"what I write {rng.integers(1000)}\n"]
    return cells


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("seed", range(3))
def test_without_ids_and_tags_the_cells_are_still_known(name, seed):
    rng = np.random.default_rng(seed)
    cells = answered(CELLS[name], rng)
    place = int(rng.integers(1, len(cells)))
    cells.insert(place, {"cell_type": "code", "source": "my_own = 1", "metadata": {}, "outputs": []})
    found, lost = outline.labels(cells, OUTLINES[name])
    assert lost == []
    assert sorted(found) == sorted([*map(outline.known, CELLS[name]), ()])
    if not outline.WRITTEN_IN.search(text(CELLS[name][place - 1])):
        assert found[place] == () or cells[place - 1]["cell_type"] == "code"


def test_a_cell_that_is_gone_is_named():
    cells = [cell for cell in CELLS["1_gradient_descent.ipynb"] if cell["id"] != "sgd-proof"]
    for kept in (cells, answered(cells, np.random.default_rng(0))):
        _, lost = outline.labels(kept, OUTLINES["1_gradient_descent.ipynb"])
        assert [entry.tags for entry in lost] == [("4", "answer")]
        assert str(lost[0]) == "the answer cell of task 4, under the heading 'Problem 4. SGD is not a descent method'"


def test_a_guess_is_shown_and_never_asked_for():
    notebook = CELLS["1_gradient_descent.ipynb"]
    guesses = [cell for cell in notebook if "guess" in outline.known(cell)]
    assert [outline.known(cell) for cell in guesses] == [("2", "guess"), ("3", "guess"), ("4", "guess")]
    assert all("*Your guess here*" in text(cell) and cell["cell_type"] == "markdown" for cell in guesses)
    entries = outline.outline(notebook)
    assert outline.unwritten(guesses, entries) == []
    assert outline.own([outline.known(cell) for cell in guesses]) == ["2", "3", "4"]  # in the PDF, each under its task
    without = [cell for cell in notebook if cell not in guesses]
    assert outline.labels(without, entries)[1] == []
    for cell in (filled := copy.deepcopy(notebook)):  # an editor that drops tags does not lose a guess that was made
        if "guess" in outline.known(cell):
            cell["source"] = "I guess a half."
        cell["metadata"] = {}
    found = outline.labels(filled, entries)[0]
    assert [text(cell) for cell, tags in zip(filled, found, strict=True) if "guess" in tags] == ["I guess a half."] * 3


def test_a_students_cell_belongs_to_the_task_above_it():
    found = [("given",), (), ("1", "answer"), (), ("given",), (), ("2", "result"), ()]
    assert outline.own(found) == ["", "1", "1", "1", "", "1", "2", "2"]
    assert outline.own([("given",), ()]) == ["", ""]


def given_out(cells):
    """Return the cells as students get them."""
    cells = copy.deepcopy(cells)
    for cell in cells:
        if cell["cell_type"] == "markdown":
            cell["source"] = cut(text(cell), MARKDOWN, Place("a notebook"))[0]
    return cells


@pytest.mark.parametrize("name", CELLS)
def test_an_answer_is_unwritten_until_it_holds_a_word_or_a_picture(name):
    entries = OUTLINES[name]
    assert outline.unwritten(CELLS[name], entries) == []  # the solved edition
    given = given_out(CELLS[name])
    wanted = [k for k, cell in enumerate(given) if "answer" in outline.known(cell)]

    def found(cells):
        return [each.number for each in outline.unwritten(cells, entries)]

    assert found(given) == wanted
    for k in wanted:
        source = given[k]["source"]
        assert "Your answer here" in source

        def changed(new, k=k, **more):
            return [*given[:k], {**given[k], "source": new, **more}, *given[k + 1 :]]

        others = [number for number in wanted if number != k]
        for same in (
            source.replace(" ", "  ").replace("\n", " \n\n") + "\n\n",
            source.replace("*Your answer here*", ""),
        ):
            assert found(changed(same)) == wanted, same
        for written in ("It is so.", "*Your answer here*\n\n$x$", "![](graph.png)", "To answer with e, go by cell"):
            assert found(changed(source.replace("*Your answer here*", written))) == others, written
        assert found(changed("Because.")) == others  # the statement was written over
        assert found(changed("")) == wanted
        assert found(changed(source, attachments={"graph.png": {"image/png": "AAAA"}})) == others
        for below, expected in (("Because.", others), ("  ", wanted)):
            own = {"cell_type": "markdown", "metadata": {}, "source": below}
            numbers = found([*given[: k + 1], own, *given[k + 1 :]])
            assert [number - (number > k) for number in numbers] == expected
    for cell in given:  # as an editor leaves them that knows no tags
        cell["metadata"], cell["id"] = {}, "x"
    assert found(given) == wanted


def test_the_heading_of_an_answer_is_the_one_above_its_blank():
    given = given_out(CELLS["7_challenge.ipynb"])
    (found,) = outline.unwritten(given, OUTLINES["7_challenge.ipynb"])
    assert (found.task, found.under) == ("6.7", "4. One change at a time")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": [[1]]}'])
def test_an_outline_that_is_none_is_none(content, tmp_path):
    (tmp_path / outline.NAME).write_text(content, encoding="utf-8")
    assert outline.read(tmp_path) == {}
