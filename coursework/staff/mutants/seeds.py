"""The solution on other inputs: a check that calls right code wrong would be worse than none.

The result of a task on a seed is kept in build/mutation/, under a digest of the solution and of the cases, so that an
interrupted run goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coursework.homework import Task, homework
from coursework.progress import progress_bar
from coursework.staff.mutants import kept
from coursework.staff.mutants.attempt import register_cases, solution
from coursework.staff.mutants.mutant import text_of

RESULTS = "seeds.jsonl"


@dataclass(frozen=True)
class Alarms:
    """How many seeds were tried, in how many cases, and what the checks said of right code."""

    seeds: int
    cases: int
    alarms: tuple[str, ...]


def run(count: int) -> Alarms:
    """Check the solution with the seeds from 1 to ``count``; those that were tried before are not tried again."""
    register_cases()
    known = {(record["digest"], record["seed"]): record for record in kept.read(RESULTS)}
    digests = {task.number: _digest(task) for task in homework().tasks}
    with kept.open_to_add(RESULTS) as stream:
        for seed in progress_bar(range(1, count + 1), desc="seeds"):
            for task in homework().tasks:
                key = digests[task.number], seed
                if key not in known:
                    known[key] = {"digest": key[0], "seed": seed, **_tried(task, seed)}
                    kept.add(stream, known[key])
    records = [known[digest, seed] for seed in range(1, count + 1) for digest in digests.values()]
    alarms = tuple(alarm for record in records for alarm in record["alarms"])
    return Alarms(count, sum(record["cases"] for record in records), alarms)


def _tried(task: Task, seed: int) -> dict[str, Any]:
    cases, alarms = 0, []
    for module, name in task.functions:
        verdict = solution(module, name, seed)
        cases += len(verdict.outcomes)
        alarms += [f"seed {seed}, {name}: {o.title}: {o.message}" for o in verdict.outcomes if o.status != "right"]
    return {"cases": cases, "alarms": alarms}


def _digest(task: Task) -> str:
    modules = sorted({module for module, _ in task.functions})
    return kept.digest(task.number, *map(text_of, (task.cases, *modules)))
