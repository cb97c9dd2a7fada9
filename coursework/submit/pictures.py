"""The pictures of the PDF: those that cells drew, and those that a student inserted in the text."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import re
import urllib.parse
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageOps

from coursework.notebooks.figures import DESCRIPTION
from coursework.submit.inspection import is_inside
from coursework.submit.text import quoted

PIXELS_TO_POINTS = 0.56  # a picture of 800 pixels fills the width of a page
WIDTH, HEIGHT = 480.0, 690.0  # points between the margins
PLACED = ("png", "jpeg", "gif", "webp")  # kinds that Typst reads
HEAVY = 400_000  # bytes from which a picture is made smaller; a plot has a tenth
DENSITY = 2.5  # pixels for each point that are left of it, 180 per inch: handwriting can be read
UNREADABLE = (  # marks of kinds that are often taken for pictures, and what to do
    (
        rb"(?s)....ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)",
        "the picture is HEIC, the format of iPhones, which cannot be shown here: save it as JPEG, or take a screenshot "
        "of it",
    ),
    (rb"(?s)....ftyp", "the file is a video, or a picture of a new kind: save it as PNG or JPEG"),
    (rb"%PDF-", "the file is a PDF, and no picture: save its page as PNG or JPEG"),
)


class Pictures:
    """A folder of picture files, each named after the digest of its content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def place(self, content: bytes, largest: float = WIDTH, text: str = "") -> str:
        """Store a picture, SVG or any kind that Pillow reads, and return the Typst that shows it, upright and whole.

        It is at most ``largest`` points wide; the column or the page may allow less. Its text alternative is ``text``,
        or the description in its file. A ValueError says what is the matter, and what to do about it, if that is known.
        """
        if b"<svg" in content[:2000].lower():
            ending, width = "svg", "auto"
        else:
            text = text or _description(content)
            content, ending, points = _prepared(content, largest)
            width = f"{points:.1f}pt"
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending}"
        (self.folder / name).write_bytes(content)
        alt = f", alt: {quoted(text)}" if text else ""
        return f'#picture("/{self.folder.name}/{name}", {width}, {largest:.1f}pt, {HEIGHT:.1f}pt{alt})'


def _description(content: bytes) -> str:
    """Return what a picture's file says of it; "" if nothing, or if it cannot be read."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return str(picture.info.get(DESCRIPTION, ""))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""


def _prepared(content: bytes, largest: float) -> tuple[bytes, str, float]:
    """Return a picture as the PDF holds it, its kind, and its natural width in points.

    A picture that carries its orientation is turned, and a heavy one keeps the pixels that can be seen on the page.
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # about more than 90 megapixels
            kind = (picture.format or "").lower()
            turn = picture.getexif().get(ExifTags.Base.Orientation, 1)
            width, height = picture.size if turn < 5 else picture.size[::-1]
            natural = width * PIXELS_TO_POINTS
            if kind in PLACED and turn == 1 and len(content) <= HEAVY:
                picture.load()
                return content, kind, natural
            shown = min(natural, largest, HEIGHT * width / height)
            side = math.ceil(DENSITY * max(shown, shown * height / width))
            picture.thumbnail((side, side))
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I;16"):  # which Pillow would clip
                upright = upright.point(lambda grey: grey / 256).convert("L")
            upright = upright.convert("RGBA")
            return *_encoded(Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)), natural
    except Image.DecompressionBombError as error:
        raise ValueError("the picture has too many pixels to be opened: save it smaller") from error
    except (OSError, ValueError, SyntaxError) as error:
        what = next((what for mark, what in UNREADABLE if re.match(mark, content)), None)
        raise ValueError(what or "the picture is damaged, or of an unknown kind") from error


def _encoded(picture: Image.Image) -> tuple[bytes, str]:
    """Return a picture as PNG, or as JPEG where that is much smaller: for a photograph, and not for a drawing."""
    png, jpeg = io.BytesIO(), io.BytesIO()
    picture.convert("RGB").save(png, "PNG")
    picture.convert("RGB").save(jpeg, "JPEG", quality=80)
    if len(jpeg.getvalue()) < len(png.getvalue()) / 2:
        return jpeg.getvalue(), "jpeg"
    return png.getvalue(), "png"


def decode(base64_of: str) -> bytes:
    """Return the bytes that a notebook holds as text; a ValueError says that it is not base64."""
    try:
        return base64.b64decode(base64_of)
    except ValueError as error:
        raise ValueError("the picture is damaged") from error


def fetch(source: str, folder: Path, root: Path, attachments: Mapping[str, Any]) -> bytes:
    """Return the picture to which a cell refers: an attachment, a ``data:`` address, or a file of the repository."""
    if source.startswith("attachment:"):
        name = source.removeprefix("attachment:")
        bundle = attachments.get(urllib.parse.unquote(name)) or attachments.get(name)
        if not bundle:
            raise ValueError("the picture is missing: the cell has no such attachment")
        return decode(next(iter(bundle.values())))
    if source.startswith("data:"):
        head, _, body = source.partition(",")
        return decode(urllib.parse.unquote(body)) if head.endswith(";base64") else urllib.parse.unquote_to_bytes(body)
    if re.match(r"[a-z][a-z0-9+.-]+:|//", source, re.I):
        raise ValueError("the picture is on the network; save it beside the notebook")
    path = folder / urllib.parse.unquote(source.split("?")[0])
    if not is_inside(path, root):
        raise ValueError("the picture lies outside of this folder")
    try:
        if not path.is_file():
            raise ValueError("the picture is missing")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"the picture cannot be read ({error.strerror})") from error
