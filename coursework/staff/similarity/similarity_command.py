"""``python -m staff similarity``: which submissions of a class share more than the given code explains."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from coursework.homework import homework
from coursework.staff.autograder import classrun, exports
from coursework.staff.similarity import compare, material, pages
from coursework.terminal import explain


def main(args: argparse.Namespace) -> int:
    """Run the command and return its exit code: 1 if it failed, or somebody's submission could not be compared."""
    try:
        for place in (args.submissions, *args.earlier):
            if not place.exists():
                raise ValueError(f"there is no file or folder {place}")
        if args.pairs < 1 or args.jobs < 1:
            raise ValueError(f"--pairs and --jobs must be at least 1, got {args.pairs} and {args.jobs}")
        given = material.student_edition()
        documents, skipped = _documents(args.submissions, "", given, args.jobs)
        for place in args.earlier:
            more, missing = _documents(place, place.stem or str(place), given, args.jobs)
            documents += more
            skipped |= missing
        pairs = compare.pairs(documents, given, args.pairs)
        pages.write(documents, pairs, skipped, args.out)
    except ModuleNotFoundError as error:
        if error.name != "copydetect":
            raise
        print("similarity: copydetect is not installed: pip install -e '.[similarity]'", file=sys.stderr)
        return 1
    except (ValueError, OSError) as error:
        print(f"similarity: {explain(error) or error}", file=sys.stderr)
        return 1
    for name, why in sorted(skipped.items()):
        print(f"{name}: {why}", file=sys.stderr)
    print(f"{args.out / 'index.html'}: {len(pairs)} pairs, sorted; nobody is accused")
    return min(1, len(skipped))


def _documents(
    place: Path, earlier: str, given: dict[str, str], jobs: int
) -> tuple[list[material.Document], dict[str, str]]:
    """Return what there is to compare of a class, and why some of it is not compared, by name."""
    found = exports.find(place)
    if found is None:
        raise ValueError(f"{place}: expected a class, of {homework().title}, and it is one submission")
    print(found.heading, flush=True)
    taken, missing = classrun.take_all(found, jobs, also=True)
    people = {student.name: student.person for student in found.students}
    documents = []
    for name, submission in taken.items():
        owner = f"{people[name]} ({name})" if people[name] and people[name] not in name else name
        documents += material.documents(owner, submission, given, earlier)
    return documents, {f"{earlier}: {name}" if earlier else name: why for name, why in missing.items()}
