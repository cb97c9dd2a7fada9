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
    """A command of a program.

    Attributes:
        help: what it does, in one line.
        room: the module whose ``main(args)`` does it and returns the exit code.
        arguments: declares its options.
        extra: the extra of pyproject.toml that it needs.
        bare: it needs no environment.
    """

    help: str
    room: str
    arguments: Callable[[argparse.ArgumentParser], object] = lambda parser: None
    extra: str | None = None
    bare: bool = False


@dataclass(frozen=True)
class Task:
    """A task: the smallest part with its own points.

    Attributes:
        number: as students know it, such as "6.2".
        points: how many it has.
        title: in a few words.
        functions: (module, name) of each function that a student writes, in the order in which they are written.
        cases: the module that holds the cases of these functions.
        by_program: how many of the points a program gives; all of them by default.
        by_person: what a person gives the other points for.
        also: what is written in addition to the functions, for the instructions; a path stands for a file.
        run: the name of the training run whose log and pictures belong to the task.
        without: modules that its functions are to do without; nothing in them can be called where they are graded.
    """

    number: str
    points: int
    title: str
    functions: tuple[tuple[str, str], ...] = ()
    cases: str = ""
    by_program: float | None = None
    by_person: str = ""
    also: tuple[str, ...] = ()
    run: str = ""
    without: tuple[str, ...] = ()

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
    """A problem.

    Attributes:
        number: as students know it.
        title: in a few words.
        tasks: its parts.
        apart: each task is marked as a question of its own; if not, the problem is marked as one question.
    """

    number: int
    title: str
    tasks: tuple[Task, ...]
    apart: bool = False

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
    """A file that is handed in with the code and the notebooks.

    Attributes:
        path: from the root of the repository.
        kind: a word for it in the manifest; an ``"extra"`` is Markdown that the PDF shows.
        remedy: what to do if it is missing or wrong.
        check: ``"module:function"``, which takes the path and raises ValueError if the file is wrong.
        data: ``"module:function"``, which takes the path and returns the name of the data that the file is for, for the
            manifest; "" if that is not known.
    """

    path: str
    kind: str
    remedy: str
    check: str = ""
    data: str = ""


@dataclass(frozen=True)
class Data:
    """How notebooks get their data.

    Attributes:
        arguments: declares the options of `run` that choose the data.
        choose: ``"module:function"``, which takes the parsed options and returns the variables of the kernels; raises
            ValueError if the data is not there.
        default: the variables that make every notebook use the data in the repository.
        other: what a cell prints if it has used other data.
        command: the homework's own command that says in a line which data there is.
        seconds: what each notebook takes on two cores, roughly, by its name without folder and ending: with the data in
            the repository, and with other data.
    """

    arguments: Callable[[argparse.ArgumentParser], object] = lambda parser: None
    choose: str = ""
    default: Mapping[str, str] = field(default_factory=dict)
    other: str = ""
    command: str = ""
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Homework:
    """A homework.

    Attributes:
        name: of the zip and the PDF that are handed in, without the suffix.
        title: above the PDF and the pages.
        package: what students complete; also the program of the command line.
        version: of the edition.
        problems: with their tasks.
        notebooks: the paths, in the order in which a student meets them.
        scripts: the paths of other files that students complete.
        loose: what else is handed in.
        results: the folder in which training leaves logs and pictures.
        commands: the homework's own commands.
        data: how notebooks get their data.
        computes_nothing: modules of the package that only show or check results: changing them makes no result old.
        weights: of functions that count for more than one in their task.
        python: the version of the oldest Python that may grade.
        visible: the part of a program's points that is for the cases that students have.
        libraries: names and packages whose versions the results depend on.
        hours: how long each notebook takes a student, by its name: the least and the most to plan for.
    """

    name: str
    title: str
    package: str
    version: str
    problems: tuple[Problem, ...]
    notebooks: tuple[str, ...]
    scripts: tuple[str, ...] = ()
    loose: tuple[Loose, ...] = ()
    results: str = ""
    commands: Mapping[str, Command] = field(default_factory=dict)
    data: Data = Data()
    computes_nothing: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    python: str = "3.10"
    visible: float = 0.4
    libraries: Mapping[str, str] = field(default_factory=dict)
    hours: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the table is consistent."""
        numbers = [task.number for task in self.all_tasks]
        for kind, found in (("task", numbers), ("function", list(self.functions))):
            twice = sorted({each for each in found if found.count(each) > 1})
            if twice:
                raise ValueError(f"Homework: expected each {kind} once, got {', '.join(twice)} twice")
        for task in self.all_tasks:
            if not 0 <= task.program_points <= task.points:
                raise ValueError(
                    f"Homework: by_program of task {task.number} must be from 0 to its {task.points} points, "
                    f"got {task.by_program}"
                )
            if bool(task.functions) != bool(task.cases):
                raise ValueError(f"Homework: task {task.number} must have functions and cases, or neither")
            if (task.program_points < task.points) != bool(task.by_person):
                raise ValueError(f"Homework: by_person of task {task.number} must say what the other points are for")
        for name, (least, most) in self.hours.items():
            if f"notebooks/{name}.ipynb" not in self.notebooks or not 0 < least <= most:
                raise ValueError(
                    f"Homework: hours must name a notebook and give the least and the most, got {name}: {least}, {most}"
                )
        if not 0 < self.visible < 1:
            raise ValueError(f"Homework: visible must be between 0 and 1, got {self.visible}")

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
        """Return the task of this number.

        Raises:
            ValueError: if there is none.
        """
        for task in self.all_tasks:
            if task.number == number:
                return task
        numbers = ", ".join(task.number for task in self.all_tasks)
        raise ValueError(f"expected the number of a task ({numbers}), got {number!r}")

    def task_of(self, function: str) -> Task | None:
        """Return the task in which a function is written."""
        return next((task for task in self.tasks if any(name == function for _, name in task.functions)), None)

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
    """Return the homework of this repository.

    Raises:
        ValueError: if pyproject.toml names none.
    """
    module, _, name = setting("homework").partition(":")
    if not name:
        raise ValueError(f'{ROOT / "pyproject.toml"}: expected [tool.coursework] homework = "module:NAME"')
    found: Homework = getattr(importlib.import_module(module), name)
    return found
