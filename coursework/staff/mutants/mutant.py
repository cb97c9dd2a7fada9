"""A mutant: the solution with one small edit, and how it is made from the source and loaded."""

from __future__ import annotations

import importlib
import inspect
import operator
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coursework.homework import homework, path_of
from coursework.root import ROOT


@dataclass(frozen=True)
class Mutant:
    """A wrong solution.

    Attributes:
        task: the number of the task.
        function: the function that is wrong.
        name: what is wrong with it, in words; no two mutants of a function share one.
        right: a piece of the solution's text, which occurs there once.
        wrong: what replaces it.
        mistake: the name of the mistake that the diagnosis should find, as the task's cases register it.
    """

    task: str
    function: str
    name: str
    right: str
    wrong: str
    mistake: str

    @property
    def module(self) -> str:
        """The module that holds the function."""
        return next(module for module, name in homework().task(self.task).functions if name == self.function)


def of(task: str, function: str, *edits: tuple[str, str, str, str]) -> list[Mutant]:
    """Return the mutants of a function: of each the name, the text, what replaces it, and the mistake to be found."""
    return [Mutant(task, function, *edit) for edit in edits]


def text_of(module: str) -> str:
    """Return the text of a module's file."""
    return (ROOT / path_of(module)).read_text(encoding="utf-8")


def source_of(module: str, name: str) -> str:
    """Return the source of a function, or of a class, without the overloads above it."""
    thing = operator.attrgetter(name)(importlib.import_module(module))
    return re.sub(r"@overload\n.*\n", "", textwrap.dedent(inspect.getsource(thing)))


def edited(mutant: Mutant, source: str) -> str:
    """Make the edit in the source of the function.

    Raises:
        ValueError: if the text does not occur in the solution exactly once.
    """
    regions = list(re.finditer(r"^ *# BEGIN SOLUTION.*?^ *# END SOLUTION", source, re.S | re.M))
    if sum(region[0].count(mutant.right) for region in regions) != 1:
        raise ValueError(f"{mutant.function}, {mutant.name}: {mutant.right!r} must stand in the solution once")
    region = next(region for region in regions if mutant.right in region[0])
    return source[: region.start()] + region[0].replace(mutant.right, mutant.wrong) + source[region.end() :]


def load(module: str, name: str, source: str) -> Callable[..., Any]:
    """Return the function that another source defines, among the names of its module."""
    namespace = dict(vars(importlib.import_module(module)))
    defined: dict[str, Any] = {}  # apart, as a method may call a function of its own name
    exec(compile("from __future__ import annotations\n" + source, f"a mutant of {name}", "exec"), namespace, defined)
    loaded: Callable[..., Any] = defined[name.rpartition(".")[2]]
    return loaded


def function_of(mutant: Mutant) -> Callable[..., Any]:
    """Return the wrong function."""
    return load(mutant.module, mutant.function, edited(mutant, source_of(mutant.module, mutant.function)))
