"""Emulated processors: that they are emulated is seen, and what cannot be emulated is said."""

from __future__ import annotations

import argparse
import dataclasses

import pytest

from coursework.commands import processors
from coursework.commands.processors import PROCESSORS, Choice, Row, emulation, failures, look, missing, native, table
from coursework.root import ROOT


@pytest.fixture(scope="module")
def machine():
    return look(native())


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_library_obeys(name, machine):
    if name in missing(machine):
        pytest.skip(missing(machine)[name])
    seen = look(emulation(PROCESSORS[name], 2, machine))
    assert failures(PROCESSORS[name], 2, machine, seen) == []
    assert failures(PROCESSORS[name], 3, machine, seen) == ["threads 2"]


def test_a_library_that_does_not_obey_is_named(machine):
    if "avx2" in missing(machine):
        pytest.skip("this machine has nothing that could be switched off")
    wrong = failures(PROCESSORS["sse"], machine.threads[0], machine, machine)
    functions = ["exp"] if processors.platform.libc_ver()[0] == "glibc" else []
    assert [what.split()[0] for what in wrong] == ["PyTorch", "OpenBLAS", "NumPy", "oneDNN", "products", *functions]
    newer = dataclasses.replace(machine, numpy=("X86_V3",), onednn="Intel AVX2")
    others = [what.split()[0] for what in failures(PROCESSORS["sse"], machine.threads[0], machine, newer)]
    assert "NumPy" in others
    assert "oneDNN" in others


def test_what_the_machine_does_not_have_is_left_out_and_named(machine, monkeypatch, capsys):
    older = dataclasses.replace(machine, pytorch="AVX2")
    monkeypatch.setattr(processors.platform, "machine", lambda: "x86_64")
    assert missing(older) == {"avx512": "this processor has AVX2 at most"}
    monkeypatch.setattr(processors.platform, "machine", lambda: "arm64")
    assert set(missing(machine)) == set(PROCESSORS)
    assert processors.run([], ["no such command"]) == 0
    said = capsys.readouterr().out
    assert all(f"{name} is left out: this machine is arm64" in said for name in PROCESSORS)


@pytest.mark.parametrize("wrong", ["avx", "sse:", "sse:0", "sse:x", ":2", "", "avx2:-1"])
def test_a_choice_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(argparse.ArgumentTypeError, match="expected one of sse, avx2, avx512, as in sse or avx2:2, got"):
        Choice.parse(wrong)


def test_a_choice_is_a_processor_with_each_number_of_threads_or_one():
    assert Choice.parse("sse") == [Choice("sse", 1), Choice("sse", 2)]
    assert Choice.parse("AVX512:4") == [Choice("avx512", 4)]


def test_the_table_counts_what_pytest_reports(tmp_path, machine):
    usable = next((name for name in PROCESSORS if name not in missing(machine)), None)
    if usable is None:
        pytest.skip("this machine can emulate none")
    file = tmp_path / "test_three.py"
    file.write_text(
        "import pytest\n"
        "def test_right(): pass\n"
        "def test_wrong(): assert 0\n"
        "@pytest.mark.skip\n"
        "def test_skipped(): pass\n"
    )
    pytest_command = [processors.sys.executable, "-m", "pytest", "-q", "-c", str(tmp_path / "none.ini"), str(file)]
    (tmp_path / "none.ini").write_text("[pytest]\n")
    row = processors._row(Choice(usable, 1), pytest_command, machine)
    assert (row.passed, row.failed, row.skipped) == (1, 1, 1)
    none = processors._row(Choice(usable, 1), [*pytest_command, "-k", "nothing"], machine)
    assert none.failed == 1  # no test ran: that is no success
    lines = table([row, Row(Choice("avx512", 12), "x", 10, 0, 0, 3.4)]).splitlines()
    assert lines[0].split() == ["processor", "threads", "passed", "failed", "skipped", "seconds", "seen"]
    assert lines[2].split() == ["avx512", "12", "10", "0", "0", "3", "x"]


def test_what_is_left_out_as_free_of_arithmetic_is_there():
    assert all((ROOT / path).exists() for path in processors.NO_ARITHMETIC)
