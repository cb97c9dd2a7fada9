r"""LaTeX formulas as Typst, including what pandoc would lose.

Pandoc rounds the widths of spaces to whole ems (``\!`` would step back by a letter), sets the limits of
``\operatorname*`` beside the word, takes the bars of a norm for a relation, and drops ``\tag``. Marks replace these
before the conversion, and Typst replaces the marks after it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pypandoc  # type: ignore[import-untyped]
from pandocfilters import Math, Para, Str

SPACES = {"!": -3 / 18, ":": 4 / 18, ">": 4 / 18, ";": 5 / 18, "negthinspace": -3 / 18, "medspace": 4 / 18}
SPACES |= {"thickspace": 5 / 18, "enspace": 0.5}
EMS = {"em": 1.0, "ex": 0.43, "mu": 1 / 18, "pt": 0.1, "cm": 2.85, "mm": 0.285, "in": 7.23}


@dataclass(frozen=True)
class Formula:
    """A formula of a cell: its LaTeX, without dollars, and whether it is on its own line."""

    latex: str
    display: bool


def run_pandoc(source: str, reader: str, writer: str) -> str:
    """Run pandoc on a text and return what it writes; a RuntimeError says what failed."""
    command = [pypandoc.get_pandoc_path(), "--from", reader, "--to", writer, "--wrap=none", "--sandbox"]
    result = subprocess.run(command, input=source, capture_output=True, encoding="utf-8")
    if result.returncode != 0:
        raise RuntimeError(f"pandoc failed: {result.stderr.strip() or result.returncode}")
    return result.stdout


@cache
def api_version() -> tuple[int, ...]:
    """Return the version of pandoc's document tree, which every tree must state."""
    return tuple(json.loads(run_pandoc("", "html", "json"))["pandoc-api-version"])


def write_typst(blocks: Sequence[Any]) -> str:
    """Turn blocks of pandoc's document tree into Typst."""
    return run_pandoc(json.dumps({"pandoc-api-version": api_version(), "meta": {}, "blocks": blocks}), "json", "typst")


def to_typst(formulas: Sequence[Formula]) -> list[str | None]:
    """Convert formulas; the result is None for a formula that contains something unknown."""
    blocks: list[Any] = []
    for formula in formulas:
        kind = {"t": "DisplayMath" if formula.display else "InlineMath"}
        blocks += [Para([Str("⟦⟧")]), Para([Math(kind, prepare(formula.latex))])]
    pieces = re.split(r"^⟦⟧\s*$", write_typst(blocks) if blocks else "", flags=re.M)[1:]
    return [_finish(piece.strip()) for piece in pieces]


def prepare(latex: str) -> str:
    """Replace what pandoc would lose by marks that it keeps as text."""

    def replace(found: re.Match[str]) -> str:
        if found["star"] is not None:
            word = re.sub(r"\\[,;! ]", " ", found["word"])
            return rf"\text{{⟦limits {word}⟧}}" if found["star"] else rf"\text{{⟦op {word}⟧}}"
        if found["tag"] is not None:
            return rf"\qquad\text{{{found['tag'] if found['bare'] else '(' + found['tag'] + ')'}}}"
        if found["amount"] is not None:
            return rf"\text{{⟦space {float(found['amount']) * EMS[found['unit']]:.3f}⟧}}"
        if found["space"] is not None:
            return rf"\text{{⟦space {SPACES[found['space']]:.3f}⟧}}"
        if found["side"] is not None:
            return rf"\{found['side']}\{'l' if found['side'] == 'left' else 'r'}Vert "
        if found["norm"] is not None:
            return r"\text{⟦norm ⟧}"
        return "" if found["gone"] else found[0]

    words = "|".join(name for name in SPACES if name.isalpha())
    pattern = (
        r"\\\\"
        r"|\\operatorname(?P<star>\*?)\s*\{(?P<word>(?:[\w\s-]|\\[,;! ])+)\}"
        r"|\\tag(?P<bare>\*?)\s*\{(?P<tag>[^{}]*)\}"
        rf"|\\(?:hspace\*?|hskip|kern|mkern|mspace)\s*\{{?\s*(?P<amount>-?\d*\.?\d+)\s*(?P<unit>{'|'.join(EMS)})\b\s*\}}?"
        rf"|\\(?P<space>[!:;>]|(?:{words})(?![A-Za-z]))"
        r"|\\(?P<side>left|right)\s*\\(?:\||Vert(?![A-Za-z]))"
        r"|(?:\\[bB]igg?[lrm]?\s*)?\\(?P<norm>\||Vert(?![A-Za-z]))"
        r"|(?P<gone>\\label\s*\{[^{}]*\}|\\(?:nonumber|notag)(?![A-Za-z]))"
    )
    return re.sub(pattern, replace, latex.strip())


def _finish(typst: str) -> str | None:
    """Replace the marks of :func:`prepare` by Typst; return None if pandoc returned the formula as text."""
    if not typst.startswith("$"):
        return None

    def replace(found: re.Match[str]) -> str:
        value = found[2].strip()
        word = f'op("{value}"{", limits: #true" * (found[1] == "limits")})'
        return {"space": f"#h({value}em)", "norm": "‖"}.get(found[1], word)

    if typst.count("∥") % 2 == 0:  # from \left and \right: they grow with what is between them
        typst = re.sub("∥([^∥]*)∥", r"lr(‖\1‖)", typst)
    typst = typst.replace("∥", "‖").replace("bar.v.double", "‖")
    typst = re.sub(r'(?:upright\()?"⟦(space|norm|limits|op) ([^⟧"]*)⟧"\)?', replace, typst)
    return re.sub(r" ?(‖|\\\|) ?", r"\1", typst)  # a space beside bars would be visible
