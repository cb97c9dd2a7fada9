"""What would keep a student's file from being imported where it is graded."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from coursework.homework import homework
from coursework.root import ROOT
from coursework.submit.portability import inspect

PATH = "cs7643/descent.py"


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np",
        "import matplotlib.pyplot as plt",
        "from tqdm.auto import tqdm",
        "from IPython.display import display",  # comes with jupyter
        "from cs7643.layers import relu_forward",
        "from . import layers",
        "import tomllib_of_my_own",  # a module beside the others; whether it is there is tried in the copy
        "try:\n    import pytest\nexcept ImportError:\n    pytest = None",
        "match 1:\n    case _:\n        pass",
        "from enum import Enum\nfrom typing import Literal",
    ],
)
def test_what_the_grader_has_is_no_finding(line: str) -> None:
    assert inspect(PATH, line.encode()) == []


def test_the_solved_files_run_where_they_are_graded() -> None:
    for path in homework().code_files():
        if path.endswith(".py"):
            assert inspect(path, (ROOT / path).read_bytes()) == [], path


@pytest.mark.parametrize("line", ["import hypothesis", "from mypy.api import run", "import numpy, ruff"])
def test_a_package_that_the_requirements_do_not_bring_is_named(line: str) -> None:
    (found,) = inspect(PATH, f"\n{line}\n".encode())
    assert found.problem.startswith("line 2 imports ")
    assert "requirements.txt" in found.remedy


@pytest.mark.parametrize(
    ("path", "code", "named"),
    [
        ("cs7643/layers.py", "import torch.nn as nn", ["torch"]),
        (
            "cs7643/layers.py",
            "def f():\n    from cs7643 import fast, gradient_check",
            ["cs7643.fast", "cs7643.gradient_check"],
        ),
        ("cs7643/layers.py", "from cs7643.fast.layers import conv_forward_fast", ["cs7643.fast"]),
        ("cs7643/descent.py", "import torch, torchvision", ["torch", "torchvision"]),
        ("cs7643/descent.py", "from cs7643 import fast, fastest, gradient_check", []),
        ("cs7643/pytorch/models.py", "import torch, torchvision", []),
        ("cs7643/mine.py", "import torch", []),
    ],
)
def test_what_a_task_does_without_is_named(path: str, code: str, named: list[str]) -> None:
    problems = [each.problem for each in inspect(path, code.encode())]
    assert len(problems) == len(named)
    for name, problem in zip(named, problems, strict=True):
        assert f" imports {name}, of which nothing can be called where task " in problem


def test_what_tasks_do_without_exists() -> None:
    assert all(importlib.util.find_spec(module) for task in homework().all_tasks for module in task.without)


@pytest.mark.parametrize(
    ("code", "named", "version"),
    [
        ("from typing import Self", "'typing.Self'", "3.11"),
        ("import tomllib", "'tomllib'", "3.11"),
        ("import datetime\nnow = datetime.UTC", "'datetime.UTC'", "3.11"),
        ("from itertools import batched", "'itertools.batched'", "3.12"),
        ("try:\n    pass\nexcept* ValueError:\n    pass", "`except*`", "3.11"),
        ("type Row = list[float]", "", "3.12"),
    ],
)
def test_what_is_newer_than_the_python_that_grades_is_named(code: str, named: str, version: str) -> None:
    if version == "3.12" and sys.version_info < (3, 12) and code.startswith("type "):
        pytest.skip("this Python does not read it, and says so itself")
    if code.startswith("try") and sys.version_info < (3, 11):
        pytest.skip("this Python does not read it, and says so itself")
    found = inspect(PATH, code.encode())
    assert any(
        named in each.problem and f"needs Python {version}, and it is graded with 3.10" in each.problem
        for each in found
    )
