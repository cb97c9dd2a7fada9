"""The text alternative of a figure: what it shows, in words, for a reader who does not see it.

The function that draws a figure writes it as the figure's label: ``figure.set_label("Two curves: ...")``. A notebook
stores it with the picture, each time where some program looks for it: JupyterLab shows the HTML, VS Code takes the
plain text, nbconvert and our own pages and PDF take the metadata; a file in PNG carries it as its description.
"""

from __future__ import annotations

import base64
import html
import io
from typing import Any

from matplotlib.figure import Figure
from PIL import Image, PngImagePlugin

DESCRIPTION = "Description"  # the field of a PNG
DRAWN, KEPT = 5000, 128  # colours that a drawing may have, smooth edges included, and those that do as well
EXPLORABLE = "explorable"  # in the metadata of HTML that is more than its picture


def register() -> None:
    """Let the notebook in which this runs show each figure that has a label with that as its text alternative."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.ipython_display_formatter.for_type(Figure, _show)


def _show(figure: Figure) -> None:
    from IPython.core.pylabtools import print_figure
    from IPython.display import display

    text = str(figure.get_label())
    if not text:
        raise NotImplementedError  # IPython then shows the figure as it always does
    drawn = print_figure(figure, metadata=described(figure))  # type: ignore[no-untyped-call]
    picture = base64.b64encode(smaller(drawn)).decode()
    shown = {"text/plain": text, "image/png": picture, "text/html": image(picture, text)}
    display(shown, raw=True, metadata=stored(text))  # type: ignore[no-untyped-call]


def smaller(png: bytes) -> bytes:
    """Return a drawing, which has few colours, in a third of the bytes; a photograph, which has many, as it is."""
    with Image.open(io.BytesIO(png)) as picture:
        colours = picture.convert("RGB")
        if colours.getcolors(DRAWN) is None:
            return png
        noted, stream = PngImagePlugin.PngInfo(), io.BytesIO()
        for name, words in picture.info.items():
            if isinstance(name, str) and isinstance(words, str):
                noted.add_itxt(name, words)
        colours.quantize(KEPT, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True, pnginfo=noted)
    return stream.getvalue()


def described(figure: Figure) -> dict[str, str]:
    """Return the metadata for ``savefig`` with which a file of a figure holds its text alternative."""
    return {DESCRIPTION: str(figure.get_label())} if figure.get_label() else {}


def stored(text: str) -> dict[str, Any]:
    """Return the metadata with which a notebook stores a picture that has a text alternative."""
    return {"image/png": {"alt": text}} if text else {}


def image(picture: str, text: str) -> str:
    """Return a picture, a PNG in base64, and its text alternative as HTML."""
    return f'<img alt="{html.escape(text)}" src="data:image/png;base64,{picture}">'


def text_of(output: Any) -> str:
    """Return the text alternative of the picture that an output of a notebook holds; empty if there is none."""
    for kind in ("image/png", "image/jpeg", "image/svg+xml"):
        described = output.get("metadata", {}).get(kind)
        if kind in output.get("data", {}) and isinstance(described, dict) and described.get("alt"):
            return str(described["alt"])
    return ""


def moves(output: Any) -> bool:
    """Tell whether the HTML of an output can be explored, so that the picture beside it is not all of it."""
    described = output.get("metadata", {}).get("text/html")
    return "text/html" in output.get("data", {}) and isinstance(described, dict) and EXPLORABLE in described
