"""Two programs side by side, and between them what makes the second of the first."""

from __future__ import annotations

import ast
import difflib
import html
import inspect
import textwrap
from collections.abc import Sequence
from typing import Any

FRAME = "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:0.6rem 1.2rem"
CODE = "margin:0.2rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:0.74rem;line-height:1.45"
TINTS = {"-": "rgba(213,94,0,0.22)", "+": "rgba(0,158,115,0.25)"}  # behind a line that goes, that comes


class Columns:
    """What :func:`side_by_side` returns: the last expression of a cell shows it."""

    def __init__(self, html: str, difference: str) -> None:
        self.html, self.difference = html, difference

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.difference}


def side_by_side(start: Sequence[Any], end: Sequence[Any]) -> Columns:
    """Show the code of some classes and functions, what changes, and the code of others, in three columns.

    Types and docstrings are left out, and of a function its head. Where the page is narrow, the columns stand one
    below the other.
    """
    before, after = ([line for it in group for line in plain_source(it)] for group in (start, end))
    changes = list(difflib.ndiff(before, after, linejunk=None, charjunk=None))
    kept = [line for line in changes if not line.startswith("?")]
    gone, come = [line for line in kept if line[0] != "+"], [line for line in kept if line[0] != "-"]
    differ = [line for line in kept if line[0] != " "]
    columns = (
        ("start", [(line[0], line[2:]) for line in gone]),
        ("difference", [(line[0], line) for line in differ]),
        ("end", [(line[0], line[2:]) for line in come]),
    )
    shown = "".join(
        f'<div><strong>{name}</strong><pre style="{CODE}">{_lines(each)}</pre></div>' for name, each in columns
    )
    return Columns(f'<div style="{FRAME}">{shown}</div>', "\n".join(differ))


def _lines(lines: Sequence[tuple[str, str]]) -> str:
    parts = []
    for sign, text in lines:
        tint = f' style="background:{TINTS[sign]}"' if sign in TINTS else ""
        parts.append(f"<span{tint}>{html.escape(text)}</span>")
    return "\n".join(parts)


def plain_source(it: Any) -> list[str]:
    """Return the lines of a class, or of a function without its head, without types and docstrings."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(it)))
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in node.args.args:
                argument.annotation = None
    if isinstance(tree.body[0], ast.FunctionDef):
        tree.body = tree.body[0].body
    lines = [line for line in ast.unparse(tree).splitlines() if line]
    return [line[(len(line) - len(line.lstrip())) // 2 :] for line in lines]  # the columns are narrow
