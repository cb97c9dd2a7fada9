"""Values, Jacobians and Hessians against closed forms, stored facts, PyTorch, and arithmetic of many digits."""

from __future__ import annotations

import math
import operator

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import OURS, TORCH, program
from tolerances import apart, assert_within, conditioned, difference, elementary, grown

from cs7643 import autodiff
from cs7643.autodiff import Dual, primitives, variables

# value; exact derivatives; forward and central differences with 0.01: at (1, 2)
FACTS = {
    "f1": (
        7.802074264952215e24,
        (2.1208236698707567e25, 8.519576425751891e26),
        (2.1608450972724905e25, 1.5706034686585183e27),
        (2.1214085333588118e25, 1.043075708698598e27),
    ),
    "f1_as_typeset": (
        1.3994898834901838e24,
        (1.3994898834901838e24, 1.528191172573292e26),
        (1.4065107161676325e24, 2.8172555024707267e26),
        (1.3995132084379093e24, 1.871007442976425e26),
    ),
    "f2": (
        2.731058578630005,
        (2.1966119332414817, 1.0),
        (2.196157060885273, 0.9999999999999787),
        (2.1966113444775504, 0.9999999999999787),
    ),
}
CONDITIONS = {"f1": 60.0, "f1_as_typeset": 60.0, "f2": 1.0}  # of exp at e^1 + e^4 = 57, and at 1 + e^4
MODES = {"forward": autodiff.forward_jacobian, "reverse": autodiff.backward_jacobian}


def exact(name, w):
    """Compute value and gradient with 40 digits, from the floating-point numbers w."""
    with mpmath.workdps(40):
        w1, w2 = map(mpmath.mpf, w)
        u, s = mpmath.exp(w1) + mpmath.exp(2 * w2), w1 + mpmath.exp(2 * w2)
        d1, d2 = mpmath.exp(w1), 2 * mpmath.exp(2 * w2)
        first, cosine = (mpmath.exp(u) if name == "f1" else mpmath.exp(s)), mpmath.cos(u)
        if name == "f2":
            sigma = 1 / (1 + mpmath.exp(-w1))
            numbers = w1 * w2 + sigma, w2 + sigma * (1 - sigma), w1
        else:
            outer = d1 if name == "f1" else 1
            numbers = first + mpmath.sin(u), first * outer + cosine * d1, first * d2 + cosine * d2
        return float(numbers[0]), np.array([float(x) for x in numbers[1:]])


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("w", [(1.0, 2.0), (0.1, -0.3)])
def test_the_functions_and_their_derivatives_are_exact(name, mode, w):
    f = getattr(autodiff, name)
    value, slopes = exact(name, w)
    bound = conditioned(CONDITIONS[name], 2)
    assert f(*w) == pytest.approx(value, rel=bound)
    np.testing.assert_allclose(MODES[mode](lambda w: f(*w), w), [slopes], rtol=bound)
    np.testing.assert_allclose(
        autodiff.numerical_jacobian(lambda w: f(*w), w, 1e-30, "complex"), [slopes], rtol=2 * bound
    )


@pytest.mark.parametrize("name", FACTS)
def test_the_stored_figures_come_out(name):
    f, (value, slopes, forward, central) = getattr(autodiff, name), FACTS[name]
    bound = conditioned(CONDITIONS[name], 2)
    assert f(1.0, 2.0) == pytest.approx(value, rel=bound)
    np.testing.assert_allclose(autodiff.gradient(lambda w: f(*w), (1, 2)), slopes, rtol=bound)
    # Stored with all digits, from a library with other last digits of exp; what these do, a difference divides by h.
    for scheme, expected in (("forward", forward), ("central", central)):
        found = autodiff.numerical_jacobian(lambda w: f(*w), (1, 2), 0.01, scheme)[0]
        for k, point in enumerate([(1.01, 2.0), (1.0, 2.01)]):
            assert_within(found[k], expected[k], bound * f(*point) / 0.01)


# --- random programs


