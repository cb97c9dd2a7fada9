"""``python -m cs7643 data``: shows which images are used, fetches CIFAR-10, and checks a copy of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from coursework.terminal import complain
from cs7643.data import cifar10
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import DatasetError
from cs7643.data.download import download
from cs7643.data.sources import DATASETS, find, first_holding


def main(args: argparse.Namespace, *, catalogue: Catalogue = CIFAR10, datasets: Path = DATASETS) -> int:
    """Run the sub-command and return its exit code."""
    if args.download and args.cifar10_dir is not None:
        return complain("data", "--download fetches into datasets/ and takes no --cifar10-dir", code=2)
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
        return complain("data", str(error))


def _download(catalogue: Catalogue, datasets: Path) -> int:
    folder = first_holding(datasets, catalogue) or datasets / catalogue.folder
    if folder.exists():
        print(f"{folder} exists already: checking it")
        return _verify(folder, catalogue)
    try:
        download(datasets, catalogue=catalogue)
    except KeyboardInterrupt:
        return complain("data", f"stopped; the same command resumes the download in {datasets}", code=130)
    print(f"CIFAR-10 is in {folder}, every file checked")
    return 0


def _verify(folder: Path | None, catalogue: Catalogue) -> int:
    if folder is None:
        return complain("data", "there is no CIFAR-10 to check; --download fetches it, --cifar10-dir names a folder")
    dataset, differing = cifar10.read(folder, catalogue)
    print(f"{dataset.name} in {folder}")
    others = f"Readable and complete, but these are not the official files: {', '.join(differing)}"
    print(others if differing else "Complete, and every checksum is the official one")
    return 0
