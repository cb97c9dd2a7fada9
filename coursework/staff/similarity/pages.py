"""The pages: a table of pairs, those first that share most, and for each pair a page with both sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coursework.files import atomic_writer, remove
from coursework.homework import homework
from coursework.notebooks.run_pages import render
from coursework.staff.similarity.compare import COMMON, FEW, Pair
from coursework.staff.similarity.material import KINDS, Document

AROUND = 3  # lines shown before and after what agrees
WIDTH = 110  # characters of a line, after which it is broken

Line = list[tuple[str, bool]]  # pieces of a line, and whether they agree


def write(found: Sequence[Document], pairs: Sequence[Pair], skipped: dict[str, str], out: Path) -> None:
    """Write index.html and a page for each pair into a folder; what was there of these is replaced.

    Args:
        found: the documents.
        pairs: the pairs.
        skipped: why others were not compared, by name.
        out: the folder.
    """
    for path in sorted(out.glob("pair-*.html")):
        remove(path)
    names = [f"pair-{number:03}.html" for number in range(1, len(pairs) + 1)]
    owners = {(each.earlier, each.owner) for each in found}
    values = {"homework": homework().title, "documents": found}
    for name, pair in zip(names, pairs, strict=True):
        sides = [
            blocks(found[number].text, spans) for number, spans in zip((pair.left, pair.right), pair.spans, strict=True)
        ]
        with atomic_writer(out / name, "w") as stream:
            stream.write(render("similarity_pair.html", title="Side by side", pair=pair, sides=sides, **values))
    tables = [(kind, [(n, p) for n, p in zip(names, pairs, strict=True) if p.kind == kind]) for kind in KINDS]
    numbers = {"now": sum(not earlier for earlier, _ in owners), "before": sum(bool(earlier) for earlier, _ in owners)}
    common = max(FEW, int(COMMON * numbers["now"]))
    page = render(
        "similarity.html",
        title="What submissions share",
        tables=tables,
        skipped=skipped,
        common=common,
        **numbers,
        **values,
    )
    with atomic_writer(out / "index.html", "w") as stream:
        stream.write(page)


def blocks(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, list[Line]]]:
    """Return a text as its page shows it: the lines around what agrees, in blocks, and the number of the first of each.

    Args:
        text: the text.
        spans: starts and ends of what agrees.
    """
    marked = bytearray(len(text))
    for start, end in spans:
        marked[max(0, start) : max(0, end)] = b"\1" * len(marked[max(0, start) : max(0, end)])
    lines: list[Line] = []
    agree: list[int] = []
    at = 0
    for number, line in enumerate(text.split("\n")):
        pieces: Line = []
        for k, char in enumerate(line):
            mark = bool(marked[at + k])
            if pieces and pieces[-1][1] == mark:
                pieces[-1] = (pieces[-1][0] + char, mark)
            else:
                pieces.append((char, mark))
        if any(mark and piece.strip() for piece, mark in pieces):
            agree.append(number)
        lines.append(pieces)
        at += len(line) + 1
    found: list[tuple[int, list[Line]]] = []
    shown = sorted({k for number in agree for k in range(number - AROUND, number + AROUND + 1) if 0 <= k < len(lines)})
    for number in shown:
        if found and found[-1][0] + len(found[-1][1]) == number + 1:
            found[-1][1].append(lines[number])
        else:
            found.append((number + 1, [lines[number]]))
    return found