def noises(scale=2.0**-30):
    """Return what leaves every step as it is, and two that change it by a relative error with random signs."""

    def noise(seed):
        generator = torch.Generator().manual_seed(seed)
        return lambda x: x * (1 + scale * (2.0 * torch.randint(2, x.shape, generator=generator) - 1))

    return [lambda x: x, noise(0), noise(1)]


def jacobian_of_torch(run, w, noise):
    x = torch.tensor(w, requires_grad=True)
    ys = run(TORCH, x, noise)
    rows = [torch.autograd.grad(y, x, retain_graph=True)[0].numpy() if y.requires_grad else 0 * w for y in ys]
    return np.array([y.item() for y in ys]), np.array(rows)


@settings(max_examples=2000, derandomize=True)
@given(st.integers(0, 10**9))
def test_random_programs_have_the_values_and_jacobians_of_pytorch(seed):
    run, w = program(seed)
    values, jacobians = zip(*(jacobian_of_torch(run, w, noise) for noise in noises()), strict=True)
    assert_within([float(y) for y in run(OURS, w)], values[0], grown(values))
    for mode in MODES.values():
        assert_within(mode(lambda w: run(OURS, w), w), jacobians[0], grown(jacobians))


def product_of_torch(run, w, direction, noise):
    x = torch.tensor(w, requires_grad=True)
    y = sum(run(TORCH, x, noise))
    if y.requires_grad:
        (slope,) = torch.autograd.grad(y, x, create_graph=True)
        if slope.requires_grad:
            (found,) = torch.autograd.grad(slope @ torch.tensor(direction), x, allow_unused=True)
            return 0 * w if found is None else found.numpy(force=True)
    return 0 * w


@settings(max_examples=500, derandomize=True)
@given(st.integers(10**9, 2 * 10**9))
def test_random_programs_have_the_hessian_vector_products_of_pytorch(seed):
    run, w = program(seed)
    direction = np.random.default_rng(seed).standard_normal(len(w))
    expected = [product_of_torch(run, w, direction, noise) for noise in noises()]
    assert_within(autodiff.hvp(lambda w: sum(run(OURS, w)), w, direction), expected[0], grown(expected))


# --- one row of the table at a time

RNG = np.random.default_rng(0)
CALLS = {  # each: a function of the differentiable arguments, and these
    "ADD": (operator.add, [(3, 2), (3, 2)]),
    "SUBTRACT": (operator.sub, [(3, 2), (3, 2)]),
    "MULTIPLY": (operator.mul, [(3, 2), (3, 2)]),
    "DIVIDE": (operator.truediv, [(3, 2), (3, 2)]),
    "POWER": (lambda a, b: primitives.absolute(a) ** b, [(3, 2), (3, 2)]),
    "NEGATIVE": (operator.neg, [(3,)]),
    "EXP": (primitives.exp, [(3,)]),
    "LOG": (lambda x: primitives.log(x * x), [(3,)]),
    "SIN": (primitives.sin, [(3,)]),
    "COS": (primitives.cos, [(3,)]),
    "TANH": (primitives.tanh, [(3,)]),
    "SIGMOID": (primitives.sigmoid, [(3,)]),
    "SQRT": (lambda x: primitives.sqrt(x * x), [(3,)]),
    "ABSOLUTE": (primitives.absolute, [(3,)]),
    "MAXIMUM": (primitives.maximum, [(3, 2), (3, 2)]),
    "MINIMUM": (primitives.minimum, [(3, 2), (3, 2)]),
    "WHERE": (lambda a, b: primitives.where(np.eye(3, 2) > 0, a, b), [(3, 2), (3, 2)]),
    "SUM": (lambda x: primitives.sum_(x, 1), [(3, 2)]),
    "BROADCAST_TO": (lambda x: primitives.broadcast_to(x, (4, 3, 2)), [(3, 1)]),
    "RESHAPE": (lambda x: primitives.reshape(x, (2, 3)), [(3, 2)]),
    "TRANSPOSE": (lambda x: primitives.transpose(x, (2, 0, 1)), [(2, 3, 4)]),
    "INDEX": (lambda x: x[np.array([0, 2, 0])], [(3, 2)]),
    "SCATTER": (lambda x: primitives.apply(primitives.SCATTER, x, np.array([0, 2, 0]), (4, 2)), [(3, 2)]),
    "MATMUL": (primitives.matmul, [(2, 3, 4), (4, 2)]),
    "MATMUL, the other one repeated": (primitives.matmul, [(3, 4), (2, 4, 2)]),
    "STACK": (lambda a, b: primitives.stack([a, b]), [(3,), (3,)]),
}


