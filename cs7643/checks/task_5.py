"""Cases of tasks 5a to 5d: the functions, and three ways to differentiate, on functions with known derivatives.

The functions of 5a are compared with stored values, of 17 digits. The modes are tried on other functions, so that none
depends on another task.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from cs7643.autodiff import primitives
from cs7643.autodiff.forward import Dual
from cs7643.autodiff.reverse import Tape
from cs7643.checks.case import CaseFailed, Function, case
from cs7643.comparison import Comparison, compare

POINTS = ((1.0, 2.0), (0.1, -0.3), (-0.5, 0.25))
F1 = (7.8020742649522155e24, 6.2243002751091665, 10.312459200366231)
F1_AS_TYPESET = (1.3994898834901838e24, 2.9098078420327622, 3.9289203740558451)
F2 = (2.7310585786300049, 0.49497918747893998, 0.25254066879814546)


def _values(f: Function, expected: tuple[float, ...]) -> Iterator[Comparison]:
    for (w1, w2), value in zip(POINTS, expected, strict=True):
        yield compare(f"the value at ({w1:g}, {w2:g})", f(w1, w2), value, 1e-14)


def _arrays(f: Function, expected: tuple[float, ...]) -> Iterator[Comparison]:
    w1, w2 = np.array(POINTS).T
    with np.errstate(all="ignore"):
        yield compare("its values relative to the right ones", f(w1, w2) / expected, np.ones(3), 1e-13)


NUMBERS_ONLY = "a function of math takes numbers only: use those of cs7643.autodiff.primitives, or of NumPy"
for _name, _expected, _suspect in (
    ("f1", F1, "one exponential too few: exp(w1 + ...) is f1_as_typeset"),
    ("f1_as_typeset", F1_AS_TYPESET, "w1 stands beside e^(2 w2) in the first exponent, without an exp"),
    ("f2", F2, "the sigmoid is 1 / (1 + e^-w1)"),
):
    case(_name, "the values at three points", _suspect)(functools.partial(_values, expected=_expected))
    case(_name, "arrays", NUMBERS_ONLY)(functools.partial(_arrays, expected=_expected))


def _cubes(w: Any) -> Any:
    """From R^3 to R^2: products and third powers, whose difference quotients are known exactly."""
    return w[0] ** 3 + 2 * w[1], w[1] * w[2]


CUBES_AT = (2.0, -1.0, 0.5)
CUBES_JACOBIAN = np.array([[12.0, 2.0, 0.0], [0.0, 0.5, -1.0]])
FIRST = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # only d/dw1 of the third power has an error


@case("numerical_jacobian", "forward differences", "(f(w + delta) - f(w)) / delta; a coordinate is put back afterwards")
def _(numerical_jacobian: Function) -> Iterator[Comparison]:
    for delta in (0.5, 0.01):  # ((2 + d)^3 - 8) / d = 12 + 6 d + d^2
        expected = CUBES_JACOBIAN + (6 * delta + delta**2) * FIRST
        yield compare("the Jacobian", numerical_jacobian(_cubes, np.array(CUBES_AT), delta), expected, 1e-11)


@case("numerical_jacobian", "central differences", "divide by 2 delta, the distance of the two points")
def _(numerical_jacobian: Function) -> Iterator[Comparison]:
    for delta in (0.5, 0.01):  # ((2 + d)^3 - (2 - d)^3) / (2 d) = 12 + d^2
        expected = CUBES_JACOBIAN + delta**2 * FIRST
        yield compare("the Jacobian", numerical_jacobian(_cubes, CUBES_AT, delta, "central"), expected, 1e-11)


@case("numerical_jacobian", "the complex step", "the imaginary part over delta; nothing is subtracted")
def _(numerical_jacobian: Function) -> Iterator[Comparison]:
    for delta in (0.5, 1e-100):  # Im (2 + i d)^3 / d = 12 - d^2
        expected = CUBES_JACOBIAN - delta**2 * FIRST
        yield compare("the Jacobian", numerical_jacobian(_cubes, CUBES_AT, delta, "complex"), expected, 1e-12)


@case("numerical_jacobian", "one output, and more outputs than inputs", "the Jacobian is (m, n): a row an output")
def _(numerical_jacobian: Function) -> Iterator[Comparison]:
    yield from _shapes(numerical_jacobian, 1e-6, delta=1e-3, scheme="central")


def _shapes(jacobian: Function, tolerance: float, **settings: Any) -> Iterator[Comparison]:
    """Compare the Jacobians of functions from R^n to R^m for several n and m."""
    rng = np.random.default_rng(0)
    for m, n in ((1, 1), (1, 4), (4, 1), (3, 5)):
        A, w = rng.standard_normal((m, n)), rng.standard_normal(n)
        found = jacobian(lambda w, A=A: A @ w + 1.0, w, **settings)
        yield compare(f"the Jacobian, {m} outputs of {n} inputs", found, A, tolerance)
    yield compare(
        "the Jacobian of a number", jacobian(lambda w: w[0] * w[1], w[:2], **settings), w[1::-1][None], tolerance
    )
    found = jacobian(lambda w: (np.exp(w[0]), 3.0), w[:1], **settings)
    yield compare("the Jacobian with a constant output", found, [[np.exp(w[0])], [0.0]], tolerance)


def _exact(jacobian: Function) -> Iterator[Comparison]:
    """Compare with a Jacobian that is known exactly, and with one of a chain of functions."""
    yield compare("the Jacobian", jacobian(_cubes, CUBES_AT), CUBES_JACOBIAN, 1e-14)
    # d/dw of log(1 + exp(sin(w) w)), and of the ratio of its parts
    w = 0.7
    inner, slope = np.sin(w) * w, np.cos(w) * w + np.sin(w)
    found = jacobian(lambda w: (np.log(1 + np.exp(np.sin(w[0]) * w[0])), 2 / w[0] - w[0] ** 2), [w])
    yield compare("the Jacobian", found, [[slope / (1 + np.exp(-inner))], [-2 / w**2 - 2 * w]], 1e-14)


@case("Dual.apply", "sums, products, quotients", "each argument adds its rule's result to the tangent")
def _(apply: Function) -> Iterator[Comparison]:
    a, b = Dual(3.0, 0.5), Dual(-2.0, 0.25)
    expected = {"ADD": 0.75, "SUBTRACT": 0.25, "MULTIPLY": 0.5 * -2 + 3 * 0.25, "DIVIDE": (0.5 * -2 - 3 * 0.25) / 4}
    for name, tangent in expected.items():
        found = _dual(apply(getattr(primitives, name), a, b))
        yield compare(f"the tangent of {name.lower()}", found.tangent, tangent, 1e-14)
        yield compare(f"the value of {name.lower()}", found.value, getattr(primitives, name).value(3.0, -2.0), 1e-15)


@case("Dual.apply", "functions of one number", "the rule gets the argument's tangent, the result, and the argument")
def _(apply: Function) -> Iterator[Comparison]:
    slopes = {
        "EXP": np.exp(0.3),
        "LOG": 1 / 0.3,
        "SIN": np.cos(0.3),
        "COS": -np.sin(0.3),
        "TANH": 1 / np.cosh(0.3) ** 2,
    }
    for name, slope in slopes.items():
        found = _dual(apply(getattr(primitives, name), Dual(0.3, -2.0)))
        yield compare(f"the tangent of {name.lower()}", found.tangent, -2.0 * slope, 1e-14)


@case("Dual.apply", "a constant, and the same number twice", "a constant has no tangent; x * x has two contributions")
def _(apply: Function) -> Iterator[Comparison]:
    x = Dual(3.0, 1.0)
    yield compare("the tangent of x * x", _dual(apply(primitives.MULTIPLY, x, x)).tangent, 6.0)
    yield compare("the tangent of 5 - x", _dual(apply(primitives.SUBTRACT, 5.0, x)).tangent, -1.0)
    yield compare("the tangent of x^2", _dual(apply(primitives.POWER, Dual(-3.0, 1.0), 2.0)).tangent, -6.0)


@case("Dual.apply", "arrays", "the rules work on arrays as they are")
def _(apply: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(1)
    a, b, da, db = rng.standard_normal((4, 3, 3))
    found = _dual(apply(primitives.MATMUL, Dual(a, da), Dual(b, db)))
    yield compare("the tangent of a @ b", found.tangent, da @ b + a @ db, 1e-13)


@case("forward_jacobian", "known Jacobians", "column j is the tangent of f when only coordinate j moves")
def _(forward_jacobian: Function) -> Iterator[Comparison]:
    yield from _exact(forward_jacobian)


@case("forward_jacobian", "several numbers of inputs and outputs", "the Jacobian is (m, n): a sweep gives a column")
def _(forward_jacobian: Function) -> Iterator[Comparison]:
    yield from _shapes(forward_jacobian, 1e-13)


def _dual(found: object) -> Dual:
    if not isinstance(found, Dual):
        raise CaseFailed(f"it should return a Dual, got {type(found).__name__}")
    return found


def _sweep(sweep: Function, tape: Tape, y: Any, *xs: Any, seed: float = 1.0) -> list[Any]:
    """Return the adjoints of some variables after a sweep from y."""
    adjoints = sweep(tape, y.place, seed)
    if not isinstance(adjoints, list) or len(adjoints) != len(tape):
        raise CaseFailed("it should return a list with an adjoint for each record of the tape")
    return [adjoints[x.place] for x in xs]


@case("Tape.sweep", "numbers by hand: (x + y) (y + 1) at (2, 3)", "y is used twice: what comes from both sides adds up")
def _(sweep: Function) -> Iterator[Comparison]:
    tape = Tape()
    x, y = tape.variable(2.0), tape.variable(3.0)
    dx, dy = _sweep(sweep, tape, (x + y) * (y + 1.0), x, y)
    yield compare("the adjoint of x", dx, 4.0)
    yield compare("the adjoint of y", dy, 9.0)
    yield compare("the adjoint of x, from a seed of -2", _sweep(sweep, tape, x * y, x, seed=-2.0)[0], -6.0)


@case("Tape.sweep", "the same number several times", "an adjoint is a sum: add to what is there, do not replace it")
def _(sweep: Function) -> Iterator[Comparison]:
    tape = Tape()
    x = tape.variable(1.5)
    yield compare("the adjoint of x in x^4 + x", _sweep(sweep, tape, x * x * x * x + x, x)[0], 4 * 1.5**3 + 1, 1e-14)


@case("Tape.sweep", "operations whose rules need their result", "a rule gets (adjoint, result, *arguments)")
def _(sweep: Function) -> Iterator[Comparison]:
    tape = Tape()
    x, y = tape.variable(0.7), tape.variable(-1.2)
    dx, dy = _sweep(sweep, tape, np.exp(x * y) / y, x, y)
    yield compare("the adjoint of x in e^(x y) / y", dx, np.exp(0.7 * -1.2), 1e-14)
    yield compare("the adjoint of y", dy, np.exp(0.7 * -1.2) * (0.7 / -1.2 - 1 / 1.2**2), 1e-14)


@case("Tape.sweep", "what has no influence", "an operation whose adjoint is None passes nothing on")
def _(sweep: Function) -> Iterator[Comparison]:
    tape = Tape()
    x, y = tape.variable(2.0), tape.variable(3.0)
    y = y * 2.0
    z = x * x
    _after = z * y
    dx, dy = _sweep(sweep, tape, z, x, y)
    yield compare("the adjoint of x", dx, 4.0)
    yield compare("whether y has an adjoint", int(dy is not None), 0)


@case("Tape.sweep", "arrays", "the rules work on arrays as they are")
def _(sweep: Function) -> Iterator[Comparison]:
    rng = np.random.default_rng(2)
    X, W, b = rng.standard_normal((5, 3)), rng.standard_normal((3, 2)), rng.standard_normal(2)
    tape = Tape()
    w, c = tape.variable(W), tape.variable(b)
    dW, db = _sweep(sweep, tape, np.sum(np.sin(X @ w + c)), w, c)
    slopes = np.cos(X @ W + b)
    yield compare("the adjoint of W in sum(sin(X W + b))", dW, X.T @ slopes, 1e-13)
    yield compare("the adjoint of b", db, slopes.sum(axis=0), 1e-13)


@case("backward_jacobian", "known Jacobians", "row k is the adjoint of w after a sweep back from output k")
def _(backward_jacobian: Function) -> Iterator[Comparison]:
    yield from _exact(backward_jacobian)


@case("backward_jacobian", "several numbers of inputs and outputs", "the Jacobian is (m, n): a sweep gives a row")
def _(backward_jacobian: Function) -> Iterator[Comparison]:
    yield from _shapes(backward_jacobian, 1e-13)
