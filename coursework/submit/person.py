"""Who hands in, and with whom it was discussed: three lines of collaborators.txt, for `submit` and the grader."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace

from coursework.homework import PERSON
from coursework.submit.finding import Finding
from coursework.submit.text import decode, sentence

KEYS = ("Name", "Collaborators", "Tools")
COLON = re.compile("[:\uff1a\ufe55]")  # that of ASCII, and those of Chinese and Japanese keyboards
LONGEST = 10_000  # characters of a line that are kept


@dataclass(frozen=True)
class Person:
    """The three lines, empty where they are not filled in; ``tools`` are assistants and sources."""

    name: str = ""
    collaborators: str = ""
    tools: str = ""


def read_person(content: bytes | None, name: str | None = None) -> tuple[Person, list[Finding]]:
    """Return the lines of collaborators.txt, or ``name`` for the first, and what is the matter with them.

    The content is None if the file cannot be read, which is said elsewhere.
    """
    found = []
    person, legible = parse(content or b"")
    person = replace(person, name=sentence(name) if name else person.name)
    if not legible:
        found.append(Finding(PERSON, "the file is not text in UTF-8", "Save it as UTF-8."))
    elif content is not None:
        if not person.name:
            found.append(Finding(PERSON, "the line of the name is not filled in", "Write your name after `Name:`."))
        if not re.search(r"\w", person.collaborators):
            remedy = "Name everybody you worked with after `Collaborators:`, or write none."
            found.append(Finding(PERSON, "the collaborators' line is not filled in", remedy))
        if not person.tools and re.search(rb"(?im)^\s*tools\s*:", content):
            remedy = "Name the assistants and other tools that helped you after `Tools:`, or write none."
            found.append(Finding(PERSON, "the tools' line is not filled in", remedy))
    return person, found


def handed_in(content: bytes | None, manifest: bytes | None = None) -> Person:
    """Return who hands in: as the bytes of manifest.json say, which knows `--name`, else as collaborators.txt does."""
    person = parse(content or b"")[0]
    try:
        said = json.loads(manifest or b"{}")
        known = {key: said[key] for key in asdict(person) if isinstance(said.get(key), str)}
    except (ValueError, AttributeError, RecursionError):
        return person
    return replace(person, **{key: line for key in known if (line := sentence(known[key][:LONGEST]))})


def parse(content: bytes) -> tuple[Person, bool]:
    """Return what follows ``Name:`` and the other keys, and whether the file is text in UTF-8 or UTF-16.

    A list may go on, on lines of its own. The time it takes grows as the file does.
    """
    text, legible = _text(content)
    lines: dict[str, list[str]] = {key: [] for key in KEYS}
    current: list[str] = []
    for line in text.splitlines():
        line = line.strip()
        key, *rest = COLON.split(line, maxsplit=1)
        if line.startswith("#"):
            continue
        if rest and key.strip().capitalize() in KEYS:
            current = lines[key.strip().capitalize()]
            current[:] = [rest[0].strip()]
        elif line:
            current.append(line)
    return Person(*(sentence(", ".join(filter(None, lines[key]))[:LONGEST]) for key in KEYS)), legible


def _text(content: bytes) -> tuple[str, bool]:
    """Decode what an editor wrote; what is neither UTF-8 nor UTF-16 is taken for what old editors on Windows write."""
    zeros = [content[start:2000:2].count(0) for start in (0, 1)]
    try:
        if max(zeros) > len(content[:2000]) // 4 and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), True  # without its mark
        return decode(content), True
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), False
