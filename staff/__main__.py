"""``python -m staff COMMAND``: the staff's command line, which works like that of cs7643, on any Python."""

import sys

from coursework import start

start.check("staff")

from coursework.cli import main  # noqa: E402
from coursework.staff.options import COMMANDS  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(commands=COMMANDS, program="staff"))
