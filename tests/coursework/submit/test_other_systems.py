"""What other editors, file systems and servers leave: it is read, or refused by a sentence that names it; no hang."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from repository import ROOT, code_cells, edit

from coursework.files import copy_tree
from coursework.homework import PERSON, homework
from coursework.submit import archive, editors, inspection, names, notebooks, submit_command, text, write_up
from coursework.submit.finding import Finding
from coursework.submit.person import Person
from coursework.submit.submit_command import look

NOTEBOOK, FIRST, LAYERS = "notebooks/4_layers.ipynb", "notebooks/1_gradient_descent.ipynb", "cs7643/layers.py"
LOG, PICTURE = f"{homework().results}/softmax.log", f"{homework().results}/softmax_loss.png"
posix = pytest.mark.skipif(os.name == "nt", reason="Windows does not have such names or files")
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no mistake
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"


def said(root):
    return [str(finding) for finding in look(root)[2]]


# What other editors make of a notebook that JupyterLab still opens.


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell["outputs"]]


def without(key):
    return lambda notebook: [output.pop(key, None) for output in outputs(notebook)]


def in_cells(key, value):
    return lambda notebook: [cell["metadata"].update({key: value}) for cell in notebook["cells"]]


def crlf(notebook):
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")


def same_ids(notebook):
    extra = {"cell_type": "markdown", "metadata": {}, "source": "twice"}
    notebook["cells"] += [{**extra, "id": "one"}, {**extra, "id": "one"}]


SAVED = {
    "no counts at outputs": without("execution_count"),
    "tags that are none": in_cells("tags", None),
    "text for a truth value": in_cells("collapsed", "false"),
    "an editor's own metadata": in_cells("vscode", {"languageId": "python"}),
    "a later minor format": lambda notebook: notebook.update(nbformat_minor=9),
    "a long id": lambda notebook: notebook["cells"][0].update(id="x" * 80),
    "an id with signs": lambda notebook: notebook["cells"][0].update(id="#VSC-1a2b"),
    "one id twice": same_ids,
    "cells without ids": lambda notebook: [cell.pop("id") for cell in notebook["cells"]],
    "line ends in the cells": crlf,
}


@pytest.mark.parametrize("kind", SAVED)
def test_a_notebook_that_another_editor_saved_is_read(kind, ready):
    whole = json.loads((ready / NOTEBOOK).read_bytes())
    SAVED[kind](whole)
    read = notebooks.loads(json.dumps(whole).encode())
    expected = ["".join(cell["source"]) for cell in whole["cells"]]
    assert [cell.source for cell in read.cells] == expected
    assert [len(cell.outputs) for cell in read.cells if cell.cell_type == "code"] == [
        len(cell["outputs"]) for cell in code_cells(whole)
    ]


def test_a_notebook_without_the_metadata_of_outputs_is_one_that_must_be_run_again(root):
    edit(root / NOTEBOOK, without("metadata"))
    (finding,) = said(root)
    assert finding.startswith(f"{NOTEBOOK}: it does not say which code its results come from")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_disturbs_nothing(encoding, root):
    for path in (NOTEBOOK, PERSON):
        (root / path).write_bytes((root / path).read_text(encoding="utf-8").encode(encoding))
    assert said(root) == []
    if encoding == "utf-8-sig":  # Jupyter opens no notebook that has one
        assert next(entry for entry in inspection.gather(root)[0] if entry.path == NOTEBOOK).content[:1] == b"{"


def test_lines_may_end_as_on_windows(root):
    for path in (*homework().code_files(), *homework().notebooks, PERSON, "predictions.csv", "extra.md"):
        content = (root / path).read_bytes()
        assert b"\r" not in content
        (root / path).write_bytes(content.replace(b"\n", b"\r\n"))
    assert said(root) == []


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"cells": [1]}', b"[]", b"7", b'{"cells": [{"cell_type": 1}]}'])
def test_what_is_no_notebook_is_an_error_of_one_line(content):
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        notebooks.loads(content)


# What cells print.

PRINTED = {
    "a progress bar": ("".join(f"\rstep {k} of 5000" for k in range(5001)) + "\ndone\n", "step 5000 of 5000", ""),
    "backspaces": ("10%\b\b\b20%\b\b\b30%\n", "30%", ""),
    "half a character": ("name \ud83d end\n", "name ‹U+D83D› end", "half a character is written as ‹U+D83D›"),
    "control characters": ("a\x00b\x0cd e\n", "abd e", "control characters are left out: ‹U+0000› ‹U+000C›"),
    "a link and a hidden cursor": ("c\x1b]8;;http://127.0.0.1\x07link\x1b]8;;\x07\x1b[?25l\x1b(Be\n", "clinke", ""),
    "one long line": ("7, " * 60_000, "7, 7", "only 1000 characters are shown of 1 line"),
}


@pytest.fixture(scope="module")
def printing(ready):
    """Return the first notebook with a cell for each text below a result, and hw1.pdf as text, with its notes."""
    whole = json.loads((ready / FIRST).read_bytes())
    at = next(k for k, cell in enumerate(whole["cells"]) if cell["id"] == "check-1") + 1
    for number, (printed, _, _) in enumerate(PRINTED.values()):
        stream = {"output_type": "stream", "name": "stdout", "text": printed}
        cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "run()", "outputs": [stream]}
        whole["cells"].insert(at, {**cell, "id": f"{number:08x}"})
    marked = {
        "cell_type": "markdown",
        "metadata": {},
        "source": "half \ud83d an\x00\x1b[31m emoji\rnext",
        "id": "a" * 8,
    }
    whole["cells"].insert(at, marked)
    made = write_up.write({"1_gradient_descent": notebooks.loads(json.dumps(whole).encode())}, Person("A", "b"), ready)
    pages = PdfReader(io.BytesIO(made.content)).pages
    return [page.extract_text() for page in pages], [str(note) for note in made.notes]


@pytest.mark.parametrize("kind", PRINTED)
def test_what_a_terminal_would_show_is_in_the_pdf_and_what_is_not_is_named(kind, printing):
    texts, notes = printing
    _, shown, note = PRINTED[kind]
    assert shown in "\n".join(texts)
    cell = f"cell {list(PRINTED).index(kind):08x}"
    about = [line for line in notes if cell in line]
    assert (len(about) == 1 and note in about[0]) if note else not about, about
    assert len(texts) < 20


def test_half_a_character_and_controls_in_an_answer_are_named(printing):
    texts, notes = printing
    assert any("half ‹U+D83D› an emoji" in page for page in texts)
    about = "\n".join(line for line in notes if "cell aaaaaaaa" in line)
    assert "‹U+D83D›" in about
    assert "left out: ‹U+0000›" in about


@PATIENT
@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_text_can_be_printed_on_one_line_and_written(anything):
    line = text.sentence(anything)
    assert "\n" not in line
    assert not {char for char in line if ord(char) < 32 or 0x7F <= ord(char) < 0xA0}
    line.encode()
    text.writable(anything).encode()
    json.dumps(text.writable({anything: [anything]}), ensure_ascii=False).encode()


@PATIENT
@given(st.lists(st.sampled_from(["\r", "\b", "ab", "c", "\n", "xyz"])))
def test_overwriting_is_that_of_a_terminal(parts):
    rows, row, column = [{}], 0, 0
    for char in "".join(parts).replace("\r\n", "\n"):
        if char == "\n":
            rows.append({})
            row, column = row + 1, 0
        elif char in "\r\b":
            column = 0 if char == "\r" else max(0, column - 1)
        else:
            rows[row][column] = char
            column += 1
    expected = "\n".join("".join(each[k] for k in sorted(each)) for each in rows)
    assert text.screen("".join(parts)) == (expected, [])


def test_a_finding_with_half_a_character_goes_into_the_manifest():
    finding = Finding("a\udcff.log", "it says \ud83d\x1b[31m\nred", "Mend it.")
    assert str(finding) == "a‹U+DCFF›.log: it says ‹U+D83D› red\n      Mend it."
    archive.pack([], Person(), [], [finding])


# Names.

NAMES = {
    "CON.log": "where CON.log is a device",
    "aux.py.log": "where aux.py.log is a device",
    "Lpt1/run.log": "where Lpt1 is a device",
    "a:b.log": "does not allow : in it",
    "a\tb.log": "does not allow U+0009 in it",
    "runs./run.log": "no name ends in a dot",
    "runs /run.log": "no name ends in a blank",
    "x\udcff.log": "is not UTF-8",
}


@posix
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_another_system_cannot_hold_is_refused(name, root):
    path = root / homework().results / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("1", encoding="utf-8")
    (finding,) = said(root)
    assert text.sentence(f"{homework().results}/{name}: its name") in finding
    assert NAMES[name] in finding
    assert name not in "".join(entry.path for entry in inspection.gather(root)[0])


@pytest.mark.parametrize(
    "name", ["Konsole.log", "console.log", "auxiliary.log", "a.b.log", "Läufe/日本.txt", "con_1.log"]
)
def test_other_names_are_not_refused(name):
    assert names.unportable(name) == ""


@posix
@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("Run.log", "run.log", "in case"),
        ("e\u0301.log", "\u00e9.log", "accents"),
        ("STRASSE.txt", "straße.txt", ""),
    ],
)
def test_names_that_are_one_on_other_systems_are_refused(one, other, how, root):
    for name in (one, other):
        (root / homework().results / name).write_text(name, encoding="utf-8")
    if len({one, other} & set(os.listdir(root / homework().results))) < 2:
        pytest.skip("this file system holds one of them only")
    (finding,) = said(root)
    assert "on Windows and macOS its name is that of" in finding
    assert how in finding
    paths = [entry.path for entry in inspection.gather(root)[0]]
    assert not names.twins(paths)


RENAMED = [
    (NOTEBOOK, "4_layers (1).ipynb"),
    (NOTEBOOK, "4_layers-Copy1.ipynb"),
    (NOTEBOOK, "Copy of 4_layers.ipynb"),
    (NOTEBOOK, "4-layers.ipynb"),
    (NOTEBOOK, "4_layers.ipynb.json"),
    (LAYERS, "layers.py.txt"),
    (LAYERS, "Layers.py"),
    (LAYERS, "layer.py"),
    ("experiments/run_softmax.sh", "run_softmax.sh.txt"),
    (PERSON, "collaborators.txt.txt"),
    ("predictions.csv", "predictions.csv.txt"),
    ("predictions.csv", "prediction.csv"),
    ("extra.md", "extra.txt"),
]


@pytest.mark.parametrize(("path", "name"), RENAMED)
def test_a_file_that_was_renamed_is_named(path, name, root):
    (root / path).rename((root / path).with_name(name))
    found = [line for line in said(root) if line.startswith(f"{path}: ")]
    assert len(found) == 1
    assert f"missing; there is {name}" in found[0]
    assert f"rename it to {path.rpartition('/')[2]}" in found[0]


def test_no_file_is_taken_for_another_that_is_looked_for(root):
    wanted = set(homework().code_files()) | set(homework().notebooks)
    for path in wanted:
        others = {other.rpartition("/")[2] for other in wanted}
        found = names.nearest(path.rpartition("/")[2], set(os.listdir((root / path).parent)) - others)
        assert found in (None, path.rpartition("/")[2])


# What is no file, or not whole.


def fifo(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path.name)


def pointer(path):
    path.write_text(POINTER, encoding="utf-8")


def empty(path):
    path.write_bytes(b"")


@posix
@pytest.mark.parametrize("kind", [fifo, loop, pointer, empty], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("path", [NOTEBOOK, LAYERS, "experiments/run_softmax.sh", PERSON, LOG, PICTURE])
def test_what_is_no_whole_file_is_named_once_and_stops_nothing(kind, path, root):
    (root / path).unlink(missing_ok=True)
    kind(root / path)
    entries, person, found = look(root)
    about = [finding for finding in found if finding.place == path]
    assert len(about) == (2 if (kind, path) == (empty, PERSON) else 1)  # both lines are not filled in
    if path in (LOG, PICTURE):
        write_up.write({}, person, root)
    if path == LAYERS:
        archive.pack(entries, person)


@posix
def test_what_is_no_file_beside_the_code_is_not_copied(root, tmp_path):
    os.mkfifo(root / "cs7643" / "pipe")
    loop(root / "cs7643" / "circle.py")
    (root / "cs7643" / "._layers.py").write_bytes(b"\0\5\26\7")
    copy_tree(root / "cs7643", tmp_path / "copy", archive._is_left)
    present = os.listdir(tmp_path / "copy")
    assert "layers.py" in present
    assert not {"pipe", "circle.py", "._layers.py", "__pycache__"} & set(present)


# Servers.


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b'{"url": "http://127.0.0.1:1/", "pid"',
        b"[1]",
        b"{}",
        b"null",
        b"\xff\xfe",
        b'{"url": 7}',
        b'{"url": "file:///etc/"}',
        b'{"url": "http://[bad/"}',
        b'{"url": "http://127.0.0.1:1/", "root_dir": 3}',
    ],
)
def test_a_record_of_a_server_that_makes_no_sense_disturbs_nothing(record, ready, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "jpserver-1.json").write_bytes(record)
    (tmp_path / "jpserver-2.json").mkdir()
    if os.name != "nt":
        loop(tmp_path / "jpserver-3.json")
        fifo(tmp_path / "jpserver-4.json")
    assert editors.inspect(ready, [NOTEBOOK]) == []


@posix
def test_a_record_of_another_user_disturbs_nothing():
    code = (
        "import os; from coursework.submit import editors; os.getuid() or os.setuid(65534); print(editors._sessions())"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        record = Path(folder, "jpserver-1.json")
        record.write_text("{}", encoding="utf-8")
        record.chmod(0)
        environment = {**os.environ, "JUPYTER_RUNTIME_DIR": folder}
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, encoding="utf-8"
        )
    assert (result.stdout, result.stderr) == ("{}\n", "")


# Where nothing can be written.


@pytest.fixture
def files_of():
    """Let no file become longer than some bytes, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def submit(root, output):
    return submit_command.main(argparse.Namespace(pdf=None, output=output, name=None, force=True, run=False), root=root)


