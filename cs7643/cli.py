"""The command line: one parser, and for each command the room that does the work.

A room is a module with ``add_arguments(parser)`` and ``main(args) -> exit code``. It is imported for its own command
only, and in the environment that the command needs.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cs7643 import __version__, environment


@dataclass(frozen=True)
class Command:
    """A command: what it does in a line, the module that does it, and the extra of pyproject.toml that it needs."""

    help: str
    room: str
    extra: str | None = None


COMMANDS = {
    "run": Command("execute every notebook and leave a report in build/", "cs7643.execute"),
    # BEGIN STAFF
    "test": Command("check style and types, run the tests and compare the notebooks", "cs7643.workbench.test", "dev"),
    # END STAFF
    "lab": Command("open the notebooks in JupyterLab", "cs7643.workbench.lab"),
    "data": Command("show, download or verify the images", "cs7643.data.command"),
    "check": Command("check what you have written, task by task", "cs7643.checks.command"),
    "status": Command("show all tasks, their points, and what is left", "cs7643.checks.status"),
    "hint": Command("give a hint for a function", "cs7643.checks.hints"),
    "train": Command("train a model of problems 6.4 to 6.7", "cs7643.pytorch.command"),
    "predict": Command("write predictions.csv with a trained model", "cs7643.pytorch.predictions"),
    "plots": Command("draw the pictures of finished runs", "cs7643.pytorch.pictures"),
    "submit": Command("write hw1.zip and hw1.pdf, ready to hand in", "cs7643.submission.command", "pdf"),
    "site": Command("write the instructions as pages: build/site", "cs7643.handout.command"),
    # BEGIN STAFF
    "bench": Command("measure speed, as ratios", "cs7643.workbench.bench", "bench"),
    # END STAFF
    "clean": Command("remove what runs have made", "cs7643.workbench.clean"),
}


def main(
    arguments: Sequence[str] | None = None, commands: Mapping[str, Command] = COMMANDS, program: str = "cs7643"
) -> int:
    """Run a command of a program and return its exit code: 0 when all is well, 1 when it failed, 2 for a wrong call."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description="CS7643 Deep Learning, Homework 1. Each command sets up what it needs in .venv first.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in arguments if word in commands), None)
    for name, command in commands.items():
        subparser = subparsers.add_parser(name, help=command.help, description=command.help)
        if name == chosen:
            status = environment.prepare(command.extra, arguments, program=program) if name != "clean" else None
            if status is not None:
                return status
            room = importlib.import_module(command.room)
            room.add_arguments(subparser)
            subparser.set_defaults(main=room.main)
    args = parser.parse_args(arguments)
    try:
        return int(args.main(args))
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
