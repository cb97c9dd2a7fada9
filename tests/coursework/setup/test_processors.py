"""Emulated processors: each library says whether it obeys, and what cannot be emulated is named."""

from __future__ import annotations

import pytest

from coursework import cli
from coursework.commands import processors
from coursework.commands.processors import PROCESSORS, emulation, failures, look, missing, native
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
    assert failures(PROCESSORS[name], 3, machine, seen) == ["threads"]


def test_a_library_that_does_not_obey_is_named(machine):
    if "avx2" in missing(machine):
        pytest.skip("this machine has nothing that could be switched off")
    wrong = failures(PROCESSORS["sse"], machine["threads"], machine, machine)
    functions = ["functions"] if processors.platform.libc_ver()[0] == "glibc" else []
    assert wrong == ["PyTorch", "OpenBLAS", "NumPy", "oneDNN", "products", *functions]
    newer = {**machine, "NumPy": "X86_V3", "oneDNN": "Intel AVX2"}
    assert {"NumPy", "oneDNN"} <= set(failures(PROCESSORS["sse"], machine["threads"], machine, newer))


def test_what_the_machine_does_not_have_is_left_out_and_named(machine, monkeypatch, capsys):
    monkeypatch.setattr(processors.platform, "machine", lambda: "x86_64")
    assert missing({**machine, "PyTorch": "AVX2"}) == {"avx512": "this processor has AVX2 at most"}
    monkeypatch.setattr(processors.platform, "machine", lambda: "arm64")
    assert set(missing(machine)) == set(PROCESSORS)
    assert processors.run([], ["no such command"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == processors.CHOICES
    assert all("left out: this machine is arm64" in line for line in said)


@pytest.mark.parametrize("wrong", ["avx", "sse", "sse:", "sse:0", "sse:x", ":2", "", "avx2:-1"])
def test_a_choice_that_makes_no_sense_is_refused(wrong, capsys):
    assert cli.main(["test", "--processors", "sse:1", wrong]) == 2
    assert "invalid choice" in capsys.readouterr().err


def test_a_result_tells_what_pytest_returned(tmp_path, machine, monkeypatch):
    usable = next((choice for choice in processors.CHOICES if choice.split(":")[0] not in missing(machine)), None)
    if usable is None:
        pytest.skip("this machine can emulate none")
    monkeypatch.setattr(processors, "look", lambda environment: machine)
    monkeypatch.setattr(processors, "failures", lambda *_: [])
    file = tmp_path / "test_two.py"
    file.write_text("def test_right(): pass\ndef test_wrong(): assert 0\n")
    (tmp_path / "none.ini").write_text("[pytest]\n")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # all plugins take seconds to be imported
    plain = ["-p", "xdist.plugin", "-c", str(tmp_path / "none.ini")]
    command = [processors.sys.executable, "-m", "pytest", "-q", *plain, str(file)]
    assert processors.run([usable], [*command, "-k", "right"]) == 0
    assert processors.run([usable], command) == 1
    assert processors.run([usable], [*command, "-k", "nothing"]) == 1  # no test ran: that is no success
    monkeypatch.setattr(processors, "failures", lambda *_: ["threads"])
    assert processors.run([usable], ["no such command"]) == 1


def test_what_is_left_out_as_free_of_arithmetic_is_there():
    assert all((ROOT / path).exists() for path in processors.NO_ARITHMETIC)
