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

PAGES = 6  # at least one for each problem
LIMIT = 100_000_000  # bytes that Gradescope accepts


def open_pdf(content: bytes) -> PdfReader:
    """Open a PDF.

    Raises:
        ValueError: if it does not open, with the reason.
    """
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
        raise ValueError(
            f"it is damaged ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        ) from error
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
    if pages < PAGES:
        problem = f"it has {pages} page{'s' * (pages != 1)}, and the six problems need a page each"
        return [Finding(path.name, problem, "Begin every problem on a page of its own, also one that you left out.")]
    return []


def page_map(content: bytes, headings: dict[int, str]) -> dict[int, tuple[int, int]]:
    """Return the first and the last page of each problem in a compiled document.

    Args:
        content: the PDF.
        headings: for each problem the words with which its bookmark begins and which each of its pages carries.

    Raises:
        ValueError: if a problem has no bookmark, does not begin on a page of its own, or a page does not carry it.
    """
    reader = open_pdf(content)
    bookmarks = {
        str(entry.title): 1 + (reader.get_destination_page_number(entry) or 0)
        for entry in reader.outline
        if not isinstance(entry, list)
    }
    starts = [
        next((page for title, page in bookmarks.items() if title.startswith(f"{words}.")), 0)
        for words in headings.values()
    ]
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
    """Return the pages of each problem in the form in which Gradescope asks for them."""
    parts = [f"Problem {n}: page {a}" if a == b else f"Problem {n}: pages {a}-{b}" for n, (a, b) in found.items()]
    return "; ".join(parts)
