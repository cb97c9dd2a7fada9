"""What the usual mistakes make of an entry of a table by hand: each number with the name of its mistake.

A name is given to a number only if no other mistake explains it (see :func:`explained`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cs7643.autodiff.graph import Graph, Node
from cs7643.autodiff.primitives import Primitive
from cs7643.autodiff.programs import operation

MISTAKES = {
    "path": "one path is forgotten. Every use of a variable contributes, and the contributions add up.",
    "multiplied": "the contributions are multiplied. Add them up.",
    "subtracted": "a contribution is subtracted. Add them up.",
    "inside": "the local derivative is taken at a bar or a dot. It belongs at the value of the argument: "
    "cos(d), not the cosine of d-bar.",
    "at result": "the local derivative is taken at the result of the step. It belongs at the value of the argument.",
    "sigma": "the factor 1 - sigma is missing: sigma' = sigma (1 - sigma).",
    "function": "this is the function itself, where its derivative belongs.",
    "other factor": "this is the derivative with respect to the other factor. With respect to one factor of a product, "
    "it is the other one.",
    "sign": "the sign is wrong.",
    "no slope": "the local derivative is missing: this passes on what arrives, unchanged.",
    "slope alone": "this is the local derivative alone. Multiply it by what arrives: that is the chain rule.",
    "bar included": "this is the whole contribution. The bar is multiplied in the next column.",
    "value": "this is the value of the step, where its bar belongs.",
    "bar of the output": "only the output has the bar 1 by definition. This step passes on its own.",
    "of the dot": "the function is applied to the dot. Multiply the dot by the local derivative.",
    "degrees": "the angle is in radians, and this is the result in degrees.",
    "other operation": "the two arguments are added where they should be multiplied, or the other way round.",
    "columns": "the two directions are exchanged: in the first column the first input moves.",
    "transposed": "the matrix is transposed. A row times the Jacobian is one of its rows: row 1 holds the derivatives "
    "of the first function.",
}
IN_PAIRS = ("columns", "transposed")  # one number alone is no evidence of these


class Suspect(NamedTuple):
    """A mistake, and the number that it leads to."""

    name: str
    value: float


def explained(number: float, expected: float, suspects: Iterable[Suspect], close: Callable[..., bool]) -> set[str]:
    """Return the names of the mistakes that lead to a number, and away from what was expected."""
    return {
        name for name, value in suspects if math.isfinite(value) and close(number, value) and not close(value, expected)
    }


@dataclass(frozen=True)
class Step:
    """A step of a graph, to be done again with other numbers.

    Attributes:
        node: the step.
        constants: for each argument its value if it is a constant, else None.
    """

    node: Node
    constants: tuple[float | None, ...]

    @property
    def primitive(self) -> Primitive:
        """The operation."""
        return operation(self.node.operation)

    def arguments(self, values: Sequence[float]) -> list[float]:
        """Return all arguments, from the values of those that are no constants."""
        given = iter(values)
        return [next(given) if constant is None else constant for constant in self.constants]

    def value(self, *values: float) -> float:
        """Return the result, from the values of the arguments that are no constants."""
        return float(self.primitive.value(*self.arguments(values)))

    def slopes(self, *values: float) -> list[float]:
        """Return the derivative with respect to each argument that is no constant."""
        arguments = self.arguments(values)
        result = self.primitive.value(*arguments)
        rules = zip(self.primitive.backward, self.constants, strict=True)
        return [float(rule(1.0, result, *arguments)) for rule, constant in rules if constant is None]

    def tangent(self, *numbers: float) -> float:
        """Return the tangent of the result, from the values of the arguments, and then their tangents."""
        half = len(numbers) // 2
        slopes = self.slopes(*numbers[:half])
        return math.fsum(slope * speed for slope, speed in zip(slopes, numbers[half:], strict=True))


def in_value(step: Step, *values: float) -> list[Suspect]:
    """Return what may stand in the place of a value."""
    found = [Suspect("sign", -step.value(*values))]
    if step.node.operation in ("sin", "cos"):
        found.append(Suspect("degrees", step.value(math.radians(values[0]))))
    if step.node.operation in ("+", "*"):
        other = operation("*" if step.node.operation == "+" else "+")
        found.append(Suspect("other operation", float(other.value(*step.arguments(values)))))
    return found


def in_tangent(step: Step, other: float, *numbers: float) -> list[Suspect]:
    """Return what may stand in the place of a tangent; ``other`` is the tangent in the other direction."""
    half = len(numbers) // 2
    values, speeds = numbers[:half], numbers[half:]
    slopes = step.slopes(*values)
    parts = [slope * speed for slope, speed in zip(slopes, speeds, strict=True)]
    found = [Suspect("sign", -math.fsum(parts)), Suspect("columns", other)]
    if half == 2:
        found += [Suspect("path", part) for part in parts if part]
        return found
    (speed,), (slope,) = speeds, slopes
    found += [Suspect("no slope", speed), Suspect("slope alone", slope)]
    if speed and len(step.constants) == 1:
        found += [Suspect("inside", step.slopes(speed)[0] * speed), Suspect("of the dot", step.value(speed))]
    return found + [Suspect(name, value * speed) for name, value in _wrong_slopes(step, values)]


def _wrong_slopes(step: Step, values: Sequence[float]) -> list[Suspect]:
    """Return what may stand in the place of the derivative of a function of one number."""
    if len(step.constants) > 1:
        return []
    result = step.value(*values)
    name = "sigma" if step.node.operation == "sigmoid" else "function"
    return [Suspect(name, result), Suspect("at result", step.slopes(result)[0])]


def in_adjoint(own: float, contributions: Sequence[float], value: float) -> list[Suspect]:
    """Return what may stand in the place of the bar of a step: its uses' contributions, its value."""
    found = [Suspect("value", value), Suspect("bar of the output", 1.0), Suspect("sign", -own)]
    return found + ([Suspect("path", each) for each in contributions] if len(contributions) > 1 else [])


