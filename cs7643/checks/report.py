"""Running the cases of a task and showing what came of them, in a notebook and in a terminal."""

from __future__ import annotations

import html
import importlib
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cs7643.checks.apart import run_apart
from cs7643.checks.case import CASES, Outcome, run_case
from cs7643.checks.tasks import TASKS, Task
from cs7643.provenance import loaded_code

MARKS = {"right": "✓", "wrong": "✗", "not started": "·"}
COLOURS = {"right": "#117733", "wrong": "#AA3377", "not started": "#777777"}


@dataclass(frozen=True)
class FunctionReport:
    """The outcomes of all cases of one function."""

    name: str
    module: str
    outcomes: tuple[Outcome, ...]

    @property
    def status(self) -> str:
        """Return "right", "wrong" or "not started"."""
        statuses = {outcome.status for outcome in self.outcomes}
        return "right" if statuses == {"right"} else "not started" if statuses == {"not started"} else "wrong"

    @property
    def advice(self) -> str:
        """Say how to get a hint."""
        return f"A hint: hint({self.name!r}, 1), or python -m cs7643 hint {self.name}"

    @property
    def summary(self) -> str:
        """Return the status and how many cases are right."""
        right, cases = sum(outcome.status == "right" for outcome in self.outcomes), len(self.outcomes)
        text = self.status if right == 0 else f"{self.status}, {right} of {cases} case{'s' * (cases != 1)}"
        printed = next((outcome.printed for outcome in self.outcomes if outcome.printed), "")
        return text + (f"; it prints {printed.splitlines()[0]!r}, which it should not" if printed else "")


@dataclass(frozen=True)
class Report:
    """What came of a check: text in a terminal, a small table in a notebook."""

    task: Task
    functions: tuple[FunctionReport, ...]

    @property
    def passed(self) -> bool:
        """Tell whether everything that was checked is right."""
        return all(function.status == "right" for function in self.functions)

    @property
    def whole(self) -> bool:
        """Tell whether all functions of the task were checked."""
        return len(self.functions) == len(self.task.functions)

    @property
    def earned(self) -> int:
        """Return the points of the task if all of it was checked and is right, else 0."""
        return self.task.points if self.whole and self.passed else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as what JSON can hold."""
        task = {"task": self.task.number, "title": self.task.title, "points": self.task.points, "earned": self.earned}
        functions = [
            {"name": f.name, "module": f.module, "status": f.status, "cases": [asdict(o) for o in f.outcomes]}
            for f in self.functions
        ]
        return {**task, "passed": self.passed, "functions": functions}

    @property
    def heading(self) -> str:
        """Return the task, its title, and its points: those earned, if all of it was checked."""
        points = f"{self.task.points} point{'s' * (self.task.points != 1)}"
        points = f"{self.earned} of {points}" if self.whole else f"part of {points}"
        return f"Task {self.task.number}, {self.task.title} ({points})"

    def __str__(self) -> str:
        """Return the report as lines of text."""
        lines = [self.heading]
        for function in self.functions:
            lines.append(f"  {MARKS[function.status]} {function.name}: {function.summary}")
            lines += [f"      {o.title}: {o.message}" for o in function.outcomes if o.status == "wrong"]
            if function.status == "wrong":
                lines.append(f"      {function.advice}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        """Return what a notebook stores, and beside it which code the notebook runs with."""
        return {"text/html": self._repr_html_(), "text/plain": str(self)}, {"cs7643_code": loaded_code()}

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self.functions))
        title = html.escape(self.heading)
        caption = f'<caption style="white-space: nowrap; text-align: left">{title}</caption>'
        return f'<table style="text-align: left">{caption}{rows}</table>'


def _row(function: FunctionReport) -> str:
    """Return a table row: the mark, the name, and the cases, folded when all is well."""
    cases = "".join(
        f'<li><span style="color: {COLOURS[o.status]}">{MARKS[o.status]}</span> {html.escape(o.title)}'
        + (f": <b>{html.escape(o.message)}</b>" if o.status == "wrong" else "")
        + "</li>"
        for o in function.outcomes
    )
    if function.status == "wrong":
        cases += f"<li>{html.escape(function.advice)}</li>"
    fold = "open" if function.status == "wrong" else ""
    mark = f'<td style="color: {COLOURS[function.status]}; font-weight: bold">{MARKS[function.status]}</td>'
    name = f'<td style="text-align: left"><code>{function.name}</code></td>'
    details = f"<details {fold}><summary>{function.summary}</summary><ul>{cases}</ul></details>"
    return f'<tr style="vertical-align: top">{mark}{name}<td style="text-align: left">{details}</td></tr>'


def check(what: str, apart: bool = True) -> Report:
    """Check a task ("6.2") or one function ("conv_backward_naive").

    Args:
        what: the number of a task, or the name of a function that a student writes.
        apart: run the functions in a process of their own, from the files as they are saved. A function that never
            returns, or ends the interpreter, is then reported like any other mistake.

    Returns:
        The report. A notebook shows it as a table; ``print`` as text; ``passed`` says whether all is right.

    Raises:
        ValueError: if there is no such task or function.
    """
    for task in TASKS:
        chosen = task.functions if what == task.number else [pair for pair in task.functions if pair[1] == what]
        if chosen:
            names = [name for _, name in chosen]
            outcomes = run_apart(task, names) if apart else _run_here(task, chosen)
            return Report(task, tuple(FunctionReport(name, module, outcomes[name]) for module, name in chosen))
    names = [name for task in TASKS for name in (task.number, *(function for _, function in task.functions))]
    raise ValueError(f"check: expected a task or a function, one of {', '.join(names)}, got {what!r}")


def _run_here(task: Task, functions: Sequence[tuple[str, str]]) -> dict[str, tuple[Outcome, ...]]:
    importlib.import_module(task.cases)
    outcomes = {}
    for module, name in functions:
        function = operator.attrgetter(name)(importlib.import_module(module))
        outcomes[name] = tuple(run_case(case, function) for case in CASES if case.function == name)
    return outcomes
