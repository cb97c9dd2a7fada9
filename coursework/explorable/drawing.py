"""Drawings in SVG with their words: written by hand, or by Matplotlib and then made small."""

from __future__ import annotations

import base64
import colorsys
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coursework.notebooks.figures import described, smaller

DPI = 100
ROOT = 'xmlns="http://www.w3.org/2000/svg" stroke-linejoin="round" font-family="DejaVu Sans,Verdana,sans-serif"'
DARK = "#1c2028"  # of a dark page
HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


@dataclass(frozen=True)
class Drawing:
    """A picture in SVG, ``<svg xmlns="http://www.w3.org/2000/svg" viewBox=...>...</svg>``, and what it shows in words.

    Raises:
        ValueError: if the SVG is not whole, or lacks one of these two attributes, without which browsers show nothing.
    """

    svg: str
    text: str

    def __post_init__(self) -> None:
        if not re.match(
            r'<svg (?=[^>]*xmlns="http://www\.w3\.org/2000/svg")(?=[^>]*viewBox=").*</svg>\Z', self.svg, re.S
        ):
            raise ValueError(f"Drawing: svg must be <svg xmlns=... viewBox=...>...</svg>, got {self.svg[:80]!r}")

    @property
    def kind(self) -> str:
        """Its media type."""
        return "image/svg+xml"

    @property
    def content(self) -> str:
        """Return the picture as a notebook stores it."""
        return self.svg

    def under(self, marks: str, text: str) -> Drawing:
        """Return this picture with more SVG drawn over it, and other words: cheaper than a figure for each state."""
        return Drawing(self.svg.removesuffix("</svg>") + marks + "</svg>", text)


@dataclass(frozen=True)
class Pixels:
    """A picture in PNG, in base64, and what it shows in words."""

    content: str
    text: str
    kind: str = "image/png"


def drawing_of(figure: Figure) -> Drawing:
    """Return a Matplotlib figure as SVG whose texts are texts, without what a page does not need, rounded to 0.1."""
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "explorable"}):
        figure.savefig(stream, format="svg", metadata=nothing, transparent=True)
    svg = stream.getvalue()
    # A style sheet would hold for the whole page.
    svg = re.sub(r"<!--.*?-->|<(metadata|style)\b.*?</\1>", "", svg[svg.index("<svg") :], flags=re.S)
    svg = re.sub(r"<svg [^>]*(viewBox=\"[^\"]*\")[^>]*>", rf"<svg {ROOT} \1>", svg, count=1)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r" style=\"[^\"]*\"", lambda found: re.sub(r"(?<=[:;]) +", "", found[0]), svg)
    svg = re.sub(r"font:((?:\w+ )*?)([\d.]+px) [^;\"]*", r"font-style:\1;font-size:\2", svg).replace("font-style:;", "")
    svg = re.sub(r"font-family:[^;\"]*;?", "", svg)
    used = set(re.findall(r"#([\w-]+)[\")]", svg))
    svg = re.sub(r" id=\"([^\"]*)\"", lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r" (?:d|x|y|transform|points)=\"[^\"]*\"", lambda found: _rounded(found[0]), svg)
    svg = re.sub(r"\s*\n\s*", " ", re.sub(r">\s+<", "><", svg)).replace(' "', '"').replace(" />", "/>").strip()
    svg = re.sub(r" transform=\"rotate\(-?0 [^\"]*\"", "", svg)
    while (fewer := re.sub(r"<g>((?:(?!</?g\b).)*)</g>", r"\1", svg)) != svg:  # groups that say nothing
        svg = fewer
    return Drawing(re.sub(r"<g[^>]*/>|<defs/>|<defs></defs>", "", svg), str(figure.get_label()))


def place(axis: Axes, x: float, y: float) -> tuple[float, float]:
    """Return where a point of an axis is in the drawing of its figure, to 0.1; the layout must be final."""
    across, up = axis.transData.transform((x, y))
    points = 72 / axis.figure.dpi
    return round(float(across) * points, 1), round(float(axis.figure.bbox.height - up) * points, 1)


def _rounded(attribute: str) -> str:
    if "scale" in attribute:
        return attribute
    short = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".replace("-0.0", "0.0"), attribute)
    return re.sub(r"\s*([MLCQz])\s*", r"\1", re.sub(r"\.0(?=[\s\"])", "", short))


def pixels_of(figure: Figure) -> Pixels:
    """Return a Matplotlib figure as PNG in few bytes."""
    return Pixels(base64.b64encode(smaller(png(figure))).decode(), str(figure.get_label()))


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, bbox_inches="tight", metadata=described(figure))
    return stream.getvalue()


def strip(drawn: Sequence[Figure]) -> Figure:
    """Return one figure that shows several, one below the other, as pixels: a still picture of several states."""
    pictures = [plt.imread(io.BytesIO(png(figure))) for figure in drawn]
    width, height = max(picture.shape[1] for picture in pictures), sum(picture.shape[0] for picture in pictures)
    whole = plt.figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    top = height
    for picture in pictures:
        rows, columns = picture.shape[:2]
        top -= rows
        axis = whole.add_axes((0, top / height, columns / width, rows / height))
        axis.imshow(picture, interpolation="nearest")
        axis.set_axis_off()
    plt.close(whole)
    whole.set_label(" ".join(f"{k}: {figure.get_label()}" for k, figure in enumerate(drawn, 1)))
    return whole


def themed(svg: str) -> tuple[str, str]:
    """Return SVG whose colours are variables, and CSS that declares them, for light and for dark pages."""
    colours = sorted({colour.lower() for colour in HEX.findall(svg)})
    declared = "".join(f"--c{colour[1:]}:light-dark({colour},{dark_of(colour)});" for colour in colours)
    return HEX.sub(lambda found: f"var(--c{found[0][1:].lower()})", svg), declared


def dark_of(colour: str) -> str:
    """Return the colour of the same hue that stands out from a dark page as the given one does from a white page."""
    hue, _, saturation = colorsys.rgb_to_hls(*_parts(colour))
    wanted = 1.05 / (_luminance(_parts(colour)) + 0.05)  # the contrast, as WCAG 2 defines it
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        contrast = (_luminance(colorsys.hls_to_rgb(hue, middle, saturation)) + 0.05) / (_luminance(_parts(DARK)) + 0.05)
        low, high = (middle, high) if contrast < wanted else (low, middle)
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, high, saturation))


def _parts(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _luminance(parts: tuple[float, float, float]) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
