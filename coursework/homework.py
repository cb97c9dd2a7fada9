"""The form of a homework: a table that its author writes once, and that everything else reads.

The repository names its homework in pyproject.toml, as ``[tool.coursework] homework = "package.module:NAME"``. Only the
standard library is used here, because the command line needs the table before anything is installed.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coursework.root import ROOT

PERSON = "collaborators.txt"


@dataclass(frozen=True)
class Command:
    """A command of a program: what it does, in one line, and the module whose ``main(args)`` returns the exit code."""

    help: str
    room: str
    arguments: Callable[[argparse.ArgumentParser], object] = lambda parser: None  # declares its options
    extra: str | None = None  # the extra of pyproject.toml that it needs
    bare: bool = False  # it needs no environment


@dataclass(frozen=True)
class Task:
    """A task: the smallest part with its own points."""

    number: str  # as students know it, such as "6.2"
    points: int
    title: str  # in a few words
    functions: tuple[tuple[str, str], ...] = ()  # (module, name) of each that a student writes, in their order
    cases: str = ""  # the module that holds the cases of these functions
    by_program: float | None = None  # how many of the points a program gives; all of them by default
    by_person: str = ""  # what a person gives the other points for
    also: tuple[str, ...] = ()  # what is written besides, for the instructions; a path stands for a file
    run: str = ""  # the name of the training run whose log and pictures belong to the task
    without: tuple[str, ...] = ()  # modules of which its functions can call nothing where they are graded

    @property
    def program_points(self) -> float:
        """The points that a program gives."""
        return self.points if self.by_program is None else self.by_program

    @property
    def marked(self) -> str:
        """What a person marks, with its points; "" if there is nothing."""
        rest = self.points - self.program_points
        return f"{rest:g} point{'s' * (rest != 1)} for {self.by_person}, marked by a person" if self.by_person else ""


@dataclass(frozen=True)
class Problem:
    """A problem, with the number that students know, and its parts."""

    number: int
    title: str
    tasks: tuple[Task, ...]
    apart: bool = False  # each task is marked as a question of its own; if not, the problem is marked as one question

    @property
    def points(self) -> int:
        """The points of all its tasks."""
        return sum(task.points for task in self.tasks)

    @property
    def questions(self) -> tuple[str, ...]:
        """The names of what is marked as a question, each of which begins on a new page of the PDF."""
        return tuple(task.number for task in self.tasks) if self.apart else (f"Problem {self.number}",)


@dataclass(frozen=True)
class Loose:
    """A file that is handed in with the code and the notebooks. A hook is ``"module:function"`` and takes the path."""

    path: str  # from the root of the repository
    kind: str  # a word for it in the manifest; an "extra" is Markdown that the PDF shows
    remedy: str  # what to do if it is missing or wrong
    check: str = ""  # a hook that raises ValueError if the file is wrong
    data: str = ""  # a hook that returns the name of the data that the file is for; "" if that is not known


@dataclass(frozen=True)
class Data:
    """How notebooks get their data.

    ``choose`` is ``"module:function"``, which takes the parsed options of `run`, returns the variables of the kernels,
    and raises ValueError if the data is not there. ``seconds`` has what each notebook takes on two cores, roughly, by
    its name without folder and ending: with the data in the repository, and with other data.
    """

    arguments: Callable[[argparse.ArgumentParser], object] = lambda parser: None  # declares those options
    choose: str = ""
    default: Mapping[str, str] = field(default_factory=dict)  # the variables for the data in the repository
    other: str = ""  # what a cell prints if it has used other data
    command: str = ""  # the homework's own command that says in a line which data there is
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def options(self) -> argparse.Namespace:
        """Return the options of `run` that choose the data, as they are when not given."""
        parser = argparse.ArgumentParser()
        self.arguments(parser)
        return parser.parse_args([])

    def variables(self, args: argparse.Namespace | None = None) -> Mapping[str, str]:
        """Say which data notebooks will use, and return the variables of their kernels; errors as for ``choose``."""
        chosen: Mapping[str, str] = hook(self.choose)(args or self.options()) if self.choose else self.default
        return chosen


@dataclass(frozen=True)
class Homework:
    """A homework."""

    name: str  # of the zip and the PDF that are handed in, without the suffix
    title: str  # above the PDF and the pages
    package: str  # what students complete; also the program of the command line
    version: str  # of the edition
    problems: tuple[Problem, ...]
    notebooks: tuple[str, ...]  # the paths, in the order in which a student meets them
    scripts: tuple[str, ...] = ()  # the paths of other files that students complete
    loose: tuple[Loose, ...] = ()  # what else is handed in
    results: str = ""  # the folder in which training leaves logs and pictures
    commands: Mapping[str, Command] = field(default_factory=dict)  # the homework's own
    data: Data = Data()
    computes_nothing: tuple[str, ...] = ()  # modules of the package whose changes make no result old
    weights: Mapping[str, float] = field(default_factory=dict)  # of functions that count for more than one
    python: str = "3.10"  # the version of the oldest Python that may grade
    visible: float = 0.4  # the part of a program's points that is for the cases that students have
    libraries: Mapping[str, str] = field(default_factory=dict)  # names and packages that the results depend on
    hours: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # of each notebook: the least and the most

    def __post_init__(self) -> None:
        """Check that the table is consistent."""

        def require(holds: bool, what: str) -> None:
            if not holds:
                raise ValueError(f"Homework: {what}")

        numbers = [task.number for task in self.all_tasks]
        for kind, found in (("task", numbers), ("function", list(self.functions))):
            twice = sorted({each for each in found if found.count(each) > 1})
            require(not twice, f"expected each {kind} once, got {', '.join(twice)} twice")
        for task in self.all_tasks:
            named, points = f"of task {task.number}", task.points
            by_program = f"by_program {named} must be from 0 to its {points} points, got {task.by_program}"
            require(0 <= task.program_points <= points, by_program)
            both = bool(task.functions) == bool(task.cases)
            require(both, f"task {task.number} must have functions and cases, or neither")
            by_person = (task.program_points < points) == bool(task.by_person)
            require(by_person, f"by_person {named} must say what the other points are for")
        for name, (least, most) in self.hours.items():
            holds = f"notebooks/{name}.ipynb" in self.notebooks and 0 < least <= most
            require(holds, f"hours must name a notebook and give the least and the most, got {name}: {least}, {most}")
        require(0 < self.visible < 1, f"visible must be between 0 and 1, got {self.visible}")

    @property
    def all_tasks(self) -> tuple[Task, ...]:
        """Every task, in the order of the problems."""
        return tuple(task for problem in self.problems for task in problem.tasks)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that have checks."""
        return tuple(task for task in self.all_tasks if task.functions)

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of all functions that students write."""
        return tuple(name for task in self.tasks for _, name in task.functions)

    @property
    def points(self) -> int:
        """The points of all tasks."""
        return sum(task.points for task in self.all_tasks)

    @property
    def zip(self) -> str:
        """The name of the zip that is handed in."""
        return f"{self.name}.zip"

    @property
    def pdf(self) -> str:
        """The name of the PDF that is handed in."""
        return f"{self.name}.pdf"

    def task(self, number: str) -> Task:
        """Return the task of this number; a ValueError says that there is none."""
        tasks = {task.number: task for task in self.all_tasks}
        if number not in tasks:
            raise ValueError(f"expected the number of a task ({', '.join(tasks)}), got {number!r}")
        return tasks[number]

    def task_of(self, function: str) -> Task | None:
        """Return the task in which a function is written."""
        return next((task for task in self.tasks if any(name == function for _, name in task.functions)), None)

    def module_of(self, function: str) -> str:
        """Return the module in which a student writes a function."""
        return next(module for task in self.tasks for module, name in task.functions if name == function)

    def code_files(self) -> tuple[str, ...]:
        """Return the files in which students write code or settings, in the order of the tasks."""
        modules = [path_of(module) for task in self.tasks for module, _ in task.functions]
        return tuple(dict.fromkeys((*modules, *self.scripts)))

    def log_of(self, run: str) -> str:
        """Return the path of a training run's log."""
        return f"{self.results}/{run}.log"

    def handed_in(self) -> dict[str, str]:
        """Return every file that is handed in, by its path, with a word for its kind."""
        return {
            **dict.fromkeys(self.code_files(), "student"),
            **dict.fromkeys(self.notebooks, "notebook"),
            PERSON: "person",
            **{file.path: file.kind for file in self.loose},
        }


