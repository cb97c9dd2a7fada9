"""``python -m cs7643 check``: the checks in a terminal."""

from __future__ import annotations

import argparse
import json
import sys

from cs7643.checks.case import SEED
from cs7643.checks.report import check
from cs7643.checks.tasks import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``check``."""
    parser.add_argument(
        "what", nargs="*", help="tasks (6.2) or functions (conv_forward_naive); all tasks when not given"
    )
    parser.add_argument("--all", action="store_true", help="all tasks, which is the default")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="of the inputs: the same cases on other numbers and shapes"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def main(args: argparse.Namespace) -> int:
    """Run the checks, print what came of them, and return 0 if all is right, 1 if not, 2 for an unknown name."""
    reports = []
    for what in args.what if args.what and not args.all else [task.number for task in TASKS]:
        try:
            reports.append(check(what, seed=args.seed))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        if not args.json:
            print(reports[-1], flush=True)
    if args.json:
        print(json.dumps({"checks": [report.as_dict() for report in reports]}, indent=2))
    return 0 if all(report.passed for report in reports) else 1
