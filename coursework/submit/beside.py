"""The pictures that lie beside notebooks and that their text shows: they travel with them."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from coursework.submit import notebooks

KINDS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".tif", ".tiff", ".heic")
SOURCE = re.compile(
    r"!\[[^\]]*\]\(\s*(?:<([^>\n]+)>|([^\s)]+))"  # ![words](file.png)
    r"|<img\b[^>]*?\bsrc\s*=\s*[\"']([^\"'>]+)"  # <img src="file.png">
    r"|^ *\[[^\]]+\]: *<?([^\s>]+)",  # [name]: file.png
    re.M | re.I,
)


def pictures(root: Path, path: str, content: bytes) -> Iterator[str]:
    """Yield the paths of the files in the repository that a notebook, or a Markdown file, shows as pictures.

    Args:
        root: the repository.
        path: of the notebook or file, from the root and with slashes.
        content: what it holds.
    """
    try:
        if path.endswith(".ipynb"):
            texts = [cell.source for cell in notebooks.loads(content).cells if cell.cell_type == "markdown"]
        else:
            texts = [content.decode("utf-8", "replace")]
    except ValueError:  # no notebook, which is said elsewhere
        return
    for found in SOURCE.finditer("\n\n".join(texts)):
        name = urllib.parse.unquote(next(filter(None, found.groups())).split("?")[0])
        place = root / PurePosixPath(path).parent / name
        if place.suffix.lower() not in KINDS or ":" in name:
            continue
        try:
            if place.is_file():
                yield place.resolve().relative_to(root.resolve()).as_posix()
        except (ValueError, OSError):  # it lies outside of the repository, which the PDF says
            continue
