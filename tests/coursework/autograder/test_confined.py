"""What strangers wrote is read with little memory and time, by nobody in particular, and a failure is one sentence."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from coursework.staff.autograder import confined

HERE = "tests.coursework.autograder.test_confined"
POSIX = pytest.mark.skipif(os.name != "posix", reason="there are no such limits elsewhere")


def read(path):
    stream = Path(path).open("rb")  # noqa: SIM115  the second part reads it
    return lambda: stream.read().decode()


def fill_memory():
    return lambda: len(bytearray(10**9))


def count_for_ever():
    def count():
        while True:
            pass

    return count


def answer_for_ever():
    return lambda: "x" * (confined.ANSWER + 1)


def crash():
    return lambda: os.abort()


def fail():
    def read():
        raise ValueError("it is no good")

    return read


def exceed(path):
    """Return what else is possible for the second part: who it is, and whether it can write and start."""

    def look():
        found = []
        for name, attempt in {"write": lambda: Path(path).write_text("x" * 10), "start": os.fork}.items():
            try:
                attempt()
                found.append(name)
            except OSError:
                pass
        return [os.geteuid(), *found]

    return look


def test_a_file_is_opened_with_rights_and_read_without(tmp_path):
    path = tmp_path / "secret"
    path.write_text("content", encoding="utf-8")
    path.chmod(0o600)
    assert confined.call(f"{HERE}:read", str(path)) == "content"


@POSIX
@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("fill_memory", "takes more than 2 s or 300 MB"),
        ("count_for_ever", "takes more than 2 s or 300 MB"),
        ("answer_for_ever", "takes more than 2 s or 300 MB"),
        ("crash", "takes more than 2 s or 300 MB"),
        ("fail", "it is no good"),
    ],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS limits no memory")
def test_what_takes_too_much_is_a_sentence(function, said):
    with pytest.raises(confined.UnreadableError, match=said):
        confined.call(f"{HERE}:{function}", seconds=2, memory=300)


@POSIX
def test_it_writes_nothing_and_as_root_starts_nothing(tmp_path):
    user, *able = confined.call(f"{HERE}:exceed", str(tmp_path / "file"))
    assert "write" not in able
    if os.geteuid() == 0:
        assert (user, able) == (confined.NOBODY, [])


def test_a_process_that_does_not_start_is_not_the_students_fault(monkeypatch):
    monkeypatch.setattr(confined, "START", "1/0")
    with pytest.raises(OSError, match="does not start"):
        confined.call(f"{HERE}:fail")
