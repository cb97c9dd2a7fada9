"""Running the cases of a task and showing their results, in a notebook and in a terminal."""

from __future__ import annotations

import difflib
import html
import importlib
import operator
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from coursework.check.case import IMPORT, SEED, Outcome
from coursework.check.run import run_apart
from coursework.check.verdict import Verdict, try_function
from coursework.homework import Task, homework
from coursework.notebooks.provenance import loaded_code

MARKS = {"right": "✓", "wrong": "✗", "begun": "…", "not started": "·"}
GREY = "#808080"
# Of marks and lines: 3:1 or more on white and on black, as graphics need. No colour has the 4.5:1 of words on both.
COLOURS = {"right": "#2A8C4A", "wrong": "#C2334D", "begun": GREY, "not started": GREY}
WIDTH = 110  # of a line of text in a terminal


class _Shown:
    """What is text in a terminal, and HTML in a notebook, which stores beside it which code it runs with."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/html": self._repr_html_(), "text/plain": str(self)}, {"coursework_code": loaded_code()}

    def _repr_html_(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Report(_Shown):
    """The result of a check: lines of text, or a small table."""

    task: Task
    functions: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Tell whether everything that was checked is right."""
        return all(verdict.status == "right" for verdict in self.functions)

    @property
    def _whole(self) -> bool:
        """Tell whether all functions of the task were checked."""
        return len(self.functions) == len(self.task.functions)

    @property
    def earned(self) -> float:
        """Return the points that the code earns: those of the task's code if all of it was checked and is right."""
        return self.task.program_points if self._whole and self.passed else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as what JSON can hold."""
        modules = {name: module for module, name in self.task.functions}
        functions = [
            {
                **{"name": verdict.name, "module": modules[verdict.name], "status": verdict.status},
                **{"diagnosis": asdict(verdict.diagnosis), "cases": list(map(asdict, verdict.outcomes))},
            }
            for verdict in self.functions
        ]
        return {
            **{"task": self.task.number, "title": self.task.title, "points": self.task.points},
            **{"for_code": self.task.program_points, "earned": self.earned, "passed": self.passed},
            "functions": functions,
        }

    @property
    def _points(self) -> str:
        """Return the points of the code in words: those earned, if all of the task was checked."""
        most = self.task.program_points
        return f"{f'{self.earned:g}' if self._whole else 'part'} of {most:g} point{'s' * (most != 1)} for the code"

    @property
    def _marked(self) -> str:
        """Return what a person marks besides, if all of the task was checked."""
        return self.task.marked if self._whole else ""

    def __str__(self) -> str:
        """Return the report as lines of text."""
        lines = [f"Task {self.task.number}, {self.task.title} ({self._points})"]
        named: dict[str, str] = {}  # by what keeps a file from being imported: the first function that it hits
        for verdict in self.functions:
            lines.append(f"  {MARKS[verdict.status]} {verdict.name}: {verdict.summary}")
            last = verdict.outcomes[-1]
            first = named.setdefault(last.message, verdict.name) if last.title == IMPORT else verdict.name
            if first != verdict.name:
                lines.append(f"      As for {first}.")
                continue
            found = [f"{titles}: {message}" for titles, message in findings(verdict.wrong)]
            said = (verdict.diagnosis.sentence or verdict.rule, *found, verdict.hint) if found else ()
            for text in filter(None, said):
                lines += textwrap.wrap(text, WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 8)
        if self._marked:
            lines.append(f"  {MARKS['not started']} {self._marked}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        colour = COLOURS["right" if self.passed else "wrong"]
        caption = (
            f'<caption style="caption-side: top; text-align: left; white-space: nowrap; padding: 4px 8px; '
            f'color: inherit; border-bottom: 2px solid {colour}"><b>Task {self.task.number}</b>&ensp;'
            f'{html.escape(self.task.title)}&ensp;<span style="font-weight: normal">{self._points}</span></caption>'
        )
        rows = "".join(map(_row, self.functions))
        if self._marked:
            cell = f'<td colspan="2" style="text-align: left; padding: 3px 8px">{html.escape(self._marked)}</td>'
            rows += f'<tr style="background: none"><td></td>{cell}</tr>'
        return f'<table style="border-collapse: collapse; margin-left: 0; font-size: 13px">{caption}{rows}</table>'


def findings(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """Return the messages of outcomes, each once, behind the titles of its cases."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.message, []).append(outcome.title)
    return [("; ".join(titles), message) for message, titles in found.items()]


