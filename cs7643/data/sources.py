"""Choosing the data set: a folder that is named, CIFAR-10 in datasets/, or the embedded default."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cs7643.data import cifar10, shapes
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import Dataset, DatasetError

ENVIRONMENT_VARIABLE = "CS7643_CIFAR10"
EMBEDDED = "embedded"
DATASETS = Path(__file__).resolve().parents[2] / "datasets"

_announced: set[str] = set()


@dataclass(frozen=True)
class Source:
    """Where the images come from, and why."""

    folder: Path | None  # the one that holds data_batch_1 and so on; None: the embedded default
    reason: str


def find(directory: str | Path | None = None, *, catalogue: Catalogue = CIFAR10, datasets: Path = DATASETS) -> Source:
    """Find the data set to use.

    It is the first of: ``directory``; the folder that the environment variable CS7643_CIFAR10 names;
    ``datasets/cifar-10-batches-py``; the embedded default, which needs no file.

    A folder is the one with the batch files, or the one that holds cifar-10-batches-py; "embedded" means the embedded
    default (in the environment variable, too).

    Raises:
        DatasetError: if a folder that was named does not hold CIFAR-10; it is never skipped silently.
    """
    reason = "as requested"
    if directory is None and os.environ.get(ENVIRONMENT_VARIABLE):
        directory, reason = os.environ[ENVIRONMENT_VARIABLE], f"as {ENVIRONMENT_VARIABLE} says"
    if directory is not None:
        return Source(None if directory == EMBEDDED else _locate(Path(directory), catalogue, reason), reason)
    folder = first_holding(datasets, catalogue) or datasets / catalogue.folder
    if folder.exists():
        return Source(folder, "found there")
    near = near_matches(datasets, catalogue)
    but = f", but there is {_listed(near)}: --download uses it if possible" if near else ""
    return Source(None, f"there is no {folder}{but}")


def load(
    directory: str | Path | None = None,
    *,
    announce: bool = True,
    catalogue: Catalogue = CIFAR10,
    datasets: Path = DATASETS,
) -> Dataset:
    """Read the data set that :func:`find` finds, and print its name the first time in a process, unless told otherwise.

    A DatasetError names the file that is missing, damaged or not CIFAR-10, and says what to do.
    """
    folder = find(directory, catalogue=catalogue, datasets=datasets).folder
    if folder:
        dataset = cifar10.read(folder, catalogue)[0]
    else:
        dataset = Dataset(shapes.NAME, *shapes.draw(), shapes.CLASS_NAMES, is_cifar10=False)
    if announce and dataset.name not in _announced:
        _announced.add(dataset.name)
        print(f"Data: {dataset.name}")
    return dataset


def for_notebooks(args: argparse.Namespace) -> dict[str, str]:
    """Print which images the notebooks will use, and return the variable that selects them; errors as for `load`."""
    source = find(args.cifar10_dir)
    if source.folder is None:
        print(f"Data: {shapes.NAME}")
        return {ENVIRONMENT_VARIABLE: EMBEDDED}
    print(f"Data: {cifar10.read(source.folder)[0].name}")  # read now, so that a damaged file is reported at once
    return {ENVIRONMENT_VARIABLE: str(source.folder.resolve())}


def _locate(directory: Path, catalogue: Catalogue, reason: str) -> Path:
    directory = directory.expanduser()
    if folder := first_holding(directory, catalogue):
        return folder
    near = near_matches(directory, catalogue)
    if directory.is_file():
        problem = f"it is a file, not a folder. If it is the archive, move it into {DATASETS} for `data --download`"
    elif not directory.exists():
        problem = "there is no such folder"
    else:
        instead = f", but there is {_listed(near)}" if near else f" ({', '.join(catalogue.files)})"
        problem = f"neither it nor a folder {catalogue.folder} in it holds CIFAR-10 in its Python version{instead}"
    advice = "Name the folder that holds it, or leave it out to use other images."
    raise DatasetError(f"{directory} ({reason}): {problem}. {advice}")


def first_holding(directory: Path, catalogue: Catalogue) -> Path | None:
    """Return the folder that holds the batch files, or some of them: the directory, or one inside it.

    Some programs unpack into a folder named after the archive, or put the folder into another one of the same name.
    """
    inner = directory / catalogue.folder
    by_archive = directory / catalogue.archive.removesuffix(".tar.gz") / catalogue.folder
    for folder in (directory, inner, inner / catalogue.folder, by_archive):
        if any((folder / name).is_file() for name in catalogue.files):
            return folder
    return None


def near_matches(directory: Path, catalogue: Catalogue) -> list[Path]:
    """Return the files in a directory that may be the archive or folder under another name, or part of a download."""
    present = directory.iterdir() if directory.is_dir() else ()
    found = [path for path in present if re.match(r"cifar[-_ ]?10|unconfirmed .*\.crdownload", path.name, re.I)]
    return sorted(found, key=lambda path: (path.name != catalogue.archive, path.name))


def _listed(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths)
