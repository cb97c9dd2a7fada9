"""Questions for a class: made in the sandbox, a page for each, and keys apart."""

from __future__ import annotations

import argparse
import re
import shutil

import pytest

from coursework.root import ROOT
from coursework.staff import viva_command
from coursework.staff.mutants.mutant import second_source
from staff.mutants.catalogue import STYLES

WRITTEN = ("cs7643/layers.py", "cs7643/optim.py")


def hand_in(folder, **texts):
    for path in WRITTEN:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, place)
    for name, text in texts.items():
        (folder / "cs7643" / f"{name}.py").write_text(text, encoding="utf-8")


def call(place, out):
    return viva_command.main(argparse.Namespace(submissions=place, out=out, seed=0))


@pytest.mark.slow
def test_a_class_is_asked_about_its_own_code(tmp_path, capsys):
    hand_in(tmp_path / "class" / "ada")
    hand_in(tmp_path / "class" / "bob", layers=second_source(next(iter(STYLES)), "cs7643.layers"))
    hand_in(tmp_path / "class" / "eve", layers="def relu_forward(x):\n    return x\n", optim="momentum = print\n")
    assert call(tmp_path / "class", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert re.findall("^(.*): 0 of 3 questions", said.err, re.M) == ["eve"]
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert set(pages) == {"ada", "bob", "eve", "keys"}
    assert [pages[name].count("<article>") for name in ("ada", "bob", "eve")] == [3, 3, 0]
    assert pages["keys"].count("<article>") == 6
    questions = {name: re.findall(r"<pre>((?:The call|Line) .*?)</pre>", pages[name], re.S) for name in ("ada", "bob")}
    assert questions["ada"] != questions["bob"]
    assert all(text in pages["keys"] for found in questions.values() for text in found)
    assert "<mark>" in pages["keys"]
    assert not any(mark in pages[name] for name in ("ada", "bob") for mark in ("<mark>", "A full answer", "Run with"))


def test_what_is_not_there_is_named(tmp_path, capsys):
    assert call(tmp_path / "nothing", tmp_path / "out") == 1
    assert f"viva: there is no file or folder {tmp_path / 'nothing'}" in capsys.readouterr().err
