"""``python -m staff viva``: three questions for everybody who handed in, on their own code, for a talk of five minutes.

The questions are made in the grader's sandbox, twice, in workers of their own; what was not the same both times is
dropped. Nobody is graded by this: it begins a conversation.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import time
import zlib
from pathlib import Path

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.notebooks.run_pages import render
from coursework.progress import progress_bar
from coursework.quiz.make import KINDS, Question
from coursework.quiz.quiz_command import COUNT, same, varied
from coursework.root import ROOT
from coursework.staff.autograder import classrun, exports, intake
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import clean_package
from coursework.staff.autograder.remote import Remote
from coursework.staff.autograder.sandbox import Arena, WorkerGone
from coursework.staff.autograder.trying import LOAD_ERRORS
from coursework.staff.autograder.wire import wire
from coursework.terminal import explain

KEYS = "keys.html"
LIMITS = Limits(call=60.0, wait=100.0)
TOTAL = 600.0  # seconds for one submission


def main(args: argparse.Namespace) -> int:
    """Write the pages; return 1 if somebody has fewer than three questions, and say who and why."""
    why: dict[str, str] = {}
    try:
        if not args.submissions.exists():
            raise ValueError(f"there is no file or folder {args.submissions}")
        found = exports.find(args.submissions)
        if found is None:
            taken = {args.submissions.stem: intake.take(args.submissions)}
        else:
            print(found.heading, flush=True)
            taken, why = classrun.take_all(found)
        args.out.mkdir(parents=True, exist_ok=True)
        asked: dict[str, list[Question]] = {}
        place = args.submissions.resolve()
        guarded = (place, place.parent, args.out.resolve())
        for name, submission in progress_bar(taken.items(), desc="asking"):
            asked[name] = questions(submission, args.seed, guarded)
            _write(args.out / f"{name}.html", intake.name_of(submission) or name, {name: asked[name]}, keys=False)
            if len(asked[name]) < COUNT:
                why[name] = f"{len(asked[name])} of {COUNT} questions: no other function is right"
        _write(args.out / KEYS, "The keys", asked, keys=True)
    except (ValueError, OSError) as error:
        print(f"viva: {explain(error) or error}", file=sys.stderr)
        return 1
    for name, reason in sorted(why.items()):
        print(f"{name}: {reason}", file=sys.stderr)
    print(f"{args.out}: a page for each of {len(asked)}, and {KEYS}, which is for you alone")
    return min(1, len(why))


def questions(submission: intake.Submission, seed: int, guarded: tuple[Path, ...] = ()) -> list[Question]:
    """Return up to three questions on the code of a submission.

    Args:
        submission: what was handed in.
        seed: chooses the functions and the questions.
        guarded: what workers must not be able to read.
    """
    with Arena(LIMITS, guarded) as arena, contextlib.ExitStack() as stack:
        settings = {"pyproject.toml": (ROOT / "pyproject.toml").read_bytes()}  # which names the homework
        package = arena.write("all", {**clean_package(), **submission.files, **settings})
        first, second = (stack.enter_context(Asked(arena, package)) for _ in range(2))

        def make(name: str, number: int) -> list[Question]:
            answer = first(name, number)
            return same(answer, second(name, number)) if answer not in ("", "[]") else []

        own = zlib.crc32(f"{seed} {submission.digest}".encode())  # so that neighbours are asked other things
        written = [name for task in homework().tasks for _, name in task.functions]
        return list(itertools.islice(varied(written, own, make), COUNT))


class Asked(contextlib.ExitStack):
    """A worker that makes questions, and a new one after each that is lost; use it in a ``with`` statement."""

    def __init__(self, arena: Arena, package: Path) -> None:
        super().__init__()
        self.arena, self.package, self.until = arena, package, time.monotonic() + TOTAL
        self.remote: Remote | None = None

    def __call__(self, name: str, seed: int) -> str:
        """Return the questions on a function as JSON; "" if its worker is lost or fails."""
        task = homework().task_of(name)
        assert task is not None
        try:
            if self.remote is None:
                self.remote = Remote(self.enter_context(self.arena.worker(self.package)), self.until, wire())
                with self.remote.loading("coursework.quiz.make", "asked"):
                    pass
            return str(self.remote.ask("call", (task.number, name, seed), {}))
        except LOAD_ERRORS:
            return ""
        except WorkerGone:
            self.close()
            self.remote = None
            return ""


def _write(path: Path, title: str, asked: dict[str, list[Question]], keys: bool) -> None:
    page = render("viva.html", title=title, homework=homework().title, asked=asked, keys=keys, kinds=KINDS)
    with atomic_writer(path) as stream:
        stream.write(page.encode())
