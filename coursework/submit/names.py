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

FORBIDDEN = frozenset('\\:*?"<>|')  # in the name of a file, on Windows
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\..*)?", re.I)  # whatever the ending
COPY = re.compile(r"^copy of |[ _-]*(\(?\d+\)?|\(?(copy|kopie) ?\d*\)?|final|new|old|backup)$", re.I)
PLAIN = ("", ".txt", ".md", ".json")  # endings that editors and browsers put in the place of another
ALIKE = 0.8  # of the letters, as difflib counts them


def is_hidden(path: str) -> bool:
    """Tell whether a file or a folder above it begins with a dot: what systems and editors leave, as ``._x.ipynb``."""
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def unportable(path: str) -> str:
    """Say why not every system can hold a file of this name; "" if every system can.

    Args:
        path: relative, with slashes.
    """
    if HALF.search(path):
        return "is not UTF-8"
    for part in path.split("/"):
        odd = sorted(char for char in set(part) if char in FORBIDDEN or unicodedata.category(char) == "Cc")
        if odd:
            return f"cannot be unpacked on Windows, which does not allow {' '.join(map(_shown, odd))} in it"
        if DEVICE.fullmatch(part):
            return f"cannot be unpacked on Windows, where {part} is a device"
        if part.endswith((".", " ")):
            return f"cannot be unpacked on Windows, where no name ends in a {'dot' if part[-1] == '.' else 'blank'}"
    return ""


def _shown(char: str) -> str:
    return char if char.isprintable() else f"U+{ord(char):04X}"


def twins(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of paths that are one on Windows or macOS: they differ in case, or in how accents are coded."""
    first: dict[str, str] = {}
    pairs = []
    for path in sorted(paths):
        other = first.setdefault(_folded(path), path)
        if other != path:
            pairs.append((other, path))
    return pairs


def difference(path: str, twin: str) -> str:
    """Say in what two names differ that are one on Windows or macOS."""
    same = unicodedata.normalize("NFC", path) == unicodedata.normalize("NFC", twin)
    return "its accents are coded in another way" if same else "they differ in case only"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def near(place: Path, others: Collection[str] = ()) -> str | None:
    """Return the name of a file that may be the one that is missing: renamed, copied, or not yet downloaded.

    Args:
        place: where the missing file should be.
        others: names that are looked for themselves, and mean no other file.
    """
    try:
        present = os.listdir(place.parent)
    except OSError:
        return None
    return placeholder(place) if placeholder(place) in present else nearest(place.name, set(present) - set(others))


def nearest(wanted: str, present: Iterable[str]) -> str | None:
    """Return the one of some names that may be meant for another, if one may."""
    ranked = sorted((_distance(wanted, name), name) for name in present)
    return ranked[0][1] if ranked and ranked[0][0] < _FAR else None


_FAR = 5.0


def _distance(wanted: str, name: str) -> float:
    """Return how far a name is from another: below ``_FAR`` it may be meant for it."""
    if name.startswith((".", "#", "~")) or name.endswith("~"):
        return _FAR
    if _folded(name) == _folded(wanted):
        return 0
    if _folded(name).startswith(f"{_folded(wanted)}."):
        return 1
    (stem, ending), (stem_wanted, ending_wanted) = os.path.splitext(name), os.path.splitext(wanted)
    if _letters(stem) == _letters(stem_wanted) != "" and ending.lower() in (ending_wanted, *PLAIN):
        return 2
    if ending.lower() != ending_wanted:
        return _FAR
    if _folded(stem).startswith(_folded(stem_wanted)):
        return 3
    ratio = difflib.SequenceMatcher(None, _folded(stem), _folded(stem_wanted)).ratio()
    return _FAR - ratio if ratio >= ALIKE else _FAR


def _letters(stem: str) -> str:
    """Return the letters and digits of a name, without what marks a copy."""
    return "".join(char for char in COPY.sub("", COPY.sub("", _folded(stem))) if char.isalnum())


def placeholder(place: Path) -> str:
    """Return the name under which iCloud keeps a file that it has not downloaded."""
    return f".{place.name}.icloud"


def missing(place: Path, path: str, problem: str, remedy: str, others: Collection[str] = ()) -> Finding:
    """Say that a file is missing, and which one may be it.

    Args:
        place: where it should be.
        path: how to call it.
        problem: what is the matter.
        remedy: what to do if no other file may be it.
        others: see :func:`near`.
    """
    found = near(place, others)
    if found is None:
        return Finding(path, problem, remedy)
    if found == placeholder(place):
        advice = "Download it first: choose Download Now in Finder, and call again."
        return Finding(path, f"{problem}: iCloud has it, and left {found} in its place", advice)
    return Finding(path, f"{problem}; there is {found}", f"If that is it, rename it to {place.name}.")
