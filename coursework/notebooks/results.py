"""How a notebook reports a figure: shown in the cell, and collected by `run` for the report's table."""

from __future__ import annotations

from IPython.display import display

from coursework.notebooks.provenance import loaded_code


def record(name: str, value: float, expected: tuple[float, float] | None = None, unit: str = "accuracy") -> None:
    """Show ``name ≈ value`` in a notebook, and leave the figure in the output's metadata, with the code it came from.

    Args:
        name: what was measured.
        value: the figure.
        expected: the band in which it should lie, from several seeds; shown, with whether it does.
        unit: what it is counted in; an accuracy is a part of 1.
    """
    text = f"{name} ≈ {value:.3f}"
    if expected is not None:
        low, high = expected
        text += f" (expected {low:g} to {high:g}: {'yes' if low <= value <= high else 'no'})"
    figure = {"name": name, "value": float(value), "unit": unit}
    metadata = {"coursework": figure, "coursework_code": loaded_code()}
    display({"text/plain": text}, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
