"""The trial of one line of a proof: on every instance of its problem, and then by a search for a counterexample."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from cs7643.theory.instances import Instance, instances, neighbour
from cs7643.theory.notation import Definition, Line, free_in, names, show
from cs7643.theory.values import TINY, Evaluation, UndefinedError, Value, alike, said

STARTS, CLIMB = 5, 25  # of the search: from how many instances, and how many steps


@dataclass(frozen=True)
class Counterexample:
    """Where a line fails: the instance, what the indices are, and both values, or why there is none."""

    instance: Instance
    bound: Mapping[str, Fraction]
    values: tuple[Value, Value] | None
    why: str = ""


def _values(
    evaluation: Evaluation, line: Line, indices: tuple[str, ...]
) -> Iterator[tuple[dict[str, Fraction], Value, Value]]:
    """Yield both sides for every choice of the free indices."""
    T = int(evaluation.world.symbols.get("T", 0))  # type: ignore[arg-type]
    for choice in itertools.product(range(1, T + 1), repeat=len(indices) if T else 0):
        bound = dict(zip(indices, map(Fraction, choice), strict=False))
        try:
            yield bound, evaluation.value(line.left, bound), evaluation.value(line.right, bound)
        except UndefinedError as error:
            raise _BreaksError(bound, str(error)) from error


class _BreaksError(Exception):
    """A side has no value: for which indices, and why."""


def _excess(line: Line, left: Value, right: Value) -> Fraction:
    """Return by how much a line fails; at most 0 if it holds."""
    left, right = alike(left, right, line)
    if isinstance(left, tuple) and isinstance(right, tuple):
        if line.relation != "=":
            raise ValueError(f"expected = between vectors, got {line.relation}: {line}")
        return max(abs(a - b) for a, b in zip(left, right, strict=True)) - TINY
    difference = left - right  # type: ignore[operator]
    excess: Fraction = {"=": abs(difference), "<=": difference, ">=": -difference}[line.relation] - TINY
    return excess


def counterexample(
    problem: str, definitions: Mapping[str, Definition], line: Line, number: int
) -> Counterexample | None:
    """Return an instance on which a line fails, the smallest that was found; None if it holds on all that were tried.

    Args:
        problem: "1", "2" or "3".
        definitions: what the names of the student's own stand for.
        line: the line.
        number: its number, for messages.

    Raises:
        ValueError: if the line has no meaning.
    """
    indices = tuple(dict.fromkeys(free_in(line.left, definitions) + free_in(line.right, definitions)))
    nearly: list[tuple[Fraction, Instance]] = []

    def tried(instance: Instance) -> tuple[Fraction, Counterexample | None]:
        nearest = Fraction(-1)
        try:
            for bound, left, right in _values(Evaluation(instance.world, definitions), line, indices):
                excess = _excess(line, left, right)
                if excess > 0:
                    return excess, Counterexample(instance, bound, (left, right))
                if line.relation != "=":
                    nearest = max(nearest, excess / (1 + abs(left) + abs(right)))  # type: ignore[arg-type]
        except _BreaksError as error:
            return Fraction(1), Counterexample(instance, error.args[0], None, error.args[1])
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None  # one sentence, not two tracebacks
        return nearest, None

    for instance in instances(problem):
        near, found = tried(instance)
        if found:
            return found
        nearly.append((near, instance))
    rng = random.Random(0)
    for near, instance in sorted(nearly, key=lambda each: -each[0])[: STARTS if line.relation != "=" else 0]:
        for _ in range(CLIMB):
            other = neighbour(instance, rng)
            above, found = tried(other) if other else (near - 1, None)
            if found:
                return found
            if other and above >= near:
                near, instance = above, other
    return None


def refuted_by(found: Counterexample, line: Line, number: int, definitions: Mapping[str, Definition]) -> str:
    """Return in words on what a line fails; the arguments are as above."""
    world, used = found.instance.world, names(line.left, definitions) | names(line.right, definitions)
    if world.sequences:
        used |= {"T"}
        used |= {"eta"} if {"w", "w_bar"} & used else set()
        used |= {"v", "grad"} & {*world.sequences, *world.functions} if {"w", "w_bar"} & used else set()
    used |= {"w", "lam"} if "model" in used else set()
    facts = [found.instance.f] if {"f", "grad", "model"} & used else []
    facts += [f"{name} = {said(each)}" for name, each in world.symbols.items() if name in used - {"w_bar"}]
    for name in (each for each in world.sequences if each in used):
        facts += [f"{name}[{k}] = {said(each)}" for k, each in enumerate(world.sequences[name], 1)]
    if "grad" in used and "grad" in world.functions:
        points = {f"w[{k}]": each for k, each in enumerate(world.sequences.get("w", ())[:-1], 1)}
        points |= {"w": world.symbols["w"]} if "w" in world.symbols else {}  # type: ignore[dict-item]
        facts += [f"grad({name}) = {said(world.functions['grad'](each))}" for name, each in points.items()]
    facts += [f"w_bar = {said(world.symbols['w_bar'])}"] if "w_bar" in used & set(world.symbols) else []
    at = "".join(f", at {name} = {value}" for name, value in found.bound.items())
    take = f"Take {', '.join(facts)}{at}:" if facts else "Whatever you take:"
    if found.values is None:
        return f"Line {number} has no value. {take} {found.why}."
    rows = [f"Line {number} is false. {take}"]
    for name, side, value in zip(("left side ", "right side"), (line.left, line.right), found.values, strict=True):
        rows.append(f"    {name}  {show(side)}" + (f" = {said(value)}" if said(value) != show(side) else ""))
    return "\n".join(rows)
