"""Which data set is used: an explicit folder, CIFAR-10 in datasets/, or the embedded default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cs7643.data import cifar10
from cs7643.data.cifar10 import CIFAR10, Catalogue
from cs7643.data.dataset import Dataset, DatasetError

ENVIRONMENT_VARIABLE = "CS7643_CIFAR10"
EMBEDDED = "embedded"
DATASETS = Path(__file__).resolve().parents[2] / "datasets"

_announced: set[str] = set()


@dataclass(frozen=True)
class Source:
    """Where the images come from, and why from there."""

    folder: Path | None  # the one that holds data_batch_1 and so on; None: the embedded default
    reason: str


def find(directory: str | Path | None = None, *, catalogue: Catalogue = CIFAR10, datasets: Path = DATASETS) -> Source:
    """Find the data set to use.

    It is the first there is of: ``directory``; what the environment variable CS7643_CIFAR10 names;
    ``datasets/cifar-10-batches-py``; the embedded default, which needs no file.

    Args:
        directory: holds the batch files, or the folder cifar-10-batches-py with them; the word "embedded" asks for
            the embedded default (the environment variable too).
        catalogue: what CIFAR-10 is.
        datasets: where downloaded data lies.

    Raises:
        DatasetError: if a folder that was named does not hold CIFAR-10. It is never passed over in silence.
    """
    reason = "as asked for"
    if directory is None and os.environ.get(ENVIRONMENT_VARIABLE):
        directory, reason = os.environ[ENVIRONMENT_VARIABLE], f"as {ENVIRONMENT_VARIABLE} says"
    if directory is not None:
        return Source(None if directory == EMBEDDED else _locate(Path(directory), catalogue, reason), reason)
    folder = datasets / catalogue.folder
    if folder.exists():
        return Source(folder, "found there")
    return Source(None, f"there is no {folder}")


def load(
    directory: str | Path | None = None,
    *,
    announce: bool = True,
    catalogue: Catalogue = CIFAR10,
    datasets: Path = DATASETS,
) -> Dataset:
    """Read the data set that :func:`find` finds, and print its name the first time in a process.

    Args:
        directory: as for :func:`find`.
        announce: whether to print it.
        catalogue: what CIFAR-10 is.
        datasets: where downloaded data lies.

    Raises:
        DatasetError: if it is not there, damaged or foreign; the message names the file and says what to do.
    """
    folder = find(directory, catalogue=catalogue, datasets=datasets).folder
    dataset = cifar10.read(folder, catalogue)[0] if folder else _draw()
    if announce and dataset.name not in _announced:
        _announced.add(dataset.name)
        print(f"Data: {dataset.name}")
    return dataset


def _locate(directory: Path, catalogue: Catalogue, reason: str) -> Path:
    directory = directory.expanduser()
    for folder in (directory, directory / catalogue.folder):
        if any((folder / name).exists() for name in catalogue.files):
            return folder
    raise DatasetError(
        f"{directory} ({reason}): neither it nor a folder {catalogue.folder} in it holds CIFAR-10 in its Python "
        f"version ({', '.join(catalogue.files)}). Name the folder that does, or leave it out to go on with other data."
    )


def _draw() -> Dataset:
    from cs7643.data import shapes  # only here: who has CIFAR-10 need not wait for it

    X_train, y_train, X_test, y_test = shapes.draw()
    return Dataset(shapes.NAME, X_train, y_train, X_test, y_test, shapes.CLASS_NAMES, is_cifar10=False)
