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
    """Keep what a notebook took with these data sets.

    Args:
        folder: that of the report.
        notebook: its name, without folder and ending.
        datasets: those that it said it used.
        seconds: how long it took, to its end.
    """
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

    Args:
        notebooks: their names, without folder and ending.
        folder: that of the report, where earlier runs have left their figures.
        variables: of the kernels, which choose the data.
    """
    other = variables != homework().data.default
    known = {
        name: seconds
        for name, figures in measured(folder).items()
        for dataset, seconds in figures.items()
        if not dataset or _is_other(dataset) == other
    }
    ratio = _ratio(folder)
    new = [name for name in notebooks if name not in known]
    took = _spoken(sum(known.get(name, _table(name, other) * ratio) for name in notebooks))
    number = "One notebook" if len(notebooks) == 1 else f"{len(notebooks)} notebooks"
    if not new:
        return f"{number}: about {took}, as they took here before."
    with_these = " with this data" if homework().data.other else ""
    if len(new) == len(notebooks):
        basis = "by the speed of others here" if measured(folder) else "for a machine with two cores"
        return f"{number}: roughly {took}. That is an estimate {basis}; none has run here{with_these} yet."
    have = "have" if len(new) > 1 else "has"
    return f"{number}: about {took}, of which a part is an estimate: {', '.join(new)} {have} not run here yet."


def _is_other(dataset: str) -> bool:
    """Tell whether a data set is not the default one."""
    other = homework().data.other
    return bool(other) and f"Data: {dataset}".startswith(other)


def _table(name: str, other: bool) -> float:
    return homework().data.seconds.get(name, (GUESS, GUESS))[other]


def _ratio(folder: Path) -> float:
    """Return how much longer notebooks take here than in the homework's table, all together."""
    pairs = [
        (seconds, _table(name, _is_other(dataset)))
        for name, figures in measured(folder).items()
        for dataset, seconds in figures.items()
        if name in homework().data.seconds
    ]
    return sum(took for took, _ in pairs) / sum(said for _, said in pairs) if pairs else 1.0


def _spoken(seconds: float) -> str:
    return f"{math.ceil(seconds / 10) * 10} s" if seconds <= 90 else f"{math.ceil(seconds / 60)} min"
