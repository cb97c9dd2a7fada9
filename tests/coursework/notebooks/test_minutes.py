"""How long notebooks take here: what was measured is said, what is estimated is called an estimate."""

from __future__ import annotations

import itertools
import re

import pytest

from coursework.homework import homework
from coursework.notebooks import execute, minutes

NAMES = list(homework().data.seconds)
DRAWN, REAL = homework().data.default, {"CS7643_CIFAR10": "/somewhere"}


def seconds(said):
    number, unit = re.search(r"(\d+) (s|min)", said.partition(":")[2]).groups()
    return int(number) * (60 if unit == "min" else 1)


def test_every_notebook_has_a_rough_figure():
    assert [f"notebooks/{name}.ipynb" for name in NAMES] == list(homework().notebooks)


@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_what_runs_here_replaces_the_estimate(tmp_path, factor):
    said = minutes.announcement(NAMES, tmp_path, DRAWN)
    assert "roughly" in said
    assert "an estimate for a machine with two cores" in said
    assert seconds(said) == pytest.approx(sum(first for first, _ in homework().data.seconds.values()), abs=60)
    for name in NAMES[2:]:
        minutes.note(tmp_path, name, ["Shapes-10 (embedded)"], factor * homework().data.seconds[name][0])
    said = minutes.announcement(NAMES, tmp_path, DRAWN)
    assert f"a part is an estimate: {NAMES[0]}, {NAMES[1]} have not run here yet." in said
    assert seconds(said) == pytest.approx(factor * sum(first for first, _ in homework().data.seconds.values()), abs=60)
    said = minutes.announcement(NAMES, tmp_path, REAL)
    assert "an estimate by the speed of others here; none has run here with this data yet" in said
    assert seconds(said) == pytest.approx(factor * sum(real for _, real in homework().data.seconds.values()), abs=60)
    for name in NAMES[:2]:
        minutes.note(tmp_path, name, [], 5.0)  # they use no data: the same with any
    minutes.note(tmp_path, NAMES[2], ["CIFAR-10"], 600.0)
    assert minutes.announcement(NAMES[:3], tmp_path, REAL) == "3 notebooks: about 11 min, as they took here before."
    assert minutes.announcement(NAMES[:2], tmp_path, DRAWN) == "2 notebooks: about 10 s, as they took here before."
    minutes.note(tmp_path, NAMES[0], [], 65.0)  # the last run counts
    assert minutes.announcement(NAMES[:2], tmp_path, DRAWN) == "2 notebooks: about 70 s, as they took here before."


@pytest.mark.parametrize("content", ["", "[]", '{"1_a": 3}', '{"1_a": {"": "x"}}', "\x00"])
def test_a_damaged_file_is_none(tmp_path, content):
    (tmp_path / minutes.NAME).write_text(content, encoding="utf-8")
    assert minutes.announcement(NAMES[:1], tmp_path, DRAWN).startswith("One notebook: roughly")
    minutes.note(tmp_path, NAMES[0], [], 20.0)
    assert minutes.announcement(NAMES[:1], tmp_path, DRAWN) == "One notebook: about 20 s, as they took here before."


def test_a_long_cell_shows_that_it_lives(tmp_path, monkeypatch, capsys):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    monkeypatch.setattr(execute, "EVERY", 2)
    loop = (
        "import time\nfor k in range(30):\n    print(f'a\\rstep \\x1b[1m{k}\\x1b[0m', flush=True)\n    time.sleep(0.2)"
    )
    nbformat.write(new_notebook(cells=[new_code_cell("1"), new_code_cell(loop)]), tmp_path / "1_a.ipynb")
    execute.run([tmp_path / "1_a.ipynb"], tmp_path / "out")
    lines = [line for line in capsys.readouterr().out.splitlines() if "so far" in line]
    assert len(lines) >= 2
    told = [re.fullmatch(r"1_a, cell 2 of 2: (\d+) s so far; it printed: step (\d+)", line) for line in lines]
    for before, after in itertools.pairwise(told):
        assert int(before[1]) < int(after[1])
        assert int(before[2]) < int(after[2])
