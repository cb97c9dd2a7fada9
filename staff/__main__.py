"""``python -m staff COMMAND``: the staff's command line, which works as that of cs7643 does, on any Python."""

import sys

from cs7643 import start

start.check("staff")

from cs7643.cli import main  # noqa: E402
from staff.options import COMMANDS  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(commands=COMMANDS, program="staff"))
