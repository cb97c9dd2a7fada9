"""What all tests of the autograder share: workers of two processes of pytest never have the same user."""

from __future__ import annotations

import os

import pytest

from staff.autograder import sandbox


@pytest.fixture(autouse=True)
def own_user(monkeypatch):
    """Take the user of a worker from a range of one, which nobody else has."""
    number = 62_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    monkeypatch.setattr(sandbox, "USERS", range(number, number + 1))
    return number
