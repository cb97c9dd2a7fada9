"""``python -m staff.hostile``: grade all hostile submissions, and write README.md, about the autograder.

It is only written when all were graded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from coursework.files import atomic_writer
from coursework.progress import progress_bar
from coursework.root import ROOT
from coursework.terminal import guarded
from staff.hostile.attack import Outcome, attempt
from staff.hostile.catalogue import GROUPS

README = Path(__file__).resolve().parent / "README.md"
INTRODUCTION = """\
# The autograder

`docs/staff.md` says how to use it. The docstrings say how it works, beginning with
`coursework/staff/autograder/__init__.py`. The tables below list every hostile and broken submission: its points, which
are those that it has earned, and the line of the output that tells somebody what to do. Each was graded for one or two
tasks, with short limits; `staff/hostile/attack.py` works out what was earned, and checks what must hold.
This file is written by

```sh
.venv/bin/python -m staff.hostile
```

"""


def main() -> int:
    """Grade them; return how many were not dealt with as they should be."""
    parser = argparse.ArgumentParser(prog="python -m staff.hostile", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="those whose name holds it; README.md is not written"
    )
    only = parser.parse_args().only
    chosen = {group: [each for each in submissions if only in each.name] for group, submissions in GROUPS.items()}
    bar = progress_bar(total=sum(map(len, chosen.values())), desc="hostile")
    outcomes: dict[str, list[Outcome]] = {group: [] for group in chosen}
    for group, submissions in chosen.items():
        for submission in submissions:
            outcomes[group].append(attempt(submission))
            bar.update()
    bar.close()
    every = [outcome for found in outcomes.values() for outcome in found]
    bad = [outcome for outcome in every if outcome.faults]
    for outcome in bad:
        print(f"{outcome.submission.name}: {'; '.join(outcome.faults)}")
    print(f"{len(every)} submissions, {len(bad)} not dealt with as they should be")
    if not only:
        with atomic_writer(README, "w") as stream:
            stream.write(INTRODUCTION + "\n".join(_table(group, found) for group, found in outcomes.items()))
    return len(bad)


def _table(group: str, outcomes: list[Outcome]) -> str:
    rows = [f"## {group}", "", "| submission | points | the output says |", "| --- | --- | --- |"]
    for outcome in outcomes:
        said = outcome.said.replace(str(ROOT), "REPOSITORY")[:150].replace("|", "\\|").replace("<", "&lt;")
        verdict = f"**{'; '.join(outcome.faults)}**" if outcome.faults else said
        rows.append(f"| {outcome.submission.name} | {outcome.points:.2f} | {verdict} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(guarded(lambda: min(main(), 1), "hostile"))
