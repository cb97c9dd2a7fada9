"""``python -m staff grade``: one submission, or a whole class."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import secrets
import sys

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.progress import progress_bar
from coursework.staff.autograder import classrun, exports, intake, judging, seeds, student_report
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config, built_config, clean_package
from coursework.terminal import explain


def main(args: argparse.Namespace) -> int:
    """Run the command and return its exit code: 1 if anybody has no finished results."""
    try:
        limits = Limits() if args.timeout is None else dataclasses.replace(Limits(), call=args.timeout)
        if not args.submission.exists():
            raise ValueError(f"there is no file or folder {args.submission}")
        for number in args.tasks or ():
            homework().task(number)
        _require_package()
        config = _config(args)
        found = None if args.single else exports.find(args.submission)
        if found:
            return min(1, classrun.run(found, args.out, config, limits, args.tasks, args.jobs, args.scheduler))
        return _grade_one(args, config, limits)
    except (ValueError, OSError) as error:
        print(f"grade: {explain(error) or error}", file=sys.stderr)
    return 1


def _require_package() -> None:
    """See to it that there is what every submission is put into.

    Raises:
        ValueError: if there is not.
    """
    try:
        clean_package()
    except ValueError as error:
        raise ValueError(f"the student edition, into which a submission is put, cannot be made: {error}") from error


def _grade_one(args: argparse.Namespace, config: Config, limits: Limits) -> int:
    output = args.out / classrun.RESULTS
    taken = None if built_config() else intake.take(args.submission)
    for _ in progress_bar([args.submission], desc="grading"):
        graded = grade(args.submission, output, config, limits, args.tasks, taken=taken)
    tests = [test for test in graded["tests"] if "max_score" in test and test["output"] != student_report.NOT_GRADED]
    for test in tests:
        print(f"{test['score']:5.2f} of {test['max_score']:5.2f}  {test['name']}")
    earned, most = student_report.points(graded), student_report.most({"tests": tests})
    print(f"{output}: {earned:g} of the {most:g} points of these tests")
    if taken is None:  # on the platform, where results.json says everything, and a failure would hide it
        return 0
    if not graded["extra_data"]["finished"]:
        print(f"grade: {graded['tests'][-1]['output']}", file=sys.stderr)
        return 1
    if not taken.files and not taken.loose:
        print(f"grade: {args.submission}: {classrun.why_nothing(taken)}", file=sys.stderr)
        return 1
    return 0


def _config(args: argparse.Namespace) -> Config:
    """Return the config of this autograder, or one whose seed is kept beside the results."""
    if args.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {args.jobs}")
    config = built_config()
    if config is not None:
        return config
    from coursework.staff.marking.guide import items  # an autograder that was built has them in its config

    kept = args.out / "seed.json"
    if args.seed is None and kept.exists():
        secret, pool = json.loads(kept.read_text(encoding="utf-8"))
    else:
        secret = args.seed or secrets.token_hex(16)
        pool = seeds.verified(secret)
    with atomic_writer(kept, "w") as stream:
        json.dump([secret, pool], stream)
    with contextlib.suppress(OSError):  # where a file system has no rights
        kept.chmod(0o600)
    return Config(secret, pool, judging.facts(args), items=items())
