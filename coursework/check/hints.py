"""Hints for a function that a student writes: those that the notebook has folded in beside its task."""

from __future__ import annotations

import argparse
import difflib
import html
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coursework.homework import homework
from coursework.needs import own_command
from coursework.notebooks import outline
from coursework.root import ROOT

FOLDED = re.compile(r"<details><summary>Hint: (.+?)</summary>(.+?)</details>", re.S)


class Shown(str):
    """A text that a notebook shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text itself."""
        return str(self)


def hint(name: str | Callable[..., Any], step: int = 1) -> str:
    """Return a hint for a function that you write, and the call that gives the next one.

    Args:
        name: the function or its name, or a name from a blank. For the number of a task the answer is its functions.
        step: 1 for the first hint, mostly the idea; then 2, and 3.

    Raises:
        ValueError: if there is no such function or step.
    """
    name = name if isinstance(name, str) else getattr(name, "__qualname__", str(name))
    text, more = _hint(name, step)
    return Shown(f"{text}\n(The next hint: hint({function_of(name)!r}, step={step + 1}))" if more else text)


def _hint(name: str, step: int) -> tuple[str, bool]:
    """Return a hint, and whether there is another after it."""
    for task in homework().tasks:
        if task.number == str(name):
            return f"Task {task.number} has hints for {', '.join(function for _, function in task.functions)}.", False
    name = function_of(str(name))
    if homework().task_of(name) is None:
        functions = homework().functions
        close = difflib.get_close_matches(name, functions, n=3) or sorted(functions)
        raise ValueError(f"hint: expected a function, such as {' or '.join(close[:3])}, got {name!r}")
    found = hints(name)
    if not found:
        raise ValueError(f"hint: the notebook with the hints for {name} is not there, or its hints are gone")
    last = max(len(each) for each in found)
    if not isinstance(step, int) or not 1 <= step <= last:
        raise ValueError(f"hint: step must be from 1 to {last}, got {step!r}")
    return "\n".join(f"{each[step - 1][0]}: {each[step - 1][1]}" for each in found if len(each) >= step), step < last


def function_of(name: str) -> str:
    """Return the function to which a name in a blank belongs: that of a class, a method, or a part of a function."""
    functions = homework().functions
    return next((each for each in functions if name in each.split(".") or name.startswith(f"{each}_")), name)


def hints(name: str, root: Path = ROOT) -> list[list[tuple[str, str]]]:
    """Return the hints for a function: for each place of the notebooks that has some, their titles and texts."""
    found, outlines = [], outline.read(root / "notebooks")
    for path in homework().notebooks:
        cells = _cells(root / path)
        for cell, words in zip(cells, outline.labels(cells, outlines[Path(path).name])[0], strict=True):
            folded = FOLDED.findall("".join(cell.get("source", ""))) if name in words else []
            if folded:
                found.append([(title[0].upper() + title[1:], _plain(text)) for title, text in folded])
    return found


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        cells = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
        return [cell for cell in cells if {"cell_type", "source"} <= set(cell)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _plain(text: str) -> str:
    """Return a hint as a terminal shows it."""
    return " ".join(html.unescape(re.sub(r"</?code>", "`", text)).split())


def main(args: argparse.Namespace) -> int:
    """Print a hint, or whose hints there are; return 0, or 2 if there is none."""
    if args.name is None:
        print("There are hints for:")
        for task in homework().tasks:
            print(f"  {task.number}: {', '.join(name for _, name in task.functions)}")
        return 0
    try:
        text, more = _hint(args.name, args.step)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    if more:
        own = own_command(f"hint {args.name} --step {args.step + 1}")
        typed = f'make hint {args.name} ARGS="--step {args.step + 1}"' if "MAKELEVEL" in os.environ else own
        print(f"(The next hint: {typed})")
    return 0