def _row(verdict: Verdict) -> str:
    """Return a table row: the mark, the name, what is wrong and probably why, and the cases, to be folded out."""
    colour = COLOURS[verdict.status]
    cell = 'style="text-align: left; vertical-align: top; padding: 3px 8px; line-height: 1.5; white-space: normal'
    mark = f'<td {cell}; color: {colour}; font-weight: bold; font-size: 15px">{MARKS[verdict.status]}</td>'
    name = f'<td {cell}"><code>{html.escape(verdict.name)}</code></td>'
    said = verdict.diagnosis.sentence or verdict.rule
    likely = f"<div><b>{html.escape(said)}</b></div>" if said else ""
    found = "".join(_item("wrong", *finding) for finding in findings(verdict.wrong))
    others = (outcome for outcome in verdict.outcomes if outcome not in verdict.wrong)
    rest = "".join(_item("not started" if o.message else o.status, o.title, o.message) for o in others)
    fold = '<details><summary style="cursor: pointer">{}</summary>{}</details>'
    listed = '<ul style="margin: 2px 0; padding-left: 4px; list-style: none">{}</ul>'
    summary = html.escape(verdict.summary)
    if not found:
        body = fold.format(summary, listed.format(rest)) if verdict.status == "right" else summary
    else:
        folded = fold.format("the other cases", listed.format(rest)) if rest else ""
        hint = f'<div style="opacity: 0.75">{html.escape(verdict.notebook_hint)}</div>'
        body = f"{summary}{likely}{listed.format(found)}{folded}{hint}"
    return f'<tr style="background: none">{mark}{name}<td {cell}; max-width: 56em">{body}</td></tr>'


def _item(status: str, titles: str, message: str = "") -> str:
    """Return one or more cases as an item of a list."""
    mark = f'<span style="color: {COLOURS[status]}">{MARKS[status]}</span>'
    return f"<li>{mark} <i>{html.escape(titles)}</i>{': ' * bool(message)}{html.escape(message)}</li>"


@dataclass(frozen=True, repr=False)
class Reports(_Shown):
    """The reports on several tasks, one below the other."""

    reports: tuple[Report, ...]

    @property
    def passed(self) -> bool:
        """Tell whether everything is right."""
        return all(report.passed for report in self.reports)

    def __str__(self) -> str:
        """Return the reports as lines of text."""
        return "\n".join(map(str, self.reports))

    def _repr_html_(self) -> str:
        return "".join(report._repr_html_() for report in self.reports)


@overload
def check(what: None = None, apart: bool = True, seed: int = SEED) -> Reports: ...
@overload
def check(what: str | float, apart: bool = True, seed: int = SEED) -> Report: ...
def check(what: str | float | None = None, apart: bool = True, seed: int = SEED) -> Report | Reports:
    """Check a task, by its number, or one function, by its name, or every task.

    Args:
        what: the number of a task, or the name of a function that a student writes; without it, all tasks are checked.
        apart: run the functions in a process of their own, from the files as they are saved. A function that never
            returns, or ends the interpreter, is then reported like any other mistake.
        seed: of the inputs; another seed tries the same cases on other numbers and shapes.

    Returns:
        The report. A notebook shows it as a table; ``print`` as text; ``passed`` says whether all is right.

    Raises:
        ValueError: if there is no such task or function, or the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"check: seed must be at least 0, got {seed}")
    if what is None:
        return Reports(tuple(check(task.number, apart, seed) for task in homework().tasks))
    what = str(what)
    for task in homework().tasks:
        chosen = task.functions if what == task.number else [pair for pair in task.functions if pair[1] == what]
        if chosen:
            names = [name for _, name in chosen]
            verdicts = run_apart(task, names, seed=seed) if apart else _run_here(task, chosen, seed)
            return Report(task, tuple(verdicts[name] for name in names))
    for task in homework().all_tasks:
        if what == task.number:
            raise ValueError(f"check: no program checks task {what}, {task.title}: it is graded from what you hand in")
    raise ValueError(f"check: expected a task or a function, got {what!r}; {nearest(what)}")


def nearest(what: str) -> str:
    """Say which tasks or functions could be meant by an unknown name."""
    close = difflib.get_close_matches(what, homework().functions, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"the tasks are {', '.join(task.number for task in homework().tasks)}, and `status` lists their functions"


def _run_here(task: Task, functions: Sequence[tuple[str, str]], seed: int) -> dict[str, Verdict]:
    importlib.import_module(task.cases)
    return {
        name: try_function(name, operator.attrgetter(name)(importlib.import_module(module)), seed)
        for module, name in functions
    }
