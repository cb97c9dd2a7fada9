"""What the class should hear: the mistakes that many made, for the next lecture; nobody is named."""

from __future__ import annotations

import importlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursework.check.diagnosis import MISTAKES
from coursework.check.hints import hints
from coursework.homework import homework
from coursework.notebooks.run_pages import render

NOT_MISTAKES = ("not started", "begun")
UNNAMED = "wrong"
MOST = 25  # mistakes on the page; mistakes.csv has all


@dataclass(frozen=True)
class Heard:
    """A mistake as the page shows it.

    Attributes:
        function: where it is made.
        task: the number and title of its task.
        name: of the mistake; "" if it has none.
        count: how many made it.
        advice: what the checks say of it.
        case: the title of the case that shows it, and what it says of one submission.
        hints: for the function, their titles and texts.
    """

    function: str
    task: str
    name: str
    count: int
    advice: str
    case: tuple[str, str]
    hints: list[tuple[str, str]]


def page(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the page.

    Args:
        documents: the results of all submissions.
    """
    heard = sorted(_heard(documents), key=lambda each: (-each.count, each.function, each.name))
    states = Counter(pair for each in documents for pair in each["extra_data"]["mistakes"].items())
    left = {name: sum(states[name, state] for state in NOT_MISTAKES) for name in homework().functions}
    return render(
        "lecture.html",
        title=f"{homework().title}: what the class should hear",
        homework=homework().title,
        number=len(documents),
        heard=heard[:MOST],
        more=len(heard[MOST:]),
        left=sorted(((count, name) for name, count in left.items() if count), key=lambda pair: (-pair[0], pair[1])),
    )


def _heard(documents: Sequence[Mapping[str, Any]]) -> list[Heard]:
    cases: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    counts = Counter[tuple[str, str]]()
    for each in documents:
        for function, name in each["extra_data"]["mistakes"].items():
            if homework().task_of(function) is None or name in NOT_MISTAKES:
                continue
            counts[function, name] += 1
            title, message = each["extra_data"].get("cases", {}).get(function, ("", ""))
            if title:
                cases[function, name].append((title, message))
    found = []
    for (function, name), count in counts.items():
        task = homework().task_of(function)
        assert task is not None
        importlib.import_module(task.cases)  # which registers the mistakes
        advice = next((m.advice for m in MISTAKES if m.name == name and function in (m.functions or (function,))), "")
        shown = ("", "")
        if cases[function, name]:
            title = Counter(title for title, _ in cases[function, name]).most_common(1)[0][0]
            shown = min((pair for pair in cases[function, name] if pair[0] == title), key=lambda pair: len(pair[1]))
        helps = [hint for steps in hints(function) for hint in steps]
        label = "" if name == UNNAMED else name
        found.append(Heard(function, f"{task.number} {task.title}", label, count, advice, shown, helps))
    return found
