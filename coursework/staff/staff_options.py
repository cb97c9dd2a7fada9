"""The arguments of each command of the staff; like :mod:`coursework.options`, with the standard library alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from coursework.homework import Command
from coursework.root import ROOT
from coursework.staff.autograder import judging


def _grade(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Grade a zip that was handed in, or the folder it was unpacked to, and write results.json as Gradescope takes it. A
folder of several submissions, each a folder or a zip, is graded as a class: a results.json for each, grades.csv,
histogram.png, and mistakes.csv. A class can be interrupted; the same call goes on."""
    parser.add_argument("submission", type=Path, help="a zip, a folder, or a folder of submissions")
    parser.add_argument(
        "--out", type=Path, default=Path("build/grades"), metavar="DIR", help="where results go (default: build/grades)"
    )
    parser.add_argument("--single", action="store_true", help="it is one submission, whatever its folder looks like")
    parser.add_argument("--seed", metavar="TEXT", help="what the hidden inputs are drawn from (default: chosen once)")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="grade these tasks only, by their numbers")
    judging.arguments(parser)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="submissions at a time (default: 1)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a Dask scheduler, for many machines that share the disk"
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds that a call may take (default: 10)")


def _autograder(parser: argparse.ArgumentParser) -> None:
    parser.description = "Build dist/autograder.zip. The same seed, options and files give the same bytes."
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")
    parser.add_argument("--seed", metavar="TEXT", help="what the hidden inputs are drawn from (default: chosen anew)")
    judging.arguments(parser)


def _release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")


def _lock(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write requirements.lock: the versions installed here, and for other Pythons those that fit."
    parser.add_argument("--newest", action="store_true", help="take the newest versions of all packages, to be tested")


COMMANDS = {
    "grade": Command(
        "grade one submission, or a class, as the autograder does",
        "coursework.staff.autograder.grade_command",
        _grade,
    ),
    "autograder": Command("build dist/autograder.zip for Gradescope", "coursework.staff.autograder.build", _autograder),
    "release": Command(
        "build the student edition, and prove that nothing leaks",
        "coursework.staff.release.release_command",
        _release,
        "staff",
    ),
    "lock": Command("write requirements.lock", "coursework.staff.lock_command", _lock, "lock"),
}
