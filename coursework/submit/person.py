"""Who hands in, and with whom it was discussed: two lines of collaborators.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass

from coursework.homework import PERSON
from coursework.submit.finding import Finding
from coursework.submit.text import decode, sentence

KEYS = ("Name", "Collaborators")


@dataclass(frozen=True)
class Person:
    """The two lines, empty where they are not filled in."""

    name: str = ""
    collaborators: str = ""


def read_person(content: bytes | None, name: str | None = None) -> tuple[Person, list[Finding]]:
    """Read collaborators.txt.

    Args:
        content: its bytes; None if it cannot be read, which is said elsewhere.
        name: stands in for the line of the name.

    Returns:
        The lines, and what is the matter with them.
    """
    found = []
    try:
        lines = parse(content or b"")
    except UnicodeDecodeError:
        content, lines = None, {}
        found.append(Finding(PERSON, "the file is not text in UTF-8", "Save it as UTF-8."))
    person = Person(sentence(name) if name else lines.get("Name", ""), lines.get("Collaborators", ""))
    if content is not None and not person.name:
        found.append(Finding(PERSON, "the line of the name is not filled in", "Write your name after `Name:`."))
    if content is not None and not re.search(r"\w", person.collaborators):
        remedy = "Name everybody you worked with after `Collaborators:`, or write none."
        found.append(Finding(PERSON, "the collaborators' line is not filled in", remedy))
    return person, found


def parse(content: bytes) -> dict[str, str]:
    """Return what stands after ``Name:`` and ``Collaborators:``.

    Raises:
        UnicodeDecodeError: if it is not text.
    """
    lines: dict[str, str] = {}
    text, key = decode(content), ""
    for line in text.splitlines():
        start = re.match(r"\s*(\w+)\s*[:：]\s*(.*)", line)
        if line.lstrip().startswith("#"):
            continue
        if start and start[1].capitalize() in KEYS:
            key = start[1].capitalize()
            lines[key] = start[2].strip()
        elif key and line.strip():  # a list that goes on, on lines of its own
            lines[key] = f"{lines[key]}, {line.strip()}".lstrip(", ")
    return {key: sentence(line) for key, line in lines.items()}
