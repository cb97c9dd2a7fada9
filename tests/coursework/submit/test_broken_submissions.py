"""Broken submissions: each is refused, with a sentence that names the place and one that says what to do."""

from __future__ import annotations

import codecs
import io
import os

import pytest
from pypdf import PdfWriter
from repository import code_cells, edit, records

from coursework.homework import PERSON
from coursework.submit.submit_command import look

NOTEBOOK = "notebooks/4_layers.ipynb"
LAYERS = "cs7643/layers.py"
RUN_ALL = "Restart Kernel and Run All Cells"


def write(path, text):
    """Return what writes a file: text, or bytes."""
    return lambda root: (root / path).write_bytes(text if isinstance(text, bytes) else text.encode())


def remove(path):
    return lambda root: (root / path).unlink()


def append(path, text):
    return lambda root: (root / path).write_text((root / path).read_text(encoding="utf-8") + text, encoding="utf-8")


def replace_by_folder(path):
    def change(root):
        (root / path).unlink()
        (root / path).mkdir()

    return change


def link(path, target):
    def change(root):
        outside = root.parent / "elsewhere.txt"
        outside.write_text("a secret", encoding="utf-8")
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(outside if target else root / "nowhere")

    return change


def on_notebook(change, path=NOTEBOOK):
    return lambda root: edit(root / path, change)


def cut(root):
    path = root / NOTEBOOK
    path.write_bytes(path.read_bytes()[:5000])


def count(number, value):
    return on_notebook(lambda notebook: code_cells(notebook)[number].update(execution_count=value))


def swap(notebook):
    first, second = code_cells(notebook)[2:4]
    first["execution_count"], second["execution_count"] = second["execution_count"], first["execution_count"]


def later(notebook):
    for cell in code_cells(notebook):
        cell["execution_count"] += 4


def clear(notebook):
    for cell in code_cells(notebook):
        cell.update(outputs=[], execution_count=None)


def fail(notebook):
    error = {
        "output_type": "error",
        "ename": "NotImplementedError",
        "evalue": "Task 6.2: affine_forward",
        "traceback": [],
    }
    code_cells(notebook)[1]["outputs"] = [error]


def wait(notebook):
    shown = {"text/plain": "… This cell waits for task 6.2"}
    output = {"output_type": "display_data", "data": shown, "metadata": {"coursework_waits": "6.2"}}
    code_cells(notebook)[1]["outputs"] = [output]


def without_code(notebook):
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] != "code"]


def without_an_answer(notebook):
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["metadata"]["tags"] != ["3", "answer"]]


def forget(notebook):
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            output.get("metadata", {}).pop("coursework_code", None)


def one_old_record(notebook):
    records(notebook)[-1]["layers"] = "0" * 12


def pdf(pages, password=None):
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    if password:
        writer.encrypt(password)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def lock(name):
    def change(root):
        folder = (root / name).parent
        folder.mkdir(exist_ok=True)
        (root / name).write_text("", encoding="utf-8")

    return change


