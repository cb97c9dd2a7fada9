"""The name of the machine, as far as it matters to a measurement of speed."""

from __future__ import annotations

import platform

import numpy as np
from threadpoolctl import threadpool_info


def machine() -> str:
    """Name the kind of processor, Python, and the library that multiplies matrices, with the kernel that it chose."""
    blas = "; ".join(
        f"{library['internal_api']} {library['version']} ({library.get('architecture', 'kernel unknown')})"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    return f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__} with {blas or 'its BLAS'}"
