"""``python -m cs7643 check``: the checks in a terminal."""

from __future__ import annotations

import argparse
import sys

from cs7643.checks.report import check
from cs7643.checks.tasks import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``check``."""
    parser.add_argument(
        "what", nargs="*", help="tasks (6.2) or functions (conv_forward_naive); all tasks when not given"
    )


def main(args: argparse.Namespace) -> int:
    """Run the checks, print what came of them, and return 0 if all is right, 1 if not, 2 for an unknown name."""
    passed = True
    for what in args.what or [task.number for task in TASKS]:
        try:
            report = check(what)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        print(report)
        passed &= report.passed
    return 0 if passed else 1
