"""What all tests of the autograder share: workers of two processes of pytest never have the same user."""

from __future__ import annotations

import os

import pytest

from coursework.staff.autograder import sandbox


def pytest_collection_modifyitems(items):
    """Leave out what takes ten minutes on a fast machine and an hour on a slow one, unless it is asked for."""
    if not os.environ.get("CS7643_TEST_EVERYTHING"):
        for item in items:
            if item.get_closest_marker("everything"):
                item.add_marker(pytest.mark.skip(reason="takes long: CS7643_TEST_EVERYTHING=1 tries it, too"))


@pytest.fixture(autouse=True)
def own_user(monkeypatch):
    """Take the user of a worker from a range of one, which nobody else has."""
    number = 62_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    monkeypatch.setattr(sandbox, "USERS", range(number, number + 1))
    return number
