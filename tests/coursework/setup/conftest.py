"""The small repository, in a folder with an awkward name."""

import pytest
import small


@pytest.fixture
def repository(tmp_path):
    """A repository of the set-up's own files, and a command that says where it runs."""
    root = tmp_path / "a folder with späces"
    small.build(root)
    return root
