"""The command `quiz`: three questions on your own functions that are right, for practice."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coursework.check.check_command import tasks_of
from coursework.check.report import nearest
from coursework.homework import homework
from coursework.needs import own_command
from coursework.quiz.make import KINDS, Question

PATIENCE = 120  # seconds for the questions on a function
COUNT = 3
Make = Callable[[str, int], list[Question]]


def main(args: argparse.Namespace) -> int:
    """Ask, and return 0; 1 if no function is right yet, 2 for an unknown name."""
    try:
        names = _chosen(args.what)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    seed = secrets.randbelow(10_000) if args.seed is None else args.seed
    print("Looking for functions of yours that are right ...", flush=True)
    questions = list(itertools.islice(varied(names, seed, twice), COUNT))
    if not questions:
        print("None of them is right yet: `check` says what is missing. Questions are about code that works.")
        return 1
    for number, question in enumerate(questions, 1):
        print(f"\n--- Question {number} of {len(questions)}: {KINDS[question.kind]}\n{shown(question)}")
        if not args.answers and sys.stdin.isatty():
            _ask(question)
        print(_answer(question))
    again = own_command(f"quiz --seed {seed} {' '.join(args.what)}".rstrip())
    print(f"\nThese questions again: {again}")
    return 0


def _chosen(words: list[str]) -> list[str]:
    tasks = {task.number: [name for _, name in task.functions] for task in homework().tasks}
    known = {**{name: [name] for name in homework().functions}, **tasks}
    words = tasks_of(words)
    for word in words:
        if word not in known:
            raise ValueError(f"quiz: expected a task or a function, got {word!r}; {nearest(word)}")
    return [name for word in words or tasks for name in known[word]]


def varied(names: Iterable[str], seed: int, make: Make) -> Iterator[Question]:
    """Yield a question on each of some functions, in a random order, of as many kinds as there are.

    ``make`` returns the questions on a function, of a name and the seed.
    """
    order = list(names)
    random.Random(seed).shuffle(order)
    left = list(KINDS)
    for name in order:
        found = make(name, seed)
        if found:
            question = next((each for kind in left for each in found if each.kind == kind), found[0])
            left = [kind for kind in left if kind != question.kind] or list(KINDS)
            yield question


def twice(name: str, seed: int) -> list[Question]:
    """Make the questions on a function twice, each time in a process of its own; return what came both times."""
    task = homework().task_of(name)
    assert task is not None
    command = [sys.executable, "-m", "coursework.quiz.make", task.number, name, str(seed)]

    def make(_: int) -> str:
        try:
            return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE).stdout
        except subprocess.TimeoutExpired:
            return ""

    with ThreadPoolExecutor(2) as threads:
        return same(*threads.map(make, range(2)))


def same(first: str, second: str) -> list[Question]:
    """Return the questions that two runs agree on, of their JSON; none if either failed."""
    try:
        one, other = json.loads(first), json.loads(second)
    except ValueError:
        return []
    return [_question(each) for each in one if each in other]


def _question(fields: dict[str, Any]) -> Question:
    return Question(**{**fields, "code": tuple(fields["code"]), "options": tuple(fields["options"])})


def shown(question: Question) -> str:
    """Write a question for a terminal."""
    options = (f"  {letter}) {option}" for letter, option in zip("abcd", question.options, strict=False))
    return "\n".join(["", *question.code, "", question.text, *options])


def _answer(question: Question) -> str:
    if not question.options:
        return f"A full answer {question.answer}"
    return f"Right is {'abcd'[question.key]}. {question.answer}"


def _ask(question: Question) -> None:
    if not question.options:
        input("Say it aloud, then press Enter. ")
        return
    letters = "abcd"[: len(question.options)]
    prompt = f"Your answer ({'/'.join(letters)}, or Enter to skip): "
    while (typed := input(prompt).strip().lower()) not in ("", *letters):
        print(f"Type one of {', '.join(letters)}.")
    if typed:
        print("Yes." if letters.index(typed) == question.key else "No.")
