"""A picture with a slider: live where widgets run, and a static picture of several positions everywhere else."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
from matplotlib.figure import Figure


class Slider:
    """Shows ``draw(values[k])`` with a slider for k, as the last expression of a notebook's cell.

    JupyterLab shows the slider. A page, a stored notebook and a terminal cannot run it, and show ``static`` instead.
    """

    def __init__(self, draw: Callable[[Any], Figure], label: str, values: Sequence[Any], static: Figure) -> None:
        """Prepare the slider, at the first value.

        Args:
            draw: takes a value, returns its picture; called once for each value that is visited.
            label: what is shown in front of the slider.
            values: the positions, in their order.
            static: the picture for where no widget runs.
        """
        if not values:
            raise ValueError("Slider: values must hold at least one value, got none")
        self._draw, self._values, self._static = draw, list(values), static
        self._pictures: dict[int, bytes] = {}
        self._picture = ipywidgets.Image(format="png", value=self._png(0))
        options = [(str(value), k) for k, value in enumerate(self._values)]
        control = ipywidgets.SelectionSlider(options=options, description=label, continuous_update=True)
        control.observe(self._move, names="value")
        self.control = control
        self._box = ipywidgets.VBox([control, self._picture])

    @property
    def picture(self) -> bytes:
        """The picture that is shown now, as PNG."""
        return bytes(self._picture.value)

    def _move(self, change: dict[str, Any]) -> None:
        self._picture.value = self._png(change["new"])

    def _png(self, k: int) -> bytes:
        if k not in self._pictures:
            self._pictures[k] = png(self._draw(self._values[k]))
        return self._pictures[k]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = dict(self._box._repr_mimebundle_())
        bundle["text/plain"] = f"<slider: {len(self._values)} positions>"
        return {**bundle, "image/png": base64.b64encode(png(self._static)).decode()}


def png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, bbox_inches="tight")
    return stream.getvalue()
