"""A mutant: a solution with one small edit, and how it is made from the source and loaded."""

from __future__ import annotations
import __future__

import functools
import importlib
import inspect
import linecache
import operator
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from coursework.homework import homework, path_of, setting
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
        style: the folder of another solution that is edited; "" for that of the homework itself.
    """

    task: str
    function: str
    name: str
    right: str
    wrong: str
    mistake: str
    style: str = ""

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


def second_source(style: str, module: str) -> str:
    """Return the text of a second solution of a module: a file of the same name in the folder of its style."""
    inside = path_of(module).removeprefix(f"{homework().package}/")
    return (ROOT / setting("second").replace(".", "/") / style / inside).read_text(encoding="utf-8")


def edited(mutant: Mutant, source: str) -> str:
    """Make the edit in the source of the function.

    Raises:
        ValueError: if the text does not occur in the solution exactly once.
    """
    pieces = re.findall(r"^ *# BEGIN SOLUTION.*?^ *# END SOLUTION", source, re.S | re.M)
    if mutant.style:
        name = re.escape(mutant.function.rpartition(".")[2])
        pieces = re.findall(rf"^(?:def|class) {name}\(.*?(?=^\S(?<!\))|\Z)", source, re.S | re.M)
        pieces = pieces if any(mutant.right in piece for piece in pieces) else [source]
    if sum(piece.count(mutant.right) for piece in pieces) != 1:
        raise ValueError(f"{mutant.function}, {mutant.name}: {mutant.right!r} must stand in the solution once")
    piece = next(piece for piece in pieces if mutant.right in piece)
    return source.replace(piece, piece.replace(mutant.right, mutant.wrong))


def load(module: str, name: str, source: str) -> Callable[..., Any]:
    """Return the function that another source defines, among the names of its module."""
    own = vars(importlib.import_module(module))
    namespace, last = dict(own), name.rpartition(".")[2]
    file = f"<a mutant of {name}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file  # for tracebacks and inspect
    exec(compile(source, file, "exec", __future__.annotations.compiler_flag), namespace)
    loaded: Callable[..., Any] = namespace[last]
    if last != name and last in own:  # a method may call a function of its own name
        namespace[last] = own[last]
    return loaded


def source_for(mutants: Sequence[Mutant]) -> str:
    """Return the source with the edits of one or more mutants of one function."""
    first = mutants[0]
    whole = second_source(first.style, first.module) if first.style else source_of(first.module, first.function)
    return functools.reduce(lambda source, mutant: edited(mutant, source), mutants, whole)


def function_of(*mutants: Mutant) -> Callable[..., Any]:
    """Return the wrong function of a mutant, or of several of the same function at once."""
    return load(mutants[0].module, mutants[0].function, source_for(mutants))
