"""The command line: one parser, and for each command a room that does the work.

A room is a module with ``main(args) -> exit code``. It is imported only for its own command, after the command line has
been parsed, and in the environment that the command needs.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence

from coursework import environment
from coursework.homework import Command, homework
from coursework.options import COMMANDS
from coursework.terminal import guarded


def main(
    arguments: Sequence[str] | None = None, commands: Mapping[str, Command] | None = None, program: str = ""
) -> int:
    """Run a command of a program and return its exit code: 0 when all is well, 1 when it failed, 2 for a wrong call.

    By default the words are those of the command line, the commands the homework's, and the program its package.
    """
    program, commands = program or homework().package, commands or all_commands()
    words = sys.argv[1:] if arguments is None else list(arguments)
    name = next((word for word in words if word in commands), program)
    return guarded(lambda: _call(words, commands, program), name)


def all_commands() -> dict[str, Command]:
    """Return every command of the homework's program, in the order of ``--help``."""
    names = list(COMMANDS)
    before = names[: names.index("submit")]
    return {**{name: COMMANDS[name] for name in before}, **homework().commands, **COMMANDS}


def parser_of(words: Sequence[str], commands: Mapping[str, Command], program: str) -> argparse.ArgumentParser:
    """Return the parser of a program's command line, with the options of those commands that ``words`` name."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=f"{homework().title}. Each command sets up what it needs in .venv first.",
    )
    parser.add_argument("--version", action="version", version=homework().version)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=bool(words))
    for name, command in commands.items():
        subparser = subparsers.add_parser(name, help=command.help, description=command.help)
        if name in words:
            command.arguments(subparser)
        subparser.set_defaults(complain=subparser.error)  # with the usage of the command that was called
    return parser


def _call(words: Sequence[str], commands: Mapping[str, Command], program: str) -> int:
    parser = parser_of(words, commands, program)
    if any("\0" in word for word in words):
        parser.error("an argument holds a NUL character")
    args, unknown = parser.parse_known_args(words)
    if args.command is None:
        parser.print_help()
        return 2
    command = commands[args.command]
    if unknown:
        args.complain(f"unrecognized arguments: {' '.join(unknown)}; --help lists the known ones")
    status = None if command.bare else environment.prepare(command.extra, words, program=program)
    return int(importlib.import_module(command.room).main(args)) if status is None else status


if __name__ == "__main__":
    sys.exit(main())
