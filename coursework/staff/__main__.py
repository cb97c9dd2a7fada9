"""``python -m coursework.staff COMMAND``: the staff's command line; this file runs on any Python, as the homework's."""

import sys

from coursework import start


def run(program):
    # type: (str) -> None
    """Run a command of the staff and exit; ``program`` is the module that was called."""
    start.check(program)
    from coursework.cli import main
    from coursework.staff.staff_options import COMMANDS

    sys.exit(main(commands=COMMANDS, program=program))


if __name__ == "__main__":
    run("coursework.staff")
