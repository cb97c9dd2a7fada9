"""Every small change that cosmic-ray knows, made inside the solutions: which of them does the task's check let through?

Each task has a session of its own in build/mutation/, in a copy of the package, so that an interrupted run goes on
where it stopped, and two tasks can run at once. cosmic-ray changes whole files; what lies outside the solution regions
of the task is taken out of its list, as students do not write it.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cs7643.checks.tasks import TASKS, Task
from staff.mutants.equivalent import REASONS
from staff.mutants.mutant import ROOT

FOLDER = ROOT / "build" / "mutation"
CONFIGURATION = """[cosmic-ray]
module-path = {modules}
timeout = 60.0
excluded-modules = []
test-command = "{python} -m cs7643 check {task}"

[cosmic-ray.distributor]
name = "local"
"""


@dataclass(frozen=True)
class Survivor:
    """A change that the check does not notice: the line before it, and after it."""

    task: str
    before: str
    after: str

    @property
    def reason(self) -> str:
        """Return why the change makes no difference; "" if none is known, and the check has a hole."""
        return REASONS.get((self.task, self.before, self.after), "")


@dataclass(frozen=True)
class Tally:
    """What came of the changes of one task."""

    task: str
    changes: int
    done: int
    survivors: tuple[Survivor, ...]

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


def run(processes: int = 2) -> None:
    """Go on with all sessions, a few at a time, until every change has been tried."""
    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(_run_task, TASKS))


def tallies() -> list[Tally]:
    """Read what came of the sessions so far."""
    return [_tally(task) for task in TASKS if _session(task).exists()]


def _session(task: Task) -> Path:
    return FOLDER / task.number / "session.sqlite"


def _modules(task: Task) -> list[str]:
    return sorted({module.replace(".", "/") + ".py" for module, _ in task.functions})


def _run_task(task: Task) -> None:
    folder = FOLDER / task.number
    if not _session(task).exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "cs7643", folder / "cs7643", ignore=shutil.ignore_patterns("__pycache__"))
        text = CONFIGURATION.format(modules=_modules(task), python=sys.executable, task=task.number)
        (folder / "cosmic-ray.toml").write_text(text, encoding="utf-8")
        _cosmic_ray(folder, "init", "cosmic-ray.toml", "new.sqlite")
        _forget_what_lies_outside(task, folder)
        (folder / "new.sqlite").rename(_session(task))
    for name in _modules(task):  # an interrupted run may have left a change behind
        shutil.copyfile(ROOT / name, folder / name)
    _cosmic_ray(folder, "exec", "cosmic-ray.toml", "session.sqlite")


def _cosmic_ray(folder: Path, *arguments: str) -> None:
    # Without bytecode: a file that changes twice in a second, to the same size, would pass for unchanged.
    variables = {"CS7643_NO_VENV": "1", "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "cosmic_ray.cli", *arguments]
    subprocess.run(command, cwd=folder, env={**os.environ, **variables}, check=True)


def _forget_what_lies_outside(task: Task, folder: Path) -> None:
    kept = {name: lines_of(task.number, (folder / name).read_text(encoding="utf-8")) for name in _modules(task)}
    with closing(sqlite3.connect(folder / "new.sqlite")) as database, database:
        rows = list(database.execute("SELECT job_id, module_path, start_pos_row FROM mutation_specs"))
        outside = [(job,) for job, path, row in rows if row not in kept[path]]
        for table in ("mutation_specs", "work_items"):
            database.executemany(f"DELETE FROM {table} WHERE job_id = ?", outside)


def _tally(task: Task) -> Tally:
    with closing(sqlite3.connect(_session(task))) as database:
        (changes,) = next(database.execute("SELECT count(*) FROM work_items"))
        results = list(database.execute("SELECT test_outcome, diff FROM work_results"))
    survivors = {_survivor(task.number, diff) for outcome, diff in results if outcome.lower() == "survived"}
    count = sum(outcome.lower() == "survived" for outcome, _ in results)
    listed = tuple(sorted(survivors, key=lambda each: (each.before, each.after)))
    assert len(listed) == count, "two changes of one task look alike"
    return Tally(task.number, changes, len(results), listed)


def _survivor(task: str, diff: str) -> Survivor:
    """Read the changed line out of a unified diff."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (next((line[1:].strip() for line in lines if line.startswith(sign)), "") for sign in "-+")
    return Survivor(task, before, after)