NOTEBOOKS = {
    "missing": (remove(NOTEBOOK), f"{NOTEBOOK}: the notebook is missing", "Put it back"),
    "empty": (write(NOTEBOOK, ""), f"{NOTEBOOK}: it is not a whole notebook", "a copy that opens"),
    "cut off": (cut, f"{NOTEBOOK}: it is not a whole notebook", "a copy that opens"),
    "merge": (write(NOTEBOOK, '{\n<<<<<<< HEAD\n"cells": []\n'), "it holds the marks of a merge", "a copy that opens"),
    "not JSON": (write(NOTEBOOK, "hello"), f"{NOTEBOOK}: it is not a whole notebook", "a copy that opens"),
    "another JSON": (write(NOTEBOOK, "{}"), f"{NOTEBOOK}: it is not a whole notebook", "a copy that opens"),
    "binary": (write(NOTEBOOK, b"\xff\xfe\x00\x9f" * 50), f"{NOTEBOOK}: it is not a whole notebook", "a copy"),
    "a folder": (replace_by_folder(NOTEBOOK), f"{NOTEBOOK}: it is not a file", "Put the file"),
    "never run": (on_notebook(clear), f"{NOTEBOOK}: no cell was executed", RUN_ALL),
    "one cell not run": (count(3, None), "code cell 4 (id check-relu-forward) was not executed", RUN_ALL),
    "last cell not run": (count(-1, None), "(id todo) was not executed", RUN_ALL),
    "out of order": (on_notebook(swap), "not executed from top to bottom: code cell 3 carries the number 4", RUN_ALL),
    "one cell twice": (count(5, 40), "not executed from top to bottom: code cell 6 carries the number 40", RUN_ALL),
    "no restart": (on_notebook(later), "not executed from top to bottom: code cell 1 carries the number 5", RUN_ALL),
    "an error": (on_notebook(fail), "code cell 2 (id check-affine-forward): it ends in NotImplementedError", "Mend it"),
    "a blank": (on_notebook(wait), "a cell waits for task 6.2: something in it is not written yet", "Write it"),
    "no code": (on_notebook(without_code), "it has no code cell any more", "a fresh copy"),
    "an answer gone": (
        on_notebook(without_an_answer, "notebooks/1_gradient_descent.ipynb"),
        "the answer cell of task 3, under the heading 'Problem 3. The rate of gradient descent' is not there any more",
        "Put it back",
    ),
    "unknown code": (on_notebook(forget), "it does not say which code its results come from", RUN_ALL),
    "student code newer": (append(LAYERS, "\nX = 1\n"), f"{NOTEBOOK}: its results are older than {LAYERS}", RUN_ALL),
    "given code newer": (append("cs7643/trainer.py", "\nX = 1\n"), "results are older than cs7643/trainer.py", RUN_ALL),
    "half run again": (on_notebook(one_old_record), f"{NOTEBOOK}: its results are older than {LAYERS}", RUN_ALL),
    "code gone": (remove("cs7643/fast/layers.py"), f"{NOTEBOOK}: its results are older than cs7643/fast", RUN_ALL),
    "a link out": (
        link(NOTEBOOK, True),
        f"{NOTEBOOK}: it is a link that leads out of the repository",
        "the file itself",
    ),
    "a dead link": (link(NOTEBOOK, False), f"{NOTEBOOK}: the notebook is missing", "Put it back"),
}
CODE = {
    "missing": (remove(LAYERS), f"{LAYERS}: the file is missing", "Put it back"),
    "not Python": (append(LAYERS, "def f(:\n"), f"{LAYERS}: line", "Mend that line"),
    "indentation": (
        append(LAYERS, "def f():\nreturn 1\n"),
        "is not Python: expected an indented block",
        "Mend that line",
    ),
    "merge": (append(LAYERS, "<<<<<<< HEAD\n"), "is not Python: invalid syntax", "Mend that line"),
    "null byte": (write(LAYERS, b"x = 1\x00\n"), f"{LAYERS}: it is not text", "a copy that is text"),
    "not UTF-8": (write(LAYERS, b"x = '\xe9'\n"), f"{LAYERS}: line", "Mend that line"),
    "a folder": (replace_by_folder(LAYERS), f"{LAYERS}: it is not a file", "Put the file"),
    "a link out": (link(LAYERS, True), f"{LAYERS}: it is a link that leads out of the repository", "the file itself"),
    "a dead link": (link(LAYERS, False), f"{LAYERS}: it is a link to a file that is not there", "the file itself"),
}
PEOPLE = {
    "missing": (remove(PERSON), "collaborators.txt: the file is missing", "Make it"),
    "empty": (write(PERSON, ""), "the collaborators' line is not filled in", "or write none"),
    "no name": (write(PERSON, "Name:\nCollaborators: none\n"), "the line of the name is not", "after `Name:`"),
    "nobody": (write(PERSON, "Name: A\nCollaborators:\n"), "the collaborators' line is not", "or write none"),
    "a dash": (
        write(PERSON, "Name: A\nCollaborators: -\n"),
        "the collaborators' line is not",
        "or write none",
    ),
    "in a comment": (write(PERSON, "Name: A\n# Collaborators: B\n"), "the collaborators' line", "write none"),
    "Latin-1": (
        write(PERSON, "Name: José\nCollaborators: none".encode("latin-1")),
        "not text in UTF-8",
        "Save",
    ),
}


def predict(text):
    return write("predictions.csv", text)


