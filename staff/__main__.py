"""``python -m staff COMMAND``: the staff's command line, which works as that of cs7643 does."""

import sys

from cs7643.cli import Command, main

COMMANDS = {
    "grade": Command("grade one submission, or a class, as the autograder does", "staff.autograder.command"),
    "autograder": Command("build dist/autograder.zip for Gradescope", "staff.autograder.build"),
    "release": Command("build the student edition, and prove that nothing leaks", "staff.release.command", "staff"),
}

if __name__ == "__main__":
    sys.exit(main(commands=COMMANDS, program="staff"))
