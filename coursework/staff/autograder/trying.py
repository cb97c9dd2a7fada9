"""Trying a task: every case of every function, on the student's inputs and on hidden ones, in workers."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursework.check.case import IMPORT, Case, Outcome, cases_of, outcomes_of, run_case
from coursework.check.diagnosis import diagnose
from coursework.check.verdict import Verdict
from coursework.homework import Task, homework, path_of
from coursework.staff.autograder.package import clean_package
from coursework.staff.autograder.remote import Remote, RemoteFunction, StudentError
from coursework.staff.autograder.sandbox import ENDED, KILLED, Arena, WorkerGone
from coursework.staff.autograder.wire import wire

NO_TIME = "there was no time left for it: the functions before it took too long"
LOAD_ERRORS = (StudentError, NotImplementedError, SystemExit)


@dataclass
class Trial:
    """The results of a function: for each seed the outcomes of its cases, and why a worker was lost."""

    name: str
    module: str
    seeds: tuple[int, ...]  # the student's first
    outcomes: dict[int, list[Outcome]] = field(default_factory=dict)
    lost: str = ""

    def next_title(self, seeds: tuple[int, ...]) -> str:
        """Return the title of the case that is being run with one of these seeds: the import, before the first."""
        begun = [self.outcomes[seed] for seed in seeds if seed in self.outcomes]
        titles = [case.title for case in cases_of(self.name)]
        return titles[min(len(begun[-1]), len(titles) - 1)] if begun else IMPORT

    def verdict(self, seed: int) -> Verdict:
        """Return the verdict on the inputs of one seed."""
        outcomes = tuple(self.outcomes.get(seed, ()))
        return Verdict(self.name, outcomes, diagnose(self.name, outcomes))

    @property
    def hidden_verdict(self) -> Verdict:
        """Return the verdict on the first hidden inputs on which it is wrong, or on the last."""
        verdicts = [self.verdict(seed) for seed in self.seeds[1:]]
        return next((verdict for verdict in verdicts if verdict.status != "right"), verdicts[-1])

    def _right(self, seed: int) -> set[str]:
        return {outcome.title for outcome in self.outcomes.get(seed, ()) if outcome.status == "right"}

    def right(self, visible: bool) -> set[str]:
        """Return the titles of the cases that count: right on the student's inputs, or on all hidden ones.

        Of a function that has cases which decide, one of these must be right: in the others a table of answers, or a
        function that computes something else, may be right as well.
        """
        right = set.intersection(*(self._right(seed) for seed in (self.seeds[:1] if visible else self.seeds[1:])))
        deciding = {case.title for case in cases_of(self.name) if case.decides}
        return right if right & deciding or not deciding else set()

    def fraction(self, visible: bool) -> float:
        """Return the part of the cases that count."""
        return len(self.right(visible)) / len(cases_of(self.name))


def groups(numbers: Sequence[str] | None = None) -> list[tuple[Task, ...]]:
    """Return the tasks to be graded in groups that share a worker: single tasks first."""
    chosen = [task for task in homework().tasks if numbers is None or task.number in numbers]
    words = {task.number: wire().group(task) for task in chosen}
    shared = dict.fromkeys(filter(None, words.values()))
    together = (tuple(task for task in chosen if words[task.number] == word) for word in shared)
    return [*((task,) for task in chosen if not words[task.number]), *together]


def try_tasks(
    tasks: Sequence[Task], files: Mapping[str, bytes], arena: Arena, seeds: tuple[int, ...], until: float
) -> dict[str, dict[str, Trial]]:
    """Try the functions of some tasks that share a worker.

    The worker gets all files of the student. If a file of another task keeps one of these from being imported, it gets
    those of these tasks alone. Hidden inputs have a worker of their own, so that no message that a student reads can
    come from one that has seen them; a function that does not get through the student's own inputs never sees them.

    Args:
        tasks: the tasks.
        files: the student's modules, by their paths.
        arena: where workers run.
        seeds: that of the cases that a student has, and hidden ones.
        until: when all must be done, on the clock of time.monotonic.

    Returns:
        The trial of each function, by its name, for each task, by its number.
    """
    trials = {task.number: {name: Trial(name, module, seeds) for module, name in task.functions} for task in tasks}
    every = [trial for functions in trials.values() for trial in functions.values()]
    until = min(until, time.monotonic() + arena.limits.task * len(tasks))
    needed = {path_of(trial.module) for trial in every}
    own = {path: content for path, content in files.items() if path in needed or path not in homework().code_files()}
    for trial in every:
        if path_of(trial.module) not in files:
            _fill(trial, Outcome("the file", "not started", f"{path_of(trial.module)} is not in the submission"))
    without = sorted(set.intersection(*(set(task.without) for task in tasks)))
    chosen = {"all": files} if own == files else {"all": files, f"only-{tasks[0].number}": own}
    for shown in (seeds[:1], seeds[1:]):
        left = [trial for trial in every if not trial.outcomes.keys() & set(shown)]
        for folder, content in chosen.items():
            package = arena.folder / folder
            if left and not package.exists():
                arena.write(folder, {**clean_package(), **content})
            left = _try_all(left, shown, arena, package, without, until)
    return trials


def _register_cases(name: str) -> None:
    """Import the module with the cases of a function."""
    task = homework().task_of(name)
    assert task is not None
    importlib.import_module(task.cases)


def _fill(trial: Trial, outcome: Outcome) -> None:
    """Add one outcome in place of all missing cases."""
    _register_cases(trial.name)  # they are not yet if the worker ended at once
    for seed in trial.seeds:
        found = trial.outcomes.setdefault(seed, [])
        if len(found) < len(cases_of(trial.name)):
            found.append(outcome)


def _try_all(
    trials: list[Trial], seeds: tuple[int, ...], arena: Arena, package: Path, without: Sequence[str], until: float
) -> list[Trial]:
    """Try functions on the inputs of some seeds, in one worker, and in a new one after each that ends its worker.

    One whose worker was ended from outside is tried again, once.

    Returns:
        Those whose module cannot be imported.

    Raises:
        OSError: if the system is so short of memory that a worker is ended twice.
    """
    left, refused, again = list(trials), [], set[str]()
    while left:
        with arena.worker(package, without) as link:
            remote = Remote(link, until, wire())
            try:
                while left:
                    trial = left.pop(0)
                    for seed in seeds:
                        trial.outcomes.pop(seed, None)
                    if time.monotonic() > until:
                        raise WorkerGone(NO_TIME, "no time left")
                    try:
                        _try(remote, trial, seeds)
                    except LOAD_ERRORS as error:
                        text = f"{path_of(trial.module)} cannot be imported: {type(error).__name__}: {error}"
                        _fill(trial, Outcome(IMPORT, "wrong", text))
                        refused.append(trial)
            except WorkerGone as gone:
                if gone.kind in (ENDED, KILLED) and trial.name not in again:
                    again.add(trial.name)
                    left.insert(0, trial)
                    continue
                if gone.kind == ENDED:
                    raise OSError(f"{gone.finding}, twice: there is too little memory here") from gone
                title, lost = trial.next_title(seeds), [trial]
                if title == IMPORT:  # the other functions of this module would end the next worker
                    lost += [each for each in left if each.module == trial.module]
                    left = [each for each in left if each.module != trial.module]
                for each in lost:
                    each.lost = gone.kind
                    _fill(each, Outcome(title, "wrong", gone.finding))
    return refused


def _try(remote: Remote, trial: Trial, seeds: tuple[int, ...]) -> None:
    """Load a function into the worker and run its cases with some seeds, and with no other if it is not started."""
    with remote.loading(trial.module, trial.name):  # both sides import what they need at the same time
        _register_cases(trial.name)
        function = remote.wire.stand_in(remote, trial.module, trial.name) or RemoteFunction(remote, trial.name)
    for seed in seeds:
        found = _outcomes(function, trial, seed)
        if all(outcome.status == "not started" for outcome in found):
            trial.outcomes = dict.fromkeys(trial.seeds, found)
            return


def _outcomes(function: Callable[..., Any], trial: Trial, seed: int) -> list[Outcome]:
    """Run the cases with one seed, and note each result at once: the worker may be lost in the next."""
    found = trial.outcomes[seed] = []

    def run(case: Case, predict: bool) -> Outcome:
        outcome = run_case(case, function, seed, predict)
        if not predict:
            found.append(outcome)
        return outcome

    trial.outcomes[seed] = outcomes_of(trial.name, run)
    return trial.outcomes[seed]
