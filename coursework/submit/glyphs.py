"""Which characters the available fonts have, and names for those that they lack."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from coursework.submit.text import named as number_of

SHIPPED = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # DejaVu, which comes with Matplotlib
FAMILIES = ("DejaVu Sans", "DejaVu Sans Mono")
INVISIBLE = {"\u200b", "\u200c", "\u200d", "\ufe0e", "\ufe0f", "\u2060", "\ufeff", "\u00ad"}


@cache
def _shipped() -> frozenset[int]:
    return frozenset().union(*(_covers(SHIPPED / f"{family.replace(' ', '')}.ttf") for family in FAMILIES))


@cache
def _covers(path: Path) -> frozenset[int]:
    """Return the characters that a font file has; for a collection, those of its first font."""
    try:
        return frozenset(FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def missing(text: Iterable[str]) -> list[str]:
    """Return the characters of a text that the shipped fonts lack, each once, in code point order."""
    seen = (char for char in set(text) - INVISIBLE if not char.isspace() and unicodedata.category(char) != "Cc")
    return sorted(char for char in seen if ord(char) not in _shipped())


def find_fonts(characters: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return fonts of this system that have as many of the characters as possible, and the characters that none has."""
    found, left = [], set(map(ord, characters))
    for path in map(Path, sorted(font_manager.findSystemFonts()) if left else []):
        if left & _covers(path):
            found.append(path)
            left -= _covers(path)
        if not left:
            break
    return found, [char for char in characters if ord(char) in left]


def named(char: str) -> str:
    """Return the name that replaces a character that cannot be drawn."""
    name = unicodedata.name(char, "")
    numbered = not name or any(part.isalnum() and not part.isalpha() for part in name.replace("-", " ").split())
    return number_of(char) if numbered else f"‹{name.lower()}›"
