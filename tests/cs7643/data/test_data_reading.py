"""Reading CIFAR-10: right files come out right, wrong ones are named, and nothing in them runs or is written."""

from __future__ import annotations

import os
import pickle
import pickletools
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import DTYPE, N, array, batch, catalogue_of, files, listing, number, python2_pickle, string, write_set

from cs7643.data import DatasetError
from cs7643.data.cifar10 import CIFAR10, read
from cs7643.data.pickles import PickleError, read_pickle

SET = files()
CATALOGUE = catalogue_of(SET)
LIMIT = 1000


def expected_images() -> tuple[np.ndarray, np.ndarray]:
    contents = [batch(f"data_batch_{k}") for k in range(1, 6)]
    return (
        np.concatenate([c["data"].reshape(-1, 3, 32, 32) for c in contents]),
        np.concatenate([c["labels"] for c in contents]),
    )


# Right files


def test_official_files_are_read_in_order(tmp_path: Path) -> None:
    write_set(tmp_path / "set", SET)
    dataset, differing = read(tmp_path / "set", CATALOGUE)
    X, y = expected_images()
    np.testing.assert_array_equal(dataset.X_train, X)
    np.testing.assert_array_equal(dataset.y_train, y)
    np.testing.assert_array_equal(dataset.X_test, batch("test_batch")["data"].reshape(-1, 3, 32, 32))
    np.testing.assert_array_equal(dataset.y_test, batch("test_batch")["labels"])
    assert (dataset.X_train.dtype, dataset.y_train.dtype) == (np.uint8, np.int64)
    assert (dataset.name, dataset.is_cifar10, differing) == ("CIFAR-10", True, ())
    assert dataset.class_names == CIFAR10.class_names


