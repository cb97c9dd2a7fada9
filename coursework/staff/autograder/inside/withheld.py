"""What the code of a task is to do without: its modules can be imported, and nothing in them can be called.

So an import that was left over costs nothing, and a call of what the task is to write itself fails with a sentence.
Student's code can undo this, as everything in its process; the staff reads what a file imports in any case.
"""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn


class Absent:
    """Stands for anything in a withheld module: it has whatever parts are asked for, and cannot be called."""

    def __init__(self, name: str) -> None:
        """Take the whole name, for the message."""
        self._name = name

    def __getattr__(self, part: str) -> Absent:
        if part.startswith("__"):
            raise AttributeError(part)
        return Absent(f"{self._name}.{part}")

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse."""
        raise RuntimeError(f"{self._name} is not there where this task is graded: the task is to do without it")

    def __mro_entries__(self, _: Any) -> tuple[type]:
        """Let a class be derived that nobody uses."""
        return (object,)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds some modules, and all below them, as empty ones."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the names of the modules."""
        self._names = tuple(names)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module that is withheld; None for others."""
        withheld = any(f"{fullname}.".startswith(f"{name}.") for name in self._names)
        return ModuleSpec(fullname, self, is_package=True) if withheld else None

    def exec_module(self, module: ModuleType) -> None:
        """Give a module every part that is asked for."""
        module.__dict__["__getattr__"] = Absent(module.__name__).__getattr__


def withhold(names: Sequence[str]) -> None:
    """Withhold modules from whatever is imported from now on."""
    sys.meta_path.insert(0, Finder(names))
