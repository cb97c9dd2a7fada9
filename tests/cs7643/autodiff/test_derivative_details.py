"""Each operation alone against PyTorch, to the second derivative; floats against arrays; differences; results."""

from __future__ import annotations

import operator

import mpmath
import numpy as np
import pytest
import torch
from tolerances import assert_within, difference, elementary

from cs7643 import autodiff
from cs7643.autodiff import Dual, primitives, variables

MODES = {"forward": autodiff.forward_jacobian, "reverse": autodiff.backward_jacobian}
ONE = ("exp", "log", "sin", "cos", "tanh", "sigmoid", "sqrt", "absolute")
TWO = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "maximum": None,
    "minimum": None,
}
SHAPES = [((), ()), ((), (3,)), ((2, 1), ()), ((3, 1), (1, 4)), ((4,), (2, 1, 4)), ((1,), (5,)), ((2, 3), (2, 3))]


def both(name):
    """Return an operation of two arguments, ours and that of PyTorch."""
    sign = TWO[name]
    return (sign, sign) if sign else (getattr(autodiff, name), getattr(torch, name))


def second_order_of_torch(f, arguments, directions, seed):
    """Return value, slope in the directions, gradients of <seed, f>, and how these gradients change."""
    weights, *tensors = (torch.tensor(x, requires_grad=True) for x in (seed, *arguments))
    value = f(*tensors)
    gradients = torch.autograd.grad((weights * value).sum(), tensors, create_graph=True)
    along = sum((g * torch.tensor(d)).sum() for g, d in zip(gradients, directions, strict=True))
    found = torch.autograd.grad(along, (weights, *tensors), allow_unused=True, materialize_grads=True)
    (slope, *changes) = (x.numpy(force=True) for x in found)
    return value.numpy(force=True), slope, [g.numpy(force=True) for g in gradients], changes


def assert_equals_torch(ours, theirs, arguments):
    rng = np.random.default_rng(3)
    directions = [rng.standard_normal(x.shape) for x in arguments]
    y = ours(*(Dual(x, d) for x, d in zip(arguments, directions, strict=True)))
    seed = rng.standard_normal(y.shape)
    value, slope, first, second = second_order_of_torch(theirs, arguments, directions, seed)
    inputs = variables(*(Dual(x, d) for x, d in zip(arguments, directions, strict=True)))
    out = ours(*inputs)
    out.backward(seed)
    # At most 24 terms are added up, each of a few operations; nothing in between is larger than the largest number.
    numbers = (*arguments, *directions, seed, value, slope, *first, *second)
    bound = elementary(4 + 24) * max(1.0, *(float(abs(array).max()) for array in numbers)) ** 2
    for found, expected in ((y.value, value), (y.tangent, slope), (out.value.value, value), (out.value.tangent, slope)):
        assert np.shape(found) == expected.shape
        assert_within(found, expected, bound)
    for x, gradient, change in zip(inputs, first, second, strict=True):
        assert np.shape(autodiff.plain(x.adjoint)) == gradient.shape
        adjoint = x.adjoint if isinstance(x.adjoint, Dual) else Dual(x.adjoint)  # a gradient that does not change
        assert_within(np.broadcast_to(adjoint.value, gradient.shape), gradient, bound)
        assert_within(np.broadcast_to(adjoint.tangent, change.shape), change, bound)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_an_operation_of_one_argument_equals_pytorch_to_the_second_derivative(name, shape):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 2.5, shape) * (1 if name in ("log", "sqrt") else rng.choice([-1, 1], shape))
    assert_equals_torch(getattr(autodiff, name), getattr(torch, name), [np.asarray(x)])


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("shapes", SHAPES)
def test_an_operation_of_two_arguments_equals_pytorch_to_the_second_derivative(name, shapes):
    rng = np.random.default_rng(4)
    a, b = (rng.uniform(0.3, 2.0, shape) for shape in shapes)
    ours, theirs = both(name)
    assert_equals_torch(ours, theirs, [np.asarray(a), np.asarray(b)])


