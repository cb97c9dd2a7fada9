"""``python -m coursework.staff COMMAND``: the staff's command line, which works like that of the homework."""

import sys

from coursework import start

PROGRAM = "coursework.staff"
start.check(PROGRAM)

from coursework.cli import main  # noqa: E402
from coursework.staff.options import COMMANDS  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(commands=COMMANDS, program=PROGRAM))
