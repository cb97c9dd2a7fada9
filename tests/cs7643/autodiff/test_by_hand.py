"""Tables by hand: their numbers are those of the modes, and a mistake gets its name if nothing else explains it."""

from __future__ import annotations

import itertools
import json
import math
import re

import numpy as np
import pytest

from coursework.notebooks.waiting import set_in
from coursework.root import ROOT
from coursework.staff.release.blanks import cut
from coursework.staff.release.markers import PYTHON, Place
from cs7643 import autodiff
from cs7643.autodiff import by_hand, graph, tables
from cs7643.autodiff.mistaken import MISTAKES

NEAR, FAR = (0.1, -0.3), (1.0, 2.0)
FUNCTIONS = {"f1": autodiff.f1, "f1_as_typeset": autodiff.f1_as_typeset, "f2": autodiff.f2}
TABLES = [
    (kind, name, w)
    for kind, name in (*itertools.product(("forward", "backward"), FUNCTIONS), ("jacobian", "f1 f2"))
    for w in (NEAR, FAR)
]
EVERY = pytest.mark.parametrize(("kind", "name", "w"), TABLES)


def filled(kind, name, w, changes=None, digits=4):
    """Return a table with its right numbers, but for some changes."""
    table = by_hand.table(kind, name, w)
    at = {place: f"{entry.right:#.{digits}g}" for place, entry in table.entries.items()} | (changes or {})
    assert set(at) == set(table.entries)
    return "\n".join(" | ".join((row, *(at.get((row, column), "") for column in table.head[1:]))) for row in table.rows)


def said_of(kind, name, w, changes):
    """Return the remarks on the changed numbers, by their places; the others may only follow from these."""
    found = by_hand.look(filled(kind, name, w, changes), kind, name, w)
    remarks = dict(remark.split(": ", 1) for remark in found.remarks)
    for place, state in found.states.items():
        assert state in ("right", "follows") or place in changes, (place, state, remarks)
    return [remarks[", ".join(place)] for place in changes]