def test_every_row_of_the_table_is_tried():
    rows = {name for name, row in vars(primitives).items() if isinstance(row, primitives.Primitive)}
    assert {name.partition(",")[0] for name in CALLS} - {"STACK"} == rows


@pytest.mark.parametrize("name", CALLS)
def test_forward_and_backward_rules_are_transposes_and_agree_with_differences(name):
    f, shapes = CALLS[name]
    rng = np.random.default_rng(1)
    arguments, tangents = ([rng.standard_normal(shape) for shape in shapes] for _ in range(2))
    y = f(*(Dual(x, t) for x, t in zip(arguments, tangents, strict=True)))

    def slope(h):
        above, below = (f(*(x + s * h * t for x, t in zip(arguments, tangents, strict=True))) for s in (1, -1))
        return (above - below) / (2 * h)

    h, inputs = 1e-5, max(abs(x).max() for x in arguments)
    rounding = difference(abs(y.value).max() + inputs * abs(y.tangent).max(), h)
    truncation = abs(slope(2 * h) - slope(h))  # three times that of the second
    assert_within(y.tangent, slope(h), rounding + truncation)
    inputs = variables(*arguments)
    out = f(*inputs)
    seed = rng.standard_normal(out.shape)
    out.backward(seed)
    np.testing.assert_array_equal(out.value, y.value)  # one rule for the value
    assert [x.adjoint.shape for x in inputs] == [x.shape for x in arguments]
    products = [x.adjoint * t for x, t in zip(inputs, tangents, strict=True)]
    magnitudes = sum(abs(product).sum() for product in products) + np.sum(abs(seed * y.tangent))
    bound = (elementary(4) + apart(seed.size + sum(x.size for x in arguments))) * magnitudes
    assert_within(sum(product.sum() for product in products), np.sum(seed * y.tangent), bound)


@pytest.mark.parametrize("operation", ["maximum", "minimum"])
def test_where_two_are_equal_each_gets_half_as_in_pytorch(operation):
    x, y = (torch.tensor(2.0, requires_grad=True) for _ in range(2))
    getattr(torch, operation)(x, y).backward()
    a, b = variables(2.0, 2.0)
    getattr(autodiff, operation)(a, b).backward()
    assert (a.adjoint, b.adjoint) == (x.grad.item(), y.grad.item()) == (0.5, 0.5)


@pytest.mark.parametrize("x", [-800.0, -40.0, -0.5, 0.0, 1e-9, 40.0, 800.0])
@pytest.mark.filterwarnings("error")
def test_sigmoid_and_tanh_are_exact_also_where_they_are_flat(x):
    with mpmath.workdps(800):
        z = mpmath.mpf(x)
        sigma = 1 / (1 + mpmath.exp(-z))
        expected = {
            autodiff.sigmoid: (float(sigma), float(sigma * (1 - sigma))),
            autodiff.tanh: (float(mpmath.tanh(z)), float(mpmath.sech(z) ** 2)),
        }
    for f, (value, slope) in expected.items():
        for argument in (x, np.array([x])):
            y = f(Dual(argument, 1.0))
            # Of numbers below 1e-300 not all digits are kept, which is right where the function is flat.
            np.testing.assert_allclose(y.value, value, rtol=elementary(2), atol=1e-300)
            np.testing.assert_allclose(y.tangent, slope, rtol=elementary(4), atol=1e-300)


