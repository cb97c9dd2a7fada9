"""Taking regions out and putting them back, wherever they stand."""

from __future__ import annotations

import ast
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.staff.release.blanks import cut, cut_notebook, dump, put_back, put_back_notebook
from coursework.staff.release.markers import CODE, MARKDOWN, PYTHON, Place, ReleaseError

PLACE = Place("file.py")
CELL = Place("n.ipynb")  # where a region may stand outside of functions


@st.composite
def blocks(draw, indent=0, depth=3):
    """Draw statements of one block as (lines, can be in a region); each statement has a number of its own."""
    statements = []
    for _ in range(draw(st.integers(1, 4))):
        number = draw(st.integers(100_000, 999_999))
        kind = draw(st.sampled_from(["set", "set", "if", "for", "def", "string"] if depth else ["set"]))
        pad = " " * indent
        if kind == "set":
            statements.append([f"{pad}x{number % 7} = {number}"])
        elif kind == "string":
            statements.append([f'{pad}x = """{number}', "  inside", '"""'] if indent == 0 else [f"{pad}'{number}'"])
        else:
            head = {"if": f"if {number}:", "for": f"for x in ({number},):", "def": f"def f{number}(y):"}[kind]
            statements.append([pad + head, *draw(blocks(indent + 4, depth - 1))])
    begin = draw(st.integers(0, len(statements)))
    end = draw(st.integers(begin, len(statements)))
    lines = [line for statement in statements[:begin] for line in statement]
    inside = [line for statement in statements[begin:end] for line in statement]
    if inside and not any("SOLUTION" in line for line in inside):
        name = f"part_{draw(st.integers(0, 10**9))}"
        inside = [f"{' ' * indent}# BEGIN SOLUTION 6.1 {name}", *inside, f"{' ' * indent}# END SOLUTION"]
    return [*lines, *inside, *(line for statement in statements[end:] for line in statement)]


def split(text):
    """Return the numbers of a text inside and outside of regions, by a search of its own."""
    inside = "".join(re.findall(r"BEGIN SOLUTION.*?END SOLUTION", text, re.S))
    outside = re.sub(r" *# BEGIN SOLUTION.*?END SOLUTION", "", text, flags=re.S)
    return set(re.findall(r"\b[1-9]\d{5}\b", inside)), re.findall(r"\b[1-9]\d{5}\b", outside)


