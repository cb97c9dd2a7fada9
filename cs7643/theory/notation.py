"""The notation of a proof that :mod:`cs7643.theory.proof` tries: how its lines are read.

A line is ``left = right  # reason``, or with <= or >= for =. A line that begins with its relation goes on from the line
above. ``let D[t] = ...`` gives an expression a name. An expression is made of the symbols of the problem, of + - * / ^,
of dot, norm, sqrt, abs, max and min, and of sums: ``sum(dot(w[t], v[t]) for t in 1..T)``. It is parsed, and nothing of
it is run as Python: only what :mod:`cs7643.theory.values` knows has a meaning.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

FREE = ("t", "s")  # a line in which one stands by itself says something of each t from 1 to T
RELATION = re.compile(r"(<=|>=|==|≤|≥|=|<|>)")
PLAIN = {"==": "=", "≤": "<=", "≥": ">="}
LETTERS = {"η": "eta", "λ": "lam", "ρ": "rho", "∇f": "grad", "·": "*", "−": "-", "²": "^2"}
HINTS = {  # what a text holds that is written otherwise here, and how
    r"\blambda\b": "lambda is written lam",
    r"=[<>]": "the relations are written >= and <=",
    r"\w_\{": "an index is written w[t+1]",
    r"[|‖]": "a norm is written norm(x)",
    r"[⟨⟩]|<[^<>=]*,[^<>=]*>": "an inner product is written dot(x, y)",
    r"\w\*(?=\W*$|[])^,])|\w\* [-+=<>]": "the point w* is written w_star",
    r"[Σ∑]|\bsum\b.*=.*\.\.": "a sum is written sum(... for t in 1..T)",
    r"\d *[A-Za-z(]|[)\]] *[\w(]|\w +[A-Za-z]": "a product needs its sign, as in 2*eta",
}


@dataclass(frozen=True)
class Line:
    """A line of a chain.

    Attributes:
        left: one side.
        relation: what is said of both: "=", "<=" or ">=".
        right: the other side.
        reason: why, in the student's words.
        continues: the left side is the right side of the line above.
        begins: how the line begins: with its left side, or with "" if that is not written again.
    """

    left: ast.expr
    relation: str
    right: ast.expr
    reason: str = ""
    continues: bool = False
    begins: str = ""

    def __str__(self) -> str:
        """Return it with both sides."""
        return f"{show(self.left)} {self.relation} {show(self.right)}"


@dataclass(frozen=True)
class Definition:
    """What a name stands for: an expression, with a parameter or none."""

    parameter: str
    expression: ast.expr


def read(text: str) -> tuple[dict[str, Definition], list[Line]]:
    """Read a chain.

    Raises:
        ValueError: if a line is not written in this notation; it says which, and what was expected.
    """
    definitions: dict[str, Definition] = {}
    lines: list[Line] = []
    start: ast.expr | None = None
    for row in _joined(text):
        code, _, reason = (part.strip() for part in row.partition("#"))
        where = f"line {len(lines) + 1}"
        define = re.fullmatch(r"let\s+([A-Za-z]\w*)\s*(?:\[\s*(\w+)\s*\])?\s*:?=(?!=)(.*)", code)
        relations = RELATION.findall(code)
        if define:
            definitions[define[1]] = Definition(define[2] or "", expression(define[3], f"let {define[1]}"))
            continue
        if start is not None and (not relations or RELATION.match(code) is None):
            raise ValueError(f"{where}: expected a relation, =, <= or >=, after {show(start)}, got: {code}")
        if not relations:  # the first side of a chain, on a line of its own
            start = expression(code, where)
            continue
        if len(relations) > 1 or relations[0] in "<>":
            got = f"{' '.join(relations)}: {code}{_hint(code)}"
            raise ValueError(f"{where}: expected one relation, =, <= or >=, got {got}")
        left, relation, right = (part.strip() for part in RELATION.split(code))
        above = start or (lines[-1].right if lines else None)
        if not left and above is None:
            raise ValueError(f"{where}: the first line needs a left side, got: {code}")
        first = expression(left, where) if left or above is None else above
        continues = start is None and bool(lines) and _letters(first) == _letters(lines[-1].right)
        begins, second, start = show(first) if left or start else "", expression(right, where), None
        lines.append(Line(first, PLAIN.get(relation, relation), second, reason, continues, begins))
    if start is not None:
        raise ValueError(f"line {len(lines) + 1}: expected a relation, =, <= or >=, got none: {show(start)}")
    if not lines:
        got = f"only let {', '.join(definitions)} = ..." if definitions else "none"
        raise ValueError(f"expected lines such as: norm(w[t])^2 >= 0  # a square; got {got}")
    return definitions, lines


def _letters(node: ast.AST) -> str:
    return show(node).replace(" ", "")


def _joined(text: str) -> list[str]:
    """Return the rows of a text that are not empty; one that ends inside brackets goes on in the next."""
    rows: list[str] = []
    for row in text.split("\n"):
        last = rows[-1].partition("#")[0] if rows else ""
        if sum(map(last.count, "([")) > sum(map(last.count, ")]")):
            rows[-1] += " " + row.strip()
        elif row.partition("#")[0].strip():
            rows.append(row.strip())
    return rows


def expression(text: str, where: str = "expression") -> ast.expr:
    """Parse an expression.

    Raises:
        ValueError: if it is none; ``where`` begins the message.
    """
    text = text.strip()
    if len(text) > 1000:
        raise ValueError(f"{where}: expected at most 1000 characters, got {len(text)}")
    for letter, plain in LETTERS.items():
        text = text.replace(letter, plain)
    source = re.sub(r"\s*(?:\.{2,3}|…)\s*", " | ", text).replace("^", "**")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # of Python, as in 2or
            tree = ast.parse(source, mode="eval").body
        for node in ast.walk(tree):
            node.text = _written(ast.get_source_segment(source, node) or "")  # type: ignore[attr-defined]
        tree.text = _written(source)  # type: ignore[attr-defined]
        return tree
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = f": {error.msg}" if isinstance(error, SyntaxError) and "never closed" in error.msg else ""
        got = f"{text!r}{why}{_hint(text)}" if text else "nothing"
        raise ValueError(f"{where}: expected an expression such as eta/2*norm(w_star)^2, got {got}") from None


def _hint(text: str) -> str:
    """Say how that is written which a text shows that it means; "" if nothing is known."""
    return next((f"; {said}" for pattern, said in HINTS.items() if re.search(pattern, text)), "")


def show(node: ast.AST) -> str:
    """Return an expression as it is written."""
    text: str = getattr(node, "text", "")
    return text


def _written(source: str) -> str:
    return re.sub(r"\s+", " ", source.replace(" | ", "..").replace("**", "^")).strip()


def names(node: ast.AST, definitions: Mapping[str, Definition]) -> set[str]:
    """Return the names that occur in an expression, or in the definitions that it uses."""
    found = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    for name in found & set(definitions):
        rest = {key: value for key, value in definitions.items() if key != name}
        found |= names(definitions[name].expression, rest) - {definitions[name].parameter}
    return found


def free_in(node: ast.AST, definitions: Mapping[str, Definition]) -> tuple[str, ...]:
    """Return the free indices of an expression: those that no sum around them sets."""

    def free(part: ast.AST) -> set[str]:
        if isinstance(part, ast.GeneratorExp):
            bound = {each.target.id for each in part.generators if isinstance(each.target, ast.Name)}
            ranges = [free(each.iter) for each in part.generators]
            return (free(part.elt) - bound).union(*ranges)
        if isinstance(part, ast.Name):
            return {part.id} & set(FREE)
        return set().union(*map(free, ast.iter_child_nodes(part)))

    def inside(name: str) -> set[str]:
        definition = definitions[name]
        return free(definition.expression) - {definition.parameter}

    used = names(node, definitions) & set(definitions)
    return tuple(sorted(free(node).union(*map(inside, used))))
