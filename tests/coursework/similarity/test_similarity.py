"""Pairs that share more than the given code explains come first, wherever they are from; what was given does not."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.autograder import intake
from coursework.staff.autograder.package import clean_package
from coursework.staff.similarity import compare, material, pages
from coursework.staff.similarity.material import ANSWERS, CODE, WRITE_UP, Document
from staff.hostile.submission import folder

STYLES = ("flat", "textbook", "vectorised")
PROOF = "The step minimises a linear model with a quadratic penalty, which is strictly convex: one minimum."


def style(name):
    """Return the blanks of the homework, with the second solutions of one style in their places."""
    own = ROOT / "staff" / "second" / name
    places = {path: own / Path(path).relative_to(homework().package) for path in intake.modules()}
    return {path: place.read_bytes() if place.exists() else clean_package()[path] for path, place in places.items()}


class Renamed(ast.NodeTransformer):
    """Gives the variables of a module other names."""

    def visit_Name(self, node):
        if node.id not in ("np", "torch") and node.id.islower():
            node.id += "_own"
        return node

    def visit_arg(self, node):
        node.arg += "_own"
        return node


def disguised(files):
    """Return modules with other names, no comments, and their functions in another order."""
    found = {}
    for path, content in files.items():
        tree = ast.parse(content)
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        tree.body = [node for node in tree.body if node not in functions] + functions[::-1]
        found[path] = ast.unparse(Renamed().visit(tree)).encode()
    return found


@pytest.fixture(scope="module")
def edition():
    """What students are given; of its code, what they hand in, which is soon compared."""
    given = [clean_package()[path].decode() for path in intake.modules()]
    return {**material.student_edition(), CODE: material.APART.join(given)}


def documents(edition, **files):
    """Return the documents of submissions that consist of code alone."""
    made = {name: intake.Submission(files=content) for name, content in files.items()}
    return [each for name, submission in made.items() for each in material.documents(name, submission, edition)]


def test_a_disguised_copy_comes_first_and_what_is_given_does_not_count(edition):
    blanks = {path: clean_package()[path] for path in intake.modules()}
    classmates = {name: style(name) for name in STYLES}
    found = documents(edition, **classmates, copy=disguised(style("flat")), nothing=blanks, more=blanks)
    pairs = compare.pairs(found, edition, 20)
    owners = [{found[pair.left].owner, found[pair.right].owner} for pair in pairs]
    assert owners[0] == {"flat", "copy"}
    assert min(pairs[0].parts) > 0.5  # not more: how Python writes a tree again depends on its version
    assert all(max(pair.parts) < 0.4 for pair in pairs[1:])
    assert not any(owner & {"nothing", "more"} for owner in owners)


def test_those_of_earlier_years_are_compared_with_this_one_alone(edition):
    flat, copy = documents(edition, flat=style("flat"), copy=disguised(style("flat")))
    earlier = [Document(each.owner, "2025", each.kind, each.text) for each in (flat, copy)]
    assert compare.pairs(earlier, edition, 5) == []
    (pair,) = compare.pairs([flat, earlier[1]], edition, 5)
    assert (pair.left, pair.right) == (0, 1)


def test_answers_and_write_ups_are_compared_as_texts(edition, tmp_path):
    path = homework().notebooks[0]
    notebook = json.loads((ROOT / path).read_text(encoding="utf-8"))
    (answer, *_) = (cell for cell in notebook["cells"] if "answer" in cell["metadata"].get("tags", []))
    for cell in notebook["cells"]:
        if "BEGIN SOLUTION" in "".join(cell["source"]):  # of all others, which are the same for everybody
            cell["source"] = []
    found = []
    for name, text in {"ada": PROOF, "bob": PROOF.replace(" ", "\n").upper(), "eve": "Obvious."}.items():
        answer["source"] = [text]
        extra = next(file.path for file in homework().loose if file.kind == "extra")
        folder({path: json.dumps(notebook), extra: f"My model, {name * 40}. {text}"})(tmp_path / name)
        found += material.documents(name, intake.take(tmp_path / name, also=True), edition)
    assert {each.kind for each in found} == {ANSWERS, WRITE_UP}
    pairs = compare.pairs(found, edition, 5)
    assert [(pair.kind, found[pair.left].owner, found[pair.right].owner) for pair in pairs] == [
        (ANSWERS, "ada", "bob"),
        (WRITE_UP, "ada", "bob"),
    ]
    for pair in pairs:
        for number, spans in zip((pair.left, pair.right), pair.spans, strict=True):
            shown = "".join(found[number].text[start:end] for start, end in spans)
            assert PROOF.lower()[10:90] in shown


def test_what_many_write_alike_says_nothing(edition):
    everybody = {f"s{k}": style("flat") for k in range(compare.FEW + 1)}
    assert compare.pairs(documents(edition, **everybody), edition, 5) == []
    del everybody["s0"]
    assert compare.pairs(documents(edition, **everybody), edition, 50)


@given(st.lists(st.text(alphabet="ab ", max_size=6), min_size=1, max_size=30), st.data())
def test_the_page_shows_every_marked_character_at_its_line(lines, data):
    text = "\n".join(lines)
    place = st.integers(0, len(text))
    spans = [tuple(sorted(pair)) for pair in data.draw(st.lists(st.tuples(place, place), max_size=4))]
    marked = {k for start, end in spans for k in range(start, end)}
    starts = [sum(len(line) + 1 for line in lines[:k]) for k in range(len(lines))]
    shown = set()
    for first, block in pages.blocks(text, spans):
        for number, pieces in enumerate(block, first - 1):
            assert "".join(piece for piece, _ in pieces) == lines[number]
            at = starts[number]
            for piece, agrees in pieces:
                shown |= set(range(at, at + len(piece))) if agrees else set()
                at += len(piece)
    assert {k for k in shown if text[k].strip()} == {k for k in marked if text[k].strip()}


def test_the_command_writes_pages_or_says_what_is_missing(tmp_path):
    for name in STYLES:
        folder(style(name))(tmp_path / "class" / name)
    folder({"essay.pdf": "%PDF"})(tmp_path / "class" / "eve <b>")
    command = [sys.executable, "-m", "staff", "similarity", str(tmp_path / "class"), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "COURSEWORK_NO_VENV": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    try:
        import copydetect  # noqa: F401
    except ModuleNotFoundError:
        assert done.stderr == "similarity: copydetect is not installed: pip install -e '.[similarity]'\n"
        return
    assert "eve <b>: there is no zip" in done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "3 submissions" in page
    assert "it does not accuse" in page
    assert "eve &lt;b&gt;" in page
    assert CODE.capitalize() in page
    assert (tmp_path / "out" / "pair-001.html").exists()
