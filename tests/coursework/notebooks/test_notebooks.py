"""The committed notebooks, as files: executed in order, small, clean, and mostly compared when they run again."""

from __future__ import annotations

import json
import re

import nbformat
import pytest

from coursework.homework import homework
from coursework.notebooks import kernels as notebooks

NOTEBOOKS = notebooks.find()
IGNORED = "nbval-ignore-output"
TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")


def texts(cell):
    """Return what a code cell prints or shows as text."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(output.text)
        found += [text for kind, text in output.get("data", {}).items() if kind in TEXTS]
    return found


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_the_notebook_is_valid_and_small(path, notebook):
    nbformat.validate(notebook)
    assert path.stat().st_size < 1_000_000
    assert notebook.metadata.kernelspec.name == "python3"


def test_all_cells_ran_in_order_without_an_error(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [cell.id for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert not [cell.id for cell in cells for output in cell.outputs if output.get("name") == "stderr"]


def test_cells_have_names_and_the_notebook_begins_with_a_title(notebook):
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) for name in names)
    assert re.match("# Problems? [0-9]", notebook.cells[0].source)


def test_a_link_to_a_file_is_seen(notebook):
    """In JupyterLab code in a link has the colours of any other code."""
    assert not [cell.id for cell in notebook.cells if re.search(r"\[[^]]*`[^]]*\]\(\.\./", cell.source)]


def test_no_cell_ends_in_a_semicolon(notebook):
    assert not [cell.id for cell in code_cells(notebook) if cell.source.rstrip().endswith(";")]


def test_most_cells_that_print_are_compared():
    printing = [cell for path in NOTEBOOKS for cell in code_cells(nbformat.read(path, as_version=4)) if texts(cell)]
    compared = [cell for cell in printing if IGNORED not in cell.metadata.get("tags", [])]
    assert len(compared) >= 0.6 * len(printing), f"{len(compared)} of {len(printing)}"


def test_what_is_not_compared_is_a_picture(notebook):
    for cell in code_cells(notebook):
        shown = {kind for output in cell.outputs for kind in output.get("data", {})}
        if IGNORED in cell.metadata.get("tags", []):
            machine = cell.id == "effects"  # which of its sentences it prints depends on the machine
            assert machine or shown & {"image/png", "image/svg+xml"}, cell.id
        else:
            assert "image/png" not in shown, cell.id


def test_no_cell_is_long(notebook):
    """Not counted are what only the staff has, and the marks of solutions."""
    marks = r"(?ms)^# BEGIN STAFF.*?^# END STAFF\n|^ *# (BEGIN|END) SOLUTION[^\n]*\n?"
    sources = {cell.id: re.sub(marks, "", cell.source) for cell in code_cells(notebook)}
    assert not [name for name, source in sources.items() if len(source.splitlines()) > 25]


def test_no_path_of_a_machine_and_no_address_is_shown(notebook):
    shown = json.dumps([texts(cell) for cell in code_cells(notebook)])
    assert not re.search(r"/(home|Users|root|tmp)/|[A-Z]:\\\\|0x[0-9a-f]{6,}", shown)


def test_the_embedded_images_were_used(notebook):
    shown = " ".join(text for cell in code_cells(notebook) for text in texts(cell))
    assert homework().data.other not in shown
    if "data.load(" in " ".join(cell.source for cell in code_cells(notebook)):
        assert "Data: Shapes-10 (embedded)" in shown
