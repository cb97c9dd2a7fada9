"""`submit --run`: results are written into the notebooks, nothing else of them changes, and what was there is kept."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from repository import ROOT, code_cells, edit

from coursework.options import COMMANDS
from coursework.submit import notebooks, running, submit_command
from coursework.submit.submit_command import look

FIRST, SECOND = "notebooks/1_a.ipynb", "notebooks/2_b.ipynb"


def cell(kind, source, **more):
    fields = {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["old\n"]}], "execution_count": 9}
    return {"cell_type": kind, "metadata": {}, "source": source, **(fields if kind == "code" else {}), **more}


def write(root, name, *cells, **more):
    document = {"cells": list(cells), "metadata": {"mine": {"a": 1}}, "nbformat": 4, "nbformat_minor": 5, **more}
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return (root / name).read_bytes()


def read(root, name):
    return json.loads((root / name).read_text(encoding="utf-8"))


def without_results(document):
    for each in code_cells(document):
        each["outputs"], each["execution_count"] = [], None
    return document


def test_only_results_change_and_every_earlier_state_is_kept(tmp_path):
    cells = [
        cell("markdown", ["# Größe\n", "text"], id="top", attachments={"a.png": {"image/png": "AAAA"}}),
        cell("code", ["x = 6\n", "x"], id="six", metadata={"tags": ["6.1", "result"], "editor": {"folded": True}}),
        cell("raw", "raw", id="raw"),
        cell("code", "", id="empty"),
        cell("code", "print(x, 'é')\nx * 7", id="seven"),
    ]
    before = write(tmp_path, FIRST, *cells)
    with_marks = b"\xef\xbb\xbf" + write(tmp_path, SECOND, cell("code", "1"), nbformat_minor=4)  # no ids
    (tmp_path / SECOND).write_bytes(with_marks)
    assert running.run(tmp_path, [FIRST, SECOND], {}) == {}
    after = read(tmp_path, FIRST)
    assert [each["execution_count"] for each in code_cells(after)] == [1, None, 2]  # as in JupyterLab
    (six,), nothing, seven = (each["outputs"] for each in code_cells(after))
    assert (six["data"]["text/plain"], six["execution_count"], nothing) == (["6"], 1, [])
    assert seven[0]["text"] == ["6 é\n"]
    assert seven[1]["data"]["text/plain"] == ["42"]
    assert without_results(after) == without_results(json.loads(before))
    assert "id" not in read(tmp_path, SECOND)["cells"][0]
    for name in (FIRST, SECOND):
        assert notebooks.inspect(tmp_path / name, name, ROOT / "cs7643") == []  # executed, from top to bottom
    kept = tmp_path / "build" / "before-submit"
    assert (kept / "1_a.ipynb").read_bytes() == before
    assert (kept / "2_b.ipynb").read_bytes() == with_marks

    once = (tmp_path / FIRST).read_bytes()
    for _ in range(2):  # the second call finds what the first left
        assert running.run(tmp_path, [FIRST], {}) == {}
        assert (tmp_path / FIRST).read_bytes() == once
    copies = {path.name: path.read_bytes() for path in kept.iterdir()}
    assert copies == {"1_a.ipynb": before, "1_a (2).ipynb": once, "2_b.ipynb": with_marks}


def test_a_notebook_that_fails_or_is_saved_meanwhile_stays_and_the_next_one_runs(tmp_path):
    failing = write(tmp_path, FIRST, cell("code", "1", id="one"), cell("code", "1 / 0", id="bad"))
    saved = "open('2_b.ipynb', 'a').write('\\n')"
    meanwhile = write(tmp_path, SECOND, cell("code", saved, id="save"))
    write(tmp_path, "notebooks/3_c.ipynb", cell("code", "print('good')", id="good"))
    found = running.run(tmp_path, [FIRST, SECOND, "notebooks/3_c.ipynb"], {})
    assert list(found) == [FIRST, SECOND]
    assert found[FIRST].place == f"{FIRST}, code cell 2 of 2 (id bad)"
    assert found[FIRST].problem == "it does not run to its end: ZeroDivisionError: division by zero"
    assert "changed while it ran" in found[SECOND].problem
    assert (tmp_path / FIRST).read_bytes() == failing
    assert (tmp_path / SECOND).read_bytes() == meanwhile + b"\n"
    kept = read(tmp_path, "build/notebooks/1_a.ipynb")["cells"][1]["outputs"]
    assert [output["ename"] for output in kept] == ["ZeroDivisionError"]
    assert read(tmp_path, "notebooks/3_c.ipynb")["cells"][0]["outputs"][0]["text"] == ["good\n"]


def test_what_running_may_mend_is_told_from_the_rest(root):
    edit(root / "notebooks" / "4_layers.ipynb", lambda notebook: without_results(notebook))
    edit(root / "notebooks" / "5_convnet.ipynb", lambda notebook: code_cells(notebook)[0].update(execution_count=5))
    (root / "extra.md").unlink()
    found = look(root)[2]
    assert running.outdated(found) == ["notebooks/4_layers.ipynb", "notebooks/5_convnet.ipynb"]
    assert running.obstacles(root, found) == []
    (root / "notebooks" / ".4_layers.ipynb.swp").touch()
    found = look(root)[2]
    assert [each.place for each in running.obstacles(root, found)] == ["notebooks/4_layers.ipynb"]
    (root / "notebooks" / ".4_layers.ipynb.swp").unlink()
    (root / "cs7643" / "layers.py").write_text("def (", encoding="utf-8")
    assert [each.place for each in running.obstacles(root, look(root)[2])] == ["cs7643/layers.py"]


def test_unsaved_changes_stop_a_run(root, tmp_path, capsys):
    path = root / "notebooks" / "4_layers.ipynb"
    edit(path, without_results)
    before = path.read_bytes()
    (path.parent / ".4_layers.ipynb.swp").touch()
    parser = argparse.ArgumentParser()
    COMMANDS["submit"].arguments(parser)
    args = parser.parse_args(["--run", "--output", str(tmp_path / "out")])
    assert submit_command.main(args, root=root) == 1
    said = capsys.readouterr().err
    assert "No notebook was run, since something else comes first" in said
    assert "an editor has unsaved changes" in said
    assert "no cell was executed" in said
    assert path.read_bytes() == before
    assert not (root / "build").exists()


def test_clean_leaves_the_copies(root):
    kept = root / "build" / "before-submit" / "1_a.ipynb"
    running.keep(b"mine", kept)
    (root / "build" / "index.html").touch()
    environment = {**os.environ, "COURSEWORK_NO_VENV": "1", "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "cs7643", "clean", "--all"]
    subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert [path for path in (root / "build").rglob("*") if path.is_file()] == [kept]
    assert kept.read_bytes() == b"mine"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a terminal of Unix")
def test_on_a_terminal_it_asks_and_elsewhere_it_says_how(root):
    import pexpect

    path = root / "notebooks" / "4_layers.ipynb"
    edit(path, without_results)
    (root / "extra.md").unlink()  # so that it ends before the checks in the copy
    shutil.copy(ROOT / "requirements.txt", root)
    before = path.read_bytes()
    environment = {**os.environ, "COURSEWORK_NO_VENV": "1", "PYTHONUTF8": "1", "PYTHONPATH": str(root)}
    environment.pop("TQDM_DISABLE", None)

    def on_terminal(answer):
        words = ["-m", "cs7643", "submit"]
        child = pexpect.spawn(sys.executable, words, cwd=str(root), env=environment, encoding="utf-8", timeout=300)
        child.setwinsize(40, 200)
        child.expect(r"Run them now\? \[y/N\] ")
        announced = child.before
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 1
        return announced, child.before

    announced, said = on_terminal("y")
    assert "4_layers." in announced
    assert "One notebook: roughly" in announced
    assert re.search(r"4_layers, cell 1 of \d+, 0 s", said)
    assert "One thing must be fixed" in said
    assert "no cell was executed" not in said
    assert (root / "build" / "before-submit" / path.name).read_bytes() == before
    path.write_bytes(before)
    announced, said = on_terminal("")
    assert "as they took here before" in announced
    assert "no cell was executed" in said
    assert "make submit ARGS=--run" in said
    assert path.read_bytes() == before
