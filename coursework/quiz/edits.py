"""Small changes to a line of a function: one operator, one number, one name."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
}
NAMES = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "sum": "mean", "mean": "sum"}


@dataclass(frozen=True)
class Source:
    """The text of a function or class as it stands in its file; lines count from 1, as editors count them."""

    path: str
    first: int
    text: str

    @classmethod
    def of(cls, thing: Any) -> Source:
        """Find it; an OSError or TypeError says that there is none."""
        lines, first = inspect.getsourcelines(thing)
        return cls(inspect.getsourcefile(thing) or "", first, "".join(lines))

    def tree(self) -> ast.AST:
        """Parse it; places are those of the file but for the indentation."""
        tree = ast.parse(textwrap.dedent(self.text))
        ast.increment_lineno(tree, self.first - 1)
        return tree

    def body(self) -> range:
        """Return the numbers of the lines below the signature and the docstring."""
        (top,) = self.tree().body  # type: ignore[attr-defined]
        rest = [node for node in top.body if not _is_text(node)]
        return range(rest[0].lineno, top.end_lineno + 1) if rest else range(0)

    def signature(self) -> range:
        """Return the numbers of the lines above the docstring and the body."""
        (top,) = self.tree().body  # type: ignore[attr-defined]
        return range(self.first, max(top.body[0].lineno, self.first + 1))

    def asked(self) -> set[int]:
        """Return the numbers of the lines that are asked about: those of the body but for tests of the arguments.

        These are assertions, an ``if`` that only raises, and whatever stands above a text with the function's name: it
        is part of an error, in lines that are given.
        """
        (top,) = self.tree().body  # type: ignore[attr-defined]
        body = self.body()
        lines = set(body)
        for node in ast.walk(top):
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr, ast.Raise)) and _names(node, top.name):
                lines -= set(range(body.start, (node.end_lineno or node.lineno) + 1))
            elif isinstance(node, (ast.Assert, ast.If)) and _only_raises(node):
                lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        return lines


@dataclass(frozen=True)
class Edit:
    """A line before and after a change, and the text of the whole file with it."""

    line: int
    before: str
    after: str
    file: str


def edits(source: Source) -> Iterator[Edit]:
    """Yield every change to the body of a function or class, in the order of its lines."""
    file = Path(source.path).read_text(encoding="utf-8-sig")
    rows = file.splitlines()
    dedented = textwrap.dedent(source.text).splitlines()
    asked = source.asked()
    for node in ast.walk(source.tree()):
        line, start, end, new = _change(node, dedented, source.first) or (0, 0, 0, "")
        if line not in asked:
            continue
        row = rows[line - 1]
        if not row.isascii():  # where the columns of Python are not those of the text
            continue
        indent = len(row) - len(row.lstrip()) - (len(d := dedented[line - source.first]) - len(d.lstrip()))
        after = row[: start + indent] + new + row[end + indent :]
        yield Edit(line, row.strip(), after.strip(), "\n".join([*rows[: line - 1], after, *rows[line:]]) + "\n")


def _change(node: ast.AST, rows: list[str], first: int) -> tuple[int, int, int, str] | None:
    """Return the line, the columns and the new text of the change that fits a node; None if there is none."""
    operators: list[tuple[ast.AST, ast.expr, ast.expr]] = []
    if isinstance(node, ast.BinOp):
        operators = [(node.op, node.left, node.right)]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        operators = [(node.ops[0], node.left, node.comparators[0])]
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) and node.lineno == node.value.lineno:
        assert node.target.end_col_offset is not None
        at = rows[node.lineno - first].find("+=", node.target.end_col_offset)
        return (node.lineno, at, at + 2, "=") if at >= 0 else None
    elif isinstance(node, ast.Attribute) and node.attr in NAMES and node.end_col_offset is not None:
        assert node.end_lineno is not None
        return node.end_lineno, node.end_col_offset - len(node.attr), node.end_col_offset, NAMES[node.attr]
    elif isinstance(node, ast.Constant) and type(node.value) is int and node.end_col_offset is not None:
        if rows[node.lineno - first][: node.col_offset].endswith("-"):  # nobody writes -0
            return None
        other = 1 - node.value if node.value < 2 else node.value + 1
        return node.lineno, node.col_offset, node.end_col_offset, str(other)
    for op, left, right in operators:
        old, new = OPERATORS.get(type(op), ("", ""))
        if old and left.end_lineno == right.lineno and left.end_col_offset is not None:
            between = rows[right.lineno - first][left.end_col_offset : right.col_offset]
            if between.count(old) == 1 and all(each in f" ()\\{old}" for each in between):
                at = left.end_col_offset + between.index(old)
                return right.lineno, at, at + len(old), new
    return None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _names(node: ast.stmt, name: str) -> bool:
    texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))
    return any(text.partition(":")[0].rpartition(".")[2] == name for text in texts)


def _only_raises(node: ast.Assert | ast.If) -> bool:
    return isinstance(node, ast.Assert) or (not node.orelse and all(isinstance(each, ast.Raise) for each in node.body))


def load(text: str, module: str) -> types.ModuleType:
    """Run the text of a module in the place of a module that is imported already, and return what comes of it."""
    old = sys.modules[module]
    made = types.ModuleType(module)
    made.__dict__.update(__file__=old.__file__, __package__=old.__package__)
    sys.modules[module] = made  # dataclasses look for their module
    try:
        exec(compile(text, old.__file__ or module, "exec"), made.__dict__)
    finally:
        sys.modules[module] = old
    return made
