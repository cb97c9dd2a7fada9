"""Characters that the fonts at hand can draw, and names for those that they cannot."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
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
    return frozenset().union(*(_covers(SHIPPED / f"{family.replace(' ', '')}.ttf")[1] for family in FAMILIES))


@cache
def _covers(path: Path) -> tuple[str, frozenset[int]]:
    """Return the family of a font file, and the characters that it draws; of a collection, those of its first font."""
    try:
        font = FT2Font(str(path))
    except (OSError, RuntimeError, ValueError):
        return "", frozenset()
    return font.family_name, frozenset(font.get_charmap())


def missing(text: Iterable[str]) -> list[str]:
    """Return the characters of a text that the shipped fonts cannot draw, each once, in the order of their numbers."""
    return sorted(
        char
        for char in set(text)
        if not (ord(char) in _shipped() or char in INVISIBLE or char.isspace() or unicodedata.category(char) == "Cc")
    )


def find_fonts(characters: Iterable[str]) -> dict[str, Path]:
    """Return fonts of this system that draw as many of the characters as can be drawn: family, and file."""
    left = {ord(char) for char in characters}
    found: dict[str, Path] = {}
    for path in map(Path, sorted(font_manager.findSystemFonts()) if left else []):
        family, covered = _covers(path)
        if left & covered:
            found.setdefault(family, path)
            left -= covered
        if not left:
            break
    return found


def drawable(characters: Iterable[str], fonts: Iterable[Path]) -> set[str]:
    """Return those of the characters that one of the font files draws."""
    covered = frozenset().union(*(_covers(path)[1] for path in fonts))
    return {char for char in characters if ord(char) in covered}


def named(char: str) -> str:
    """Return what stands for a character that cannot be drawn."""
    name = unicodedata.name(char, "")
    numbered = not name or any(part.isalnum() and not part.isalpha() for part in name.replace("-", " ").split())
    return number_of(char) if numbered else f"‹{name.lower()}›"
