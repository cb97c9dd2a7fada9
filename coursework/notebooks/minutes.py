"""How long notebooks take on this machine: noted whenever one runs to its end, and said before they run again."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from coursework.files import atomic_writer
from coursework.homework import homework

NAME = "seconds.json"  # in the folder of the report: seconds by notebook and data set; "" where a notebook uses none
GUESS = 60.0  # seconds of a notebook about which the homework's table says nothing


def note(folder: Path, notebook: str, datasets: Sequence[str], seconds: float) -> None:
    """Keep, in the folder of the report, what a notebook took with the data sets that it said it used."""
    known = measured(folder)
    known.setdefault(notebook, {})[", ".join(datasets)] = round(seconds, 1)
    with atomic_writer(folder / NAME, "w") as stream:
        json.dump(known, stream, indent=1, ensure_ascii=False)


def measured(folder: Path) -> dict[str, dict[str, float]]:
    """Return what was noted in a folder; nothing if the file is missing or is not one of these."""
    found: dict[str, dict[str, float]] = {}
    with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
        for name, figures in json.loads((folder / NAME).read_text(encoding="utf-8")).items():
            found[name] = {str(dataset): float(seconds) for dataset, seconds in figures.items()}
    return found


def announcement(notebooks: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Say in a sentence how long notebooks will take here, and whether that is measured or estimated.

    Earlier runs have left their figures in the folder of the report. The variables of the kernels choose the data.
    """
    other = variables != homework().data.default
    took_before = [(name, each, seconds) for name, by in measured(folder).items() for each, seconds in by.items()]
    known = {name: seconds for name, each, seconds in took_before if not each or _is_other(each) == other}
    told = [
        (seconds, _table(name, _is_other(each)))
        for name, each, seconds in took_before
        if name in homework().data.seconds
    ]
    ratio = sum(seconds for seconds, _ in told) / sum(table for _, table in told) if told else 1.0  # of here to there
    new = [name for name in notebooks if name not in known]
    took = _spoken(sum(known.get(name, _table(name, other) * ratio) for name in notebooks))
    number = "One notebook" if len(notebooks) == 1 else f"{len(notebooks)} notebooks"
    if not new:
        return f"{number}: about {took}, as they took here before."
    with_these = " with this data" if homework().data.other else ""
    if len(new) == len(notebooks):
        basis = "by the speed of others here" if took_before else "for a machine with two cores"
        return f"{number}: roughly {took}. That is an estimate {basis}; none has run here{with_these} yet."
    have = "have" if len(new) > 1 else "has"
    return f"{number}: about {took}, of which a part is an estimate: {', '.join(new)} {have} not run here yet."


def _is_other(dataset: str) -> bool:
    """Tell whether a data set is not the default one."""
    other = homework().data.other
    return bool(other) and f"Data: {dataset}".startswith(other)


def _table(name: str, other: bool) -> float:
    return homework().data.seconds.get(name, (GUESS, GUESS))[other]


def _spoken(seconds: float) -> str:
    return f"{math.ceil(seconds / 10) * 10} s" if seconds <= 90 else f"{math.ceil(seconds / 60)} min"
