"""How a notebook reports a figure: the cell shows it, and `run` collects it for the table of its report."""

from __future__ import annotations

import html

from IPython.display import display

from coursework.notebooks.provenance import loaded_code

ORANGE = "#B35C00"  # 4.5:1 on white, 3:1 or more on black
ADVICE = (
    "It is below what several seeds give. Look at the loss first: if it jumps up or is no number, divide the learning "
    "rate by three; if it falls along a line, multiply it by three; if it is flat at the start, train for longer."
)


def record(name: str, value: float, expected: tuple[float, float] | None = None, unit: str = "accuracy") -> None:
    """Show ``name ≈ value`` in a notebook, and store the figure and its code's digests in the output's metadata.

    Args:
        name: what was measured.
        value: the figure.
        expected: the range over several seeds; it is shown, with whether the value lies in it. A value below it is
            shown as a warning, with what to try.
        unit: its unit; an accuracy is a fraction of 1.
    """
    text, (low, high) = f"{name} ≈ {value:.3f}", expected or (value, value)
    if expected:
        found = "no" if value < low else "yes" if value <= high else "more"
        text += f" (expected {low:g} to {high:g}: {found})"
    shown = {"text/plain": text}
    if value < low:
        style = f"border-left: 4px solid {ORANGE}; padding: 2px 10px; max-width: 56em"
        told = f'<span style="color: {ORANGE}; font-weight: bold">⚠ {html.escape(text)}</span><br>{html.escape(ADVICE)}'
        shown = {"text/plain": f"⚠ {text}\n{ADVICE}", "text/html": f'<div style="{style}">{told}</div>'}
    figure = {"name": name, "value": float(value), "unit": unit}
    metadata = {"coursework": figure, "coursework_code": loaded_code()}
    display(shown, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
