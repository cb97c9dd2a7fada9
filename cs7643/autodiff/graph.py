"""A computation graph, made from a tape: every step with its value, its tangent and its adjoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from cs7643.autodiff.forward import Dual
from cs7643.autodiff.operators import plain
from cs7643.autodiff.primitives import Primitive, shape_of
from cs7643.autodiff.reverse import Variable, variables


@dataclass(frozen=True)
class Node:
    """One step of a computation.

    Args:
        name: the name of the node, "w1" or "a"; "" for a constant.
        operation: "input", "constant", a sign ("+", "-", "*", "/", "**") or the name of a function.
        inputs: positions of earlier nodes in the graph; one may occur twice, as in x * x.
        value: the result of the step.
        adjoint: the derivative of the output with respect to this node, if known.
        tangent: the derivative of this node in the chosen direction, if known.
        local: the derivative of this step with respect to each of its inputs; None for that of a constant.
    """

    name: str
    operation: str
    inputs: tuple[int, ...]
    value: float
    adjoint: float | None = None
    tangent: float | None = None
    local: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Graph:
    """A computation, step by step.

    Args:
        nodes: the steps, each after its inputs.
        outputs: positions of the results.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]


def trace(
    f: Callable[..., Any],
    w: Sequence[float],
    names: Sequence[str],
    direction: Sequence[float] | None = None,
    adjoints: bool = True,
) -> Graph:
    """Run f once on a tape, and return its graph.

    Args:
        f: takes n numbers, one argument each, and returns a number.
        w: the n numbers.
        names: what they are called. The steps between are called a, b, c, ...
        direction: how the n numbers change; with it each node has its tangent.
        adjoints: whether each node has its adjoint.

    Raises:
        ValueError: if the result is not a number that depends on w, or lengths differ.
    """
    if len(names) != len(w) or (direction is not None and len(direction) != len(w)):
        raise ValueError(f"trace: names and direction must have one for each of the {len(w)} numbers of w")
    inputs: list[Any] = [float(value) for value in w]
    if direction is not None:
        inputs = [Dual(value, float(tangent)) for value, tangent in zip(inputs, direction, strict=True)]
    y = f(*variables(*inputs, names=tuple(names)))
    if not isinstance(y, Variable) or y.shape:
        raise ValueError("trace: f must return a number that depends on its arguments")
    found = y.tape.sweep(y.place, 1.0) if adjoints else [None] * len(y.tape)
    nodes: list[Node] = []
    places: list[int] = []  # of each record among the nodes
    letters = iter(letter for letter in ascii_lowercase if letter not in names)
    for (primitive, value, arguments, parents), adjoint in zip(y.tape.records, found, strict=True):
        sources = []
        count = len(primitive.backward) if primitive else 0  # an axis is not a number
        for argument, parent in zip(arguments[:count], parents, strict=False):
            if parent is None:
                nodes.append(Node("", "constant", (), float(argument)))
            sources.append(len(nodes) - 1 if parent is None else places[parent])
        name = y.tape.names[len(places)] if primitive is None else next(letters, f"v{len(places)}")
        tangent = value.tangent if isinstance(value, Dual) else None
        places.append(len(nodes))
        operation = "input" if primitive is None else primitive.symbol
        local = _local_derivatives(primitive, value, arguments, parents) if primitive else ()
        nodes.append(Node(name, operation, tuple(sources), plain(value), plain(adjoint), tangent, local))
    return Graph(tuple(nodes), (places[y.place],))


def _local_derivatives(
    primitive: Primitive, value: Any, arguments: Sequence[Any], parents: Sequence[int | None]
) -> tuple[float | None, ...]:
    """Return the derivative of a step with respect to each argument: what its rule makes of an adjoint of 1."""
    numbers = [plain(argument) for argument in arguments]
    if any(shape_of(number) for number in [plain(value), *numbers[: len(primitive.backward)]]):
        return ()  # of an array it is no single number
    return tuple(
        None if parent is None else float(rule(1.0, plain(value), *numbers))
        for rule, parent in zip(primitive.backward, parents, strict=False)
    )


def trace_table(graph: Graph) -> str:
    """Return the steps of a computation as a table: the formula, its value, its tangent and its adjoint."""
    rows: list[tuple[str, ...]] = [("step", "value", "tangent", "adjoint")]
    for k, node in enumerate(graph.nodes):
        if node.operation != "constant":
            numbers = (node.value, node.tangent, node.adjoint)
            rows.append((formula(graph, k), *("" if x is None else f"{x:.6g}" for x in numbers)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{step:{widths[0]}s}"
        + "".join(f"   {text:>{width}s}" for text, width in zip(numbers, widths[1:], strict=True))
        for step, *numbers in rows
    )


def formula(graph: Graph, k: int) -> str:
    """Return the formula of a node, as in ``d = a + c``."""
    node = graph.nodes[k]
    names = [graph.nodes[i].name or f"{graph.nodes[i].value:g}" for i in node.inputs]
    if not names:
        return node.name
    if node.operation in ("+", "-", "*", "/", "**") and len(names) == 2:
        return f"{node.name} = {names[0]} {node.operation} {names[1]}"
    return f"{node.name} = {node.operation}({', '.join(names)})"
