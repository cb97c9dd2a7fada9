"""``python -m toy COMMAND``."""

import sys

from coursework.cli import main

if __name__ == "__main__":
    sys.exit(main())