CORNERS = {
    "0 ** 0": (lambda x: x**0.0, 0.0, 1.0, 0.0),
    "0 ** 1": (lambda x: x**1, 0.0, 0.0, 1.0),
    "0 ** 2": (lambda x: x**2, 0.0, 0.0, 0.0),
    "(-3) ** 3": (lambda x: x**3, -3.0, -27.0, 27.0),
    "(-2) ** -1": (lambda x: x**-1, -2.0, -0.5, -0.25),
    "2 ** x": (lambda x: 2**x, 3.0, 8.0, 8 * math.log(2)),
    "0 ** x": (lambda x: 0.0**x, 2.0, 0.0, 0.0),
    "|0|": (abs, 0.0, 0.0, 0.0),
    "max(x, x)": (lambda x: autodiff.maximum(x, x), 1.5, 1.5, 1.0),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_corners_come_out_as_in_the_table(name, shape):
    f, x, value, slope = CORNERS[name]
    dual = f(Dual(np.full(shape, x), 1.0))
    (v,) = variables(np.full(shape, x))
    f(v).backward(np.ones(shape))
    for found, expected in ((dual.value, value), (dual.tangent, slope), (v.adjoint, slope)):
        np.testing.assert_allclose(found, np.full(shape, expected), rtol=elementary())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", [float, np.array])
def test_where_a_function_ends_it_gives_what_numpy_gives(kind):
    for f, x, expected in (
        (lambda x: 1 / x, 0.0, np.inf),
        (autodiff.log, 0.0, -np.inf),
        (autodiff.log, -1.0, np.nan),
        (autodiff.sqrt, -1.0, np.nan),
        (autodiff.exp, 1000.0, np.inf),
        (lambda x: x**0.5, -8.0, np.nan),
        (lambda x: x**400, 1e10, np.inf),
        (lambda x: x**-1, 0.0, np.inf),
    ):
        np.testing.assert_array_equal(float(f(variables(kind(x))[0]).value), expected)  # infinite, or not a number


# --- one function for all kinds of numbers


def everything(x, y):
    """Write with operators from both sides, and with NumPy's own functions."""
    z = (1 - x) * 2 + 3 / (y + 4) - x**2 + 2**y - (-x) + +y
    z = z + np.exp(x) * np.sin(y) + np.cos(x) - np.log(y * y + 1) + np.tanh(x) + np.sqrt(y * y + 2)
    z = (
        z
        + np.float64(2) * x
        + y * np.float64(3)
        + np.absolute(x)
        + np.maximum(x, y)
        + np.minimum(x, 0.3)
        + np.square(y)
    )
    return z + np.array([1.0, 2.0]) * x - np.array([0.5, 1.0]) / y


def test_one_function_runs_unchanged_on_all_kinds_of_numbers():
    x, y = 0.7, -1.3
    expected = everything(x, y)
    assert expected.shape == (2,)
    step = 1e-5
    # Some 30 numbers below 10 are added up; the third derivatives of all terms come to less than 50.
    value, bound = 30 * elementary(1) * 10, difference(30 * 10, step, 1, third=50)
    slopes = [(everything(x + step, y) - everything(x - step, y)) / (2 * step)]
    slopes += [(everything(x, y + step) - everything(x, y - step)) / (2 * step)]
    for k, slope in enumerate(slopes):
        dual = everything(Dual(x, 1.0 - k), Dual(y, 0.0 + k))
        assert_within(dual.value, expected, value)
        assert_within(dual.tangent, slope, bound)
    for row in np.eye(2):
        inputs = variables(x, y)
        out = everything(*inputs)
        assert_within(out.value, expected, value)
        out.backward(row)
        assert_within([v.adjoint for v in inputs], [slope @ row for slope in slopes], bound)


@pytest.mark.parametrize("mode", MODES)
def test_numpy_functions_of_arrays(mode):
    def f(w):
        W = np.reshape(w, (2, 3))
        rows = np.stack([W[0], W[1]])
        total = np.sum(W @ W.T) + np.mean(rows * 2, axis=0).sum() + np.dot(w, w) + np.sum(np.where(w > 0, w, 0.1 * w))
        assert np.shape(W) == W.shape == (2, 3)
        assert (np.ndim(W), np.size(W), len(W)) == (2, 6, 2)
        return total + np.transpose(W)[0, 1] + sum(x for x in w) + np.sum(np.broadcast_to(w, (4, 6)))

    w = np.random.default_rng(2).standard_normal(6)
    h = 0.01  # a central difference of a quadratic function is not truncated, if no element changes its sign
    assert abs(w).min() > h
    assert_within(MODES[mode](f, w), autodiff.numerical_jacobian(f, w, h, "central"), difference(100, h))


def test_a_function_may_branch_on_values():
    def f(w):
        if w[0] > 1 and w[0] >= 1 and not w[0] < 1 and not w[0] <= 1 and w[0] != 1 and w[0] != 1 and w[0]:
            return w[0] ** 2
        return 3 * w[0]

    for mode in MODES.values():
        assert mode(f, [2.0]) == 4.0
        assert mode(f, [0.5]) == 3.0


# --- higher order


def test_hessians():
    A = np.array([[2.0, -1.0, 0.5], [-1.0, 3.0, 0.0], [0.5, 0.0, 1.0]])
    np.testing.assert_allclose(
        autodiff.hessian(lambda w: 0.5 * np.sum(w * (A @ w)), [1.0, 2.0, 3.0]), A, rtol=elementary(2)
    )
    w = (0.4, -0.2)
    sigma = 1 / (1 + math.exp(-w[0]))
    bend = sigma * (1 - sigma) * (1 - 2 * sigma)
    # 1 - 2 sigma is a difference of numbers near 1; here it leaves a fifth.
    bound = conditioned(5, 4)
    np.testing.assert_allclose(autodiff.hessian(lambda w: autodiff.f2(*w), w), [[bend, 1], [1, 0]], rtol=bound)
    assert autodiff.hessian(lambda w: 3.0 * w[0], [1.0]).tolist() == [[0.0]]
    assert autodiff.hvp(lambda w: 7.0, [1.0, 2.0], [1.0, 0.0]).tolist() == [0.0, 0.0]


def test_nested_derivatives_do_not_confuse_their_tangents():
    # d/dx (x * d/dy (x + y)) = d/dx (x * 1) = 1; who confuses the two gets 2
    def inner(x):
        return autodiff.jvp(lambda y: (x + y)[0], np.array([3.0]), [1.0])[1]

    _, slope = autodiff.jvp(lambda x: x[0] * inner(x[0]), np.array([1.0]), [1.0])
    assert slope == 1.0

    def derivative(f, order):
        return f if order == 0 else lambda x: autodiff.jvp(derivative(f, order - 1), x, [1.0])[1]

    third = derivative(lambda x: np.sin(x[0]) * x[0] ** 2, 3)(np.array([0.7]))
    x = 0.7
    terms = -math.cos(x) * x**2, -6 * math.sin(x) * x, 6 * math.cos(x)
    assert_within(third, sum(terms), elementary(8) * sum(map(abs, terms)))


def test_jvp_and_vjp_are_products_with_the_jacobian():
    def f(w):
        return [np.sin(w[0]) * w[1], w[1] ** 2, 5.0]

    w, J = np.array([0.3, 0.8]), np.array([[np.cos(0.3) * 0.8, np.sin(0.3)], [0, 1.6], [0, 0]])
    for mode in MODES.values():
        np.testing.assert_allclose(mode(f, w), J, rtol=elementary(4))
    value, tangent = autodiff.jvp(f, w, [2.0, -1.0])
    np.testing.assert_allclose(tangent, J @ [2.0, -1.0], rtol=elementary(4))
    np.testing.assert_allclose(value, [np.sin(0.3) * 0.8, 0.64, 5.0], rtol=elementary(4))
    value, adjoint = autodiff.vjp(f, w, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(adjoint, [1.0, 2.0, 3.0] @ J, rtol=elementary(4))
    np.testing.assert_allclose(value, [np.sin(0.3) * 0.8, 0.64, 5.0], rtol=elementary(4))
