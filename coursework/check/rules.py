"""Where students are told what a case tests: each case quotes the sentence that says it."""

from __future__ import annotations

import importlib
import inspect
import json
import operator
import re
from collections.abc import Iterator

from coursework.check.case import Case, cases_of
from coursework.homework import homework
from coursework.root import ROOT

HEAD = """# What the checks test

Every case of a check tests a rule that a docstring or a notebook states. This table quotes the rule of each case and
says where it stands. Inputs are random, from a seed, except in the examples. A result in another dtype than the inputs
gets a note and costs nothing.

| task | function | case | rule | stated in |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return the table of all registered cases as Markdown; a ValueError names a rule that is stated nowhere."""
    rows = []
    for task in homework().tasks:
        for module, name in task.functions:
            for case in cases_of(name):
                place = place_of(case, module)
                if not place:
                    raise ValueError(f"{name}, {case.title}: no text states its rule, {case.rule!r}")
                cells = (task.number, f"`{name}`", case.title, case.rule, place)
                rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return HEAD + "".join(rows)


def place_of(case: Case, module: str) -> str:
    """Return which docstring or notebook states the rule of a case; "" if none does."""
    return next((place for place, text in _texts(module, case.function) if _plain(case.rule) in _plain(text)), "")


def _plain(text: str) -> str:
    return " ".join(re.sub(r":\w+:(?=`)|`", "", text).split()).casefold()


def _texts(module: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the texts that a student of a function reads, from the closest to the most distant."""
    loaded = importlib.import_module(module)
    yield f"`{name}`", inspect.getdoc(operator.attrgetter(name)(loaded)) or ""
    yield f"`{module}`", loaded.__doc__ or ""
    for other, thing in vars(loaded).items():
        if getattr(thing, "__module__", "") == module:
            for inner in (thing, *(vars(thing).values() if inspect.isclass(thing) else ())):
                yield f"`{other}`", getattr(inner, "__doc__", None) or ""
    task = homework().task_of(name)
    for path in homework().notebooks:
        for cell in json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown" and task and f"Task {task.number}" in text:
                yield path, text


def main() -> None:
    """Print the page."""
    for task in homework().tasks:
        importlib.import_module(task.cases)
    print(page(), end="")


if __name__ == "__main__":
    main()
