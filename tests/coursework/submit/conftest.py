"""A repository that is ready to be handed in: one to look at, and a copy for each test that breaks it."""

from __future__ import annotations

import shutil

import pytest
from repository import make


@pytest.fixture(scope="session")
def ready(tmp_path_factory):
    """Return a repository that nobody changes."""
    return make(tmp_path_factory.mktemp("ready") / "Hausaufgabe 1 – für José")


@pytest.fixture
def root(ready, tmp_path):
    """Return a repository to be changed."""
    return shutil.copytree(ready, tmp_path / "a folder", symlinks=True)
