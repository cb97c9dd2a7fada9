"""The pictures of the PDF: those that cells drew, and those that a student inserted in the text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from coursework.notebooks.figures import DESCRIPTION
from coursework.submit.inspection import is_inside
from coursework.submit.text import quoted

PIXELS_TO_POINTS = 0.56  # a picture of 800 pixels fills the width of a page
WIDTH = 480.0  # points between the margins


class Pictures:
    """A folder of picture files, each named after the digest of its content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, content: bytes, largest: float = WIDTH, text: str = "") -> str:
        """Store a picture and return the Typst that shows it.

        Args:
            content: a PNG, JPEG, GIF, WebP or SVG file.
            largest: its maximal width, in points.
            text: its text alternative; by default the description in its file, if there is one.

        Raises:
            ValueError: if it is none of these, or damaged.
        """
        if b"<svg" in content[:2000].lower():
            ending, width = "svg", largest
        else:
            try:
                with Image.open(io.BytesIO(content)) as picture:
                    picture.load()
                    text = text or str(picture.info.get(DESCRIPTION, ""))
                    ending, width = (picture.format or "").lower(), picture.width * PIXELS_TO_POINTS
                    if ending not in ("png", "jpeg", "gif", "webp"):
                        ending, content = "png", _as_png(picture)
            except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                raise ValueError("the picture is damaged, or of an unknown kind") from error
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending}"
        (self.folder / name).write_bytes(content)
        alt = f", alt: {quoted(text)}" if text else ""
        return f'#box(image("/{self.folder.name}/{name}", width: {min(width, largest):.1f}pt{alt}))'


def _as_png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.convert("RGBA").save(stream, "PNG")
    return stream.getvalue()


def fetch(source: str, folder: Path, root: Path, attachments: Mapping[str, Any]) -> bytes:
    """Return the picture to which a cell refers.

    Args:
        source: an attachment, a ``data:`` address, or a file.
        folder: that of the notebook.
        root: the repository, which a file must lie in.
        attachments: those of the cell.

    Raises:
        ValueError: with the reason, if there is none, or it lies elsewhere.
    """
    try:
        if source.startswith("attachment:"):
            bundle = attachments.get(urllib.parse.unquote(source.removeprefix("attachment:")))
            if not bundle:
                raise ValueError("the picture is missing: the cell has no such attachment")
            return base64.b64decode(next(iter(bundle.values())))
        if source.startswith("data:"):
            head, _, body = source.partition(",")
            content = urllib.parse.unquote_to_bytes(body)
            return base64.b64decode(content) if head.endswith(";base64") else content
    except binascii.Error as error:
        raise ValueError("the picture is damaged") from error
    if re.match(r"[a-z][a-z0-9+.-]+:|//", source, re.I):
        raise ValueError("the picture is on the network; save it beside the notebook")
    path = folder / urllib.parse.unquote(source.split("?")[0])
    if not is_inside(path, root):
        raise ValueError("the picture lies outside of the repository")
    try:
        if not path.is_file():
            raise ValueError("the picture is missing")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"the picture cannot be read ({error.strerror})") from error
