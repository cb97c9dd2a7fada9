"""What problems 1 to 3 claim, and whether a line is that claim."""

from __future__ import annotations

import ast
import functools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from cs7643.theory.instances import Functions, descent_world, instances, model_of
from cs7643.theory.notation import Definition, Line, expression, show
from cs7643.theory.values import TINY, Evaluation, UndefinedError, Value, Vector, World


@dataclass(frozen=True)
class Claim:
    """What is to be shown, and what the student has to add."""

    left: ast.expr
    relation: str
    right: ast.expr
    besides: str = ""

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{show(self.left)} {self.relation} {show(self.right)}{self.besides}"


CLAIMS = {
    "1": Claim(
        expression("model(z)"),
        ">=",
        expression("model(w - eta*grad(w))"),
        " for every z, with the eta that you name",
    ),
    "2": Claim(
        expression("sum(dot(w[t] - w_star, v[t]) for t in 1..T)"),
        "<=",
        expression("norm(w_star)^2/(2*eta) + eta/2*sum(norm(v[t])^2 for t in 1..T)"),
    ),
    "3": Claim(expression("f(w_bar) - f(w_star)"), "<=", expression("B*rho/sqrt(T)")),
}


def is_claim(problem: str, definitions: Mapping[str, Definition], line: Line) -> bool:
    """Tell whether a line is the claim: the difference of its sides is that of the claim's, or a multiple of it.

    They are compared in worlds in which only the form counts (:func:`_loose`), as an equation between different forms
    is what a proof has to show. The factor may depend on eta and T, but on nothing else.
    """
    if not line.relation:
        return False
    (low, high), (least, most) = (
        (each.right, each.left) if each.relation == ">=" else (each.left, each.right)
        for each in (line, CLAIMS[problem])
    )
    for worlds in _loose(problem):
        ratios = []
        for world in worlds:
            ours, theirs = (_difference(world, definitions, a, b) for a, b in ((high, low), (most, least)))
            if ours is None or not theirs:
                return False
            ratios.append(ours / theirs)
        if max(ratios) - min(ratios) > TINY or abs(ratios[0]) < TINY or (ratios[0] < 0 and line.relation != "="):
            return False
    return True


def whole_way(problem: str, definitions: Mapping[str, Definition], line: Line) -> bool:
    """Tell whether a line leads from the left side of the claim, as it is written, to the value of the right one."""
    claim = CLAIMS[problem]
    for side, other in ((line.left, line.right), (line.right, line.left)):
        if line.relation != "=" and equal(problem, definitions, side, claim.left):
            found = [_difference(each.world, definitions, other, claim.right) for each in instances(problem)]
            return all(each is not None and abs(each) < TINY for each in found)
    return False


def equal(problem: str, definitions: Mapping[str, Definition], a: ast.expr, b: ast.expr) -> bool:
    """Tell whether two expressions are of one form."""
    differences = [_difference(world, definitions, a, b) for worlds in _loose(problem) for world in worlds]
    return all(each is not None and abs(each) < TINY for each in differences)


def _difference(world: World, definitions: Mapping[str, Definition], a: ast.expr, b: ast.expr) -> Fraction | None:
    evaluation = Evaluation(world, {key: value for key, value in definitions.items() if key not in world.symbols})
    try:
        return evaluation.number(a, {}) - evaluation.number(b, {})
    except (UndefinedError, ValueError):  # such as a side with a free index
        return None


@functools.cache
def _loose(problem: str) -> tuple[tuple[World, ...], ...]:
    """Return worlds in which only the form of an expression counts, in groups that share T and eta.

    In problem 1 the norm has nothing to do with the inner product, nor eta with lam; in the others the points w[t] do
    not come from steps. So two expressions are equal in all these worlds only if no step of the proof lies between.
    """
    rng = random.Random(7)

    def vectors(count: int, d: int = 2) -> list[Vector]:
        return [tuple(Fraction(rng.randint(-50, 50), rng.randint(1, 9)) for _ in range(d)) for _ in range(count)]

    def norm(x: Vector) -> Fraction:
        return abs(x[0]) + 3 * abs(x[1])

    def f(x: Vector) -> Fraction:
        return 3 + 5 * x[0] + x[0] * x[1] + x[1] ** 3

    def gradient(x: Vector) -> Vector:
        return (x[0] ** 2 + 11, 2 * x[1] - 3 * x[0])

    groups = []
    for T, number in ((3, Fraction(2, 3)), (4, Fraction(5))):
        worlds = []
        for _ in range(4):
            if problem == "1":
                w, z = vectors(2)
                model = model_of(f, gradient, w, number, lambda x: norm(x) ** 2)
                functions: Functions = {"f": f, "grad": gradient, "model": model}
                known: dict[str, Value] = {"w": w, "z": z, "lam": number, "eta": vectors(1)[0][0]}
                worlds.append(World(known, {}, functions, norm))
            elif problem == "2":
                symbols: dict[str, Value] = {"T": Fraction(T), "eta": number, "w_star": vectors(1)[0]}
                worlds.append(World(symbols, {"w": vectors(T + 1), "v": vectors(T)}, {}))
            else:
                constants = (number, *(abs(each[0]) + 1 for each in vectors(2)))
                w_star, z = vectors(2)
                worlds.append(descent_world(f, gradient, vectors(T + 1), w_star, z, T, constants))  # type: ignore
        groups.append(tuple(worlds))
    return tuple(groups)
