"""The markers of solutions: what is one, what is nearly one, and what is only prose."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.staff.release.markers import CODE, MARKDOWN, NEARLY, PYTHON, Place, ReleaseError, parse

PLACE = Place("file", 10)
GOOD = """def f(x):
    # BEGIN SOLUTION 6.2 relu
    return max(x, 0)
    # END SOLUTION
"""


def problems(text, syntax=PYTHON, tasks=None):
    with pytest.raises(ReleaseError) as caught:
        parse(text, syntax, PLACE, tasks)
    return caught.value.problems


def test_a_region_is_found_with_its_task_name_and_lines():
    (region,) = parse(GOOD, PYTHON, PLACE, {"6.2"})
    assert (region.kind, region.task, region.name) == ("SOLUTION", "6.2", "relu")
    assert (region.start, region.end, region.indent) == (1, 4, 4)
    (answer,) = parse("<!-- BEGIN SOLUTION 5a why -->\nBecause.\n<!-- END SOLUTION -->", MARKDOWN, PLACE)
    assert (answer.task, answer.name) == ("5a", "why")
    (staff,) = parse("all:\n# BEGIN STAFF\nx:\n# END STAFF\n", CODE, PLACE)
    assert (staff.kind, staff.task, staff.start, staff.end) == ("STAFF", "", 1, 4)


WRONG = {
    "BEGIN in lower case": ("# BEGIN SOLUTION", "# begin solution"),
    "BEGIN with capitals": ("# BEGIN SOLUTION", "# Begin Solution"),
    "END in lower case": ("# END SOLUTION", "# end solution"),
    "no space after the sign": ("# BEGIN", "#BEGIN"),
    "two spaces after the sign": ("# BEGIN", "#  BEGIN"),
    "two spaces between the words": ("BEGIN SOLUTION", "BEGIN  SOLUTION"),
    "an underscore": ("BEGIN SOLUTION", "BEGIN_SOLUTION"),
    "a hyphen": ("END SOLUTION", "END-SOLUTION"),
    "written as one": ("BEGIN SOLUTION", "BEGINSOLUTION"),
    "three signs": ("# BEGIN", "### BEGIN"),
    "two letters exchanged": ("BEGIN SOLUTION", "BEGIN SOLUTOIN"),
    "a letter too few": ("END SOLUTION", "END SOLUTON"),
    "a letter too many": ("END SOLUTION", "END SOLLUTION"),
    "a letter of BEGIN wrong": ("BEGIN", "BEGAN"),
    "the plural": ("END SOLUTION", "END SOLUTIONS"),
    "START": ("BEGIN SOLUTION", "START SOLUTION"),
    "STOP": ("END SOLUTION", "STOP SOLUTION"),
    "the other order": ("BEGIN SOLUTION", "SOLUTION BEGIN"),
    "a space at the end": ("6.2 relu\n", "6.2 relu \n"),
    "a tab": ("    # END", "\t# END"),
    "a carriage return": ("# END SOLUTION\n", "# END SOLUTION\r\n"),
    "a colon": ("BEGIN SOLUTION", "BEGIN SOLUTION:"),
    "after code": ("    # END", "    pass  # END"),
    "no name": (" 6.2 relu", " 6.2"),
    "no task": (" 6.2 relu", " relu"),
    "a task that cannot be": (" 6.2 relu", " 62 relu"),
    "three words": (" 6.2 relu", " 6.2 relu forward"),
    "a name with a hyphen": (" 6.2 relu", " 6.2 relu-forward"),
    "another comment sign": ("# BEGIN", "// BEGIN"),
    "no comment sign": ("# END SOLUTION", "END SOLUTION"),
    "the sign of Markdown": ("# END SOLUTION", "<!-- END SOLUTION -->"),
    "no END": ("    # END SOLUTION\n", ""),
    "no BEGIN": ("    # BEGIN SOLUTION 6.2 relu\n", ""),
    "another END": ("END SOLUTION", "END STAFF"),
    "another indentation": ("    # END", "        # END"),
    "nested": ("    return", "    # BEGIN SOLUTION 6.2 inner\n    return"),
    "END twice": ("    # END SOLUTION\n", "    # END SOLUTION\n    # END SOLUTION\n"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_quite_a_marker_is_an_error_with_its_line(name):
    right, wrong = WRONG[name]
    assert GOOD.count(right) == 1
    found = problems(GOOD.replace(right, wrong))
    assert all(re.match(r"file:1[0-5]: ", problem) for problem in found)
    changed = [number for number, line in enumerate(GOOD.replace(right, wrong).splitlines(), 10) if line not in GOOD]
    assert not changed or any(f"file:{number}:" in problem for number in changed for problem in found)


def test_a_misspelt_pair_is_found_though_it_is_balanced():
    text = GOOD.replace("BEGIN SOLUTION", "BEGIN SOLUTOIN").replace("END SOLUTION", "END SOLUTOIN")
    assert [problem.split(":")[1] for problem in problems(text)] == ["11", "13"]


def test_a_task_must_be_one_of_the_file():
    assert "task 6.2: this file belongs to 5a, 6.1" in problems(GOOD, tasks={"6.1", "5a"})[0]
    assert "this file belongs to no task" in problems(GOOD, tasks=set())[0]


def test_a_marker_in_quotation_marks_is_nearly_a_marker():
    assert "nearly a marker" in problems('x = "# BEGIN SOLUTION 1 a"\n')[0]


PROSE = """The solution begins where the gradient is zero.
In the end solutions of eq. (3) are compared.
# begin with the solution of the quadratic
# and solutions of the others follow
# the end: solutions differ
# Solutions begin with a guess
Begin the solution of the problem with a picture.
At the end, the solution is checked.
A student who begins solving ends with a solution.
solution = optimize.linprog(cost)
# end of the solution path
# start solution search from w = 0
We end solution by solution.
## Beginning and end
# Ends: solid lines
The staff begins on Monday.
# a resolution of 32 x 32
""".splitlines()


@pytest.mark.parametrize("line", PROSE)
def test_prose_may_speak_of_solutions(line):
    assert not NEARLY.search(line)


EDITS = st.sampled_from(["delete", "double", "exchange", "lower", "space"])


@settings(max_examples=400)
@given(st.lists(st.tuples(EDITS, st.integers(0, 13)), min_size=2, max_size=2), st.sampled_from([PYTHON, MARKDOWN]))
def test_one_slip_in_each_marker_of_a_pair_never_passes(slips, syntax):
    """The case to fear: both markers are spoilt, so nothing is unbalanced, and the region would be published."""
    markers = ["BEGIN SOLUTION 6.2 relu", "END SOLUTION"]
    lengths = len("BEGIN SOLUTION"), len("END SOLUTION")
    for k, ((edit, place), length) in enumerate(zip(slips, lengths, strict=True)):
        markers[k] = slip(markers[k], edit, place % (length - 1))
    before, after = ("    # ", "") if syntax is PYTHON else ("<!-- ", " -->")
    indent = "    " if syntax is PYTHON else ""
    text = f"{before}{markers[0]}{after}\n{indent}return max(x, 0)\n{before}{markers[1]}{after}\n"
    if syntax is PYTHON:
        text = "def f(x):\n" + text
    if markers != ["BEGIN SOLUTION 6.2 relu", "END SOLUTION"]:
        assert problems(text, syntax)


def slip(word, edit, place):
    letters = list(word)
    if edit == "delete":
        del letters[place]
    elif edit == "double":
        letters.insert(place, letters[place])
    elif edit == "exchange":
        letters[place], letters[place + 1] = letters[place + 1], letters[place]
    elif edit == "lower":
        letters = list(word[: word.index("SOLUTION") + 8].lower() + word[word.index("SOLUTION") + 8 :])
    else:
        letters.insert(place, " ")
    return "".join(letters)
