"""How the C library manages memory, which affects the speed of a training step on a CPU."""

from __future__ import annotations

import ctypes
import functools
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # names and numbers of glibc's malloc.h


@functools.cache
def keep_freed_memory() -> bool:
    """Ask glibc to keep freed memory for the next step; return whether it does. Other C libraries: False.

    By default the system maps memory for every array of more than a few megabytes, and unmaps it when the array is
    freed. Each page is then cleared and mapped again at every step, which can take longer than the arithmetic.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    options = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2**26}
    answers = [mallopt(option, value) for option, value in options.items()]
    return all(answer == 1 for answer in answers)
