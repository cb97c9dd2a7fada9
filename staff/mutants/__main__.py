"""``python -m staff.mutants``: try the checks on wrong solutions, on many seeds, and on every small change.

Without a command it does all three, and writes README.md; the parts that were done before are not done again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from coursework.files import atomic_writer
from coursework.progress import progress_bar
from coursework.staff.mutants import automatic, readme, seeds
from coursework.staff.mutants.attempt import attempt, attempt_both, register_cases
from coursework.terminal import guarded
from staff.mutants.catalogue import MUTANTS, SECOND
from staff.second.pairs import PAIRS

MUTANT = {(mutant.style, mutant.function, mutant.name): mutant for mutant in [*MUTANTS, *SECOND]}


def main() -> int:
    """Run a command; return 0 if the checks are as good as they should be."""
    parser = argparse.ArgumentParser(prog="python -m staff.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs="?", default="all", choices=("table", "seeds", "automatic", "all"))
    parser.add_argument("--count", type=int, default=200, help="the number of seeds (default: 200)")
    args = parser.parse_args()
    wrong = 0
    if args.command in ("seeds", "all"):
        alarms = seeds.run(args.count)
        print(*alarms.alarms, sep="\n", end="\n" * bool(alarms.alarms))
        print(f"{alarms.seeds} seeds, {alarms.cases} cases, {len(alarms.alarms)} false alarms")
        wrong += len(alarms.alarms)
    if args.command in ("automatic", "all"):
        automatic.run()
        tallies = automatic.tallies()
        unexplained = sum(len(tally.survivors) - tally.equivalent for tally in tallies)
        print(f"{unexplained} small changes that the checks let through, without a known reason")
        wrong += unexplained
    if args.command in ("table", "all"):
        register_cases()
        trials = [attempt(mutant) for mutant in progress_bar([*MUTANTS, *SECOND], desc="mutants")]
        pairs = [attempt_both([MUTANT[style, function, name] for name in names]) for function, style, names in PAIRS]
        missed = [trial.mutant.name for trial in trials if not trial.found]
        print(*readme.styles(trials, pairs), sep="\n")
        wrong += len(missed)
        if args.command == "all":
            with atomic_writer(Path(__file__).with_name("README.md"), "w") as stream:
                stream.write(readme.write(trials, pairs, tallies, alarms))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(guarded(main, "mutants"))
