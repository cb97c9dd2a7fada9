"""``python -m cs7643 COMMAND``: the one command line. This file runs on any Python, to say when it is too old."""

import sys

if sys.version_info < (3, 10):
    sys.stderr.write(
        "cs7643 needs Python 3.10 or newer, and %s is Python %d.%d: install a newer one and name it, "
        "as in: make run PYTHON=python3.12\n" % (sys.executable, sys.version_info[0], sys.version_info[1])
    )
    sys.exit(1)

from cs7643.cli import main

if __name__ == "__main__":
    sys.exit(main())