@settings(max_examples=300)
@given(blocks())
def test_whatever_the_region_the_rest_stays_and_the_text_comes_back(lines):
    text = "\n".join(lines) + "\n"
    new, cuts = cut(text, PYTHON, CELL, {"6.1"})
    hidden, public = split(text)
    kept = re.findall(r"\b[1-9]\d{5}\b", new)
    assert kept == public
    assert not (hidden - set(public)) & set(kept)
    assert "SOLUTION" not in new
    tree = ast.parse(new)
    raised = [node.exc.args[0].value for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    assert sorted(raised) == sorted(f"Task 6.1: {done.region.name}" for done in cuts)
    assert put_back(new, cuts) == text


@settings(max_examples=100)
@given(st.lists(st.tuples(blocks(), st.text("ab \n", max_size=9)), min_size=1, max_size=4))
def test_a_notebook_comes_back_with_its_outputs(parts):
    cells = []
    for k, (lines, printed) in enumerate(parts):
        output = {"name": "stdout", "output_type": "stream", "text": [printed]}
        code = {"cell_type": "code", "execution_count": k + 1, "id": f"c{k}", "outputs": [output]}
        cells.append(
            {**code, "metadata": {"tags": ["nbval-ignore-output"]}, "source": "\n".join(lines).splitlines(True)}
        )
        answer = [f"<!-- BEGIN SOLUTION 6.1 why_{k} -->\n", "Because.\n", "<!-- END SOLUTION -->"]
        note = {"cell_type": "markdown", "id": f"m{k}", "metadata": {}, "attachments": {"a.png": {"image/png": "AAAA"}}}
        cells.append({**note, "source": ["**Task.** Why?\n", "\n", *answer]})
    content = dump({"cells": cells, "metadata": {"authors": []}, "nbformat": 4, "nbformat_minor": 5})
    new, cleared = cut_notebook(content, "n.ipynb", {"6.1"})
    assert put_back_notebook(new, cleared) == content
    text = new.decode()
    assert not re.search("SOLUTION|Because|AAAA|stdout|nbval|authors", text)
    assert [cell["id"] for cell in json.loads(new)["cells"]] == [cell["id"] for cell in cells]
    assert text.count("*Your answer here*") == len(parts)


def test_a_blank_keeps_what_stands_around_it_and_says_which_names_are_needed():
    text = '''def f(x):
    """Square x."""
    # A hint.
    # BEGIN SOLUTION 1 f_square
    square = x * x
    helper = 2
    # END SOLUTION
    # BEGIN SOLUTION 1 f_more
    cube = square * x + helper
    # END SOLUTION
    return square, cube
'''
    new, cuts = cut(text, PYTHON, PLACE)
    assert (
        new
        == '''def f(x):
    """Square x."""
    # A hint.
    # Your code here, in place of the next two lines.
    square = ...
    raise NotImplementedError("Task 1: f_square")
    # Your code here, in place of the next two lines.
    cube = ...
    raise NotImplementedError("Task 1: f_more")
    return square, cube
'''
    )
    assert put_back(new, cuts) == text
    with pytest.raises(ValueError, match="the blank of f_more must stand at line 7"):
        put_back(new.replace("f_more", "f_less"), cuts)


def test_the_blank_of_a_script_stops_it(tmp_path):
    text = "#!/bin/sh\n# BEGIN SOLUTION 6.4 settings\nrate=0.1\n# END SOLUTION\necho $rate\n"
    new, cuts = cut(text, CODE, PLACE)
    assert new.splitlines()[2:4] == ['echo "Not started. Task 6.4: settings: write your lines into $0" >&2', "exit 1"]
    assert put_back(new, cuts) == text


def test_what_only_the_staff_has_leaves_no_trace():
    text = "a\n<!-- BEGIN STAFF -->\nb\n<!-- END STAFF -->\nc\n"
    new, cuts = cut(text, MARKDOWN, PLACE)
    assert new == "a\nc\n"
    assert put_back(new, cuts) == text


@pytest.mark.parametrize(
    "text",
    [
        "# BEGIN SOLUTION 1 a\nx = 1\n# END SOLUTION\n",
        "x = [\n    # BEGIN SOLUTION 1 a\n    1,\n    # END SOLUTION\n]\n",
        "if x:\n    pass\n# BEGIN SOLUTION 1 a\nelse:\n    y = 1\n# END SOLUTION\n",
        "def f():\n    # BEGIN SOLUTION 1 a\n    return 1\n    # END SOLUTION\n  return 2\n",
        "if x:\n    y = 1\n# BEGIN SOLUTION 1 a\n    y = 2\n# END SOLUTION\n    y = 3\n",
        "def f():\n    # BEGIN SOLUTION 1 a\n\n    # END SOLUTION\n    return 1\n",
        "def f():\n    # BEGIN SOLUTION 1 a\n  return 1\n    # END SOLUTION\n",
        'def f():\n    text = """\n    # BEGIN SOLUTION 1 a\n    x = 1\n    # END SOLUTION\n    """\n',
    ],
)
def test_a_region_that_is_no_whole_statements_of_a_function_is_an_error(text):
    with pytest.raises(ReleaseError, match=r"file\.py:\d+: "):
        cut(text, PYTHON, PLACE)


def test_a_notebook_that_shows_an_attachment_or_has_another_form_is_an_error():
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["![x](attachment:x.png)"]}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    with pytest.raises(ReleaseError, match=r"n\.ipynb:\d+: cell a shows an attachment"):
        cut_notebook(dump(notebook), "n.ipynb")
    for content in (json.dumps(notebook).encode(), b"{}", b"[", dump({**notebook, "cells": [cell, cell]})):
        with pytest.raises(ReleaseError, match=r"n\.ipynb:1: "):
            cut_notebook(content, "n.ipynb")


def test_an_error_in_a_notebook_has_the_line_of_the_file():
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["Title\n", "text"]},
        {"cell_type": "markdown", "id": "b", "metadata": {}, "source": ["x\n", "<!-- BEGIN SOLUTION 9 a -->\n", "y"]},
    ]
    content = dump({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (line,) = [number for number, text in enumerate(content.decode().splitlines(), 1) if "BEGIN SOLUTION" in text]
    with pytest.raises(ReleaseError, match=rf"n\.ipynb:{line}: BEGIN without END"):
        cut_notebook(content, "n.ipynb")
