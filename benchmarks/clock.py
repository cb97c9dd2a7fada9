"""The one stopwatch of the measurements."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Call = Callable[[], Any]


def seconds(call: Call, at_least: float) -> float:
    """Return the seconds of one call, over as many calls as fill ``at_least`` seconds."""
    calls, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < at_least or calls == 0:
        call()
        calls += 1
    return elapsed / calls
