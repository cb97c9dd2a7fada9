"""Where the repository is: the folder that holds README.md, the homework and this package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