def in_slope(step: Step, place: int, near: Sequence[float], values: Sequence[float]) -> list[Suspect]:
    """Return what may stand in the place of a local derivative.

    Args:
        step: what is done.
        place: with respect to which argument, counted among those that are no constants.
        near: the bar of the step, and that of the argument.
        values: of the arguments that are no constants.
    """
    slope = step.slopes(*values)[place]
    found = [Suspect("sign", -slope), Suspect("bar included", slope * near[0])]
    if len(values) == 2:
        return [*found, Suspect("other factor", step.slopes(*values)[1 - place])]
    found += [Suspect("inside", step.slopes(bar)[0]) for bar in near if len(step.constants) == 1]
    return found + _wrong_slopes(step, values)


def in_product(bar: float, slope: float) -> list[Suspect]:
    """Return what may stand in the place of a contribution."""
    return [Suspect("no slope", bar), Suspect("slope alone", slope), Suspect("sign", -bar * slope)]


def in_sum(*parts: float) -> list[Suspect]:
    """Return what may stand in the place of the sum of the contributions."""
    differences = [Suspect("subtracted", sign * (parts[0] - math.fsum(parts[1:]))) for sign in (1, -1)]
    return [*(Suspect("path", part) for part in parts), Suspect("multiplied", math.prod(parts)), *differences]


def in_jacobian(graph: Graph, k: int, across: float) -> list[Suspect]:
    """Return what may stand in the place of the derivative by node k; ``across`` stands on the other side."""
    found = [Suspect("transposed", across), Suspect("sign", -math.fsum(paths(graph, k)))]
    found += [Suspect("path", part) for part in paths(graph, k)]
    for t, node in enumerate(graph.nodes):
        for name, symbol, local in (
            ("sigma", "sigmoid", (node.value,)),
            ("function", "sin", (node.value,)),
            ("no slope", "*", (None, 1.0)),
        ):
            if node.operation == symbol and (symbol != "*" or None in node.local):
                nodes = [*graph.nodes]
                nodes[t] = replace(node, local=local)
                found.append(Suspect(name, math.fsum(paths(Graph(tuple(nodes), graph.outputs), k))))
    return found


def paths(graph: Graph, k: int) -> list[float]:
    """Return for each path from a node to the output the product of the local derivatives along it."""
    if k in graph.outputs:
        return [1.0]
    return [
        slope * rest
        for t, node in enumerate(graph.nodes)
        for s, slope in zip(node.inputs, node.local, strict=False)
        if s == k and slope is not None
        for rest in paths(graph, t)
    ]
