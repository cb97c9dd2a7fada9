"""Which data is used, and what the command line says about it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up import archive_catalogue, catalogue_of, files, make_archive, write_set

from cs7643.data import Dataset, DatasetError, data_command, find, load, sources
from cs7643.data.cifar10 import CIFAR10
from cs7643.options import COMMANDS

SET = files()
CATALOGUE = catalogue_of(SET)
FOLDER = CIFAR10.folder


@pytest.fixture(autouse=True)
def _as_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CS7643_CIFAR10", raising=False)
    monkeypatch.setattr(sources, "_announced", set())


def found(directory: str | Path | None, datasets: Path) -> Path | None:
    return find(directory, catalogue=CATALOGUE, datasets=datasets).folder


def test_the_order_of_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = tmp_path / "datasets"
    assert found(None, datasets) is None
    write_set(datasets / FOLDER, SET)
    assert found(None, datasets) == datasets / FOLDER
    write_set(tmp_path / "environment", SET)
    monkeypatch.setenv("CS7643_CIFAR10", str(tmp_path / "environment"))
    assert found(None, datasets) == tmp_path / "environment"
    write_set(tmp_path / "an explicit one, née so", SET)
    assert found(tmp_path / "an explicit one, née so", datasets) == tmp_path / "an explicit one, née so"
    assert found("embedded", datasets) is None
    monkeypatch.setenv("CS7643_CIFAR10", "embedded")
    assert found(None, datasets) is None
    monkeypatch.setenv("CS7643_CIFAR10", "")
    assert found(None, datasets) == datasets / FOLDER


def test_the_folder_or_its_parent(tmp_path: Path) -> None:
    write_set(tmp_path / FOLDER, SET)
    assert found(tmp_path, tmp_path / "none") == found(str(tmp_path / FOLDER), tmp_path / "none") == tmp_path / FOLDER


@pytest.mark.parametrize("inside", [f"{FOLDER}/{FOLDER}", f"cifar-10-python/{FOLDER}"])
def test_a_folder_that_was_unpacked_into_another_is_found(inside: str, tmp_path: Path) -> None:
    write_set(tmp_path / inside, SET)
    assert found(None, tmp_path) == found(tmp_path, tmp_path / "none") == tmp_path / inside
    assert run(["--verify"], tmp_path) == run(["--download"], tmp_path) == 0


def test_a_colon_in_a_path_is_a_character_like_others(tmp_path: Path) -> None:
    write_set(tmp_path / "a: b" / FOLDER, SET)
    assert load(tmp_path / "a: b", announce=False, catalogue=CATALOGUE).name == "CIFAR-10"


def test_what_is_like_the_folder_that_was_named_is_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-bin").mkdir()
    (tmp_path / "cifar-10-python.tar.gz").touch()
    for directory, words in {
        tmp_path: "but there is cifar-10-python.tar.gz, cifar-10-batches-bin",
        tmp_path / "cifar-10-python.tar.gz": "it is a file, not a folder",
        tmp_path / "none": "there is no such folder",
    }.items():
        with pytest.raises(DatasetError, match=words):
            found(directory, tmp_path)


@pytest.mark.parametrize("by_environment", [True, False])
def test_a_folder_that_was_named_is_never_passed_over(
    by_environment: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "datasets" / FOLDER, SET)
    wrong = tmp_path / "empty"
    wrong.mkdir()
    if by_environment:
        monkeypatch.setenv("CS7643_CIFAR10", str(wrong))
    with pytest.raises(DatasetError, match="holds CIFAR-10 in its Python version") as caught:
        found(None if by_environment else wrong, tmp_path / "datasets")
    assert str(wrong) in str(caught.value)
    assert ("as CS7643_CIFAR10 says" in str(caught.value)) == by_environment


def test_a_half_set_in_datasets_is_an_error_too(tmp_path: Path) -> None:
    write_set(tmp_path / FOLDER, {"data_batch_1": SET["data_batch_1"]})
    with pytest.raises(DatasetError, match="incomplete"):
        load(catalogue=CATALOGUE, datasets=tmp_path)


def test_the_name_is_printed_once_and_no_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / FOLDER, SET)
    for _ in range(2):
        dataset = load(tmp_path, catalogue=CATALOGUE)
    assert capsys.readouterr().out == "Data: CIFAR-10\n"
    assert dataset.pick(cifar10=1, embedded=2) == 1


def test_the_embedded_default_has_the_form_of_cifar10(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cs7643.data.shapes")
    dataset = load("embedded")
    assert isinstance(dataset, Dataset)
    assert capsys.readouterr().out == "Data: Shapes-10 (embedded)\n"
    assert (dataset.X_train.shape, dataset.X_test.shape) == ((50_000, 3, 32, 32), (10_000, 3, 32, 32))
    assert (dataset.y_train.shape, dataset.y_test.shape) == ((50_000,), (10_000,))
    assert {dataset.X_train.dtype, dataset.X_test.dtype} == {np.dtype(np.uint8)}
    assert {dataset.y_train.dtype, dataset.y_test.dtype} == {np.dtype(np.int64)}
    assert len(dataset.class_names) == 10
    assert not dataset.is_cifar10
    assert dataset.pick(cifar10=1, embedded=2) == 2


# The command line


def run(arguments: list[str], datasets: Path, catalogue: object = CATALOGUE) -> int:
    parser = argparse.ArgumentParser()
    COMMANDS["data"].arguments(parser)
    return data_command.main(parser.parse_args(arguments), catalogue=catalogue, datasets=datasets)  # type: ignore[arg-type]


def test_without_flags_it_says_what_would_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], tmp_path / "none") == 0
    assert capsys.readouterr().out.startswith("The embedded default, Shapes-10 (there is no ")
    write_set(tmp_path / FOLDER, SET)
    assert run([], tmp_path) == 0
    assert capsys.readouterr().out.startswith(f"CIFAR-10 in {tmp_path / FOLDER} (found there)")
    assert run(["--cifar10-dir", str(tmp_path / "no")], tmp_path) == 1
    assert capsys.readouterr().err.startswith(f"data: {tmp_path / 'no'} (as requested)")


def test_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / FOLDER, SET)
    assert run(["--verify", "--cifar10-dir", str(tmp_path)], tmp_path / "none") == 0
    assert capsys.readouterr().out == (
        f"CIFAR-10 in {tmp_path / FOLDER}\nComplete, and every checksum is the official one\n"
    )
    other = files(memo=False)
    for name in ("data_batch_2", "batches.meta"):
        (tmp_path / FOLDER / name).write_bytes(other[name])
    assert run(["--verify"], tmp_path) == 0
    assert capsys.readouterr().out == (
        f"CIFAR-10 (unverified copy) in {tmp_path / FOLDER}\n"
        "Readable and complete, but these are not the official files: data_batch_2, batches.meta\n"
    )
    (tmp_path / FOLDER / "data_batch_4").write_bytes(SET["data_batch_4"][:-100])
    assert run(["--verify"], tmp_path) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith(f"data: {tmp_path / FOLDER / 'data_batch_4'}: it is cut off")
    assert len(streams.err.splitlines()) == 1


def test_nothing_to_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--verify"], tmp_path) == 1
    assert "no CIFAR-10 to check" in capsys.readouterr().err


def test_download_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = make_archive(SET)
    (tmp_path / CIFAR10.archive).write_bytes(archive)
    catalogue = archive_catalogue(archive, CATALOGUE)
    assert run(["--download"], tmp_path, catalogue) == 0
    assert capsys.readouterr().out.endswith(f"CIFAR-10 is in {tmp_path / FOLDER}, every file checked\n")
    assert run(["--download"], tmp_path, catalogue) == 0
    assert "exists already" in capsys.readouterr().out
    (tmp_path / FOLDER / "test_batch").unlink()
    assert run(["--download"], tmp_path, catalogue) == 1
    assert "lacks test_batch" in capsys.readouterr().err


def test_a_failed_download_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--download"], tmp_path) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_wrong_command_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--download", "--cifar10-dir", "x"], tmp_path) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(SystemExit) as caught:
        run(["--download", "--verify"], tmp_path)
    assert caught.value.code == 2


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["--help"], Path())
    assert "python -m cs7643 data --verify --cifar10-dir" in capsys.readouterr().out


def test_reading_needs_neither_network_nor_drawing_modules() -> None:
    modules = ["urllib.request", "tqdm", "matplotlib", "torch"]
    code = f"import sys, cs7643.data; print([module for module in {modules} if module in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
