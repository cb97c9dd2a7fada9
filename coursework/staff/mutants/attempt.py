"""Trying mutants: does the check of their task notice, and does it name the mistake?"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from coursework.check.case import SEED
from coursework.check.verdict import Verdict, try_function
from coursework.homework import homework
from coursework.staff.mutants.mutant import Mutant, function_of


@dataclass(frozen=True)
class Trial:
    """A mutant, and the verdict on it."""

    mutant: Mutant
    verdict: Verdict

    @property
    def found(self) -> bool:
        """Tell whether the check of its task failed."""
        return self.verdict.status == "wrong"

    @property
    def named(self) -> bool:
        """Tell whether the diagnosis is the right one."""
        return self.found and self.mutant.mistake in self.verdict.diagnosis.mistakes


def register_cases() -> None:
    """Import the cases of all tasks."""
    for task in homework().tasks:
        importlib.import_module(task.cases)


def attempt(mutant: Mutant, seed: int = SEED) -> Trial:
    """Check a mutant in this process; the cases must be registered."""
    return Trial(mutant, try_function(mutant.function, function_of(mutant), seed))


def attempt_both(mutants: Sequence[Mutant], seed: int = SEED) -> tuple[bool, bool]:
    """Check two mistakes at once; return whether the first that is named is one of them, and whether both are named."""
    named = try_function(mutants[0].function, function_of(*mutants), seed).diagnosis.mistakes
    made = {mutant.mistake for mutant in mutants}
    return bool(named) and named[0] in made, made <= set(named)


def solution(module: str, name: str, seed: int = SEED) -> Verdict:
    """Check a function of the solution in this process; the cases must be registered."""
    return try_function(name, operator.attrgetter(name)(importlib.import_module(module)), seed)