MOVES = {
    "sum": (lambda x: np.sum(x * x), lambda x: (x * x).sum(), (2, 3)),
    "sum over two axes": (lambda x: (x * x).sum((0, -1)), lambda x: (x * x).sum((0, 2)), (2, 3, 4)),
    "sum, axis kept": (lambda x: x * x.sum(-1, keepdims=True), lambda x: x * x.sum(-1, keepdim=True), (2, 3)),
    "mean": (lambda x: np.mean(x * x, axis=-2), lambda x: (x * x).mean(0), (4, 3)),
    "mean, axis kept": (lambda x: x * x.mean(1, keepdims=True), lambda x: x * x.mean(1, keepdim=True), (2, 3)),
    "mean over two axes": (lambda x: np.mean(x**2, axis=(0, 2)), lambda x: (x**2).mean((0, 2)), (2, 3, 4)),
    "transpose": (lambda x: np.transpose(x * x, (-1, 0, 1)), lambda x: (x * x).permute(2, 0, 1), (2, 3, 4)),
    "T": (lambda x: (x * x).T, lambda x: (x * x).T, (2, 3)),
    "an element twice": (lambda x: x[[0, 2, 0]] ** 2, lambda x: x[[0, 2, 0]] ** 2, (3, 2)),
    "pairs of places": (lambda x: x[[0, 1, 0], [1, 0, 1]] ** 3, lambda x: x[[0, 1, 0], [1, 0, 1]] ** 3, (2, 2)),
    "a mask": (lambda x: x[x > 0] ** 2, lambda x: x[x > 0] ** 2, (3, 4)),
    "a new axis": (lambda x: x[:, None] * x, lambda x: x[:, None] * x, (4,)),
    "every second": (lambda x: x[1::2] * x[::2], lambda x: x[1::2] * x[::2], (6,)),
    "an ellipsis": (lambda x: x[..., 1] * x[..., 0], lambda x: x[..., 1] * x[..., 0], (2, 3, 2)),
    "row by row": (lambda x: sum(row * row[0] for row in x), lambda x: sum(row * row[0] for row in x), (3, 2)),
    "reshape": (lambda x: (x * x).reshape(3, -1) @ x, lambda x: (x * x).reshape(3, -1) @ x, (2, 3)),
    "two vectors": (lambda x: x @ (x * x), lambda x: x @ (x * x), (3,)),
    "vector and stack": (lambda x: x[0, 0] @ (x * x), lambda x: x[0, 0] @ (x * x), (2, 3, 3)),
    "stack and vector": (lambda x: (x * x) @ x[0, 0], lambda x: (x * x) @ x[0, 0], (2, 3, 3)),
    "array on the left": (
        lambda x: np.arange(6.0).reshape(2, 3) @ (x * x),
        lambda x: torch.arange(6.0, dtype=torch.float64).reshape(2, 3) @ (x * x),
        (3, 2),
    ),
    "np.matmul": (lambda x: np.matmul(x, x[:, :2] ** 2), lambda x: x @ x[:, :2] ** 2, (2, 2)),
    "np.broadcast_to": (
        lambda x: np.broadcast_to(x * x, (2, 3, 4)),
        lambda x: torch.broadcast_to(x * x, (2, 3, 4)),
        (3, 1),
    ),
    "where": (
        lambda x: np.where(x > 0, x * x, x[0]),
        lambda x: torch.where(x > 0, x * x, x[0]),
        (3, 4),
    ),
    "stack": (
        lambda x: np.stack([x[0] * x[1], np.ones(2), x[1]]),
        lambda x: torch.stack([x[0] * x[1], torch.ones(2, dtype=torch.float64), x[1]]),
        (2, 2),
    ),
}


