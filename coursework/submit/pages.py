"""A PDF as Gradescope sees it: whether it opens, how many pages it has, and where its problems begin."""

from __future__ import annotations

import io
import itertools
import logging
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError, PyPdfError

from coursework.homework import homework
from coursework.submit.finding import Finding

PAGES = 6  # a page for each problem, at the least
LIMIT = 100_000_000  # bytes that Gradescope takes


def open_pdf(content: bytes) -> PdfReader:
    """Open a PDF.

    Raises:
        ValueError: if it does not open, with the reason.
    """
    if not content:
        raise ValueError("the file is empty")
    if b"%PDF-" not in content[:1024]:
        raise ValueError("it is not a PDF")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it thinks of a scanner's habits
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
        raise ValueError(
            f"it is damaged ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        ) from error
    return reader


def inspect(path: Path) -> list[Finding]:
    """Say what keeps a student's own PDF from being handed in."""
    content = path.read_bytes()
    try:
        pages = len(open_pdf(content).pages)
    except ValueError as error:
        return [Finding(path.name, str(error), "Export it again, without a password, and open it in a viewer first.")]
    if len(content) > LIMIT:
        return [Finding(path.name, f"it has {len(content) / 1e6:.0f} MB", "Scan it again in grey, at 150 to 200 dpi.")]
    if pages < PAGES:
        problem = f"it has {pages} page{'s' * (pages != 1)}, and the six problems need a page each"
        return [Finding(path.name, problem, "Begin every problem on a page of its own, also one that you left out.")]
    return []


def page_map(content: bytes, headings: dict[int, str]) -> dict[int, tuple[int, int]]:
    """Return the first and the last page of each problem, as a compiled document has them.

    Args:
        content: the PDF.
        headings: for each problem the words with which its bookmark and the head of its pages begin.

    Raises:
        ValueError: if a problem has no bookmark, does not begin on a page of its own, or a page does not carry it.
    """
    reader = open_pdf(content)
    first: dict[int, int] = {}
    for entry in reader.outline:
        for number, words in headings.items():
            if not isinstance(entry, list) and str(entry.title).startswith(f"{words}."):
                page = reader.get_destination_page_number(entry)
                first[number] = 1 + (page if page is not None else -1)
    starts = [first.get(number, 0) for number in headings]
    if starts[0] != 1 or any(after <= before for before, after in itertools.pairwise(starts)):
        raise ValueError(
            f"{homework().pdf}: each problem should begin on a page of its own, they begin on pages {starts}"
        )
    ends = [*(start - 1 for start in starts[1:]), len(reader.pages)]
    found = dict(zip(headings, zip(starts, ends, strict=True), strict=True))
    for number, (start, end) in found.items():
        for page in range(start, end + 1):
            if headings[number] not in reader.pages[page - 1].extract_text():
                raise ValueError(f"{homework().pdf}: page {page} should carry the words {headings[number]}")
    return found


def described(found: dict[int, tuple[int, int]]) -> str:
    """Return a map of pages as it is typed into Gradescope."""
    parts = [f"Problem {n}: page {a}" if a == b else f"Problem {n}: pages {a}-{b}" for n, (a, b) in found.items()]
    return "; ".join(parts)
