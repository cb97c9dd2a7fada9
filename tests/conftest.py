"""What all tests share: tests/ is in the import path, where tolerances.py is, and a busy machine is no mistake."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

collect_ignore = ["toy"]  # a repository of its own, which test_another_homework.py tries
