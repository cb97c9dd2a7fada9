"""The tape as a data structure, and every error: what it says, and what it tells one to do."""

from __future__ import annotations

import gc
import math
import sys
import weakref

import numpy as np
import pytest
from tolerances import apart, assert_within, elementary

from cs7643 import autodiff
from cs7643.autodiff import Dual, Tape, cost, graph, variables


def test_a_chain_of_a_million_operations_needs_no_recursion():
    limit = sys.getrecursionlimit()
    x, y = variables(0.999_999, 1e-7)
    z = x
    try:
        sys.setrecursionlimit(200)
        for _ in range(500_000):
            z = z * x
            z = z + y
        z.backward()
    finally:
        sys.setrecursionlimit(limit)
    n, value = 500_000, 0.999_999
    # z = x^(n+1) + y (1 + x + ... + x^(n-1))
    assert y.adjoint == pytest.approx((1 - value**n) / (1 - value), rel=apart(1_000_000))
    assert len(z.tape) == 1_000_002
    del x, y, z


def test_a_second_backward_starts_anew():
    x, y = variables(3.0, 2.0)
    product, square = x * y, x * x
    product.backward()
    assert (x.adjoint, y.adjoint) == (2.0, 3.0)
    product.backward()
    assert (x.adjoint, y.adjoint) == (2.0, 3.0)
    square.backward()
    assert (x.adjoint, y.adjoint) == (6.0, 0.0)
    (square * 2).backward(seed=5.0)
    assert x.adjoint == 60.0


def test_fan_out_adds():
    (x,) = variables(1.5)
    (x * x * x + x + x / x).backward()
    assert x.adjoint == pytest.approx(3 * 1.5**2 + 1, rel=elementary(2))


@pytest.mark.parametrize("shapes", [((), (3,)), ((3, 1), (1, 4)), ((4,), (2, 3, 4)), ((1,), (5,)), ((2, 1, 3), (4, 1))])
def test_gradients_are_summed_over_what_broadcasting_has_repeated(shapes):
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape) for shape in shapes)
    x, y = variables(a, b)
    for out, da, db in ((x + y, np.ones(()), np.ones(())), (x * y, b, a), (x - y, np.ones(()), -np.ones(()))):
        seed = rng.standard_normal(out.shape)
        out.backward(seed)
        for v, slope, value in ((x, da, a), (y, db, b)):
            full = seed * slope
            extra = tuple(range(full.ndim - value.ndim))
            expected = full.sum(axis=extra)
            repeated = tuple(k for k, n in enumerate(value.shape) if n == 1)
            bound = apart(full.size + 1) * abs(full).sum()
            assert_within(v.adjoint, expected.sum(axis=repeated, keepdims=True), bound)
            assert np.shape(v.adjoint) == value.shape


def test_what_has_no_influence_has_adjoint_zero():
    x, y = variables(1.0, np.ones((2, 3)))
    (x * 2).backward()
    assert np.array_equal(y.adjoint, np.zeros((2, 3)))


def test_a_dead_graph_is_freed_at_once():
    gc.disable()
    try:
        x, y = variables(np.ones((3, 3)), 2.0)
        z = np.sum(np.sin(x * y) @ x)
        z.backward()
        tape = weakref.ref(x.tape)
        del x, y, z
        assert tape() is None  # by counting references alone
    finally:
        gc.enable()


def test_the_cost_is_counted_on_the_tape():
    found = cost.cost(lambda w: [w[0] * w[1], w[0]], [2.0, 3.0])  # three indexings and a product
    assert (found.inputs, found.outputs, found.evaluation, found.forward) == (2, 2, 4, 16)
    assert found.reverse == 4 + 3 + 1
    x, y = variables(np.ones((2, 3)), 1.0)
    assert cost.numbers_kept((x * y).tape) == 6 + 1 + 6 + 6  # x, y, y repeated, the product


# --- the graph


def warm_up(x, y):
    return (x + y) * (y + 1)


def test_the_trace_of_the_warm_up_is_that_by_hand():
    steps = graph.trace(warm_up, (2, 3), ("x", "y"), direction=(1, 0))
    lines = [line.split("  ") for line in graph.trace_table(steps).splitlines()]
    table = [[word.strip() for word in line if word.strip()] for line in lines]
    assert table == [
        ["step", "value", "tangent", "adjoint"],
        ["x", "2", "1", "4"],
        ["y", "3", "0", "9"],
        ["a = x + y", "5", "1", "4"],
        ["b = y + 1", "4", "0", "5"],
        ["c = a * b", "20", "4", "1"],
    ]
    values = graph.trace(warm_up, (2, 3), ("x", "y"), adjoints=False)
    assert all(node.adjoint is None and node.tangent is None for node in values.nodes)
    assert [node.value for node in values.nodes] == [2, 3, 5, 1, 4, 20]


