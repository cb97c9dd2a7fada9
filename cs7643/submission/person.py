"""Who hands in, and with whom it was discussed: two lines of collaborators.txt."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from cs7643.submission.contents import PERSON
from cs7643.submission.finding import Finding

KEYS = ("Name", "Collaborators")


@dataclass(frozen=True)
class Person:
    """The two lines, empty where they are not filled in."""

    name: str = ""
    collaborators: str = ""


def read_person(root: Path, name: str | None = None) -> tuple[Person, list[Finding]]:
    """Read collaborators.txt.

    Args:
        root: the repository.
        name: stands in for the line of the name.

    Returns:
        The lines, and what is the matter with them.
    """
    path, found = root / PERSON, []
    lines: dict[str, str] = {}
    if not path.is_file():
        remedy = 'Make it, with the lines "Name: ..." and "Collaborators: ...".'
        return Person(name or ""), [Finding(PERSON, "the file is missing", remedy)]
    try:
        text = _decode(path.read_bytes())
    except UnicodeDecodeError:
        return Person(name or ""), [Finding(PERSON, "the file is not text in UTF-8", "Save it as UTF-8.")]
    key = ""
    for line in text.splitlines():
        start = re.match(r"\s*(\w+)\s*[:：]\s*(.*)", line)
        if line.lstrip().startswith("#"):
            continue
        if start and start[1].capitalize() in KEYS:
            key = start[1].capitalize()
            lines[key] = start[2].strip()
        elif key and line.strip():  # a list that goes on, on lines of its own
            lines[key] = f"{lines[key]}, {line.strip()}".lstrip(", ")
    if name:
        lines["Name"] = name.strip()
    if not lines.get("Name"):
        found.append(Finding(PERSON, "the line of the name is not filled in", "Write your name after `Name:`."))
    if not re.search(r"\w", lines.get("Collaborators", "")):
        remedy = "Name everybody you worked with after `Collaborators:`, or write none."
        found.append(Finding(PERSON, "the collaborators' line is not filled in", remedy))
    return Person(lines.get("Name", ""), lines.get("Collaborators", "")), found


def _decode(content: bytes) -> str:
    """Decode what editors write: UTF-8, with a mark or without, or the UTF-16 of a Windows editor."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")
