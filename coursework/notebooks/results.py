"""How a notebook reports a figure: the cell shows it, and `run` collects it for the table of its report."""

from __future__ import annotations

from IPython.display import display

from coursework.notebooks.provenance import loaded_code


def record(name: str, value: float, expected: tuple[float, float] | None = None, unit: str = "accuracy") -> None:
    """Show ``name ≈ value`` in a notebook, and store the figure and its code's digests in the output's metadata.

    Args:
        name: what was measured.
        value: the figure.
        expected: the range over several seeds; it is shown, with whether the value lies in it.
        unit: its unit; an accuracy is a fraction of 1.
    """
    text = f"{name} ≈ {value:.3f}"
    if expected is not None:
        low, high = expected
        text += f" (expected {low:g} to {high:g}: {'yes' if low <= value <= high else 'no'})"
    figure = {"name": name, "value": float(value), "unit": unit}
    metadata = {"coursework": figure, "coursework_code": loaded_code()}
    display({"text/plain": text}, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
