"""``python -m staff.mutants``: try the checks on wrong solutions, on many seeds, and on every small change.

Without a command it does all three, and writes README.md; the parts that were done before are not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from cs7643.checks.tasks import TASKS
from cs7643.files import atomic_writer
from cs7643.progress import progress_bar
from staff.mutants import automatic, page
from staff.mutants.catalogue import MUTANTS
from staff.mutants.mutant import ROOT
from staff.mutants.trial import attempt, register_cases, solution

SEEDS = ROOT / "build" / "mutation" / "seeds.json"


def main() -> int:
    """Run a command; return 0 if the checks are as good as they should be."""
    parser = argparse.ArgumentParser(prog="python -m staff.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs="?", default="all", choices=("table", "seeds", "automatic", "all"))
    parser.add_argument("--count", type=int, default=200, help="the number of seeds (default: 200)")
    args = parser.parse_args()
    wrong = 0
    if args.command in ("seeds", "all"):
        wrong += _seeds(args.count)
    if args.command in ("automatic", "all"):
        automatic.run()
        wrong += sum(len(tally.survivors) - tally.equivalent for tally in automatic.tallies())
    if args.command in ("table", "all"):
        register_cases()
        trials = [attempt(mutant) for mutant in progress_bar(MUTANTS, desc="mutants")]
        missed = [trial.mutant.name for trial in trials if not trial.found]
        named = sum(trial.named for trial in trials)
        print(f"{len(trials)} mutants, {len(missed)} missed, {named} with the right diagnosis")
        wrong += len(missed)
        if args.command == "all":
            text = page.write(trials, automatic.tallies(), json.loads(SEEDS.read_text(encoding="utf-8")))
            with atomic_writer(Path(__file__).with_name("README.md"), "w") as stream:
                stream.write(text)
    return 1 if wrong else 0


def _seeds(count: int) -> int:
    """Check the solution on other inputs; return how many false alarms there were."""
    register_cases()
    start, alarms, cases = time.monotonic(), [], 0
    for seed in progress_bar(range(1, count + 1), desc="seeds"):
        for task in TASKS:
            for module, name in task.functions:
                verdict = solution(module, name, seed)
                cases += len(verdict.outcomes)
                alarms += [
                    f"seed {seed}, {name}: {o.title}: {o.message}" for o in verdict.outcomes if o.status != "right"
                ]
    print(*alarms, sep="\n", end="\n" * bool(alarms))
    print(f"{count} seeds, {cases} cases, {len(alarms)} false alarms, {time.monotonic() - start:.0f} s")
    with atomic_writer(SEEDS, "w") as stream:
        json.dump({"seeds": count, "cases": cases, "alarms": len(alarms)}, stream)
    return len(alarms)


if __name__ == "__main__":
    sys.exit(main())