def path_of(module: str) -> str:
    """Return where the file of a module is, from the root of the repository."""
    return module.replace(".", "/") + ".py"


def hours_of(*notebooks: str) -> str:
    """Return the hours to plan for these notebooks, as a range such as "3-5"; "" if none of them has any."""
    known = [homework().hours[name] for name in notebooks if name in homework().hours]
    return f"{sum(least for least, _ in known)}-{sum(most for _, most in known)}" if known else ""


def hook(name: str) -> Callable[..., Any]:
    """Return what ``"module:function"`` stands for."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


@functools.cache
def setting(name: str) -> str:
    """Return what pyproject.toml says in its table tool.coursework; "" if it says nothing of that name."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = re.search(r"^\[tool\.coursework\]$(.*?)(?=^\[|\Z)", text, re.M | re.S)
    found = table and re.search(rf'^{name} = "([^"]*)"', table[1], re.M)
    return found[1] if found else ""


@functools.cache
def homework() -> Homework:
    """Return the homework of this repository; a ValueError says that pyproject.toml names none."""
    module, _, name = setting("homework").partition(":")
    if not name:
        raise ValueError(f'{ROOT / "pyproject.toml"}: expected [tool.coursework] homework = "module:NAME"')
    found: Homework = getattr(importlib.import_module(module), name)
    return found
