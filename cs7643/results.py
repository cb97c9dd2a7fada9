"""How a notebook reports a figure: shown in the cell, and collected by `run` for the report's table."""

from __future__ import annotations

from IPython.display import display


def record(name: str, value: float, unit: str = "accuracy") -> None:
    """Show ``name ≈ value`` in a notebook, and leave the figure in the output's metadata.

    Args:
        name: what was measured.
        value: the figure.
        unit: what it is counted in; an accuracy is a part of 1.
    """
    figure = {"name": name, "value": float(value), "unit": unit}
    display({"text/plain": f"{name} ≈ {value:.3f}"}, raw=True, metadata={"cs7643": figure})  # type: ignore[no-untyped-call]