@pytest.mark.parametrize("w", [NEAR, FAR, (-0.7, 0.4)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_numbers_are_those_of_the_modes(name, w):
    f = FUNCTIONS[name]
    for direction in ((1, 0), (0, 1), (0.3, -2)):
        ours = by_hand.differentiated(by_hand.program(name, w), direction)
        y, tangent = autodiff.jvp(lambda w: f(*w), w, direction)
        last = ours.nodes[ours.outputs[0]]
        np.testing.assert_allclose((last.value, last.tangent), (y, tangent), rtol=1e-13)
        adjoints = [node.adjoint for node in ours.nodes if node.operation == "input"]
        np.testing.assert_allclose(adjoints, autodiff.gradient(lambda w: f(*w), w), rtol=1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_steps_are_those_of_the_function_up_to_their_order(name):
    def steps(found):
        nodes = found.nodes
        return sorted((node.operation, node.value, sorted(nodes[s].value for s in node.inputs)) for node in nodes)

    traced = graph.trace(FUNCTIONS[name], NEAR, ("w1", "w2"))
    assert steps(traced) == steps(by_hand.program(name, NEAR))
    slopes = sorted((node.operation, *filter(None, node.local)) for node in traced.nodes)
    assert slopes == sorted((node.operation, *filter(None, node.local)) for node in by_hand.program(name, NEAR).nodes)


def test_in_reverse_mode_each_use_has_a_row_and_two_of_w1_are_two():
    rows = by_hand.table("backward", "f2", NEAR).rows
    assert [row for row in rows if row.startswith("w1")] == [
        "w1 in b = sigmoid(w1)",
        "w1 in a = w1 * w2",
        "w1, all uses",
    ]
    graphs = {name: by_hand.program(name, NEAR) for name in FUNCTIONS}
    for name, each in graphs.items():
        edges = sum(each.nodes[s].operation != "constant" for node in each.nodes for s in node.inputs)
        rows = by_hand.table("backward", name, NEAR).rows
        assert len([row for row in rows if " in " in row]) == edges
        assert len(set(rows)) == len(rows)


@EVERY
@pytest.mark.parametrize("digits", [3, 4, 12])
def test_right_numbers_are_right_however_many_digits_they_have(kind, name, w, digits):
    found = by_hand.look(filled(kind, name, w, digits=digits), kind, name, w)
    assert set(found.states.values()) == {"right"}
    assert not found.remarks
    assert f"{len(found.states)} of {len(found.states)} right" in str(found)


@EVERY
def test_an_empty_table_says_how_much_is_left_and_no_number(kind, name, w):
    found = by_hand.look(by_hand.sheet(kind, name, w), kind, name, w)
    count = len(found.states)
    assert str(found) == f"{found.table.title}: 0 of {count} right, {count} to fill in"
    assert by_hand.sheet(kind, name, w).count("?") == count


SHARED = "d, all uses", "contribution"
SINE, SIGMA, INNER = "d in f = sin(d)", "w1 in b = sigmoid(w1)", "b in c = exp(b)"
D = math.exp(0.1) + math.exp(-0.6)  # of f1 at NEAR
BAR = math.exp(D) + math.cos(D)
PLANTED = {  # the table, the numbers in it, and the name of the mistake
    "only e's use of d": ("backward", "f1", {SHARED: math.exp(D)}, "path"),
    "only the path of w1 through the product": ("backward", "f2", {("w1, all uses", "contribution"): -0.3}, "path"),
    "only one path in the Jacobian": (
        "jacobian",
        "f1 f2",
        {("f2", "by w1"): 1 / (2 + math.exp(-0.1) + math.exp(0.1))},
        "path",
    ),
    "cos of d-bar": ("backward", "f1", {(SINE, "local derivative"): math.cos(BAR)}, "inside"),
    "cos of f-bar": ("backward", "f1", {(SINE, "local derivative"): math.cos(1)}, "inside"),
    "cos of d-dot": ("forward", "f1", {("f = sin(d)", "dot along w1"): math.cos(1.105171) * 1.105171}, "inside"),
    "the Jacobian on the other side": (
        "jacobian",
        "f1 f2",
        {("f1", "by w2"): -0.05062, ("f2", "by w1"): 5.6469},
        "transposed",
    ),
    "sigma' = sigma": ("backward", "f2", {(SIGMA, "local derivative"): 0.52498}, "sigma"),
    "sigma' = sigma, forward": ("forward", "f2", {("b = sigmoid(w1)", "dot along w1"): 0.52498}, "sigma"),
    "sigma' = sigma, in the Jacobian": ("jacobian", "f1 f2", {("f2", "by w1"): 0.52498 - 0.3}, "sigma"),
    "the directions exchanged": (
        "forward",
        "f1",
        {("d = a + c", "dot along w1"): 1.097623, ("d = a + c", "dot along w2"): 1.105171},
        "columns",
    ),
    "degrees": ("forward", "f1", {("f = sin(d)", "value"): math.sin(math.radians(D))}, "degrees"),
    "the inner 2 lost": ("forward", "f1", {("b = 2 * w2", "dot along w2"): 1}, "no slope"),
    "multiplied": ("backward", "f1", {SHARED: math.exp(D) * math.cos(D)}, "multiplied"),
    "sin for cos": ("backward", "f1", {(SINE, "local derivative"): math.sin(D)}, "function"),
    "-cos": ("backward", "f1", {(SINE, "local derivative"): -math.cos(D)}, "sign"),
    "the other factor": ("backward", "f2", {("w1 in a = w1 * w2", "local derivative"): 0.1}, "other factor"),
    "the bar twice": ("backward", "f1", {(INNER, "local derivative"): BAR * math.exp(-0.6)}, "bar included"),
    "the slope alone": ("backward", "f1", {(INNER, "contribution"): math.exp(-0.6)}, "slope alone"),
    "1 for every bar": ("backward", "f1", {(INNER, "bar of the step"): 1}, "bar of the output"),
    "the value for the bar": ("backward", "f1", {("w2 in b = 2 * w2", "bar of the step"): -0.6}, "value"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_mistake_gets_its_name(what):
    kind, name, changes, mistake = PLANTED[what]
    said = said_of(kind, name, NEAR, {place: f"{number:#.4g}" for place, number in changes.items()})
    assert said == [MISTAKES[mistake]] * len(changes)


def test_every_mistake_that_has_a_name_is_planted_or_tried_below():
    assert {mistake for *_, mistake in PLANTED.values()} | {
        *("subtracted", "at result", "of the dot", "other operation")
    } == set(MISTAKES)


@pytest.mark.parametrize(
    ("kind", "place", "number", "mistake"),
    [
        ("backward", SHARED, math.exp(D) - math.cos(D), "subtracted"),
        ("backward", (SINE, "local derivative"), math.cos(math.sin(D)), "at result"),
        ("forward", ("a = exp(w1)", "dot along w1"), math.e, "of the dot"),
        ("forward", ("d = a + c", "value"), math.exp(0.1 - 0.6), "other operation"),
    ],
)
def test_other_mistakes(kind, place, number, mistake):
    if mistake == "of the dot":  # at w1-dot = 1, so e is also e^(w1-dot) w1-dot: no name
        assert said_of(kind, "f1", NEAR, {place: f"{number:#.4g}"}) == ["this number is off."]
        place, number = ("c = exp(b)", "dot along w2"), math.exp(2)
    assert said_of(kind, "f1", NEAR, {place: f"{number:#.4g}"}) == [MISTAKES[mistake]]


def test_a_number_that_two_mistakes_explain_is_off_and_no_more():
    place = INNER, "bar of the step"
    assert by_hand.program("f1", (0.0, 0.0)).nodes[5].value == 1.0  # c: its value and the bar of the output
    assert said_of("backward", "f1", (0.0, 0.0), {place: "1.00"}) == ["this number is off."]


@EVERY
def test_a_number_from_nowhere_is_off_and_no_more(kind, name, w):
    rng = np.random.default_rng(0)
    named = 0
    for place, entry in by_hand.table(kind, name, w).entries.items():
        if not entry.given:
            wrong = (entry.right or 1.0) * rng.uniform(11, 13) + rng.uniform(0.3, 0.4)
            named += said_of(kind, name, w, {place: f"{wrong:.6g}"}) != ["this number is off."]
    assert named == 0


def test_one_number_of_the_transposed_matrix_is_no_evidence():
    assert said_of("jacobian", "f1 f2", NEAR, {("f1", "by w2"): "-0.0506"}) == ["this number is off."]
    assert said_of("forward", "f1", NEAR, {("e = exp(d)", "dot along w1"): "5.738"}) == ["this number is off."]


def test_what_follows_from_a_number_that_is_off_is_not_called_wrong():
    changes = {("d in e = exp(d)", "local derivative"): "2.00"}
    text = filled("backward", "f1", NEAR, changes | {("d in e = exp(d)", "contribution"): "2.00"})
    found = by_hand.look(text, "backward", "f1", NEAR)
    assert found.states["d in e = exp(d)", "local derivative"] == "wrong"
    assert found.states["d in e = exp(d)", "contribution"] == "follows"
    assert "→" in str(found)
    assert found.remarks[-1].startswith("→: computed correctly from a number above it that is off")


def test_rounded_numbers_may_be_used():
    """With d = 57.3, e^d is 7.68e24 instead of 7.80e24."""
    text = filled("forward", "f1", FAR, {("d = a + c", "value"): "57.3", ("e = exp(d)", "value"): "7.677e24"}, 3)
    found = by_hand.look(text, "forward", "f1", FAR)
    assert found.states["e = exp(d)", "value"] == "right"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1.1", "expected a number with 3 significant digits, got 1.1."),
        ("1", "expected a number with 3 significant digits, got 1."),
        ("e^0.1", "expected a number such as 0.815, -4.06 or 3.02e23, got e^0.1."),
        ("1,11", "expected a number such as 0.815, -4.06 or 3.02e23, got 1,11."),
        ("{0}", "expected a number such as 0.815, -4.06 or 3.02e23, got {0}."),
        ("nan", "expected a number such as 0.815, -4.06 or 3.02e23, got nan."),
        ("3.1", "this number is off."),
    ],
)
def test_what_is_no_number_of_three_digits_is_said(written, said):
    assert said_of("forward", "f1", NEAR, {("a = exp(w1)", "value"): written}) == [said]


@pytest.mark.parametrize("written", ["1.11", "1.105", "+1.105", "1.105e0", "11.05E-1", "1.1051709180756477"])
def test_ways_to_write_a_number(written):
    text = filled("forward", "f1", NEAR, {("a = exp(w1)", "value"): written, ("b = 2 * w2", "value"): "\u22120.6"})
    assert set(by_hand.look(text, "forward", "f1", NEAR).states.values()) == {"right"}


def test_rows_that_are_lost_or_added_are_said():
    text = filled("forward", "f2", NEAR).replace("a = w1 * w2", "a = w2 * w1")
    found = by_hand.look(text, "forward", "f2", NEAR)
    assert "got 'a = w2 * w1'" in found.remarks[0]
    assert found.remarks[1] == "the row 'a = w1 * w2' is missing: write it again."
    assert found.heading.endswith("6 of 9 right, 3 to fill in")
    with pytest.raises(TypeError, match="expected the table as a text, got None"):
        by_hand.look(None, "forward", "f2", NEAR)
    with pytest.raises(ValueError, match=r"kind must be one of .*got 'sideways'"):
        by_hand.sheet("sideways", "f2", NEAR)
    with pytest.raises(ValueError, match=r"name must be one of .*got 'f3'"):
        by_hand.sheet("forward", "f3", NEAR)
    with pytest.raises(ValueError, match="2 coordinates, got 3"):
        by_hand.sheet("forward", "f2", (1, 2, 3))


SHEETS = [
    (cell["id"], "".join(cell["source"]))
    for cell in json.loads((ROOT / "notebooks" / "2_autodiff.ipynb").read_text(encoding="utf-8"))["cells"]
    if "by_hand.look(" in "".join(cell["source"])
]


@pytest.mark.parametrize(("name", "source"), SHEETS, ids=[name for name, _ in SHEETS])
def test_the_notebook_gives_empty_tables_that_a_solution_fills(name, source):
    given, _ = cut(source, PYTHON, Place(name))
    looks = re.search(r'by_hand\.look\(sheet, "(\w+)", "([\w ]+)", \((.*), (.*)\)\)', source)
    kind, program, w = looks[1], looks[2], (float(looks[3]), float(looks[4]))
    sheets = {text.split('"""')[1].strip("\n") for text in given.split("sheet = ")[1:]}
    assert sheets == {by_hand.sheet(kind, program, w)}
    found = {}
    exec(source, {"by_hand": by_hand}, found)
    assert set(by_hand.look(found["sheet"], kind, program, w).states.values()) == {"right"}


def test_the_notebook_has_tables_of_every_kind_first_where_every_branch_is_visible():
    looks = [source.rpartition("by_hand.look(sheet, ")[2] for _, source in SHEETS]
    assert [look.rpartition(", (")[2] for look in looks] == ["0.1, -0.3))"] * 4 + ["1, 2))"] * 2
    assert {look.split(",")[0].strip('"') for look in looks} == set(tables.KINDS)


def test_html_marks_each_number_and_escapes_what_was_typed():
    found = by_hand.look(filled("forward", "f2", NEAR, {("a = w1 * w2", "value"): "<b>"}), "forward", "f2", NEAR)
    assert "&lt;b&gt;" in found._repr_html_()
    assert "<b>|" not in found._repr_html_()
    assert found._repr_html_().count("✓</b>") == 8


def test_no_cell_hides_what_the_first_one_imports():
    """So every cell can run again after any other."""
    cells = json.loads((ROOT / "notebooks" / "2_autodiff.ipynb").read_text(encoding="utf-8"))["cells"]
    first, *others = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    imported = set(re.findall(r"\w+", " ".join(re.findall(r"^from \S+ import (.*)", first, re.M))))
    assert {"by_hand", "plots"} <= imported
    assert not [set_in(source) & imported for source in others if set_in(source) & imported]
