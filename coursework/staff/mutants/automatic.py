"""Every small change that cosmic-ray knows, made inside the solutions: which of them does the task's check let through?

cosmic-ray finds the changes and makes them; each is then tried in a child of this process, which has NumPy and PyTorch
imported already and loads the package anew with the changed module. The result of a change is kept in build/mutation/,
under a digest of the module and of the check, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import multiprocessing
import operator
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from types import CodeType

from coursework.homework import Task, homework, setting
from coursework.progress import progress_bar
from coursework.staff.mutants import kept
from coursework.staff.mutants.mutant import text_of

RESULTS = "automatic.jsonl"
PATIENCE = 60.0  # seconds for the check of a task, where the solution takes four at the most
KILLED, SURVIVED, UNSTARTED = 0, 7, 8  # exit codes of a child; any other means a crash, which kills a change, too


@dataclass(frozen=True)
class Change:
    """A small change of a module: the line before it and after it, and the whole text after it."""

    task: str
    module: str
    before: str
    after: str
    text: str

    @functools.cached_property
    def key(self) -> str:
        """The digest of what decides the result: the changed text, and the task's cases."""
        return kept.digest(self.task, self.text, text_of(homework().task(self.task).cases))

    @property
    def reason(self) -> str:
        """Return why the change makes no difference; "" if none is known, and the check has a hole if it survives."""
        return _reasons().get((self.task, self.before, self.after), "")


@functools.cache
def _reasons() -> dict[tuple[str, str, str], str]:
    """Return the homework's own list of changes that change nothing, with the reason of each."""
    return dict(importlib.import_module(f"{setting('mutants')}.equivalent").REASONS) if setting("mutants") else {}


@dataclass(frozen=True)
class Tally:
    """The results for the changes of one task."""

    task: str
    changes: int
    done: int
    survivors: tuple[Change, ...]

    @property
    def equivalent(self) -> int:
        """Return how many survivors make no difference."""
        return sum(bool(survivor.reason) for survivor in self.survivors)


def lines_of(task: str, source: str) -> set[int]:
    """Return the numbers of the lines inside the solution regions of a task, from 1."""
    inside, found = False, set()
    for number, line in enumerate(source.splitlines(), start=1):
        if re.search(rf"# BEGIN SOLUTION {re.escape(task)} ", line):
            inside = True
        elif "# END SOLUTION" in line:
            inside = False
        elif inside:
            found.add(number)
    return found


@functools.cache
def changes(task: Task) -> tuple[Change, ...]:
    """Return all changes inside the solution regions of a task; two that give the same text count once."""
    found: dict[str, Change] = {}
    for module in sorted({module for module, _ in task.functions}):
        source = text_of(module)
        for text in _changed(source, lines_of(task.number, source)):
            before, after = _difference(source, text)
            found.setdefault(text, Change(task.number, module, before, after, text))
    return tuple(found.values())


def _changed(source: str, lines: set[int]) -> Iterator[str]:
    """Yield the source after each change that begins on one of these lines."""
    from cosmic_ray.ast import ast_nodes, get_ast  # an extra: the rest of this module is used without it
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    tree = get_ast(source)
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():  # it wants the names of variables, and is off by default
            continue
        change = kind()
        places = [start[0] for node in ast_nodes(tree) for start, _ in change.mutation_positions(node)]
        for occurrence, line in enumerate(places):
            if line in lines:
                yield mutate_code(source, change, occurrence)


def _difference(source: str, text: str) -> tuple[str, str]:
    """Return the first line that differs, before and after."""
    pairs = zip(source.splitlines(), text.splitlines(), strict=False)
    before, after = next(pair for pair in pairs if pair[0] != pair[1])
    return before.strip(), after.strip()


def run(tasks: Sequence[Task] | None = None, processes: int = 2) -> None:
    """Try every change that has not been tried, a few at a time."""
    results = _results()
    left = [change for task in tasks or homework().tasks for change in changes(task) if change.key not in results]
    with kept.open_to_add(RESULTS) as stream:
        for change, survived in progress_bar(tried(left, processes), total=len(left), desc="changes"):
            kept.add(stream, {"key": change.key, "survived": survived})


def tried(several: Sequence[Change], processes: int = 2, patience: float = PATIENCE) -> Iterator[tuple[Change, bool]]:
    """Try changes, each in a process of its own; yield each, and whether it survived, in the order in which they end.

    Raises:
        RuntimeError: if the check cannot be run at all, and not because of the change.
    """
    context = multiprocessing.get_context("forkserver")  # a fork of this process, with its threads, could deadlock
    context.set_forkserver_preload(["torch"])
    left = iter(several)
    running: list[tuple[Change, ForkServerProcess, float]] = []
    try:
        while True:
            for change in itertools.islice(left, processes - len(running)):
                process = context.Process(target=_child, args=(change,))
                process.start()  # here alone: two threads that start and wait would read each other's exit codes
                running.append((change, process, time.monotonic() + patience))
            if not running:
                return
            first = min(deadline for _, _, deadline in running)
            connection.wait([process.sentinel for _, process, _ in running], max(0.0, first - time.monotonic()))
            ended = [each for each in running if not each[1].is_alive() or each[2] <= time.monotonic()]
            for change, process, _ in ended:
                process.kill()
                process.join()
                if process.exitcode == UNSTARTED:
                    raise RuntimeError(f"a change of {change.module} could not be tried: {change.after!r}")
            running = [each for each in running if each not in ended]
            yield from ((change, process.exitcode == SURVIVED) for change, process, _ in ended)
    finally:  # after an error or an interrupt nothing goes on
        for _, process, _ in running:
            process.kill()
            process.join()


def _child(change: Change) -> None:
    """Load the package with the change and run the check; leave with the exit code that tells the result."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    task = homework().task(change.task)
    for name in [name for name in sys.modules if name.split(".")[0] in ("coursework", homework().package)]:
        del sys.modules[name]
    usual = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        return compile(change.text, loader.path, "exec") if name == change.module else usual(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]
    try:
        verdict = importlib.import_module("coursework.check.verdict")
        importlib.import_module(task.cases)
    except BaseException:
        os._exit(KILLED if change.module in sys.modules or not _compiles(change.text) else UNSTARTED)
    try:
        for module, name in task.functions:
            function = operator.attrgetter(name)(importlib.import_module(module))
            if verdict.try_function(name, function).status != "right":
                os._exit(KILLED)
    except BaseException:  # at its import, for one
        os._exit(KILLED)
    os._exit(SURVIVED)


def _compiles(text: str) -> bool:
    try:
        compile(text, "a change", "exec")
    except SyntaxError:
        return False
    return True


def _results() -> dict[str, bool]:
    """Read what is known: for the key of each change that was tried, whether it survived."""
    return {record["key"]: record["survived"] for record in kept.read(RESULTS)}


def tallies() -> list[Tally]:
    """Count the results so far, task by task."""
    results, counted = _results(), []
    for task in homework().tasks:
        own = changes(task)
        survivors = (change for change in own if results.get(change.key))
        done = sum(change.key in results for change in own)
        listed = tuple(sorted(survivors, key=lambda each: (each.before, each.after)))
        counted.append(Tally(task.number, len(own), done, listed))
    return counted
