"""Names of files: those that not every system can hold, and those that are nearly the one that is looked for."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from coursework.submit.finding import Finding
from coursework.submit.text import HALF

FORBIDDEN = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f-\x9f]')  # in the name of a file, on Windows
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\..*)?", re.I)  # whatever the ending
COPY = re.compile(r"^copy of |[ _-]*(\(?\d+\)?|\(?(copy|kopie) ?\d*\)?|final|new|old|backup)$", re.I)
ADDED = re.compile(r"(\.(txt|md|json))+$")  # endings that editors and browsers add, or put in the place of another
ALIKE = 0.75  # of the letters, as difflib counts them


def is_hidden(path: str) -> bool:
    """Tell whether a file or a folder above it begins with a dot: what systems and editors leave, as ``._x.ipynb``."""
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def unportable(path: str) -> str:
    """Say why not every system can hold a file of this path, with slashes; "" if every system can."""
    if HALF.search(path):
        return "is not UTF-8"
    for part in path.split("/"):
        if odd := FORBIDDEN.search(part):
            char = odd[0] if odd[0].isprintable() else f"U+{ord(odd[0]):04X}"
            return f"cannot be unpacked on Windows, which does not allow {char} in it"
        if DEVICE.fullmatch(part):
            return f"cannot be unpacked on Windows, where {part} is a device"
        if part.endswith((".", " ")):
            return f"cannot be unpacked on Windows, where no name ends in a {'dot' if part[-1] == '.' else 'blank'}"
    return ""


def twins(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of paths that are one on Windows or macOS, whatever their case and how accents are encoded."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(_folded(path), path), path) for path in sorted(paths)]
    return [(path, twin) for path, twin in pairs if path != twin]


def same_as(path: str) -> str:
    """Say what is wrong with the name of a file whose twin is ``path``."""
    return f"on Windows and macOS its name is that of {path}: they differ only in case, or in how accents are encoded"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def nearest(wanted: str, present: Iterable[str]) -> str | None:
    """Return the one of some names that is probably meant for another: a copy, renamed or with another ending."""
    stem, ending = _parts(wanted)
    saved = [name for name in present if not name.startswith((".", "#", "~")) and not name.endswith("~")]
    parts = {name: _parts(name) for name in sorted(saved, reverse=True)}  # of names with the same letters the first
    candidates = {letters: name for name, (letters, own) in parts.items() if own in (ending, "")}
    found = difflib.get_close_matches(stem, candidates, n=1, cutoff=ALIKE)
    return candidates[found[0]] if found else None


def _parts(name: str) -> tuple[str, str]:
    """Return the letters and digits of a name, without what marks a copy, and its ending, without what is added."""
    stem, ending = os.path.splitext(ADDED.sub("", _folded(name)))
    return "".join(char for char in COPY.sub("", COPY.sub("", stem)) if char.isalnum()), ending


def missing(place: Path, path: str, problem: str, remedy: str, others: Collection[str] = ()) -> Finding:
    """Say that a file is missing in its place, and which one may be it: a copy, or one that was renamed.

    ``others`` are names that are looked for themselves, and mean no other file.
    """
    present = {each.name for each in place.parent.iterdir()} if place.parent.is_dir() else set()
    found = nearest(place.name, present - set(others))
    if found is None:
        return Finding(path, problem, remedy)
    return Finding(path, f"{problem}; there is {found}", f"If that is it, rename it to {place.name}.")
