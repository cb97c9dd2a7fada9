"""``python -m cs7643 data``: shows which images are used, fetches CIFAR-10, and checks a copy of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cs7643.data import cifar10
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import DatasetError
from cs7643.data.download import download
from cs7643.data.sources import DATASETS, find, first_holding


def main(
    args: argparse.Namespace,
    *,
    catalogue: Catalogue = CIFAR10,
    datasets: Path = DATASETS,
) -> int:
    """Run the sub-command and return its exit code."""
    if args.download and args.cifar10_dir is not None:
        return _complain("--download fetches into datasets/ and takes no --cifar10-dir", code=2)
    try:
        if args.download:
            return _download(catalogue, datasets)
        source = find(args.cifar10_dir, catalogue=catalogue, datasets=datasets)
        if args.verify:
            return _verify(source.folder, catalogue)
        if source.folder:
            print(f"CIFAR-10 in {source.folder} ({source.reason}); --verify checks it")
        else:
            print(f"The embedded default, Shapes-10 ({source.reason}); --download fetches CIFAR-10")
        return 0
    except DatasetError as error:
        return _complain(str(error))


def _download(catalogue: Catalogue, datasets: Path) -> int:
    folder = first_holding(datasets, catalogue) or datasets / catalogue.folder
    if folder.exists():
        print(f"{folder} exists already: checking it")
        return _verify(folder, catalogue)
    try:
        download(datasets, catalogue=catalogue)
    except KeyboardInterrupt:
        return _complain(f"stopped; the same command resumes the download in {datasets}", code=130)
    print(f"CIFAR-10 is in {folder}, every file checked")
    return 0


def _verify(folder: Path | None, catalogue: Catalogue) -> int:
    if folder is None:
        return _complain("there is no CIFAR-10 to check; --download fetches it, --cifar10-dir names a folder")
    dataset, differing = cifar10.read(folder, catalogue)
    print(f"{dataset.name} in {folder}")
    if differing:
        print(f"Readable and complete, but these are not the official files: {', '.join(differing)}")
    else:
        print("Complete, and every checksum is the official one")
    return 0


def _complain(message: str, code: int = 1) -> int:
    print(f"data: {message}", file=sys.stderr)
    return code
