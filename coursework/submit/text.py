"""Text from any source: files of any editor, names of any file system, and what programs print."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Any

HALF = re.compile("[\ud800-\udfff]")  # a lone surrogate: half a character, which no encoding can write
NAMED_HALF = re.compile(r"‹U\+D[89A-F][0-9A-F]{2}›")  # what replaces it
SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # links and titles
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"  # device control strings
    r"|[ -/]*[0-~])"  # character sets, and others
)
TOKEN = re.compile(
    rf"\x1b\[(?P<count>\d*)(?P<move>[ABCDGK])|{SEQUENCE.pattern}|[\n\r\b]|[^\n\r\b\x1b]+|\x1b"
)  # of what a terminal is sent


def decode(content: bytes) -> str:
    """Decode what editors write: UTF-8, with or without its mark, or UTF-16 with one; lines end in a newline."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if marked else "utf-8-sig").replace("\r\n", "\n")


def named(char: str) -> str:
    """Return the code point of a character, to replace one that cannot be shown."""
    return f"‹U+{ord(char):04X}›"


def writable(value: Any) -> Any:
    """Return a text, or JSON data with texts, in which a name replaces each half of a character."""
    if isinstance(value, str):
        return value if value.isascii() else HALF.sub(lambda found: named(found[0]), value)
    if isinstance(value, list):
        return [writable(part) for part in value]
    if isinstance(value, dict):
        return {writable(key): writable(part) for key, part in value.items()}
    return value


def sentence(text: str) -> str:
    """Return a text that can be printed in a sentence: on one line, without terminal control codes."""
    line = " ".join(SEQUENCE.sub("", text).split())
    return "".join(named(char) if unicodedata.category(char) in ("Cc", "Cs") else char for char in line)


def screen(text: str) -> tuple[str, list[str]]:
    r"""Return what a terminal would show, and the control characters that are left out.

    Text after ``\r``, ``\b`` or a movement of the cursor overwrites what was there, as in a progress bar.
    """
    lines: list[list[str]] = [[]]
    row = column = 0
    for found in TOKEN.finditer(text):
        part, kind, count = found[0], found["move"], int(found["count"] or 1)
        if part == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append([])
        elif part == "\r" or kind == "G":
            column = count - 1
        elif part == "\b" or kind == "D":
            column = max(0, column - count)
        elif kind == "A":
            row = max(0, row - count)
        elif kind == "B":
            row = min(len(lines) - 1, row + count)
        elif kind == "C":
            column += count
        elif kind == "K":
            start, end = {"1": (0, column + 1), "2": (0, None)}.get(found["count"], (column, None))
            lines[row][start:end] = [" "] * (0 if end is None else end)
        elif not SEQUENCE.fullmatch(part):
            line = lines[row]
            line += " " * (column - len(line))
            line[column : column + len(part)] = part
            column += len(part)
    return _without_controls("\n".join("".join(line) for line in lines))


def source(typed: str) -> tuple[str, list[str]]:
    """Return a text as an editor shows it, with any line endings, and the control characters that are left out."""
    return _without_controls(SEQUENCE.sub("", typed).replace("\r\n", "\n").replace("\r", "\n"))


def _without_controls(shown: str) -> tuple[str, list[str]]:
    left_out = sorted({char for char in shown if unicodedata.category(char) == "Cc" and char not in "\n\t"})
    return shown.translate(dict.fromkeys(map(ord, left_out))), left_out


def quoted(text: str) -> str:
    """Return a text as a string literal of Typst."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
