"""The clean copy of the package that a submission's files are put into, that of the student edition; and the seeds."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursework.homework import homework
from coursework.root import ROOT

BUILT = ROOT / "autograder.json"  # is there in an autograder that was built, and holds its seeds
STAFF = "coursework/staff/"


@dataclass(frozen=True)
class Config:
    """What belongs to one autograder.

    Attributes:
        secret: the text that the hidden seeds are derived from.
        pool: the hidden seeds.
        facts: what the homework's judge needs.
        rounds: how many of the seeds grade a submission.
        items: for each task that a person marks, the items of the marking guide.
    """

    secret: str
    pool: Sequence[int]
    facts: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 2
    items: Mapping[str, Sequence[str]] = field(default_factory=dict)


def files_of(module: str) -> list[Path]:
    """Return the files of a module or package, and those that make packages of the folders around it.

    Args:
        module: its name; "" for none.
    """
    if not module:
        return []
    place = ROOT.joinpath(*module.split("."))
    around = [folder / "__init__.py" for folder in place.parents if folder != ROOT and folder.is_relative_to(ROOT)]
    return [*around, *(sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")])]


@functools.cache
def clean_package() -> dict[str, bytes]:
    """Return the files of both packages as a student gets them, by their paths."""
    packages = ("coursework/", f"{homework().package}/")
    if BUILT.exists():
        paths = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
        found = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
        return {path: content for path, content in found.items() if not path.startswith(STAFF)}
    from coursework.staff.release import contents, edition  # an autograder that was built has neither

    made = edition.make_edition(contents.read_source(ROOT))
    return {path: content for path, content in made.files.items() if path.startswith(packages)}


def built_config() -> Config | None:
    """Return the config of a built autograder; None in the repository."""
    if not BUILT.exists():
        return None
    return Config(**json.loads(BUILT.read_text(encoding="utf-8")))
