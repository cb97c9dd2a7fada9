"""What all tests share: tests/ is in the import path, where tolerances.py is, and a busy machine is no mistake."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

collect_ignore = ["toy"]  # a repository of its own, which test_another_homework.py tries


def pytest_collection_modifyitems(items):
    """Put the files first that take long, the notebooks among them, so that no process ends long after the others."""
    heavy = Counter(item.path for item in items if item.path.suffix == ".ipynb" or item.get_closest_marker("slow"))
    items.sort(key=lambda item: -heavy[item.path])
