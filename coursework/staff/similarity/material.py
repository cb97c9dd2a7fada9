"""What is compared: of each submission the code, the answers in notebooks, and the write-ups, each as one text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.autograder import intake
from coursework.staff.autograder.intake import Submission
from coursework.staff.release import contents, edition

CODE, ANSWERS, WRITE_UP = "code", "answers in notebooks", "write-ups"
KINDS = (CODE, ANSWERS, WRITE_UP)
BREAK = "\u241c"  # between the files and cells of a text: what agrees goes across none

APART = f"\n{BREAK}\n"


@dataclass(frozen=True)
class Document:
    """A text of one kind of one submission.

    Attributes:
        owner: who handed it in.
        earlier: the folder of the year it is from; "" for this one.
        kind: one of ``KINDS``.
        text: its lines end in a newline alone.
    """

    owner: str
    earlier: str
    kind: str
    text: str


def documents(owner: str, submission: Submission, given: Mapping[str, str], earlier: str = "") -> list[Document]:
    """Return what there is to compare of a submission.

    Args:
        owner: who handed it in.
        submission: with its texts.
        given: the student edition, by kind (:func:`student_edition`).
        earlier: the folder of the year it is from.
    """
    code = [f"# {path}\n{content.decode('utf-8', 'replace')}" for path, content in sorted(submission.files.items())]
    notebooks = {path: cells for path, cells in submission.texts.items() if path in homework().notebooks}
    known = set(given[ANSWERS].split(APART))
    own = [cell for cells in notebooks.values() for cell in cells if prose(cell) not in known]
    extra = [part for path, parts in submission.texts.items() if path not in notebooks for part in parts]
    texts = {
        CODE: APART.join(map(lines_of, code)),
        ANSWERS: APART.join(map(prose, own)),
        WRITE_UP: APART.join(map(prose, extra)),
    }
    return [Document(owner, earlier, kind, text.strip()) for kind, text in texts.items() if text.strip()]


def student_edition() -> dict[str, str]:
    """Return what students were given, as one text for each kind.

    Raises:
        ValueError: if the student edition cannot be made.
    """
    files = edition.make_edition(contents.read_source(ROOT)).files
    code = [content.decode() for path, content in files.items() if path.endswith(".py")]
    cells = [cell for path in homework().notebooks for cell in intake.cells_of(files.get(path, b""))]
    pages = [content.decode() for path, content in files.items() if path.endswith((".md", ".tex"))]
    said = APART.join(map(prose, [*cells, *pages]))
    return {CODE: APART.join(map(lines_of, code)), ANSWERS: said, WRITE_UP: said}


def lines_of(text: str) -> str:
    """Return a text whose lines end in a newline alone, and without control characters but that and tabs."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(rf"[\x00-\x08\x0b-\x1f\x7f{BREAK}]", "", text)


def prose(text: str) -> str:
    """Return a text in which letters in capitals and other blanks make no difference, a line for each paragraph."""
    paragraphs = re.split(r"\n\s*\n", lines_of(text).lower())
    return "\n".join(filter(None, (" ".join(each.split()) for each in paragraphs)))
