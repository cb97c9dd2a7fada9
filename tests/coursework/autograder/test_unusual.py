"""What the staff is told to look at, and that it is not told of what everybody does."""

from __future__ import annotations

import pytest

from coursework.root import ROOT
from coursework.staff.autograder.unusual import unusual

GIVEN = b"import math\nimport numpy as np\nfrom cs7643.arrays import Array\n"


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("import torch", "torch (line 4)"),
        ("def f(x):\n    from scipy.signal import convolve2d\n    return convolve2d(x, x)", "scipy.signal (line 5)"),
        ("from cs7643.fast.layers import conv_forward", "cs7643.fast.layers (line 4)"),
        ("from cs7643.cases import convolution", "cs7643.cases (line 4)"),
        ("from .fast import layers", ".fast (line 4)"),
        ("slope = f(x + 1e-20j).imag", "a complex number (line 4)"),
        ("import ctypes, gc", "ctypes (line 4); gc (line 4)"),
        ("import torch\nimport torch", "torch (line 4, 5)"),
    ],
)
def test_a_library_that_the_given_file_does_not_use_is_listed(code: str, named: str) -> None:
    (line,) = unusual({"a.py": GIVEN + code.encode()}, {"a.py": GIVEN})
    assert line.startswith(f"a.py uses {named}: ")


@pytest.mark.parametrize(
    "code", ["import itertools, functools, os", "import numpy.linalg", "from numpy import pad", "x = 1j if", "\0", ""]
)
def test_what_everybody_uses_or_nobody_can_read_is_not(code: str) -> None:
    assert unusual({"a.py": GIVEN + code.encode()}, {"a.py": GIVEN}) == []


def test_nothing_in_the_solution_is_unusual() -> None:
    from coursework.staff.autograder import intake
    from coursework.staff.autograder.package import clean_package

    assert unusual({path: (ROOT / path).read_bytes() for path in intake.modules()}, clean_package()) == []
