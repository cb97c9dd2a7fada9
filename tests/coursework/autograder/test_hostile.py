"""No hostile or broken submission gets a point that it has not earned, sees what is hidden, or leaves anything.

Every other one of a group is tried always, the rest where all is to be tried.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from coursework.homework import homework
from staff.hostile import attack, takeover
from staff.hostile.catalogue import GROUPS, SUBMISSIONS
from staff.hostile.submission import DESCENT, folder, solved
from staff.mutants.catalogue import MUTANTS

MARKED = [
    pytest.param(each, id=each.name, marks=[pytest.mark.everything] * (k % 2) + [pytest.mark.slow] * each.slow)
    for group in GROUPS.values()
    for k, each in enumerate(group)
]
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/")


@pytest.fixture(scope="module", autouse=True)
def listener():
    """Listen on the loopback, and say whether anybody came."""
    came = []
    with socket.socket() as server:
        try:
            server.bind(("127.0.0.1", takeover.PORT))
        except OSError:  # another process of pytest listens there
            yield came
            return
        server.listen()
        server.settimeout(0.2)
        stop = threading.Event()

        def listen():
            while not stop.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                came.append(address)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield came
        stop.set()
        thread.join()
    assert not came


@pytest.fixture(scope="module", autouse=True)
def clone():
    """Put another clone of the solutions where nobody looks for one, and everybody can read it."""
    if os.name != "posix" or os.geteuid() != 0:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="cs7643-clone-", dir="/") as name:
        folder({DESCENT: solved(DESCENT)})(Path(name))
        Path(name).chmod(0o755)
        yield


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a worker a user of its own")
@pytest.mark.parametrize("submission", MARKED)
def test_a_hostile_submission_gets_what_it_has_earned_and_no_more(submission):
    outcome = attack.attempt(submission)
    assert not outcome.faults
    assert not [path for place in PLACES for path in Path(place).glob("*cs7643-slip*")]
    assert not [path for place in PLACES for path in Path(place).glob("*cs7643-flood*")]


def test_the_catalogue_is_sound():
    assert len(SUBMISSIONS) >= 220
    assert len({each.name for each in SUBMISSIONS}) == len(SUBMISSIONS)
    assert {each.tasks for each in SUBMISSIONS if each.mutant} == {(task.number,) for task in homework().tasks}
    assert all(each.mutant in MUTANTS for each in SUBMISSIONS if each.mutant)