def test_formulas_name_functions_signs_and_constants():
    steps = graph.trace(lambda x: np.exp(x) ** 2 / (-x - 1.5), (0.5,), ("x",))
    assert [graph.formula(steps, k) for k, node in enumerate(steps.nodes) if node.inputs] == [
        "a = exp(x)",
        "b = a ** 2",
        "c = -(x)",
        "d = c - 1.5",
        "e = b / d",
    ]


# --- errors

ERRORS = {
    "a function without a rule": (lambda x: np.linalg.norm(x), TypeError, r"np.norm has no derivative .* add a row"),
    "a ufunc without a rule": (lambda x: np.arctan(x), TypeError, r"np.arctan has no derivative here: write it with"),
    "a reduction of a ufunc": (lambda x: np.add.reduce(x), TypeError, r"np.add.reduce has no derivative"),
    "an output in place": (lambda x: np.exp(x, out=np.zeros(2)), TypeError, r"np.exp: out is not supported"),
    "an element assigned": (lambda x: x.__setitem__(0, 1.0), TypeError, r"cannot be assigned, .* where or stack"),
    "float": (lambda x: float(x[0]), TypeError, r"its number is .value; .* use those of NumPy"),
    "math": (lambda x: math.exp(x[0]), TypeError, r"functions of math call float\(\), too"),
    "an array of several": (lambda x: np.array([x[0], x[1]]), TypeError, r"use stack\(\[...\]\)"),
    "asarray": (lambda x: np.asarray(x), TypeError, r"would lose the derivative"),
    "text": (lambda x: x * "a", TypeError, r"expected a number or an array of real numbers, got 'a'"),
    "a complex constant": (lambda x: x + 1j, TypeError, r"real numbers, got 1j"),
    "an index into a number": (lambda x: x[0][0], TypeError, r"a number has no elements"),
    "the length of a number": (lambda x: len(x[0]), TypeError, r"a number has no length"),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("kind", ["dual", "variable"])
def test_what_cannot_be_done_says_what_to_do(name, kind):
    call, error, message = ERRORS[name]
    x = Dual(np.ones(2), np.ones(2)) if kind == "dual" else variables(np.ones(2))[0]
    with pytest.raises(error, match=message):
        call(x)


def square(w):
    return w * w


WRONG_CALLS = {
    "backward of an array": (lambda: square(variables(np.ones(3))[0]).backward(), r"shape \(3,\), and only a number"),
    "a seed of another shape": (
        lambda: variables(np.ones(3))[0].backward(2.0),
        r"seed must have the shape .* got \(\)",
    ),
    "an adjoint too early": (lambda: variables(1.0)[0].adjoint, r"call backward\(\) of the output first"),
    "two tapes": (
        lambda: variables(1.0)[0] * variables(2.0)[0],
        r"multiply: the arguments are on two tapes",
    ),
    "a variable on a tape": (lambda: Tape().variable(variables(1.0)[0]), r"is a variable already"),
    "a variable in a dual number": (lambda: Dual(variables(1.0)[0]), r"put dual numbers on a tape instead"),
    "a tangent of another shape": (lambda: Dual(np.ones(2), np.ones(3)), r"same shape, got \(2,\) and \(3,\)"),
    "too few weights": (lambda: autodiff.vjp(square, [1.0, 2.0], [1.0]), r"one for each of the 2 outputs, got 1"),
    "another direction": (
        lambda: autodiff.jvp(square, [1.0, 2.0], [1.0]),
        r"w and direction must have the same",
    ),
    "the gradient of a vector": (lambda: autodiff.gradient(square, [1.0, 2.0]), r"f must return a number, got 2"),
    "the Hessian of a vector": (lambda: autodiff.hessian(square, [1.0, 2.0]), r"hvp: f must return a number, got 2"),
    "no step": (lambda: autodiff.numerical_jacobian(square, [1.0], 0.0), r"delta must be above 0, got 0.0"),
    "no scheme": (
        lambda: autodiff.numerical_jacobian(square, [1.0], 0.1, "best"),
        r"scheme must be one of .* 'best'",
    ),
    "a graph without dependence": (lambda: graph.trace(lambda x: 1.0, (1.0,), ("x",)), r"depends on its arguments"),
    "a graph of an array": (lambda: graph.trace(lambda x: x * np.ones(2), (1.0,), ("x",)), r"must return a number"),
    "names missing": (lambda: graph.trace(warm_up, (1.0, 2.0), ("x",)), r"one for each of the 2 numbers"),
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_a_wrong_call_says_what_was_expected(name):
    call, message = WRONG_CALLS[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("bad", [1.0, [], [[1.0]], [np.nan], [np.inf], [1j], ["a"], None])
@pytest.mark.parametrize("name", ["numerical_jacobian", "forward_jacobian", "backward_jacobian", "hessian"])
def test_a_point_that_is_none_is_named(name, bad):
    with pytest.raises(ValueError, match=f"{name}: w must"):
        getattr(autodiff, name)(square, bad)
