"""The clean copy of the package that a submission's files are put into, that of the student edition; and the seeds."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursework.root import ROOT
from coursework.staff.autograder import STAFF_ACCURACY

BUILT = ROOT / "autograder.json"  # is there in an autograder that was built, and holds its seeds
PACKAGES, STAFF = ("coursework/", "cs7643/"), "coursework/staff/"
LABELS = ROOT / "labels.txt"


@dataclass(frozen=True)
class Config:
    """What belongs to one autograder.

    Attributes:
        secret: what the hidden seeds are made of.
        labels: the digits of the true labels of the test images, "" where there are none.
        staff_accuracy: the accuracy of the staff's model on them.
        rounds: how many hidden seeds there are.
    """

    secret: str
    labels: str = ""
    staff_accuracy: float = STAFF_ACCURACY
    rounds: int = 2


@functools.cache
def clean_package() -> dict[str, bytes]:
    """Return the files of both packages as a student gets them, by their paths."""
    if BUILT.exists():
        paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
        found = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
        return {path: content for path, content in found.items() if not path.startswith(STAFF)}
    from coursework.staff.release import contents, edition  # an autograder that was built has neither

    source = contents.read_source(ROOT)
    made = edition.make_edition(source, contents.read_contents(source[contents.CONTENTS].decode()))
    return {path: content for path, content in made.files.items() if path.startswith(PACKAGES)}


def built_config() -> Config | None:
    """Return the config of an autograder that was built; None in the repository."""
    if not BUILT.exists():
        return None
    fields: dict[str, Any] = json.loads(BUILT.read_text(encoding="utf-8"))
    return Config(**fields, labels=LABELS.read_text(encoding="utf-8").strip() if LABELS.exists() else "")


def paths_of(path: Path) -> tuple[Path, ...]:
    """Return a folder that a worker must not see: the one that holds this file, if it is no folder itself."""
    resolved = path.resolve()
    return (resolved if resolved.is_dir() else resolved.parent,)


def labels_of(folder: str | None) -> str:
    """Return the true labels of CIFAR-10's test images as digits; "" if no folder is given.

    Raises:
        ValueError: if CIFAR-10 is not there.
    """
    if folder is None:
        return ""
    from cs7643 import data

    dataset = data.load(folder, announce=False)
    return "".join(map(str, dataset.y_test.tolist()))
