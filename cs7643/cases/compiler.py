"""PyTorch's compiler, which is imported when something asks for it, and not by the first optimiser."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

NAME = "torch._dynamo"


class _Later(ModuleType):
    """Stands in for the compiler: leaves functions as they are, and imports it for whatever else is asked for."""

    @staticmethod
    def disable(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """Return the function, which nothing compiles."""
        return function

    @staticmethod
    def graph_break() -> None:
        """Do nothing, as there is no graph."""

    def __getattr__(self, name: str) -> Any:
        if name in ("__spec__", "__file__"):  # what Python asks a module for by itself
            raise AttributeError(name)
        if sys.modules.get(NAME) is self:
            del sys.modules[NAME]
        return getattr(importlib.import_module(NAME), name)


def import_later() -> None:
    """Put off the import of PyTorch's compiler, unless it is there.

    An optimiser imports it with its first step, in order to tell it what not to compile. This takes longer than all
    cases of a task, and what is checked compiles nothing.
    """
    if NAME not in sys.modules:
        stand_in = _Later(NAME)
        sys.modules[NAME] = stand_in
        setattr(importlib.import_module("torch"), NAME.split(".")[1], stand_in)