@pytest.mark.parametrize("name", MOVES)
def test_moving_numbers_about_equals_pytorch_to_the_second_derivative(name):
    ours, theirs, shape = MOVES[name]
    assert_equals_torch(ours, theirs, [np.random.default_rng(5).standard_normal(shape)])


@pytest.mark.parametrize("name", TWO)
def test_a_function_of_numpy_takes_its_arguments_in_their_order(name):
    function, operation = getattr(np, name), both(name)[0]
    for a, b in ((Dual(1.75, 1.0), 0.75), (1.75, Dual(0.75, 1.0)), (Dual(1.75, 1.0), Dual(0.75, -2.0))):
        y, expected = function(a, b), operation(a, b)
        assert y.value == function(1.75, 0.75)
        assert y.tangent == expected.tangent
    assert function(1.75, variables(0.75)[0]).value == function(1.75, 0.75)


@pytest.mark.parametrize("name", ["negative", "sqrt", "square", "absolute", "exp", "log", "sin", "cos", "tanh"])
def test_a_function_of_numpy_of_one_argument_is_that_function(name):
    function = getattr(np, name)
    for y in (function(Dual(0.6, 1.0)), function(variables(0.6)[0])):
        assert y.value == pytest.approx(function(0.6), rel=elementary(), abs=0)
    assert autodiff.gradient(lambda w: np.square(w[0]), [3.0]).tolist() == [6.0]


# --- floats, for which Python's math is used, against arrays


@pytest.mark.parametrize("name", ONE)
def test_floats_stay_floats_and_agree_with_arrays(name):
    f = getattr(autodiff, name)
    points = np.array([1e-300, 1e-9, 0.3, 1.0, 5.5, 30.0])
    points = points if name in ("log", "sqrt") else np.concatenate([-points[::-1], [0.0], points])
    array = f(Dual(points, 1.0))
    x, tangent = variables(points)[0], np.ones(points.shape)
    f(x).backward(tangent)
    for k, point in enumerate(points.tolist()):
        one = f(Dual(point, 1.0))
        (v,) = variables(point)
        f(v).backward()
        for found, expected in ((one.value, array.value), (one.tangent, array.tangent), (v.adjoint, x.adjoint)):
            assert type(found) is float
            assert found == pytest.approx(expected[k], rel=elementary(3), abs=0)


@pytest.mark.parametrize("name", TWO)
def test_two_floats_stay_floats_and_agree_with_arrays(name):
    f = both(name)[0]
    for a, b in ((1.3, 0.4), (0.4, 1.3), (2.0, -1.0), (-2.0, 3.0), (-1.5, -2.0)):
        y, array = f(Dual(a, 1.0), b), f(Dual(np.array([a]), 1.0), b)
        v, w = variables(a, b)
        out = f(v, 2.0 if name == "power" else w)  # a negative base has no derivative by its exponent
        out.backward()
        assert [type(x) for x in (y.value, y.tangent, out.value, v.adjoint)] == [float] * 4
        assert (y.value, y.tangent) == pytest.approx((array.value[0], array.tangent[0]), rel=elementary(3), abs=0)


def test_maximum_and_minimum_of_nan_are_nan_whichever_it_is():
    for f in (autodiff.maximum, autodiff.minimum):
        for a, b in ((np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan)):
            assert np.isnan(f(a, b))
            assert np.isnan(f(Dual(a), b).value)
            assert np.isnan(f(Dual(np.array([a])), b).value).all()
    assert (autodiff.maximum(-0.5, 2.0), autodiff.minimum(-0.5, 2.0)) == (2.0, -0.5)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_in_arrays_and_with_constants_are_shared_as_in_pytorch(name):
    a, b = np.array([1.0, 2.0, 2.0, -1.0]), np.array([2.0, 2.0, 1.0, -1.0])
    ours, theirs = both(name)
    x, y = variables(a, b)
    np.sum(ours(x, y)).backward()
    s, t = (torch.tensor(v, requires_grad=True) for v in (a, b))
    theirs(s, t).sum().backward()
    assert np.array_equal(x.adjoint, s.grad)
    assert np.array_equal(y.adjoint, t.grad)
    assert np.array_equal(ours(Dual(a, 1.0), b).tangent, s.grad)
    assert np.array_equal(ours(a, Dual(b, 1.0)).tangent, t.grad)