PREDICTIONS = {
    title: (change, f"predictions.csv: {problem}", "python -m cs7643 predict")
    for title, (change, problem) in {
        "missing": (remove("predictions.csv"), "the file is missing"),
        "empty": (predict(""), "line 1: expected image_id,label, got 'an empty file'"),
        "no header": (predict("0,3\n1,8\n"), "line 1: expected image_id,label, got '0,3'"),
        "another header": (predict("id,label\n0,3\n"), "line 1: expected image_id,label, got 'id,label'"),
        "no row": (predict("image_id,label\n"), "10000 of 10000 images have no label"),
        "some rows": (predict("image_id,label\n0,3\n1,8\n"), "9998 of 10000 images have no label, the first is 2"),
        "a row too many": (append("predictions.csv", "10000,1\n"), "line 10002: image_id must be from 0 to 9999"),
        "a class too many": (predict("image_id,label\n0,10\n"), "line 2: label must be from 0 to 9, got 10"),
        "no label": (predict("image_id,label\n0,\n"), "line 2: expected two whole numbers"),
        "a name": (predict("image_id,label\n0,3\n1,cat\n"), "line 3: expected two whole numbers, got '1,cat'"),
        "negative": (predict("image_id,label\n-1,3\n"), "line 2: expected two whole numbers"),
        "a fraction": (predict("image_id,label\n0,3.0\n"), "line 2: expected two whole numbers"),
        "three columns": (predict("image_id,label\n0,3,1\n"), "line 2: expected two whole numbers"),
        "twice": (append("predictions.csv", "5,4\n"), "line 10002: image 5 occurs twice"),
        "a spreadsheet": (predict(b"PK\x03\x04\xff\xfe\x80"), "it cannot be read"),
    }.items()
}
OTHERS = {
    "extra missing": (remove("extra.md"), "extra.md: the file is missing", "Say in it what you did"),
    "extra empty": (write("extra.md", " \n"), "extra.md: the file is empty", "Write it"),
    "log empty": (
        write("experiments/results/run.csv", ""),
        "experiments/results/run.csv: the file is empty",
        "remove it",
    ),
    "log a link out": (
        link("experiments/results/a.log", True),
        "experiments/results/a.log: it is a link",
        "file itself",
    ),
    "name": (write("experiments/results/a:b.log", "1"), "its name cannot be unpacked on Windows", "Rename it"),
    "open in Vim": (
        lock("notebooks/.4_layers.ipynb.swp"),
        f"{NOTEBOOK}: an editor has unsaved changes",
        "Save and close",
    ),
    "open in Emacs": (lock("cs7643/.#layers.py"), f"{LAYERS}: an editor has unsaved changes", "remove .#layers.py"),
    "autosaved": (lock("cs7643/#layers.py#"), f"{LAYERS}: an editor has unsaved changes", "remove #layers.py#"),
    "open in Kate": (lock("cs7643/.layers.py.kate-swp"), f"{LAYERS}: an editor has unsaved changes", "Save and close"),
    "open in LibreOffice": (
        lock(".~lock.predictions.csv#"),
        "predictions.csv: an editor has unsaved",
        "Save and close",
    ),
}
BROKEN = {
    f"{area}: {title}": case
    for area, cases in {
        "notebook": NOTEBOOKS,
        "code": CODE,
        "person": PEOPLE,
        "predictions": PREDICTIONS,
        "other": OTHERS,
    }.items()
    for title, case in cases.items()
}


def sentences(root, **arguments):
    return [str(finding) for finding in look(root, **arguments)[2]]


def test_a_complete_submission_is_not_refused(ready):
    assert sentences(ready) == []


def test_there_are_many_cases():
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("title", BROKEN)
def test_it_is_refused_with_what_to_do(title, root):
    change, problem, remedy = BROKEN[title]
    if title == "other: name" and os.name == "nt":
        pytest.skip("Windows does not have such names")
    change(root)
    found = [text for text in sentences(root) if problem in text.splitlines()[0]]
    assert found, sentences(root)
    assert remedy in found[0].splitlines()[1]


@pytest.mark.parametrize(
    ("content", "problem", "remedy"),
    [
        (b"", "the file is empty", "Export it again"),
        (b"Dear grader, the dog", "it is not a PDF", "Export it again"),
        (b"%PDF-1.7\nnothing", "it is damaged", "Export it again"),
        (pdf(8)[:600], "it is damaged", "Export it again"),
        (pdf(1), "it has 1 page, and", "a page of its own"),
        (pdf(5), "it has 5 pages, and", "a page of its own"),
        (pdf(6, password="secret"), "it asks for a password", "without a password"),
    ],
    ids=["empty", "text", "only a head", "cut off", "one page", "five pages", "password"],
)
def test_an_own_pdf_is_refused(content, problem, remedy, ready, tmp_path):
    path = tmp_path / "my write-up.pdf"
    path.write_bytes(content)
    (found,) = sentences(ready, own_pdf=path)
    assert found.startswith(f"my write-up.pdf: {problem}")
    assert remedy in found


def test_an_own_pdf_of_six_pages_is_taken(ready, tmp_path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf(6))
    assert sentences(ready, own_pdf=path) == []


@pytest.mark.parametrize(
    ("text", "name", "collaborators"),
    [
        ("Name: Ada\nCollaborators: none\n", "Ada", "none"),
        ("name : Ada\r\ncollaborators:None\r\n", "Ada", "None"),
        ("\ufeffName: Ada\nCollaborators: B, C\n", "Ada", "B, C"),
        ("Name: 李雷\nCollaborators：韩梅梅\n", "李雷", "韩梅梅"),
        ("# Name: no\nName: Ada\nCollaborators:\n B\n C\n", "Ada", "B, C"),
    ],
)
def test_the_two_lines_are_read_as_people_write_them(text, name, collaborators, root):
    write(PERSON, text)(root)
    _, person, found = look(root)
    assert (person.name, person.collaborators, found) == (name, collaborators, [])


def test_a_windows_editor_may_save_as_utf_16(root):
    write(PERSON, codecs.BOM_UTF16_LE + "Name: Ada\nCollaborators: none\n".encode("utf-16-le"))(root)
    assert sentences(root) == []


def test_an_empty_cell_may_stay(root):
    cell = {"cell_type": "code", "id": "d0f1a2b3", "metadata": {}, "outputs": [], "execution_count": None, "source": ""}
    edit(root / NOTEBOOK, lambda notebook: notebook["cells"].append(cell))
    assert sentences(root) == []


def test_other_line_ends_and_dates_make_no_result_old(root):
    path = root / LAYERS
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    os.utime(path)
    assert sentences(root) == []
