"""Instances of problems 1 to 3 in small fractions, on which :mod:`cs7643.theory.proof` tries the lines of a proof.

Each satisfies all that its problem assumes, and nothing more: among them are one step in one dimension, vectors that
are zero, long steps, points that are minimisers already, functions with kinks, constants that are larger than need be,
and the functions on which the bound of problem 3 is attained. An instance is made from a few numbers, which a search
for a counterexample may change.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cs7643.theory.values import Value, Vector, World, root

Functions = dict[str, Callable[[Vector], Value]]
ONE = Fraction(1)
PROBLEMS = ("1", "2", "3")


@dataclass(frozen=True)
class Instance:
    """An instance: its world, a text for its f, and the numbers that it is made from.

    Attributes:
        world: what the symbols stand for.
        f: the function in words; "" if the problem has none.
        numbers: it is made from these, which begin with those that must stay above 0.
        positive: how many these are.
        make: takes other numbers, returns the instance, or None if they do not satisfy what the problem assumes.
    """

    world: World
    f: str
    numbers: tuple[Fraction, ...]
    positive: int
    make: Callable[[Sequence[Fraction]], Instance | None]

    @property
    def size(self) -> int:
        """Return how large it is: the smallest instance makes the best counterexample."""
        sizes = [(abs(each.numerator) or 1) + 2 * (each.denominator - 1) for each in self.numbers]
        points = [each for members in self.world.sequences.values() for each in members]
        special = bool(self.f) and not any(self.world.symbols.get("w_star", (ONE,)))  # type: ignore[arg-type]
        return sum(sizes) + 3 * sum(map(len, points)) + 3 * len(self.numbers) + len(self.f) // 8 + 9 * special


@functools.cache
def instances(problem: str) -> tuple[Instance, ...]:
    """Return the instances of a problem, the smallest first.

    Args:
        problem: one of ``PROBLEMS``.

    Raises:
        ValueError: if it is none of these.
    """
    makers = {"1": _models, "2": _sequences, "3": _descents}
    if problem not in makers:
        raise ValueError(f"problem must be one of {', '.join(PROBLEMS)}, got {problem!r}")
    rng = random.Random(int(problem))
    found = {(each.numbers, each.f, each.world.symbols.get("T")): each for each in makers[problem](rng) if each}
    return tuple(sorted(found.values(), key=lambda each: each.size))


def neighbour(instance: Instance, rng: random.Random) -> Instance | None:
    """Return an instance in which one number is another, or None if that one violates what the problem assumes."""
    numbers = list(instance.numbers)
    place = rng.randrange(len(numbers))
    if place < instance.positive:
        numbers[place] *= rng.choice((Fraction(2), Fraction(1, 2)))
    else:
        numbers[place] += rng.choice((1, -1, Fraction(1, 2), Fraction(-1, 2)))
    return instance.make(numbers)


def _small(rng: random.Random, count: int) -> list[Fraction]:
    return [Fraction(rng.choice((0, 0, 1, 1, -1, -1, 2, -2, 3))) for _ in range(count)]


def _split(numbers: Sequence[Fraction], d: int) -> list[Vector]:
    return [tuple(numbers[k : k + d]) for k in range(0, len(numbers), d)]


def _dot(x: Vector, y: Vector) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _minus(x: Vector, y: Vector) -> Vector:
    return tuple(a - b for a, b in zip(x, y, strict=True))


def _step(w: Vector, eta: Fraction, v: Vector) -> Vector:
    return tuple(a - eta * b for a, b in zip(w, v, strict=True))


# Problem 1: f is a quadratic function, convex, concave or neither; w, z and lam are arbitrary.
def _models(rng: random.Random) -> list[Instance | None]:
    grid = itertools.product((1, 2), (0, 1), (0, 1), (0, 1), (0, 1, -1), (0, 1, -1, 2))
    found = [_model(1, [Fraction(each) for each in numbers]) for numbers in grid]
    for d in (1, 2, 3):
        for _ in range(30 // d):
            lam = rng.choice((Fraction(1, 2), ONE, Fraction(2), Fraction(10)))
            found.append(_model(d, [lam, Fraction(rng.choice((-1, 0, 1))), ONE, *_small(rng, 3 * d)]))
    return found


def _model(d: int, numbers: Sequence[Fraction]) -> Instance | None:
    lam, curvature, constant = numbers[:3]
    w, slope, z = _split(numbers[3:], d)

    def f(x: Vector) -> Fraction:
        return constant + _dot(slope, x) + curvature / 2 * _dot(x, x)

    def gradient(x: Vector) -> Vector:
        return tuple(a + curvature * b for a, b in zip(slope, x, strict=True))

    terms = [str(constant)] * (constant != 0)
    terms += [f"{slope[0]}*x" if d == 1 else f"dot(({', '.join(map(str, slope))}), x)"] * any(slope)
    terms += [f"{curvature / 2}*{'x^2' if d == 1 else 'norm(x)^2'}"] * (curvature != 0)
    said = "f(x) = " + (re.sub(r"(?<![\d/])1\*", "", " + ".join(terms)).replace("+ -", "- ") or "0")
    functions: Functions = {"f": f, "grad": gradient, "model": model_of(f, gradient, w, lam, lambda x: _dot(x, x))}
    world = World({"w": w, "z": z, "lam": lam}, {}, functions)
    return Instance(world, said, tuple(numbers), 1, functools.partial(_model, d))


def model_of(
    f: Callable[[Vector], Fraction],
    gradient: Callable[[Vector], Vector],
    w: Vector,
    lam: Fraction,
    square: Callable[[Vector], Fraction],
) -> Callable[[Vector], Value]:
    """Return the objective of eq. (3) as a function of z, with the square of a norm that is given."""
    return lambda z: f(w) + _dot(_minus(z, w), gradient(w)) + lam / 2 * square(_minus(z, w))


# Problem 2: the vectors v are arbitrary, and so are w* and eta.
def _sequences(rng: random.Random) -> list[Instance | None]:
    grid = [*itertools.product((1, 2), (0, 1, -1, 2), (0, 1, -1, 2)), *itertools.product((0.5,), (0.5, -0.5), (1, -1))]
    found = [_sequence(1, 1, [Fraction(each) for each in numbers]) for numbers in grid]
    for T, d, count in ((2, 1, 30), (1, 2, 6), (2, 2, 12), (3, 1, 12), (3, 2, 6), (4, 2, 3), (5, 1, 3)):
        for k in range(count):
            eta = rng.choice((ONE, ONE, Fraction(1, 2), Fraction(2), Fraction(10)))
            w_star, v = _small(rng, d), _small(rng, T * d)
            if k % 3 == 1:  # where eq. (4) is an equality: the steps end at w*
                w_star = [-eta * sum(v[i::d], Fraction(0)) for i in range(d)]
            if k % 3 == 2:  # each v points from w* to where the steps are
                v = _pushed(w_star, eta, T)
            found.append(_sequence(T, d, [eta, *w_star, *v]))
    return found


def _pushed(w_star: Sequence[Fraction], eta: Fraction, T: int) -> list[Fraction]:
    w, v = tuple(Fraction(0) for _ in w_star), list[Fraction]()
    for _ in range(T):
        push = tuple(Fraction((a > 0) - (a < 0)) for a in _minus(w, tuple(w_star)))
        v += push
        w = _step(w, eta, push)
    return v


def _sequence(T: int, d: int, numbers: Sequence[Fraction]) -> Instance | None:
    eta = numbers[0]
    w_star, *v = _split(numbers[1:], d)
    w = list(itertools.accumulate(v, lambda at, push: _step(at, eta, push), initial=(Fraction(0),) * d))
    world = World({"T": Fraction(T), "eta": eta, "w_star": w_star}, {"w": w, "v": v}, {})
    return Instance(world, "", tuple(numbers), 1, functools.partial(_sequence, T, d))


# Problem 3: f is convex and rho-Lipschitz, w* a minimiser, |w*| at most B, and eta = B / (rho sqrt(T)). Here eta and
# rho are chosen, and B follows: so eta is a fraction whatever T is.
A, C = Fraction(7, 25), Fraction(24, 25)
SHAPES: dict[str, tuple[tuple[int | Fraction, ...], ...]] = {  # f is the maximum of these linear functions of x - w*
    "{s}*|x - {c}|": ((1,), (-1,)),
    "{s}*max(0, {c} - x)": ((-1,), (0,)),
    "{s}*max(x - {c}, ({c} - x)/2)": ((1,), (Fraction(-1, 2),)),
    "0": ((0,),),
    "{s}*max(|x1 - {c1}|, |x2 - {c2}|)": ((1, 0), (-1, 0), (0, 1), (0, -1)),
    "{s}*max(0, 7/25*(x1 - {c1}) + 24/25*|x2 - {c2}|)": ((A, C), (A, -C), (0, 0)),  # bad for the last point
}
HUBER = "Huber"


def _descents(rng: random.Random) -> list[Instance | None]:
    found = []
    for shape, T in itertools.product((*SHAPES, HUBER), (1, 2, 4)):
        d = len(SHAPES.get(shape, ((1,),))[0])
        starts = ((1, 1, 1, 0, 1, 1), (2, 1, 1, 0, 1, 1), (1, 1, 1, 1, 0, 0), (1, 2, 1, 2, -1, 0), (1, 1, 1, 0, -1, 0))
        for eta, rho, s, lowest, *c in starts[: 5 if T < 3 else 3]:
            found.append(_descent(shape, T, [Fraction(each) for each in (eta, rho, s, lowest, *c[:d], *[2] * d)]))
        for _ in range(2):
            numbers = [rng.choice((ONE, Fraction(1, 2), Fraction(2))), Fraction(2), rng.choice((ONE, Fraction(2)))]
            found.append(_descent(shape, T, [*numbers, *_small(rng, 1 + 2 * d)]))
    found += [_attaining(T, [eta, rho]) for T in (1, 2, 3) for eta in (ONE, Fraction(2)) for rho in (ONE, eta)]
    return found


def _descent(shape: str, T: int, numbers: Sequence[Fraction]) -> Instance | None:
    """Return T steps on a function; the numbers are eta, rho, its steepest slope, its minimum, where that is, and z."""
    eta, rho, s, lowest = numbers[:4]
    w_star, z = _split(numbers[4:], len(numbers) // 2 - 2)
    make = functools.partial(_descent, shape, T)
    if shape == HUBER:
        f, gradient = _huber(w_star[0], s, lowest)
        words = f"f(x) = {lowest} + (x - {w_star[0]})^2/2 where that is flatter than {s}, slope {s} or -{s} beyond"
    else:
        f, gradient = _largest([tuple(s * each for each in piece) for piece in SHAPES[shape]], w_star, lowest)
        words = f"f(x) = {lowest} + " + shape.format(s=s, c=w_star[0], c1=w_star[0], c2=w_star[-1])
    words = words.replace("- -", "+ ").replace(" - 0", "").replace(" 1*", " ").replace("= 0 + ", "= ")
    return _steps(words, f, gradient, w_star, z, T, eta, rho, s, make, numbers)


def _huber(
    c: Fraction, s: Fraction, lowest: Fraction
) -> tuple[Callable[[Vector], Fraction], Callable[[Vector], Vector]]:
    """Return a function of one variable that is quadratic near its minimiser c and has slope s far from it."""

    def f(x: Vector) -> Fraction:
        r = abs(x[0] - c)
        return lowest + (r * r / 2 if r <= s else s * r - s * s / 2)

    return f, lambda x: (max(-s, min(s, x[0] - c)),)


def _attaining(T: int, numbers: Sequence[Fraction]) -> Instance | None:
    """Return the function of T variables on which T steps attain the bound."""
    eta, rho = numbers
    floor = -eta * rho
    units = [tuple(rho * (i == k) for i in range(T)) for k in range(T)]
    w_star = (floor,) * T
    f, gradient = _largest([*units, (Fraction(0),) * T], w_star, rho * floor)
    words = f"f(x) = {rho}*max({floor}, {', '.join(f'x{k + 1}' for k in range(T))})".replace("= 1*", "= ")
    make = functools.partial(_attaining, T)
    return _steps(words, f, gradient, w_star, (Fraction(0),) * T, T, eta, rho, rho, make, numbers)


def _largest(
    pieces: list[Vector], c: Vector, lowest: Fraction
) -> tuple[Callable[[Vector], Fraction], Callable[[Vector], Vector]]:
    """Return the largest of linear functions of x - c, plus its minimum, and a subgradient: that of the first."""

    def f(x: Vector) -> Fraction:
        return lowest + max(_dot(piece, _minus(x, c)) for piece in pieces)

    return f, lambda x: max(pieces, key=lambda piece: _dot(piece, _minus(x, c)))


def _steps(
    words: str,
    f: Callable[[Vector], Fraction],
    gradient: Callable[[Vector], Vector],
    w_star: Vector,
    z: Vector,
    T: int,
    eta: Fraction,
    rho: Fraction,
    s: Fraction,
    make: Callable[[Sequence[Fraction]], Instance | None],
    numbers: Sequence[Fraction],
) -> Instance | None:
    if rho < s or eta**2 * rho**2 * T < _dot(w_star, w_star):  # not rho-Lipschitz, or w* further than B
        return None
    w = [(Fraction(0),) * len(w_star)]
    for _ in range(T):
        w.append(_step(w[-1], eta, gradient(w[-1])))
    world = descent_world(f, gradient, w, w_star, z, T, (eta, rho, eta * rho * root(Fraction(T))))
    return Instance(world, words, tuple(numbers), min(3, len(numbers)), make)


def descent_world(
    f: Callable[[Vector], Fraction],
    gradient: Callable[[Vector], Vector],
    w: Sequence[Vector],
    w_star: Vector,
    z: Vector,
    T: int,
    constants: tuple[Fraction, Fraction, Fraction],
) -> World:
    """Return the world of problem 3; the constants are eta, rho and B."""
    eta, rho, B = constants
    average = tuple(sum(column, Fraction(0)) / T for column in zip(*w[:T], strict=True))
    numbers = {"T": Fraction(T), "eta": eta, "rho": rho, "B": B}
    symbols: dict[str, Value] = {**numbers, "w_star": w_star, "w_bar": average, "z": z}
    return World(symbols, {"w": w}, {"f": f, "grad": gradient})
