"""The hidden inputs: a pool of seeds that every solution we know passes, and those of them that grade a submission."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import itertools
import operator
from collections.abc import Iterator, Mapping
from typing import Any

from coursework.check.case import SEED, cases_of, run_case
from coursework.homework import homework, setting
from coursework.progress import progress_bar
from coursework.root import ROOT
from coursework.staff.autograder.package import Config

POOL = 16  # seeds of an autograder, of which a submission gets a few


def candidates(secret: str) -> Iterator[int]:
    """Yield seeds, without an end."""
    for k in itertools.count():
        yield 1 + int.from_bytes(hashlib.sha256(f"{secret} {k}".encode()).digest()[:6], "big")


def verified(secret: str, count: int = POOL) -> tuple[int, ...]:
    """Return the first seeds of a secret with which every solution is right in every case.

    A seed can be unfair: its numbers may lie so close to a kink, or cancel so far, that a right solution fails.
    """
    functions = list(solutions())
    fair = (seed for seed in candidates(secret) if not failures(functions, seed))
    first = itertools.islice(fair, count)
    return tuple(progress_bar(first, total=count, desc="verifying hidden inputs", unit="seed"))


def failures(functions: list[tuple[str, str, Any]], seed: int) -> list[str]:
    """Return the cases in which a solution is not right with a seed, a line for each."""
    found = []
    for style, name, function in functions:
        for case in cases_of(name):
            outcome = run_case(case, function, seed, predict=False)
            if outcome.status != "right":
                found.append(f"{style or 'the solution'}, {name}, {case.title}: {outcome.message}")
    return found


def solutions() -> Iterator[tuple[str, str, Any]]:
    """Yield the style, the name and the function of all solutions: the homework's own, and the second ones."""
    from coursework.staff.mutants.mutant import load, second_source  # an autograder that was built has no solutions

    place = ROOT.joinpath(*setting("second").split("."))
    styles = sorted(path.parent.name for path in place.glob("*/__init__.py")) if setting("second") else []
    for task in homework().tasks:
        importlib.import_module(task.cases)
        for module, name in task.functions:
            yield "", name, operator.attrgetter(name)(importlib.import_module(module))
            for style in styles:
                yield style, name, load(module, name, second_source(style, module))


def chosen(config: Config, files: Mapping[str, bytes]) -> tuple[int, ...]:
    """Return the seed of the cases that students have, then the hidden seeds of a submission.

    They follow from what the files hold: the same files get the same seeds, and another attempt gets others, so that
    nobody can find out about hidden inputs one by one.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{len(files[path])}\0".encode() + files[path])
    key = hmac.digest(config.secret.encode(), digest.digest(), "sha256")
    order = sorted(config.pool, key=lambda seed: hmac.digest(key, str(seed).encode(), "sha256"))
    return (SEED, *order[: config.rounds])
