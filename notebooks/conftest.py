"""What ``pytest --nbval`` needs here, with nothing else set."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this repository, whichever is installed

from coursework.notebooks.nbval import *  # noqa: F403

del sys.path[0]