@pytest.mark.parametrize("x", [-800.0, -40.0, -3.0, 3.0, 40.0, 800.0])
@pytest.mark.filterwarnings("error")
def test_sigmoid_and_tanh_bend_as_they_should_also_where_they_are_flat(x):
    with mpmath.workdps(800):
        z = mpmath.mpf(x)
        sigma = 1 / (1 + mpmath.exp(-z))
        slopes = {
            autodiff.sigmoid: (sigma * (1 - sigma), sigma * (1 - sigma) * (1 - 2 * sigma)),
            autodiff.tanh: (mpmath.sech(z) ** 2, -2 * mpmath.tanh(z) * mpmath.sech(z) ** 2),
        }
    for f, (slope, bend) in slopes.items():
        gradient = autodiff.gradient(lambda w, f=f: f(w[0]), [x])
        # Of numbers below 1e-300 not all digits are kept, which is right where the function is flat.
        np.testing.assert_allclose(gradient, [float(slope)], rtol=elementary(4), atol=1e-300)
        hessian = autodiff.hessian(lambda w, f=f: np.sum(f(w)), [x])
        np.testing.assert_allclose(hessian, [[float(bend)]], rtol=elementary(8), atol=1e-300)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_in_arrays_a_slope_may_be_infinite():
    for f, x, value, slope in (
        (lambda x: 1 / x, 0.0, np.inf, -np.inf),
        (autodiff.log, 0.0, -np.inf, np.inf),
        (autodiff.sqrt, 0.0, 0.0, np.inf),
        (lambda x: x**0.5, 0.0, 0.0, np.inf),
        (lambda x: x**0.5, -8.0, np.nan, np.nan),
    ):
        y, (v,) = f(Dual(np.array([x]), 1.0)), variables(np.array([x]))
        f(v).backward(np.ones(1))
        np.testing.assert_array_equal([y.value, y.tangent, v.adjoint], [[value], [slope], [slope]])


def test_powers_with_whole_exponents_in_one_array():
    base, exponents = np.array([-1.0, -2.0, 0.0, -4.0, 0.0]), np.array([0, 1, 2, -1, 0])
    slopes = [0.0, 1.0, 0.0, -1 / 16, 0.0]
    (x,) = variables(base)
    np.sum(x**exponents).backward()
    assert x.adjoint.tolist() == slopes
    assert (Dual(base, 1.0) ** exponents).tangent.tolist() == slopes
    second = autodiff.hessian(lambda w: np.sum(w**exponents), base)
    np.testing.assert_allclose(second, np.diag([0, 0, 2, 2 / (-4.0) ** 3, 0]), rtol=elementary(2))


# --- differences


@pytest.mark.parametrize(("scheme", "order"), [("forward", 1), ("central", 2), ("complex", 2)])
def test_the_error_of_a_difference_shrinks_as_it_is_said(scheme, order):
    def f(w):
        return [np.exp(w[0]) * np.sin(w[1]), w[0] ** 3 + w[1] ** 3]

    w = np.array([0.4, 0.9])
    exact = autodiff.forward_jacobian(f, w)
    errors = [abs(autodiff.numerical_jacobian(f, w, delta, scheme) - exact) for delta in (0.02, 0.01)]
    wrong = exact != 0
    # What is left of Taylor's series makes the ratio differ from a power of two by a part of less than 2.5 h.
    np.testing.assert_allclose((errors[0] / np.where(wrong, errors[1], 1))[wrong], 2.0**order, rtol=2.5 * 0.02)
    assert w.tolist() == [0.4, 0.9]


