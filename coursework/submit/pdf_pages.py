"""A PDF as Gradescope sees it: whether it opens, how many pages it has, and where its questions begin."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from coursework.homework import homework
from coursework.submit.finding import Finding

LIMIT = 100_000_000  # bytes that Gradescope takes, of any file


def open_pdf(content: bytes) -> PdfReader:
    """Open a PDF; a ValueError says why it does not open."""
    if not content:
        raise ValueError("the file is empty")
    if b"%PDF-" not in content[:1024]:
        raise ValueError("it is not a PDF")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # scanned PDFs cause many harmless warnings
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("it asks for a password")
        for page in reader.pages:
            page.mediabox  # noqa: B018  (reading it is the test)
    except ValueError:
        raise
    except DependencyError as error:
        raise ValueError("it is encrypted") from error
    except (PyPdfError, OSError, KeyError, AttributeError, TypeError, RecursionError, NotImplementedError) as error:
        raise ValueError(f"it is damaged ({(str(error) or type(error).__name__).splitlines()[0]})") from error
    return reader


def inspect(path: Path) -> list[Finding]:
    """Return what must be fixed in a student's own PDF before it is handed in."""
    content = path.read_bytes()
    try:
        pages = len(open_pdf(content).pages)
    except ValueError as error:
        return [Finding(path.name, str(error), "Export it again, without a password, and open it in a viewer first.")]
    if len(content) > LIMIT:
        return [Finding(path.name, f"it has {len(content) / 1e6:.0f} MB", "Scan it again in grey, at 150 to 200 dpi.")]
    wanted = len(homework().problems)
    if pages < wanted:
        problem = f"it has {pages} page{'s' * (pages != 1)}, and the {wanted} problems need a page each"
        return [Finding(path.name, problem, "Begin every problem on a page of its own, also one that you left out.")]
    return []


def page_map(content: bytes, questions: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Return the first and the last page of each question in a compiled document.

    The bookmark of a question begins with its name, to which ``questions`` has the words that all its pages carry. A
    ValueError says that a question has no bookmark or does not begin on a page of its own, or lacks the words.
    """
    reader = open_pdf(content)
    bookmarks = list(_bookmarks(reader, reader.outline))
    begins = [(f"{name}.", f"{name} ") for name in questions]
    starts = [next((page for title, page in bookmarks if title.startswith(begin)), 0) for begin in begins]
    name = homework().pdf
    if starts[0] != 1 or any(after <= before for before, after in itertools.pairwise(starts)):
        raise ValueError(f"{name}: each question should begin on a page of its own, they begin on pages {starts}")
    ends = [*(start - 1 for start in starts[1:]), len(reader.pages)]
    found = dict(zip(questions, zip(starts, ends, strict=True), strict=True))
    for question, (start, end) in found.items():
        for page in range(start, end + 1):
            if questions[question] not in reader.pages[page - 1].extract_text():
                raise ValueError(f"{name}: page {page} should carry the words {questions[question]}")
    return found


def _bookmarks(reader: PdfReader, entries: Sequence[Any]) -> Iterator[tuple[str, int]]:
    """Yield the titles of all bookmarks, also of those under others, with their pages, counted from 1."""
    for entry in entries:
        if isinstance(entry, list):
            yield from _bookmarks(reader, entry)
        else:
            yield str(entry.title), 1 + (reader.get_destination_page_number(entry) or 0)


def described(found: Mapping[str, tuple[int, int]]) -> str:
    """Return the pages of each question in the form in which Gradescope asks for them."""
    return "; ".join(f"{name}: page {a}" if a == b else f"{name}: pages {a}-{b}" for name, (a, b) in found.items())
