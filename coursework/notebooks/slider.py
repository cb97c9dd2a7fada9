"""A picture with a slider: live where widgets run, and a static picture of several positions everywhere else."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from coursework.notebooks import figures

DPI = 100


class Slider:
    """Shows ``draw(values[k])`` with a slider for k, as the last expression of a notebook's cell.

    JupyterLab shows the slider. A page or a stored notebook cannot run it, and shows ``static`` instead.
    """

    def __init__(self, draw: Callable[[Any], Figure], label: str, values: Sequence[Any], static: Figure) -> None:
        """Prepare the slider, at the first value.

        Args:
            draw: takes a value, returns its picture; called now, for each value, so that later cells cannot change the
                pictures.
            label: what is shown in front of the slider.
            values: the positions, in their order.
            static: the picture where no widget runs.
        """
        if not values:
            raise ValueError("Slider: values must hold at least one value, got none")
        self._static, self._text = png(static), str(static.get_label())
        drawn = [draw(value) for value in values]
        self._pictures, self._texts = [png(figure) for figure in drawn], [str(figure.get_label()) for figure in drawn]
        self._picture = ipywidgets.HTML(self._shown(0))
        options = [(str(value), k) for k, value in enumerate(values)]
        control = ipywidgets.SelectionSlider(options=options, description=label, continuous_update=True)
        control.observe(self._move, names="value")
        self.control = control
        self._box = ipywidgets.VBox([control, self._picture])

    @property
    def picture(self) -> bytes:
        """The picture that is shown now, as PNG."""
        return self._pictures[int(self.control.value)]

    @property
    def shown(self) -> str:
        """The HTML that is shown now: the picture with its text alternative."""
        return str(self._picture.value)

    def _shown(self, k: int) -> str:
        return figures.image(base64.b64encode(self._pictures[k]).decode(), self._texts[k])

    def _move(self, change: dict[str, Any]) -> None:
        self._picture.value = self._shown(change["new"])

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: dict[str, Any] = dict(self._box._repr_mimebundle_())
        bundle["text/plain"] = f"A slider with {len(self._pictures)} positions. {self._text}".rstrip()
        return {**bundle, "image/png": base64.b64encode(self._static).decode()}, figures.stored(self._text)


def strip(drawn: Sequence[Figure]) -> Figure:
    """Return one figure that shows several, one below the other, as pixels: the static picture of a slider."""
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


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, bbox_inches="tight", metadata=figures.described(figure))
    return stream.getvalue()
