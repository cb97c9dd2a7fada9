"""Characters that the fonts at hand can draw, and names for those that they cannot."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import matplotlib
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from matplotlib import font_manager

from coursework.submit.text import named as number_of

SHIPPED = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # DejaVu, which comes with Matplotlib
FAMILIES = ("DejaVu Sans", "DejaVu Sans Mono")
INVISIBLE = {"\u200b", "\u200c", "\u200d", "\ufe0e", "\ufe0f", "\u2060", "\ufeff", "\u00ad"}


@cache
def _shipped() -> frozenset[int]:
    return frozenset().union(*(_covers(SHIPPED / f"{family.replace(' ', '')}.ttf")[0][1] for family in FAMILIES))


@cache
def _covers(path: Path) -> tuple[tuple[str, frozenset[int]], ...]:
    """Return the families in a font file, each with the characters that it draws."""
    try:
        with path.open("rb") as stream:
            many = path.suffix.lower() in (".ttc", ".otc")
            fonts = TTCollection(stream, lazy=True).fonts if many else [TTFont(stream, lazy=True)]
            return tuple((str(font["name"].getBestFamilyName()), frozenset(font.getBestCmap() or ())) for font in fonts)
    except (TTLibError, OSError, KeyError, AssertionError, AttributeError):
        return ()


def missing(text: Iterable[str]) -> list[str]:
    """Return the characters of a text that the shipped fonts cannot draw, each once, in the order of their numbers."""
    return sorted(
        char
        for char in set(text)
        if ord(char) not in _shipped() and char not in INVISIBLE and not char.isspace() and not _marks_only(char)
    )


def _marks_only(char: str) -> bool:
    return unicodedata.category(char) == "Cc"


def find_fonts(characters: Iterable[str]) -> dict[str, Path]:
    """Return fonts of this system that draw as many of the characters as can be drawn: family, and file."""
    left = {ord(char) for char in characters}
    found: dict[str, Path] = {}
    for name in sorted(font_manager.findSystemFonts()) if left else []:
        for family, covered in _covers(Path(name)):
            if left & covered:
                found.setdefault(family, Path(name))
                left -= covered
        if not left:
            break
    return found


def drawable(characters: Iterable[str], fonts: Iterable[Path]) -> set[str]:
    """Return those of the characters that one of the font files draws."""
    covered = frozenset().union(*(chars for path in fonts for _, chars in _covers(path)))
    return {char for char in characters if ord(char) in covered}


def named(char: str) -> str:
    """Return what stands for a character that cannot be drawn."""
    name = unicodedata.name(char, "")
    numbered = not name or any(part.isalnum() and not part.isalpha() for part in name.replace("-", " ").split())
    return number_of(char) if numbered else f"‹{name.lower()}›"
