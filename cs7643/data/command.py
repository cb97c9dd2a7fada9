"""``python -m cs7643 data``: which images are used; fetching CIFAR-10; checking a copy of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cs7643.data import cifar10
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import DatasetError
from cs7643.data.download import Patience, download
from cs7643.data.sources import DATASETS, ENVIRONMENT_VARIABLE, find

DESCRIPTION = f"""\
Show which images the homework would use: those of --cifar10-dir, else of the folder that {ENVIRONMENT_VARIABLE} names,
else CIFAR-10 in datasets/, else the embedded default, which needs no download."""
EXAMPLES = """\
examples:
  python -m cs7643 data                                    which images would be used, and why
  python -m cs7643 data --download                         fetch CIFAR-10 (170 MB) into datasets/
  python -m cs7643 data --verify                           check it, file by file
  python -m cs7643 data --verify --cifar10-dir "my data"   check a copy that lies elsewhere

The exit code is 0 if all went well, 1 if data is missing, damaged or cannot be fetched, 2 for a wrong command line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this sub-command's arguments."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--download", action="store_true", help="fetch CIFAR-10 into datasets/, or go on doing so")
    action.add_argument("--verify", action="store_true", help="read and check every file of CIFAR-10")
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder cifar-10-batches-py, or the one that holds it")


def main(
    args: argparse.Namespace,
    *,
    catalogue: Catalogue = CIFAR10,
    datasets: Path = DATASETS,
    patience: Patience | None = None,
) -> int:
    """Run the sub-command and return its exit code."""
    if args.download and args.cifar10_dir is not None:
        return _complain("--download fetches into datasets/ and takes no --cifar10-dir", code=2)
    try:
        if args.download:
            return _download(catalogue, datasets, patience)
        source = find(args.cifar10_dir, catalogue=catalogue, datasets=datasets)
        if args.verify:
            return _verify(source.folder, catalogue)
        if source.folder:
            print(f"CIFAR-10 in {source.folder} ({source.reason}); --verify checks it")
        else:
            print(f"The embedded default, Shapes-10 ({source.reason}); --download fetches CIFAR-10")
        return 0
    except (DatasetError, OSError) as error:
        return _complain(str(error))


def _download(catalogue: Catalogue, datasets: Path, patience: Patience | None) -> int:
    folder = datasets / catalogue.folder
    if folder.exists():
        print(f"{folder} is there already: checking it")
        return _verify(folder, catalogue)
    try:
        download(datasets, catalogue=catalogue, patience=patience)
    except KeyboardInterrupt:
        return _complain(
            f"stopped; what has come lies in {datasets}, and the same command goes on from there", code=130
        )
    print(f"CIFAR-10 is in {folder}, every file checked")
    return 0


def _verify(folder: Path | None, catalogue: Catalogue) -> int:
    if folder is None:
        return _complain("there is no CIFAR-10 to check; --download fetches it, --cifar10-dir names a folder")
    dataset, differing = cifar10.read(folder, catalogue)
    print(f"{dataset.name} in {folder}")
    if differing:
        print(f"Readable and complete, but not the official files: {', '.join(differing)}")
    else:
        print("Complete, and every checksum is the official one")
    return 0


def _complain(message: str, code: int = 1) -> int:
    print(f"data: {message}", file=sys.stderr)
    return code
