"""The command `clean`: remove what runs have created."""

from __future__ import annotations

import argparse

from coursework.files import remove
from coursework.root import ROOT

BUILD, KEPT = "build", "before-submit"  # in build/: a student's notebooks as they were before `submit` ran them
MADE = ("dist", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "notebooks/.ipynb_checkpoints")


def main(args: argparse.Namespace) -> int:
    """Remove the folders and say which. Your code, your notebooks and downloaded data stay, and copies of notebooks."""
    names = [*MADE, *([".venv", ".venv.old", ".venv.lock", ".venv.log"] if args.all else [])]
    found = [path for path in (ROOT / name for name in names) if path.exists()]
    build = ROOT / BUILD
    if (build / KEPT).exists():
        found += [path for path in build.iterdir() if path.name != KEPT]
    elif build.exists():
        found.append(build)
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    caches = [path for folder in folders for path in folder.rglob("__pycache__")]
    for path in (*found, *caches):
        remove(path)
    print("removed " + (", ".join(path.name for path in found) or "nothing but caches of Python"))
    return 0
