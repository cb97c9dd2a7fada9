"""Cases of tasks 5a to 5d: the functions, and three ways to differentiate, on functions with known derivatives.

The functions of 5a are compared with stored values, of 17 digits, and elsewhere with what the laws of exponents and
the addition theorem make of them. The modes are tried on other functions, so that none depends on another task.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from coursework.check.case import (
    CASES,
    Attempt,
    CaseFailed,
    Function,
    IfRaises,
    NothingReturned,
    case,
    run_case,
)
from coursework.check.comparison import Prediction, compare
from coursework.check.diagnosis import mistake
from cs7643.autodiff import primitives
from cs7643.autodiff.forward import Dual
from cs7643.autodiff.reverse import Tape

EXACT = 1e-12  # of a derivative by rules: rounding leaves less, even of terms that cancel; differences leave 1e-11
POINTS = ((1.0, 2.0), (0.1, -0.3), (-0.5, 0.25))
F1 = (7.8020742649522155e24, 6.2243002751091665, 10.312459200366231)
F1_AS_TYPESET = (1.3994898834901838e24, 2.9098078420327622, 3.9289203740558451)
F2 = (2.7310585786300049, 0.49497918747893998, 0.25254066879814546)

mistake("f1", "as typeset", "w1 itself stands in the first exponent: that is f1_as_typeset, and f1 has e^w1 there.")
mistake("f1_as_typeset", "f1", "e^w1 stands in the first exponent: that is f1, and f1_as_typeset has w1 there.")
mistake("f1 f1_as_typeset", "2 lost", "the exponent of w2 is 2 w2, and the 2 is missing.")
mistake("f1 f1_as_typeset", "square of w2", "the exponent of w2 is 2 w2, not w2 squared.")
mistake("f1 f1_as_typeset", "sine lost", "the sine is missing.")
mistake("f1 f1_as_typeset", "cosine", "it has a cosine where there should be a sine.")
mistake("f1 f1_as_typeset", "sine subtracted", "the sine is subtracted, and should be added.")
mistake("f1 f1_as_typeset", "sine without e^w1", "inside the sine w1 should be e^w1.")
mistake("f1 f1_as_typeset", "exponential lost", "the outer exponential of the first term is missing.")
mistake("f2", "sigmoid of w2", "the sigmoid is that of w1, not of w2.")
mistake("f2", "sigmoid reversed", "the sigmoid is 1 / (1 + e^-w1), with a minus in the exponent.")
mistake("f2", "tanh", "tanh is not the sigmoid: it runs from -1 to 1.")
mistake("f2", "sum of w1 and w2", "w1 and w2 are multiplied, not added.")
mistake("f2", "sigmoid multiplied", "the sigmoid is added to w1 w2, not multiplied with it.")
mistake("f2", "sigmoid lost", "the sigmoid is missing.")
mistake(
    "f1 f1_as_typeset f2",
    "numbers only",
    "a function of math takes numbers only: use those of cs7643.autodiff.primitives, or of NumPy.",
)


def _f1(first: float, w1: float, w2: float, sine: Callable[[float, float], float] | None = None) -> float:
    """Return e^first e^b + sin(a + b) for b = e^(2 w2): the sine by the addition theorem, with a = e^w1 or another."""
    a, b = np.exp(w1), np.exp(w2) ** 2
    return float(np.exp(first) * np.exp(b) + (sine(a, b) if sine else _sine(a, b)))


def _sine(a: float, b: float) -> float:
    return float(np.sin(a) * np.cos(b) + np.cos(a) * np.sin(b))


def _first(w1: float, w2: float) -> float:
    return _f1(float(np.exp(w1)), w1, w2)


def _typeset(w1: float, w2: float) -> float:
    return _f1(w1, w1, w2)


def _second(w1: float, w2: float) -> float:
    return float(w1 * w2 + (1 + np.tanh(w1 / 2)) / 2)


def _mistaken_f1(first: Callable[[float], float], w1: float, w2: float) -> dict[str, Prediction]:
    right = _f1(first(w1), w1, w2)
    a, b = np.exp(w1), np.exp(w2) ** 2
    sine, cosine = _sine(a, b), float(np.cos(a) * np.cos(b) - np.sin(a) * np.sin(b))
    return {
        "as typeset": _typeset(w1, w2),
        "f1": _first(w1, w2),
        "2 lost": _f1(first(w1), w1, w2 / 2),
        "square of w2": _f1(first(w1), w1, w2**2 / 2),
        "sine lost": right - sine,
        "cosine": right - sine + cosine,
        "sine subtracted": right - 2 * sine,
        "sine without e^w1": _f1(first(w1), w1, w2, lambda a, b: _sine(w1, b)),
        "exponential lost": (first(w1) + b + sine, a + b + sine),
    }


def _mistaken_f2(w1: float, w2: float) -> dict[str, Prediction]:
    right, product = _second(w1, w2), w1 * w2
    sigmoid = right - product
    return {
        "sigmoid of w2": _second(w2, w1),
        "sigmoid reversed": product + 1 - sigmoid,
        "tanh": product + np.tanh(w1),
        "sum of w1 and w2": w1 + w2 + sigmoid,
        "sigmoid multiplied": product * sigmoid,
        "sigmoid lost": (product, product + w1),
    }


def _values(
    f: Function,
    rng: Generator,
    stored: tuple[float, ...],
    right: Callable[[float, float], float],
    mistaken: Callable[[float, float], Mapping[str, Prediction]],
) -> Attempt:
    drawn = [tuple(rng.uniform(-0.8, 0.8, 2)) for _ in range(2)]
    for point, value in (*zip(POINTS, stored, strict=True), *((point, right(*point)) for point in drawn)):
        w1, w2 = map(float, point)
        yield compare(f"the value at ({w1:.3g}, {w2:.3g})", f(w1, w2), value, EXACT, mistakes=mistaken(w1, w2))


def _arrays(f: Function, rng: Generator, right: Callable[[float, float], float]) -> Attempt:
    yield IfRaises({"numbers only": "TypeError: only .*arrays can be converted to Python scalars"})
    w1, w2 = rng.uniform(-0.8, 0.8, (2, *rng.integers(2, 5, 2)))
    yield compare("the values", f(w1, w2), np.vectorize(right)(w1, w2), EXACT)


FORMULAS = {
    "f1": "exp(e^w1 + e^(2 w2)) + sin(e^w1 + e^(2 w2))",
    "f1_as_typeset": "exp(w1 + e^(2 w2)) + sin(e^w1 + e^(2 w2))",
    "f2": "w1 w2 + sigmoid(w1)",
}
for _name, _stored, _right, _mistaken in (
    ("f1", F1, _first, functools.partial(_mistaken_f1, np.exp)),
    ("f1_as_typeset", F1_AS_TYPESET, _typeset, functools.partial(_mistaken_f1, float)),
    ("f2", F2, _second, _mistaken_f2),
):
    _body = functools.partial(_values, stored=_stored, right=_right, mistaken=_mistaken)
    case(_name, "the values at several points", FORMULAS[_name])(_body)
    case(_name, "arrays", "for floats, arrays, dual numbers and variables on a tape")(
        functools.partial(_arrays, right=_right)
    )


class _Cubes:
    """From R^3 to R^2, w -> (a w0^3 + b w1, c w1 w2): products and third powers, whose quotients are known exactly."""

    def __init__(self, rng: Generator) -> None:
        self.a, self.b, self.c = rng.integers(1, 4, 3) * rng.choice([-1.0, 1.0], 3)
        self.at = rng.integers(1, 9, 3) / 4 * rng.choice([-1.0, 1.0], 3)
        self.jacobian = np.zeros((2, 3))
        self.jacobian[0, :2] = 3 * self.a * self.at[0] ** 2, self.b
        self.jacobian[1, 1:] = self.c * self.at[2], self.c * self.at[1]

    def __call__(self, w: Any) -> Any:
        return self.a * w[0] ** 3 + self.b * w[1], self.c * (w[1] * w[2])

    def with_error(self, error: float) -> Any:
        """Return the Jacobian with an error in d/dw0 of a w0^3 and nowhere else, in units of a."""
        found = self.jacobian.copy()
        found[0, 0] += self.a * error
        return found


QUOTIENTS = {
    "forward": "(f(w + delta) - f(w)) / delta",
    "central": "(f(w + delta) - f(w - delta)) / (2 delta)",
    "complex": "Im f(w + i delta) / delta",
}
mistake("numerical_jacobian", "looks back", "the forward difference looks ahead, from f(w) to f(w + delta).")
mistake("numerical_jacobian", "another scheme", "it is right for another scheme than the one that was asked for.")
mistake("numerical_jacobian", "divided by delta", "f(w + delta) and f(w - delta) are 2 delta apart: divide by that.")
mistake("numerical_jacobian", "not divided", "the difference is not divided by delta.")
mistake("numerical_jacobian", "sign", "the difference is taken the other way round.")
mistake("numerical_jacobian", "not put back", "a coordinate stays changed while the next is: change one at a time.")
mistake("numerical_jacobian", "real part", "the derivative is in the imaginary part, not in the real one.")
for _name in ("numerical_jacobian", "forward_jacobian", "backward_jacobian"):
    mistake(_name, "transposed", "the Jacobian is transposed: row k belongs to output k, column j to input j.")


def _quotients(
    jacobian: Function, cubes: _Cubes, scheme: str, deltas: tuple[float, ...], error: Callable[[float], float]
) -> Attempt:
    for delta in deltas:
        right = cubes.with_error(error(delta))
        others = (3 * cubes.at[0] * delta + delta**2, delta**2, -(delta**2))
        unreset = right.copy()
        unreset[1, 2] += cubes.c * delta
        mistakes: dict[str, Prediction] = {
            "looks back": cubes.with_error(-3 * cubes.at[0] * delta + delta**2),
            "another scheme": tuple(cubes.with_error(other) for other in others),
            "divided by delta": 2 * right,
            "not divided": (right * delta, right * 2 * delta),
            "sign": -right,
            "not put back": unreset,
            "real part": np.array(cubes(cubes.at))[:, np.newaxis] / delta
            + np.array([[-3 * cubes.a * cubes.at[0] * delta, 0, 0], [0, 0, 0]]),
            "transposed": right.T,
            "flat": (right.T.ravel(), right.ravel()),
        }
        found = jacobian(cubes, cubes.at, delta, scheme)
        yield compare(f"the {scheme} Jacobian, delta {delta:g}", found, right, 1e-11, mistakes=mistakes)


@case("numerical_jacobian", "forward differences", QUOTIENTS["forward"])
def _numerical_jacobian_forward_differences(numerical_jacobian: Function, rng: Generator) -> Attempt:
    cubes = _Cubes(rng)  # ((w + d)^3 - w^3) / d = 3 w^2 + 3 w d + d^2

    def error(delta: float) -> float:
        return float(3 * cubes.at[0] * delta + delta**2)

    yield from _quotients(numerical_jacobian, cubes, "forward", (0.5, 0.01), error)
    found = numerical_jacobian(cubes, list(cubes.at))  # the defaults
    yield compare("the Jacobian, delta not given", found, cubes.with_error(error(0.01)), 1e-11)


@case("numerical_jacobian", "central differences", QUOTIENTS["central"])
def _numerical_jacobian_central_differences(numerical_jacobian: Function, rng: Generator) -> Attempt:
    # ((w + d)^3 - (w - d)^3) / (2 d) = 3 w^2 + d^2
    yield from _quotients(numerical_jacobian, _Cubes(rng), "central", (0.5, 0.01), lambda delta: delta**2)


@case("numerical_jacobian", "the complex step", QUOTIENTS["complex"])
def _numerical_jacobian_the_complex_step(numerical_jacobian: Function, rng: Generator) -> Attempt:
    # Im (w + i d)^3 / d = 3 w^2 - d^2
    yield from _quotients(numerical_jacobian, _Cubes(rng), "complex", (0.5, 1e-100), lambda delta: -(delta**2))


SHAPES = "row k has the derivatives of output k"


@case("numerical_jacobian", "several numbers of inputs and outputs", SHAPES)
def _numerical_jacobian_several_numbers_of_inputs_and(numerical_jacobian: Function, rng: Generator) -> Attempt:
    yield from _shapes(numerical_jacobian, rng, 1e-6, delta=1e-3, scheme="central")


def _shapes(jacobian: Function, rng: Generator, tolerance: float, **settings: Any) -> Attempt:
    """Compare the Jacobians of functions from R^n to R^m for several n and m."""
    for m, n in ((1, 1), (1, 4), (4, 1), (3, 5), (5, 3), rng.integers(2, 6, 2)):
        A, w = rng.standard_normal((m, n)), rng.standard_normal(n)
        value = A @ w + 1.0
        found = jacobian(lambda w, A=A: A @ w + 1.0, w, **settings)
        mistakes: dict[str, Prediction] = {
            "transposed": A.T,
            "all at once": np.repeat(A.sum(axis=1, keepdims=True), n, axis=1),
            "value": np.repeat(value[:, np.newaxis], n, axis=1),
            "flat": (A.T.ravel(), A.ravel()),
            "rows added up": (np.repeat(A.sum(axis=0, keepdims=True), m, axis=0), np.cumsum(A, axis=0)),
            "zeros": np.zeros_like(A),
        }
        yield compare(f"the Jacobian, {m} x {n}", found, A, tolerance, mistakes=mistakes)
    pair = rng.uniform(0.5, 1, 2)
    found = jacobian(lambda w: w[0] * w[1], pair, **settings)
    yield compare("the Jacobian of a number", found, pair[::-1][np.newaxis], tolerance)


def _needs_sweep() -> None:
    """See that the sweep on which the Jacobian stands is right: otherwise nothing can be said of the Jacobian."""
    cases = [case for case in CASES if case.function == "Tape.sweep"]
    if any(run_case(case, Tape.sweep, predict=False).status != "right" for case in cases):
        raise NothingReturned("it waits for Tape.sweep, which is not right yet")


def _constant(jacobian: Function, rng: Generator, tolerance: float, **settings: Any) -> Attempt:
    w = rng.uniform(-1, 1, 1)
    yield IfRaises({"constant output": "AttributeError: 'float' object has no attribute"})
    found = jacobian(lambda w: (np.exp(w[0]), 3.0), w, **settings)
    yield compare("the Jacobian with a constant output", found, [[np.exp(w[0])], [0.0]], tolerance)


CONSTANT = "its derivatives are zero"


@case("numerical_jacobian", "an output that is constant", CONSTANT)
def _numerical_jacobian_an_output_that_is_constant(numerical_jacobian: Function, rng: Generator) -> Attempt:
    yield from _constant(numerical_jacobian, rng, 1e-6, delta=1e-3, scheme="central")


def _exact(jacobian: Function, rng: Generator) -> Attempt:
    """Compare with a Jacobian that is known exactly, and with one of a chain of functions."""
    cubes = _Cubes(rng)
    value = np.array(cubes(cubes.at))[:, np.newaxis]
    mistakes: dict[str, Prediction] = {
        "transposed": cubes.jacobian.T,
        "all at once": np.repeat(cubes.jacobian.sum(axis=1, keepdims=True), 3, axis=1),
        "value": np.repeat(value, 3, axis=1),
        "rows added up": (
            np.repeat(cubes.jacobian.sum(axis=0, keepdims=True), 2, axis=0),
            np.cumsum(cubes.jacobian, axis=0),
        ),
    }
    yield compare("the Jacobian", jacobian(cubes, cubes.at), cubes.jacobian, EXACT, mistakes=mistakes)
    # d/dw of log(1 + exp(sin(w) w)), and of the difference of two of its parts
    w = float(rng.uniform(0.4, 1.2))
    inner, slope = np.sin(w) * w, np.cos(w) * w + np.sin(w)
    found = jacobian(lambda w: (np.log(1 + np.exp(np.sin(w[0]) * w[0])), 2 / w[0] - w[0] ** 2), [w])
    yield compare("the Jacobian", found, [[slope / (1 + np.exp(-inner))], [-2 / w**2 - 2 * w]], EXACT)


mistake("Dual.apply", "last contribution only", "an argument's contribution replaces the one before: add them up.")
mistake("Dual.apply", "first contribution only", "only the first argument contributes: add up what all contribute.")
mistake("Dual.apply", "own tangent lost", "a rule gets 1, or nothing, in the place of its argument's own tangent.")
mistake("Dual.apply", "contributions multiplied", "the contributions are multiplied, and should be added.")
mistake("Dual.apply", "rules exchanged", "the rules and the tangents are paired in another order than the arguments.")
mistake("Dual.apply", "value lost", "the value is not that of the primitive: apply it to the values.")
mistake(
    "Dual.apply", "result not passed on", "a rule is called as rule(tangent, result, *values): the result is missing."
)
mistake("Dual.apply", "constants count", "a constant argument has the tangent None, and contributes nothing: skip it.")
APPLY_ERRORS = {"result not passed on": r"TypeError: .*missing \d+ required positional argument"}
CONTRIBUTE = "the tangent of the result is the sum of these"


@case("Dual.apply", "sums, products, quotients", CONTRIBUTE)
def _dual_apply_sums_products_quotients(apply: Function, rng: Generator) -> Attempt:
    (x, y), (dx, dy) = rng.uniform(0.5, 2, 2) * rng.choice([-1, 1], 2), rng.uniform(0.2, 0.9, 2)
    a, b = Dual(float(x), float(dx)), Dual(float(y), float(dy))
    slopes = {"ADD": (1.0, 1.0), "SUBTRACT": (1.0, -1.0), "MULTIPLY": (y, x), "DIVIDE": (1 / y, -x / y**2)}
    yield IfRaises(APPLY_ERRORS)
    for name, (to_x, to_y) in slopes.items():
        right, value = dx * to_x + dy * to_y, getattr(primitives, name).value(float(x), float(y))
        found = _dual(apply(getattr(primitives, name), a, b))
        mistakes: dict[str, Prediction] = {
            "last contribution only": dy * to_y,
            "first contribution only": dx * to_x,
            "own tangent lost": to_x + to_y,
            "contributions multiplied": dx * to_x * dy * to_y,
            "rules exchanged": (dy * to_x + dx * to_y),
        }
        yield compare(f"the tangent of {name.lower()}", found.tangent, right, EXACT, mistakes=mistakes)
        lost: dict[str, Prediction] = {"value lost": (x, y, right, dx, dy)}
        yield compare(f"the value of {name.lower()}", found.value, value, 1e-15, mistakes=lost)


def _slopes(apply: Function, x: float, tangent: float, slopes: dict[str, float]) -> Attempt:
    yield IfRaises(APPLY_ERRORS)
    for name, slope in slopes.items():
        found = _dual(apply(getattr(primitives, name), Dual(x, tangent)))
        mistakes: dict[str, Prediction] = {"own tangent lost": slope}
        yield compare(f"the tangent of {name.lower()}", found.tangent, tangent * slope, EXACT, mistakes=mistakes)
        lost: dict[str, Prediction] = {"value lost": (x, tangent, tangent * slope)}
        yield compare(f"the value of {name.lower()}", found.value, getattr(primitives, name).value(x), mistakes=lost)


@case("Dual.apply", "functions of one number", "Each argument contributes what its own rule makes of its tangent")
def _dual_apply_functions_of_one_number(apply: Function, rng: Generator) -> Attempt:
    x, tangent = float(rng.uniform(0.2, 1.2)), float(rng.uniform(-2.5, -1.5))
    slopes = {"LOG": 1 / x, "SIN": np.cos(x), "COS": -np.sin(x), "TANH": 1 / np.cosh(x) ** 2}
    yield from _slopes(apply, x, tangent, slopes)


@case("Dual.apply", "functions whose rules need the result", "rule(tangent, result, *values)")
def _dual_apply_functions_whose_rules_need_the_result(apply: Function, rng: Generator) -> Attempt:
    x = float(rng.uniform(0.2, 1.2))
    yield from _slopes(apply, x, -2.0, {"EXP": np.exp(x), "SQRT": 0.5 / np.sqrt(x)})


@case("Dual.apply", "a constant, and the same number twice", "A constant has the tangent None and contributes nothing")
def _dual_apply_a_constant_and_the_same_number_twice(apply: Function, rng: Generator) -> Attempt:
    at = float(rng.uniform(1.5, 3))
    x = Dual(at, 1.0)
    yield IfRaises({**APPLY_ERRORS, "constants count": "TypeError: .*NoneType"})
    yield compare("the tangent of x * x", _dual(apply(primitives.MULTIPLY, x, x)).tangent, 2 * at)
    yield compare("the tangent of 5 - x", _dual(apply(primitives.SUBTRACT, 5.0, x)).tangent, -1.0)
    yield compare("the tangent of x^2", _dual(apply(primitives.POWER, Dual(-at, 1.0), 2.0)).tangent, -2 * at)


@case("Dual.apply", "arrays", "The rules work on numbers and on arrays")
def _dual_apply_arrays(apply: Function, rng: Generator) -> Attempt:
    a, b, da, db = rng.standard_normal((4, 3, 3))
    found = _dual(apply(primitives.MATMUL, Dual(a, da), Dual(b, db)))
    mistakes: dict[str, Prediction] = {"last contribution only": a @ db, "first contribution only": da @ b}
    yield compare("the tangent of a @ b", found.tangent, da @ b + a @ db, EXACT, mistakes=mistakes)


mistake("forward_jacobian", "all at once", "all inputs move in every sweep: let one at a time move, with speed 1.")
mistake(
    "forward_jacobian", "value", "the columns hold the values: jvp returns (value, tangent), and the tangent is wanted."
)
mistake("forward_jacobian numerical_jacobian", "flat", "the columns stand one after another: put them side by side.")
mistake(
    "backward_jacobian",
    "rows added up",
    "a row also holds the derivatives of other outputs.",
)
mistake("backward_jacobian", "constant output", "an output may be a plain number: its derivatives are zero.")
mistake("backward_jacobian", "zeros", "the rows that are filled in are not those that are returned: fill in jacobian.")


@case("forward_jacobian", "known Jacobians", "Compute the Jacobian of f at w in n sweeps, one for each input")
def _forward_jacobian_known_jacobians(forward_jacobian: Function, rng: Generator) -> Attempt:
    yield from _exact(forward_jacobian, rng)


@case("forward_jacobian", "several numbers of inputs and outputs", SHAPES)
def _forward_jacobian_several_numbers_of_inputs_and(forward_jacobian: Function, rng: Generator) -> Attempt:
    yield from _shapes(forward_jacobian, rng, EXACT)


@case("forward_jacobian", "an output that is constant", CONSTANT)
def _forward_jacobian_an_output_that_is_constant(forward_jacobian: Function, rng: Generator) -> Attempt:
    yield from _constant(forward_jacobian, rng, EXACT)


def _dual(found: object) -> Dual:
    if not isinstance(found, Dual):
        raise CaseFailed(f"it should return a Dual, got {type(found).__name__}")
    return found


def _sweep(sweep: Function, tape: Tape, y: Any, *xs: Any, seed: float = 1.0) -> list[Any]:
    """Return the adjoints of some variables after a sweep from y."""
    adjoints = sweep(tape, y.place, seed)
    if adjoints is None:
        raise NothingReturned("it should return the adjoints, and returns None")
    if not isinstance(adjoints, list) or len(adjoints) != len(tape):
        raise CaseFailed("it should return a list with an adjoint for each record of the tape")
    return [adjoints[x.place] for x in xs]


mistake("Tape.sweep", "replaced", "an adjoint is replaced by the next contribution: add to what is there already.")
mistake("Tape.sweep", "first contribution only", "only the first contribution to an adjoint is kept: add each.")
mistake("Tape.sweep", "adjoint above lost", "a rule gets 1, or nothing, in the place of the adjoint of the result.")
mistake("Tape.sweep", "contributions multiplied", "the contributions to an adjoint are multiplied: add them up.")
mistake("Tape.sweep", "contributions subtracted", "a contribution is subtracted from what is there: add it.")
mistake(
    "Tape.sweep",
    "result not passed on",
    "a rule is called as rule(adjoint, result, *arguments): the result is missing.",
)
mistake(
    "Tape.sweep",
    "constants count",
    "an argument whose parent is None is a constant and has no place on the tape: skip it.",
)
mistake(
    "Tape.sweep",
    "added in place",
    "a contribution is added in place (+=), into an array that other adjoints share: add into a new array.",
)
SWEEP_ERRORS = {
    "result not passed on": r"TypeError: .*missing \d+ required positional argument",
    "constants count": "TypeError: list indices must be integers or slices, not NoneType",
    "added in place": "ValueError: output array is read-only",
}
ADD_UP = "A number that is used twice gets a contribution from each use, and they add up"


@case("Tape.sweep", "numbers by hand: (x + y) (y + 1)", ADD_UP)
def _tape_sweep_numbers_by_hand_x_y_y_1(sweep: Function, rng: Generator) -> Attempt:
    yield IfRaises(SWEEP_ERRORS)
    tape = Tape()
    a, b = float(rng.integers(4, 9)), float(rng.integers(2, 9))
    x, y = tape.variable(a), tape.variable(b)
    dx, dy = _sweep(sweep, tape, (x + y) * (y + 1.0), x, y)
    left, right = a + b, b + 1
    mistakes: dict[str, Prediction] = {
        "replaced": right,
        "first contribution only": left,
        "adjoint above lost": 2.0,
        "contributions multiplied": left * right,
        "contributions subtracted": (left - right, right - left),
    }
    wrong: dict[str, Prediction] = {"adjoint above lost": 1.0}
    yield compare("the adjoint of x", dx, right, mistakes=wrong)
    yield compare("the adjoint of y", dy, left + right, mistakes=mistakes)
    found = _sweep(sweep, tape, x * y, x, seed=-2.0)[0]
    yield compare("the adjoint of x, from a seed of -2", found, -2 * b, mistakes={"adjoint above lost": b})


@case("Tape.sweep", "the same number several times", ADD_UP)
def _tape_sweep_the_same_number_several_times(sweep: Function, rng: Generator) -> Attempt:
    yield IfRaises(SWEEP_ERRORS)
    tape = Tape()
    at = float(rng.uniform(1.2, 2))
    x = tape.variable(at)
    fourth = 4 * at**3
    mistakes: dict[str, Prediction] = {"first contribution only": 1.0, "replaced": at**3}
    found = _sweep(sweep, tape, x * x * x * x + x, x)[0]
    yield compare("the adjoint of x in x^4 + x", found, fourth + 1, EXACT, mistakes=mistakes)
    square = x * x
    found = _sweep(sweep, tape, square * square + square, x)[0]
    partly: dict[str, Prediction] = {"first contribution only": (at, 2 * at), "replaced": (at**3, 2 * at**3)}
    yield compare("the adjoint of x in x^4 + x^2", found, fourth + 2 * at, EXACT, mistakes=partly)


@case("Tape.sweep", "operations whose rules need their result", "rule(adjoint, result, *arguments)")
def _tape_sweep_operations_whose_rules_need_their(sweep: Function, rng: Generator) -> Attempt:
    yield IfRaises(SWEEP_ERRORS)
    tape = Tape()
    a, b = float(rng.uniform(0.5, 1)), float(rng.uniform(-1.5, -1))
    x, y = tape.variable(a), tape.variable(b)
    dx, dy = _sweep(sweep, tape, np.exp(x * y) / y, x, y)
    yield compare("the adjoint of x in e^(x y) / y", dx, np.exp(a * b), EXACT)
    yield compare("the adjoint of y", dy, np.exp(a * b) * (a / b - 1 / b**2), EXACT)


@case("Tape.sweep", "what has no influence", "return the adjoint of each; None if it has no influence")
def _tape_sweep_what_has_no_influence(sweep: Function, rng: Generator) -> Attempt:
    tape = Tape()
    at = float(rng.uniform(1, 3))
    x, y = tape.variable(at), tape.variable(3.0)
    y = y * 2.0
    z = x * x
    _after = z * y
    dx, dy = _sweep(sweep, tape, z, x, y)
    yield compare("the adjoint of x", dx, 2 * at)
    yield compare("whether y has an adjoint", int(dy is not None), 0)


@case("Tape.sweep", "arrays", "returns the contribution to the adjoint of its argument, a number or an array")
def _tape_sweep_arrays(sweep: Function, rng: Generator) -> Attempt:
    N, D, M = rng.integers(2, 6, 3)
    X, W, b = rng.standard_normal((N, D)), rng.standard_normal((D, M)), rng.standard_normal(M)
    tape = Tape()
    w, c = tape.variable(W), tape.variable(b)
    yield IfRaises(SWEEP_ERRORS)
    dW, db = _sweep(sweep, tape, np.sum(np.sin(X @ w + c)), w, c)
    slopes = np.cos(X @ W + b)
    yield compare("the adjoint of W in sum(sin(X W + b))", dW, X.T @ slopes, EXACT)
    yield compare("the adjoint of b", db, slopes.sum(axis=0), EXACT)


SHARED = "a contribution may share its memory with another adjoint, or be read-only"


@case("Tape.sweep", "contributions that share their memory", SHARED, edge=True)
def _tape_sweep_shared_memory(sweep: Function, rng: Generator) -> Attempt:
    tape = Tape()
    at = rng.uniform(0.5, 2, 3)
    x, y = tape.variable(at), tape.variable(rng.standard_normal(3))
    s = x * x
    z = x + y
    yield IfRaises(SWEEP_ERRORS)
    dx, dy = _sweep(sweep, tape, np.sum(s + 2.0 * z), x, y)
    yield compare("the adjoint of x in sum(x^2 + 2 (x + y))", dx, 2 * at + 2, EXACT)
    mistakes: dict[str, Prediction] = {"added in place": 2 * at + 2}
    yield compare("the adjoint of y", dy, np.full(3, 2.0), EXACT, mistakes=mistakes)


@case("Tape.sweep", "contributions that are read-only", SHARED, edge=True)
def _tape_sweep_read_only(sweep: Function, rng: Generator) -> Attempt:
    tape = Tape()
    at = rng.uniform(0.5, 2, 3)
    x = tape.variable(at)
    yield IfRaises(SWEEP_ERRORS)
    (dx,) = _sweep(sweep, tape, np.sum(x * 3.0) + np.sum(x), x)
    yield compare("the adjoint of x in sum(3 x) + sum(x)", dx, np.full(3, 4.0), EXACT)


@case("backward_jacobian", "known Jacobians", "f is recorded once, and the tape swept m times, once for each output")
def _backward_jacobian_known_jacobians(backward_jacobian: Function, rng: Generator) -> Attempt:
    _needs_sweep()
    yield from _exact(backward_jacobian, rng)


@case("backward_jacobian", "several numbers of inputs and outputs", SHAPES)
def _backward_jacobian_several_numbers_of_inputs_and(backward_jacobian: Function, rng: Generator) -> Attempt:
    _needs_sweep()
    yield from _shapes(backward_jacobian, rng, EXACT)


@case("backward_jacobian", "an output that is constant", CONSTANT)
def _backward_jacobian_an_output_that_is_constant(backward_jacobian: Function, rng: Generator) -> Attempt:
    _needs_sweep()
    yield from _constant(backward_jacobian, rng, EXACT)
