"""``python -m staff grade``: one submission, or a whole class."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import secrets
import sys

from coursework.files import atomic_writer
from coursework.progress import progress_bar
from coursework.staff.autograder import classrun, judging, seeds, student_report
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config, built_config
from coursework.terminal import explain


def main(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        limits = Limits() if args.timeout is None else dataclasses.replace(Limits(), call=args.timeout)
        config = _config(args)
        if not args.single and not args.submission.exists():
            raise ValueError(f"there is no file or folder {args.submission}")
        found = {} if args.single else classrun.submissions(args.submission)
        if found:
            return classrun.run(found, args.out, config, limits, args.tasks, args.jobs, args.scheduler)
        output = args.out / "results.json"
        for _ in progress_bar([args.submission], desc="grading"):
            graded = grade(args.submission, output, config, limits, args.tasks)
    except (ValueError, OSError) as error:
        print(f"grade: {explain(error) or error}", file=sys.stderr)
        return 1
    tests = [test for test in graded["tests"] if "max_score" in test and test["output"] != student_report.NOT_GRADED]
    for test in tests:
        print(f"{test['score']:5.2f} of {test['max_score']:5.2f}  {test['name']}")
    earned, most = student_report.points(graded), student_report.most({"tests": tests})
    print(f"{output}: {earned:g} of the {most:g} points of these tests")
    return 0


def _config(args: argparse.Namespace) -> Config:
    """Return the config of this autograder, or one whose seed is kept beside the results."""
    config = built_config()
    if config is not None:
        return config
    if args.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {args.jobs}")
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
    return Config(secret, pool, judging.facts(args))
