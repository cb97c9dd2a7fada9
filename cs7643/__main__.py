"""``python -m cs7643 COMMAND``: the one command line. This file runs on any Python, to say when it is too old."""

import sys

from coursework import start

start.check("cs7643")

from coursework.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