def test_a_difference_is_forward_with_a_hundredth_unless_said_otherwise():
    found = autodiff.numerical_jacobian(lambda w: w[0] ** 2, [3])
    assert found.shape == (1, 1)
    assert_within(found, [[6.01]], difference(9, 0.01))
    assert_within(autodiff.numerical_jacobian(lambda w: w[0] ** 2, [3], scheme="central"), [[6]], difference(9, 0.01))


# --- shapes of results


@pytest.mark.parametrize("mode", [*MODES.values(), autodiff.numerical_jacobian])
def test_a_jacobian_has_a_row_for_each_output_whatever_the_outputs_are(mode):
    def matrix(w):
        return np.reshape(2.0 * w, (2, 2)).T

    bound = difference(8, 0.01)  # of a linear function with values up to 8; only the third has one at all
    assert_within(mode(matrix, [1, 2, 3, 4]), 2 * np.eye(4)[[0, 2, 1, 3]], bound)
    assert mode(lambda w: 7, [1.0, 2.0]).tolist() == [[0.0, 0.0]]
    assert mode(lambda w: np.arange(3.0), [1.0, 2.0]).tolist() == [[0.0, 0.0]] * 3
    assert_within(mode(lambda w: (1, w[1], 2.5), [1, 2]), [[0, 0], [0, 1], [0, 0]], bound)


def test_whole_numbers_and_truth_values_count_as_numbers():
    for w in ([3, 2], (3, 2), np.array([3, 2]), [3.0, 2]):
        for mode in MODES.values():
            found = mode(lambda w: w[0] * w[1] ** 2 * True + np.array([1, 2]), w)
            assert found.dtype == np.float64
            assert found.tolist() == [[4.0, 12.0], [4.0, 12.0]]
    mixed = [1.0, 2.0] * Dual(np.ones(2), 1.0) + np.array([True, False])
    assert (mixed.value.tolist(), mixed.tangent.tolist()) == ([2.0, 2.0], [1.0, 2.0])


def test_the_derivatives_do_not_touch_or_share_the_point():
    w = np.array([1.0, 2.0])
    autodiff.hessian(lambda w: np.sum(w**3), w)
    gradient = autodiff.gradient(lambda w: np.sum(w * w), w)
    gradient += 1.0  # a result is an array of its own, that can be written to
    (value, tangent), (_, adjoint) = autodiff.jvp(lambda w: w + 0.0, w, w), autodiff.vjp(lambda w: w, w, w)
    value += 1.0

    def spoil(w):
        w += 1.0
        return w[0]

    autodiff.numerical_jacobian(spoil, w)  # what f does to its argument is done to a copy
    assert not np.shares_memory(adjoint, w)
    assert w.tolist() == [1.0, 2.0]
    assert tangent.tolist() == [1.0, 2.0]


# --- higher order


def test_a_hessian_is_symmetric_and_that_of_pytorch():
    def f(ns, w):
        total = ns.exp(ns.sin(w[0]) * w[1]) / (2 + w[2] * w[2]) + (1.5 + ns.cos(w[3])) ** w[1]
        return total + ns.sqrt(1 + (w * w).sum()) * ns.tanh(w[0] * w[3]) + ns.maximum(w[0], w[1]) ** 3

    w = np.array([0.3, -0.8, 1.2, 0.5])
    hessian = autodiff.hessian(lambda w: f(autodiff, w), w)
    expected = torch.autograd.functional.hessian(lambda w: f(torch, w), torch.tensor(w)).numpy()
    bound = elementary(25) * abs(expected).max()  # 25 operations
    assert_within(hessian, expected, bound)
    assert_within(hessian, hessian.T, bound)
    direction = np.array([1.0, -2.0, 0.5, 3.0])
    assert_within(
        autodiff.hvp(lambda w: f(autodiff, w), w, direction), expected @ direction, bound * abs(direction).sum()
    )