@pytest.mark.parametrize("name", ["hw1.zip", "hw1.pdf"])
def test_a_folder_in_the_place_of_a_result_is_named_before_the_checks_run(name, ready, tmp_path, capsys):
    (tmp_path / name).mkdir()
    assert submit(ready, tmp_path) == 1
    out, err = capsys.readouterr()
    assert err == f"submit: {tmp_path / name} is a folder: move it away, so that the file can be written\n"
    assert out == ""
    assert os.listdir(tmp_path) == [name]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_named_before_the_checks_run(ready, capsys):
    assert submit(ready, Path("/proc/none")) == 1
    out, err = capsys.readouterr()
    assert re.fullmatch(r"submit: /proc/none/hw1\.zip: .+; .+\n", err)
    assert out == ""


@pytest.mark.parametrize("sizes", [(3, 5000), (5000, 3)])
def test_both_results_take_their_places_or_none(sizes, tmp_path, files_of):
    (tmp_path / "hw1.zip").write_bytes(b"old")
    files_of(1000)
    with pytest.raises(OSError, match="File too large"):
        submit_command._store({tmp_path / "hw1.zip": b"x" * sizes[0], tmp_path / "hw1.pdf": b"x" * sizes[1]})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"hw1.zip": b"old"}


def test_a_full_disk_is_a_sentence(ready, tmp_path, capsys, files_of):
    files_of(2000)
    assert submit(ready, tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert err.startswith("submit: the copy in which the zip is tried cannot be made: ")
    assert "File too large" in err
    assert err.count("\n") == 1
    assert len(err) < 400
    assert not (tmp_path / "out").exists()