def rewritten(contents: dict[str, Any], protocol: int, strings: type) -> bytes:
    """Return a batch as a Python 3 program writes it, with text or bytes for strings."""
    as_bytes = {
        (key.encode() if strings is bytes else key): (
            value.encode() if isinstance(value, str) and strings is bytes else value
        )
        for key, value in contents.items()
    }
    return pickle.dumps(as_bytes, protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("strings", [str, bytes])
def test_what_python_3_wrote_again_is_an_unverified_copy(tmp_path: Path, protocol: int, strings: type) -> None:
    write_set(tmp_path / "set", {name: rewritten(batch(name), protocol, strings) for name in SET})
    dataset, differing = read(tmp_path / "set", CATALOGUE)
    np.testing.assert_array_equal(dataset.X_train, expected_images()[0])
    assert dataset.name == "CIFAR-10 (unverified copy)"
    assert differing == tuple(CATALOGUE.files)


def test_pixels_stored_by_columns(tmp_path: Path) -> None:
    contents = batch("test_batch")
    contents["data"] = array(contents["data"].tobytes(order="F"), contents["data"].shape, by_columns=True)
    write_set(tmp_path / "set", {**SET, "test_batch": python2_pickle(contents)})
    dataset, _ = read(tmp_path / "set", CATALOGUE)
    np.testing.assert_array_equal(dataset.X_test.reshape(N, -1), batch("test_batch")["data"])


def test_a_flipped_bit_in_a_pixel_is_found_by_the_checksum(tmp_path: Path) -> None:
    damaged = bytearray(SET["data_batch_3"])
    damaged[len(damaged) // 2] ^= 4
    write_set(tmp_path / "set", {**SET, "data_batch_3": bytes(damaged)})
    dataset, differing = read(tmp_path / "set", CATALOGUE)
    assert dataset.name == "CIFAR-10 (unverified copy)"
    assert differing == ("data_batch_3",)


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_same_objects_as_the_standard_unpickler(name: str, memo: bool) -> None:
    raw = files(memo=memo)[name]
    ours, theirs = read_pickle(raw, LIMIT), pickle.loads(raw, encoding="latin-1")
    assert list(ours) == list(theirs)
    for ours_value, theirs_value in zip(ours.values(), theirs.values(), strict=True):
        np.testing.assert_array_equal(ours_value, theirs_value)
        assert type(ours_value) is type(theirs_value)


# Wrong files. Each case damages a whole set, and says which file the error must name, and in what words.


def replaced(name: str, raw: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(raw) and None  # type: ignore[func-returns-value]


def changed(name: str, **changes: Any) -> Callable[[Path], None]:
    contents = {key: value for key, value in {**batch(name), **changes}.items() if value is not None}
    return replaced(name, python2_pickle(contents))


def swapped(one: str, other: str) -> Callable[[Path], None]:
    def swap(folder: Path) -> None:
        (folder / one).write_bytes(SET[other])
        (folder / other).write_bytes(SET[one])

    return swap


def removed(*names: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return remove


def made_a_folder(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return make


def grown(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, size)


def with_labels(labels: bytes) -> bytes:
    """Return a batch whose labels are made by these instructions."""
    return python2_pickle({**batch("data_batch_2"), "labels": labels})


PIXELS = batch("data_batch_2")["data"].tobytes()
LABELS = batch("data_batch_2")["labels"]
BATCH = SET["data_batch_2"]
SHELL = b"touch CANARY"

DAMAGED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    # cut off
    "empty": (replaced("data_batch_2", b""), "data_batch_2", "cut off"),
    "one byte": (replaced("data_batch_2", BATCH[:1]), "data_batch_2", "cut off"),
    "cut in the labels": (replaced("data_batch_2", BATCH[:60]), "data_batch_2", "cut off"),
    "cut in the pixels": (replaced("data_batch_2", BATCH[: len(BATCH) // 2]), "data_batch_2", "cut off"),
    "cut in the filenames": (replaced("data_batch_2", BATCH[:-100]), "data_batch_2", "cut off"),
    "without the last byte": (replaced("data_batch_2", BATCH[:-1]), "data_batch_2", "cut off"),
    "test batch cut": (replaced("test_batch", SET["test_batch"][:-9]), "test_batch", "cut off"),
    "meta cut": (replaced("batches.meta", SET["batches.meta"][:50]), "batches.meta", "cut off"),
    "zeros from the middle on": (replaced("data_batch_2", BATCH[:200] + bytes(60_000)), "data_batch_2", "damaged"),
    "longer by a byte": (replaced("data_batch_2", BATCH + b"\n"), "data_batch_2", "1 bytes follow"),
    "twice in one file": (replaced("data_batch_2", BATCH + BATCH), "data_batch_2", "bytes follow"),
    # flipped
    "flipped in the first instruction": (replaced("data_batch_2", b"\x00" + BATCH[1:]), "data_batch_2", "damaged"),
    "flipped in a length": (
        replaced("data_batch_2", BATCH.replace(b"T\x00\xf0\x00\x00", b"T\x00\xf0\x00\x08")),
        "data_batch_2",
        "cut off",
    ),
    "negative length": (replaced("data_batch_2", with_labels(b"T\xff\xff\xff\xff")), "data_batch_2", "damaged"),
    "flipped in a key": (replaced("data_batch_2", BATCH.replace(b"labels", b"lacels")), "data_batch_2", "lacks labels"),
    "flipped in a name": (replaced("data_batch_2", BATCH.replace(b"dtype", b"dtypf")), "data_batch_2", "numpy.dtypf"),
    "empty stack": (replaced("data_batch_2", b"\x80\x02R."), "data_batch_2", "more from the stack"),
    "empty memory": (replaced("data_batch_2", with_labels(b"h\xee")), "data_batch_2", "damaged"),
    # in the wrong place, or not there
    "1 and 2 swapped": (swapped("data_batch_1", "data_batch_2"), "data_batch_1", "it is data_batch_2"),
    "4 is a copy of 3": (replaced("data_batch_4", SET["data_batch_3"]), "data_batch_4", "it is data_batch_3"),
    "test batch trained on": (replaced("data_batch_5", SET["test_batch"]), "data_batch_5", "it is test_batch"),
    "tested on a training batch": (replaced("test_batch", SET["data_batch_1"]), "test_batch", "it is data_batch_1"),
    "meta for a batch": (replaced("data_batch_1", SET["batches.meta"]), "data_batch_1", "lacks batch_label"),
    "batch for meta": (replaced("batches.meta", BATCH), "batches.meta", "lacks label_names"),
    "one missing": (removed("data_batch_3"), "data_batch_3", "incomplete"),
    "two missing": (removed("test_batch", "batches.meta"), "test_batch, batches.meta", "incomplete"),
    "a folder in its place": (made_a_folder("test_batch"), "test_batch", "incomplete"),
    # wrong shapes, types and counts
    "19 images": (
        changed("data_batch_2", data=batch("data_batch_2")["data"][:-1]),
        "data_batch_2",
        "shape (19, 3072), expected (20, 3072)",
    ),
    "a pixel too many": (changed("data_batch_2", data=np.zeros((N, 3073), np.uint8)), "data_batch_2", "(20, 3073)"),
    "transposed": (changed("data_batch_2", data=array(PIXELS, (3072, N))), "data_batch_2", "(3072, 20)"),
    "four-dimensional": (changed("data_batch_2", data=array(PIXELS, (N, 3, 32, 32))), "data_batch_2", "two-dim"),
    "one-dimensional": (changed("data_batch_2", data=array(PIXELS, (N * 3072,))), "data_batch_2", "two-dim"),
    "negative shape": (changed("data_batch_2", data=array(PIXELS, (-N, -3072))), "data_batch_2", "fit its bytes"),
    "huge shape": (changed("data_batch_2", data=array(b"", (2**31 - 1, 2**31 - 1))), "data_batch_2", "fit its bytes"),
    "fewer bytes than the shape": (changed("data_batch_2", data=array(PIXELS[1:], (N, 3072))), "data_batch_2", "fit"),
    "signed pixels": (
        changed("data_batch_2", data=array(PIXELS, (N, 3072), DTYPE.replace(b"u1", b"i1"))),
        "data_batch_2",
        "other than an array of uint8",
    ),
    "pixels of no type": (
        changed("data_batch_2", data=array(PIXELS, (N, 3072), b"N")),
        "data_batch_2",
        "other than uint8",
    ),
    "floating-point pixels": (
        replaced("data_batch_2", pickle.dumps({**batch("data_batch_2"), "data": np.zeros((N, 3072))}, 2)),
        "data_batch_2",
        "other than an array of uint8",
    ),
    "pixels in a list": (changed("data_batch_2", data=[1, 2, 3]), "data_batch_2", "data is not an array"),
    "pixels never filled": (
        changed("data_batch_2", data=array(PIXELS, (N, 3072)).split(b"(K\x01(")[0]),
        "data_batch_2",
        "data is not an array",
    ),
    "19 labels": (changed("data_batch_2", labels=LABELS[1:]), "data_batch_2", "labels has 19 entries, expected 20"),
    "label 10": (changed("data_batch_2", labels=[*LABELS[1:], 10]), "data_batch_2", "from 0 to 9"),
    "label -1": (changed("data_batch_2", labels=[-1, *LABELS[1:]]), "data_batch_2", "from 0 to 9"),
    "label a string": (changed("data_batch_2", labels=["6", *LABELS[1:]]), "data_batch_2", "from 0 to 9"),
    "label true": (changed("data_batch_2", labels=[b"\x88", *LABELS[1:]]), "data_batch_2", "from 0 to 9"),
    "labels a tuple": (replaced("data_batch_2", with_labels(b"(K\x01t")), "data_batch_2", "labels is not a list"),
    "19 filenames": (changed("data_batch_2", filenames=["a.png"] * 19), "data_batch_2", "filenames has 19 entries"),
    "filenames of numbers": (
        changed("data_batch_2", filenames=list(range(N))),
        "data_batch_2",
        "filenames is not text",
    ),
    "without pixels": (changed("data_batch_2", data=None), "data_batch_2", "lacks data"),
    "without labels": (changed("data_batch_2", labels=None), "data_batch_2", "lacks labels"),
    "nine classes": (changed("batches.meta", label_names=list(CIFAR10.class_names[:9])), "batches.meta", "9 entries"),
    "classes in another order": (
        changed("batches.meta", label_names=sorted(CIFAR10.class_names, reverse=True)),
        "batches.meta",
        "classes of CIFAR-10",
    ),
    "meta of other batches": (changed("batches.meta", num_cases_per_batch=21), "batches.meta", "not 20"),
    "meta of other images": (changed("batches.meta", num_vis=1024), "batches.meta", "not 3072"),
    # foreign
    "a page of a web server": (replaced("data_batch_2", b"<!DOCTYPE html><html>"), "data_batch_2", "damaged"),
    "a line of text": (replaced("data_batch_2", b"version https://git-lfs.github.com/"), "data_batch_2", "it "),
    "an archive": (replaced("data_batch_2", b"\x1f\x8b\x08\x00" + PIXELS), "data_batch_2", "damaged"),
    "the binary version": (replaced("data_batch_2", bytes([6]) + PIXELS), "data_batch_2", "it "),
    "a NumPy file": (replaced("data_batch_2", b"\x93NUMPY\x01\x00" + PIXELS), "data_batch_2", "it "),
    "CIFAR-100": (
        replaced("data_batch_2", python2_pickle({"fine_labels": LABELS, "coarse_labels": LABELS, "data": "x"})),
        "data_batch_2",
        "lacks batch_label",
    ),
    "a pickled list": (replaced("data_batch_2", python2_pickle([1, 2])), "data_batch_2", "one dictionary"),
    "a pickle as text": (replaced("data_batch_2", pickle.dumps({"a": [1]}, 0)), "data_batch_2", "instruction"),
    "NumPy's newest pickle": (
        replaced("data_batch_2", pickle.dumps(batch("data_batch_2"), 5)),
        "data_batch_2",
        "_frombuffer",
    ),
    # malicious
    "os.system": (
        replaced("data_batch_2", b"cos\nsystem\n" + string(SHELL) + b"\x85R."),
        "data_batch_2",
        "nothing was",
    ),
    "posix.system by a long way": (
        replaced("data_batch_2", b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + string(SHELL) + b"\x85R."),
        "data_batch_2",
        "nothing was run",
    ),
    "eval in the labels": (
        replaced("data_batch_2", with_labels(b"c__builtin__\neval\n" + string("open('CANARY', 'w')") + b"\x85R")),
        "data_batch_2",
        "nothing was run",
    ),
    "eval in meta": (
        replaced("batches.meta", b"cbuiltins\nexec\n" + string("open('CANARY', 'w')") + b"\x85R."),
        "batches.meta",
        "nothing was run",
    ),
    "the instruction INST": (
        replaced("data_batch_2", b"(" + string(SHELL) + b"ios\nsystem\n."),
        "data_batch_2",
        "instruction INST",
    ),
    "the instruction OBJ": (replaced("data_batch_2", b"(cos\nsystem\no."), "data_batch_2", "nothing was run"),
    "OBJ of an allowed class": (replaced("data_batch_2", b"(cnumpy\ndtype\no."), "data_batch_2", "instruction OBJ"),
    "NEWOBJ of an allowed class": (
        replaced("data_batch_2", b"cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85\x81."),
        "data_batch_2",
        "instruction NEWOBJ",
    ),
    "a registered extension": (replaced("data_batch_2", b"\x82\x01."), "data_batch_2", "instruction EXT1"),
    "a persistent object": (replaced("data_batch_2", b"Pos.system\n."), "data_batch_2", "instruction PERSID"),
    "dotted name": (replaced("data_batch_2", b"cnumpy\ndtype.__class__\n."), "data_batch_2", "nothing was run"),
    "name by numbers": (replaced("data_batch_2", b"\x80\x04K\x01K\x02\x93."), "data_batch_2", "not a string"),
    "another class in _reconstruct": (
        replaced("data_batch_2", b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R."),
        "data_batch_2",
        "other than an array",
    ),
    "an array of objects": (
        changed("data_batch_2", data=array(PIXELS, (N, 3072), DTYPE.replace(b"u1", b"O8"))),
        "data_batch_2",
        "other than an array of uint8",
    ),
    "a call of an array": (
        changed("data_batch_2", data=array(PIXELS, (N, 3072)) + b")R"),
        "data_batch_2",
        "nothing was run",
    ),
    "a state for a function": (
        replaced("data_batch_2", b"c_codecs\nencode\nN}U\x08__code__K\x01s\x86b."),
        "data_batch_2",
        "nothing was run",
    ),
    "a codec that unpacks": (
        replaced("data_batch_2", with_labels(b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R")),
        "data_batch_2",
        "nothing was run",
    ),
    # bombs
    "nested tuples as a key": (
        replaced("data_batch_2", b"}K\x01" + b"q\x00h\x00\x86" * 80 + b"K\x01s."),
        "data_batch_2",
        "key of a dictionary",
    ),
    "one text encoded many times": (
        replaced(
            "data_batch_2",
            b"(c_codecs\nencode\nq\x00X\x00\x40\x00\x00"
            + b"a" * 2**14
            + b"X\x06\x00\x00\x00latin1\x86q\x01R"
            + b"h\x00h\x01R" * 300
            + b"l.",
        ),
        "data_batch_2",
        "instruction LIST",
    ),
    "many arrays of the same bytes": (
        changed("data_batch_2", data=[array(PIXELS, (N, 3072))] * 2),
        "data_batch_2",
        "more than one array",
    ),
    "one array filled many times": (
        changed("data_batch_2", data=array(PIXELS, (N, 3072)) + b"(K\x01(" + b"K\x00K\x00t" + DTYPE + b"\x89U\x00tb"),
        "data_batch_2",
        "fills an array twice",
    ),
    "a memory of 32 GB": (replaced("data_batch_2", with_labels(b"]r\xff\xff\xff\xff")), "data_batch_2", "0 entries"),
    "bytes of 4 EB": (replaced("data_batch_2", b"\x80\x04\x8e" + b"\xff" * 7 + b"\x3f."), "data_batch_2", "damaged"),
    "a frame of 16 EB": (replaced("data_batch_2", b"\x80\x04\x95" + b"\xff" * 8 + b"]."), "data_batch_2", "dictionary"),
    "nothing but lists": (replaced("data_batch_2", b"]" * 10**6 + b"."), "data_batch_2", "1,240 instructions"),
    "deep lists": (replaced("data_batch_2", b"(" * 600 + b"]" + b"t" * 600 + b"."), "data_batch_2", "one dictionary"),
    "labels that hold themselves": (
        replaced("data_batch_2", with_labels(b"]q\xf0(" + b"h\xf0" * N + b"e")),
        "data_batch_2",
        "from 0 to 9",
    ),
    "64 MB of zeros": (grown("data_batch_2", 2**26), "data_batch_2", "and a valid copy at most"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_wrong_file_is_named_and_nothing_happens(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage, name, words = DAMAGED[case]
    folder = tmp_path / "a set, née somewhere"
    write_set(folder, SET)
    damage(folder)
    monkeypatch.chdir(folder)  # where a canary would appear
    before = listing(tmp_path)
    start = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(DatasetError) as caught:
        read(folder, CATALOGUE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - start < 5
    assert peak < 32e6
    message = str(caught.value)
    assert str(folder) in message
    assert name in message
    assert words in message
    assert "python -m cs7643 data --download" in message
    assert "CS7643_CIFAR10=embedded" in message
    assert "\n" not in message
    assert len(message) < 600
    assert listing(tmp_path) == before


def test_there_are_forty_cases_and_each_differs_from_the_right_set(tmp_path: Path) -> None:
    listings = []
    for index, (damage, _, _) in enumerate(DAMAGED.values()):
        write_set(tmp_path / str(index), SET)
        damage(tmp_path / str(index))
        listings.append(tuple(listing(tmp_path / str(index)).items()))
    assert len(set(listings)) == len(DAMAGED) >= 40
    write_set(tmp_path / "right", SET)
    assert tuple(listing(tmp_path / "right").items()) not in listings


@pytest.mark.parametrize("case", ["os.system", "eval in the labels", "eval in meta"])
@pytest.mark.skipif(sys.platform == "win32", reason="the payload is a shell command")
def test_the_malicious_files_are_not_duds(case: str, tmp_path: Path) -> None:
    """The standard unpickler, in a process of its own, does run them."""
    write_set(tmp_path / "set", SET)
    damage, name, _ = DAMAGED[case]
    damage(tmp_path / "set")
    code = f"import pickle; pickle.load(open({name!r}, 'rb'), encoding='latin1')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "set", capture_output=True, check=False)
    assert (tmp_path / "set" / "CANARY").exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    write_set(tmp_path / "set", SET)
    (tmp_path / "set" / "test_batch").chmod(0)
    with pytest.raises(DatasetError, match="test_batch: it cannot be read"):
        read(tmp_path / "set", CATALOGUE)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["data_batch_4", "batches.meta"]), where=st.floats(0, 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_an_error_or_an_unverified_copy(tmp_path: Path, name: str, where: float, bit: int) -> None:
    raw = bytearray(python2_pickle(batch(name)))
    structure = [i for i in range(len(raw)) if name == "batches.meta" or i < 600 or i > len(raw) - 700]
    raw[structure[int(where * (len(structure) - 1))]] ^= 1 << bit
    folder = tmp_path / name
    if not folder.exists():
        write_set(folder, SET)
    (folder / name).write_bytes(raw)
    try:
        dataset, differing = read(folder, CATALOGUE)
    except DatasetError as caught:
        error = str(caught)
    else:
        error = ""
        assert dataset.name == "CIFAR-10 (unverified copy)"
        assert differing == (name,)
        assert dataset.X_train.shape == (5 * N, 3, 32, 32)
        assert 0 <= dataset.y_train.min() <= dataset.y_train.max() < 10
    assert not error or str(folder / name) in error


INSTRUCTIONS = sorted(opcode.code.encode("latin-1") for opcode in pickletools.opcodes)


@settings(max_examples=500)
@given(st.lists(st.one_of(st.sampled_from(INSTRUCTIONS), st.binary(max_size=4)), max_size=30))
def test_random_programs_end_in_one_kind_of_error(pieces: list[bytes]) -> None:
    try:
        result = read_pickle(b"".join(pieces) + b".", LIMIT)
    except PickleError:
        pass
    else:
        assert isinstance(result, dict)


def test_numbers_and_strings_of_the_made_up_sets_are_those_of_pickle() -> None:
    for value in (0, 255, 256, -1, 2**31 - 1):
        assert pickle.loads(number(value) + b".") == value
    for text in ("", "a" * 255, "a" * 256):
        assert pickle.loads(string(text) + b".") == text


def test_reading_imports_nothing_that_a_file_names(tmp_path: Path) -> None:
    write_set(tmp_path / "set", {**SET, "data_batch_2": b"cthis\ns\n."})  # `import this` would print a poem
    sys.modules.pop("this", None)
    with pytest.raises(DatasetError):
        read(tmp_path / "set", CATALOGUE)
    assert "this" not in sys.modules
