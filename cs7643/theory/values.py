"""What expressions of :mod:`cs7643.theory.notation` are worth, in one instance of a problem.

The arithmetic is that of fractions, so it is exact and the same on every machine. A root that is no fraction is rounded
to 60 digits.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cs7643.theory.notation import Definition, Line, show

Vector = tuple[Fraction, ...]
Value = Fraction | Vector
DIGITS = 60
TINY = Fraction(1, 10**40)  # far above what rounding does to a root, far below what small numbers differ by
FUNCTIONS = {"dot": 2, "norm": 1, "sqrt": 1, "abs": 1, "max": 2, "min": 2}  # and the number of their arguments


class UndefinedError(Exception):
    """An expression has no value here: a quotient by zero, the root of a negative number, w[0]."""


@dataclass(frozen=True)
class World:
    """What the symbols stand for in one instance of a problem; the members of a sequence are counted from 1."""

    symbols: Mapping[str, Value]
    sequences: Mapping[str, Sequence[Vector]]
    functions: Mapping[str, Callable[[Vector], Value]]
    norm: Callable[[Vector], Fraction] | None = None  # another than the usual one


class Evaluation:
    """The value of expressions in a world."""

    def __init__(self, world: World, definitions: Mapping[str, Definition]) -> None:
        """Take the world, and what the names of the student's own stand for."""
        self.world, self.definitions = world, definitions

    def value(self, node: ast.AST, bound: Mapping[str, Fraction]) -> Value:
        """Return the value of an expression, with what the indices are bound to.

        Raises:
            ValueError: if it has no meaning in this notation.
            UndefinedError: if it has no value here.
        """
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            if node.value > 1e9:
                raise ValueError(f"expected numbers below 1e9, got {show(node)}")
            return Fraction(str(node.value))
        if isinstance(node, ast.Name):
            return self._name(node.id, bound)
        if isinstance(node, ast.Subscript):
            return self._member(node, bound)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self.value(node.operand, bound)
            return _scaled(Fraction(-1), value) if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            return self._operation(node, bound)
        if isinstance(node, ast.Call):
            return self._call(node, bound)
        raise ValueError(f"expected symbols, numbers, + - * / ^, brackets and functions, got {show(node)}")

    def number(self, node: ast.AST, bound: Mapping[str, Fraction]) -> Fraction:
        """Return the value of an expression that must be a number."""
        value = self.value(node, bound)
        if isinstance(value, tuple):
            raise ValueError(f"expected a number, got the vector {show(node)}")
        return value

    def vector(self, node: ast.AST, bound: Mapping[str, Fraction]) -> Vector:
        """Return the value of an expression that must be a vector."""
        value = self.value(node, bound)
        if not isinstance(value, tuple):
            raise ValueError(f"expected a vector, got the number {show(node)}")
        return value

    def _name(self, name: str, bound: Mapping[str, Fraction]) -> Value:
        if name in bound:
            return bound[name]
        definition = self.definitions.get(name)
        if definition and not definition.parameter:
            return Evaluation(self.world, self._others(name)).value(definition.expression, bound)
        if definition or name in self.world.sequences:
            star = f"; the point {name}* is written {name}_star" if f"{name}_star" in self.world.symbols else ""
            raise ValueError(f"{name} needs an index, as in {name}[t]{star}")
        if name in self.world.functions or name in FUNCTIONS:
            raise ValueError(f"{name} is a function: expected {name}(...), got {name} alone")
        if name not in self.world.symbols:
            raise ValueError(f"{name} is no symbol here: expected {self.vocabulary()}; or define it: let {name} = ...")
        return self.world.symbols[name]

    def _others(self, name: str) -> dict[str, Definition]:
        """Return the definitions without one, which must not use itself."""
        return {key: value for key, value in self.definitions.items() if key != name}

    def vocabulary(self) -> str:
        """Return what may stand in an expression."""
        known = [*self.world.symbols, *(f"{name}[t]" for name in self.world.sequences)]
        known += [f"{name}(...)" for name in (*self.world.functions, *FUNCTIONS)]
        return ", ".join([*known, "sum(... for t in 1..T)"])

    def _member(self, node: ast.Subscript, bound: Mapping[str, Fraction]) -> Value:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        definition = self.definitions.get(name)
        if name not in self.world.sequences and not (definition and definition.parameter):
            if name in self.world.symbols:
                raise ValueError(f"expected {name} without an index, got {show(node)}")
            known = ", ".join(f"{each}[t]" for each in self.world.sequences)
            raise ValueError(f"expected {known or 'no index'}, or a line let {name}[t] = ..., got {show(node)}")
        place = self.number(node.slice, bound)
        if definition:
            inner = {**bound, definition.parameter: place}
            return Evaluation(self.world, self._others(name)).value(definition.expression, inner)
        members = self.world.sequences[name]
        if place.denominator > 1 or not 1 <= place <= len(members):
            last = "T" if len(members) == self.world.symbols["T"] else "T+1"
            at = f"{name}[{place}]"
            said = at if show(node) == at else f"{show(node)} = {at}"
            raise UndefinedError(f"{said} is not one of {name}[1], ..., {name}[{last}]")
        return members[int(place) - 1]

    def _operation(self, node: ast.BinOp, bound: Mapping[str, Fraction]) -> Value:
        if isinstance(node.op, ast.Pow):
            return self._power(node, bound)
        left, right = self.value(node.left, bound), self.value(node.right, bound)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            left, right = alike(left, right, node)
            right = right if isinstance(node.op, ast.Add) else _scaled(Fraction(-1), right)
            return _plus(left, right)
        if isinstance(node.op, ast.Mult):
            if isinstance(left, tuple) and isinstance(right, tuple):
                raise ValueError(f"expected dot(x, y) for the product of two vectors, got {show(node)}")
            return _scaled(right, left) if isinstance(left, tuple) else _scaled(left, right)  # type: ignore[arg-type]
        if isinstance(node.op, ast.Div):
            if isinstance(right, tuple):
                raise ValueError(f"expected a number below the line, got the vector {show(node.right)}")
            if right == 0:
                raise UndefinedError(f"{show(node.right)} is 0, and {show(node)} divides by it")
            return _scaled(1 / right, left)
        raise ValueError(f"expected one of + - * / ^, got {show(node)}")

    def _power(self, node: ast.BinOp, bound: Mapping[str, Fraction]) -> Fraction:
        power = self.number(node.right, bound)
        if power.denominator > 1 or not -4 <= power <= 8:
            raise ValueError(f"expected a power from -4 to 8, or sqrt(...), got {show(node)}")
        base = node.left
        if self.world.norm is None and power == 2 and _calls(base, "norm"):  # exact, with no root
            x = self.vector(base.args[0], bound)  # type: ignore[attr-defined]
            return _dot(x, x)
        number = self.value(base, bound)
        if isinstance(number, tuple):
            raise ValueError(f"expected norm(x)^2 for the square of a vector, got {show(node)}")
        if (abs(number.numerator) + number.denominator).bit_length() > 1000:
            raise ValueError(f"expected the power of a smaller number, got {show(node)}")
        if number == 0 and power < 0:
            raise UndefinedError(f"{show(base)} is 0, and {show(node)} divides by it")
        return number ** int(power)

    def _call(self, node: ast.Call, bound: Mapping[str, Fraction]) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else show(node.func)
        if name == "sum":
            return self._sum(node, bound)
        wanted = 1 if name in self.world.functions else FUNCTIONS.get(name)
        if wanted is None:
            if name in self.world.sequences:
                raise ValueError(f"expected {name}[...], got {show(node)}")
            raise ValueError(f"{name} is no function here: expected {self.vocabulary()}")
        if node.keywords or len(node.args) != wanted:
            raise ValueError(f"{name} takes {wanted} argument{'s' * (wanted > 1)}, got {show(node)}")
        if name in self.world.functions:
            return self.world.functions[name](self.vector(node.args[0], bound))
        if name in ("dot", "norm"):
            vectors = [self.vector(each, bound) for each in node.args]
            if name == "norm":
                return self.world.norm(vectors[0]) if self.world.norm else root(_dot(vectors[0], vectors[0]))
            return _dot(*vectors)
        numbers = [self.number(each, bound) for each in node.args]
        if name == "sqrt":
            if numbers[0] < 0:
                raise UndefinedError(f"{show(node.args[0])} is {said(numbers[0])}, and has no root")
            return root(numbers[0])
        return abs(numbers[0]) if name == "abs" else max(numbers) if name == "max" else min(numbers)

    def _sum(self, node: ast.Call, bound: Mapping[str, Fraction]) -> Value:
        inside = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if not isinstance(inside, ast.GeneratorExp) or len(inside.generators) != 1:
            raise ValueError(f"expected sum(... for t in 1..T), got {show(node)}")
        each = inside.generators[0]
        ends = each.iter
        if not isinstance(ends, ast.BinOp) or not isinstance(ends.op, ast.BitOr) or each.ifs or each.is_async:
            raise ValueError(f"expected a range such as 1..T, got {show(ends)}")
        if not isinstance(each.target, ast.Name) or each.target.id in self.world.symbols:
            raise ValueError(f"expected a letter for the index, such as t or s, got {show(each.target)}")
        first, last = self.number(ends.left, bound), self.number(ends.right, bound)
        if first.denominator > 1 or last.denominator > 1 or last - first > 100:
            raise ValueError(f"expected a range such as 1..T, got {show(ends)}")
        total: Value | None = None
        for k in range(int(first), int(last) + 1):
            term = self.value(inside.elt, {**bound, each.target.id: Fraction(k)})
            total = term if total is None else _plus(*alike(total, term, node))
        return total if total is not None else self._empty(inside.elt, {**bound, each.target.id: Fraction(1)})

    def _empty(self, term: ast.AST, bound: Mapping[str, Fraction]) -> Value:
        """Return the sum of no terms: zero, of the kind of the first term."""
        return _scaled(Fraction(0), self.value(term, bound))


