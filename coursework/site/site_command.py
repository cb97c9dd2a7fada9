"""The command `site`: the instructions and the notebooks as pages in build/site, which load nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from coursework.files import atomic_writer
from coursework.notebooks import kernels
from coursework.root import ROOT
from coursework.site import notebook_page
from coursework.submit import notebooks
from coursework.terminal import explain


def main(args: argparse.Namespace, *, root: Path = ROOT) -> int:
    """Write the pages and say where; return 0, or 1 if a notebook cannot be read or a page cannot be written."""
    found = {}
    try:
        for path in kernels.find(root / "notebooks"):
            try:
                found[path.stem] = notebooks.read(path)
            except ValueError as error:
                raise ValueError(f"notebooks/{path.name} is not a whole notebook ({error})") from error
        for name, text in notebook_page.write(found, root):
            with atomic_writer(args.output / name, "w") as stream:
                stream.write(text)
    except (ValueError, OSError) as error:
        print(f"site: {explain(error) or error}", file=sys.stderr)
        return 1
    print(f"Open {args.output / 'index.html'}")
    return 0