def test_forward_over_forward_is_forward_over_reverse():
    def f(w):
        return np.sum(np.exp(w[0] * w) * np.sin(w)) + np.mean(w[[0, 2, 0]] ** 3) + w @ np.cos(w)

    w, rng = np.array([0.3, -0.8, 1.2]), np.random.default_rng(6)
    for _ in range(3):
        u, v = rng.standard_normal((2, 3))
        _, (slope, bend) = autodiff.jvp(lambda w, v=v: autodiff.jvp(f, w, v), w, u)
        gradient, product = autodiff.gradient(f, w), autodiff.hvp(f, w, v)
        assert_within(slope, gradient @ u, elementary(25) * abs(gradient).max() * abs(u).sum())  # 25 operations
        assert_within(bend, u @ product, elementary(25) * abs(product).max() * abs(u).sum())


def test_a_constant_of_an_outer_derivative_is_one_for_the_inner():
    # d/dx d/dy (x y + x^2) = 1 however the two are nested, and the inner result depends on x alone
    def inner(x):
        return autodiff.jvp(lambda y: x * y[0] + x * x, [2.0], [1.0])

    value, slope = autodiff.jvp(lambda x: inner(x[0]), [3.0], [1.0])
    assert value == (15.0, 3.0)
    assert slope == (8.0, 1.0)
    # an inner function that does not depend on its own input, only on the outer one
    value, slope = autodiff.jvp(lambda x: autodiff.jvp(lambda y: x[0] * x[0], [2.0], [1.0]), [3.0], [1.0])
    assert value == (9.0, 0.0)
    assert slope == (6.0, 0.0)


def test_a_variable_takes_a_dual_number_as_a_constant():
    # with y = 2 + e, d/dx (x y)^2 = 2 x y^2 = 8 x + 8 x e
    (x,) = variables(3.0)
    ((x * Dual(2.0, 1.0)) ** 2).backward()
    assert (x.adjoint.value, x.adjoint.tangent) == (24.0, 24.0)
    # from there on the tape holds dual numbers, also where arrays and functions without an operator follow
    (x,) = variables(np.array([0.2, -0.4]))
    autodiff.sigmoid((x * Dual(0.5, 1.0))[0]).backward()
    direct = autodiff.hessian(lambda w: autodiff.sigmoid(w[0] * w[1]), [0.2, 0.5])
    slope = autodiff.gradient(lambda w: autodiff.sigmoid(w[0] * 0.5), [0.2])[0]
    assert x.adjoint.value[0] == pytest.approx(slope, rel=elementary(4))
    assert x.adjoint.tangent[0] == pytest.approx(direct[0, 1], rel=elementary(8))
    assert (x.adjoint.value[1], x.adjoint.tangent[1]) == (0.0, 0.0)


def test_weights_on_outputs_that_are_constants_give_zeros():
    value, adjoint = autodiff.vjp(lambda w: [1.0, 2.0], [3.0, 4.0], [5.0, 6.0])
    assert value.tolist() == [1.0, 2.0]
    assert adjoint.tolist() == [0.0, 0.0]


def test_the_named_functions_take_plain_numbers_and_arrays():
    assert (autodiff.maximum(1, 2), autodiff.where(True, 1, 2), autodiff.sigmoid(0)) == (2, 1, 0.5)
    assert primitives.sum_(np.ones((2, 3)), -1, keepdims=True).shape == (2, 1)
    assert autodiff.mean(np.arange(6.0).reshape(2, 3), axis=0).tolist() == [1.5, 2.5, 3.5]
    assert autodiff.stack([1.0, 2]).tolist() == [1.0, 2.0]
    assert primitives.transpose(np.ones((2, 3, 4)), (-1, 0, 1)).shape == (4, 2, 3)
    assert primitives.matmul(np.ones(3), np.ones((3, 2))).tolist() == [3.0, 3.0]