def root(number: Fraction) -> Fraction:
    """Return the root of a number that is not negative: exactly if it is a fraction, else rounded down."""
    above, below = math.isqrt(number.numerator), math.isqrt(number.denominator)
    if above**2 == number.numerator and below**2 == number.denominator:
        return Fraction(above, below)
    return Fraction(math.isqrt(number.numerator * 10 ** (2 * DIGITS) // number.denominator), 10**DIGITS)


def said(value: Value) -> str:
    """Return a value as text: a fraction as it is, what is none to six places."""
    if isinstance(value, tuple):
        return said(value[0]) if len(value) == 1 else f"({', '.join(map(said, value))})"
    return str(value) if value.denominator < 10**9 else f"{float(value):.6f}"


def _calls(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == name
        and len(node.args) == 1
        and not node.keywords
    )


def alike(x: Value, y: Value, node: ast.AST | Line) -> tuple[Value, Value]:
    """Return two values of one kind; 0 beside a vector is the zero vector.

    Raises:
        ValueError: if one is a number and the other a vector; the message shows the node.
    """
    if isinstance(x, tuple) and y == 0:
        y = tuple(Fraction(0) for _ in x)
    if isinstance(y, tuple) and x == 0:
        x = tuple(Fraction(0) for _ in y)
    if isinstance(x, tuple) != isinstance(y, tuple):
        raise ValueError(
            f"expected two numbers or two vectors, got one of each: {node if isinstance(node, Line) else show(node)}"
        )
    return x, y


def _plus(x: Value, y: Value) -> Value:
    if isinstance(x, tuple) and isinstance(y, tuple):
        return tuple(a + b for a, b in zip(x, y, strict=True))
    return x + y  # type: ignore[operator]


def _scaled(factor: Fraction, value: Value) -> Value:
    return tuple(factor * each for each in value) if isinstance(value, tuple) else factor * value


def _dot(x: Vector, y: Vector) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))
