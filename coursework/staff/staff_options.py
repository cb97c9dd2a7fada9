"""The arguments of each command of the staff; like :mod:`coursework.options`, with the standard library alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from coursework.homework import Command
from coursework.root import ROOT
from coursework.staff.autograder import judging

POLICIES = {  # what a course asks of AI assistants
    "none": "no assistant may be used",
    "tutor": "they explain and ask back, and write nothing that is handed in",
    "open": "they may write, and that is declared",
}
POLICY = "tutor"


def _seed(parser: argparse.ArgumentParser, when: str) -> None:
    """Declare the seed by its file: everybody on a machine can read a command line."""

    def content(path: str) -> str:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise argparse.ArgumentTypeError(f"{path} should be a file with the seed: {error}") from error

    text = f"a file with the text that the hidden inputs are drawn from (default: chosen {when})"
    parser.add_argument("--seed", type=content, metavar="FILE", help=text)


def _grade(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Grade a zip that was handed in, or the folder it was unpacked to, and write results.json as Gradescope takes it. A
class, as Moodle, Canvas or Gradescope exports it (a folder or a zip), or a folder of folders and zips, gives a
results.json for each, grades.csv, histogram.png, mistakes.csv, and lecture.html. A class can be interrupted; the same
call goes on. Whoever has nothing to grade is named, and the exit code is 1."""
    parser.add_argument("submission", type=Path, help="a zip or a folder: one submission, or a class")
    parser.add_argument(
        "--out", type=Path, default=Path("build/grades"), metavar="DIR", help="where results go (default: build/grades)"
    )
    parser.add_argument("--single", action="store_true", help="it is one submission, whatever its folder looks like")
    _seed(parser, "once")
    parser.add_argument("--tasks", nargs="+", metavar="TASK", help="grade these tasks only, by their numbers")
    judging.arguments(parser)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="submissions at a time (default: 1)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a Dask scheduler, for many machines that share the disk"
    )
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds that a call may take (default: 10)")


def _similarity(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Write a page that shows which pairs of submissions share more than the given code explains, side by side: in code, in
answers in notebooks, and in write-ups. It sorts, and accuses nobody."""
    parser.add_argument("submissions", type=Path, help="a class, as for `grade`")
    parser.add_argument(
        "--earlier",
        type=Path,
        default=[],
        action="append",
        metavar="DIR",
        help="a class of an earlier year; repeatable",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/similarity"), metavar="DIR", help="default: build/similarity"
    )
    parser.add_argument("--pairs", type=int, default=40, metavar="N", help="pairs of each kind (default: 40)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="submissions read at a time (default: 2)")


def _autograder(parser: argparse.ArgumentParser) -> None:
    parser.description = "Build dist/autograder.zip. The same seed, options and files give the same bytes."
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")
    _seed(parser, "anew")
    judging.arguments(parser)


def _release(parser: argparse.ArgumentParser) -> None:
    policies = "; ".join(f"{name}: {summary}" for name, summary in POLICIES.items())
    parser.add_argument(
        "--assistants",
        choices=POLICIES,
        default=POLICY,
        help=f"the policy that AGENTS.md states. {policies} (default: {POLICY})",
    )
    parser.add_argument(
        "--self-learner",
        action="store_true",
        help="for somebody who learns alone: with answers to the exercises, and other ways to write what is right",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist")


def _viva(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Write a page with three questions for everybody who handed in, on their own code, and keys.html for whoever asks. The
keys come from running the code in the sandbox of the grader. It decides nothing: it begins a talk of five minutes."""
    parser.add_argument("submissions", type=Path, help="a class, as `grade` takes it, or one submission")
    parser.add_argument("--out", type=Path, default=Path("build/viva"), metavar="DIR", help="default: build/viva")
    parser.add_argument("--seed", type=int, default=0, help="chooses the questions (default: 0)")


def _marking(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Write the marking guide as pages: what a person marks, item by item, with sample answers and comments. Or compare what
two who marked the same answers took points off for, each in a CSV file with the columns answer, task, loses."""
    parser.add_argument("--out", type=Path, default=Path("build/marking"), metavar="DIR", help="default: build/marking")
    parser.add_argument("--compare", type=Path, nargs=2, metavar="CSV", help="print a table, and the weighted kappa")


def _lock(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write requirements.lock: the versions installed here, and for other Pythons those that fit."
    parser.add_argument("--newest", action="store_true", help="take the newest versions of all packages, to be tested")


COMMANDS = {
    "grade": Command(
        "grade one submission, or a class, as the autograder does",
        "coursework.staff.autograder.grade_command",
        _grade,
    ),
    "similarity": Command(
        "show which submissions share more than what was given",
        "coursework.staff.similarity.similarity_command",
        _similarity,
        "similarity",
    ),
    "autograder": Command("build dist/autograder.zip for Gradescope", "coursework.staff.autograder.build", _autograder),
    "release": Command(
        "build the student edition, and prove that nothing leaks",
        "coursework.staff.release.release_command",
        _release,
        "staff",
    ),
    "viva": Command("three questions for everybody, on their own code", "coursework.staff.viva_command", _viva),
    "marking": Command(
        "what a person marks, as pages; how far two who mark agree",
        "coursework.staff.marking.marking_command",
        _marking,
    ),
    "lock": Command("write requirements.lock", "coursework.staff.lock_command", _lock, "lock"),
}
