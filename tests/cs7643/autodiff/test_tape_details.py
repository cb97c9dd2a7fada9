"""The tape in its details: when adjoints are there, what frees it, comparisons, and errors in every kind of call."""

from __future__ import annotations

import gc
import operator
import sys
import weakref

import numpy as np
import pytest
from tolerances import apart, assert_within, elementary

from cs7643 import autodiff
from cs7643.autodiff import Dual, Tape, graph, variables

# --- sweeps


def test_a_chain_of_arrays_needs_no_recursion():
    limit = sys.getrecursionlimit()
    x, b = variables(np.array([0.5, -1.0]), 1e-3)
    z = x
    try:
        sys.setrecursionlimit(200)
        for _ in range(5_000):
            z = z * 0.999 + b
        np.sum(z).backward()
        slopes = x.adjoint, b.adjoint
        del z, x, b  # freed step by step, not one inside the other
    finally:
        sys.setrecursionlimit(limit)
    bound = apart(10_000)  # the roundings of the chain; that of 1 - 0.999 is a thousand times one
    np.testing.assert_allclose(slopes[0], np.full(2, 0.999**5000), rtol=bound)
    assert slopes[1] == pytest.approx(2 * (1 - 0.999**5000) / (1 - 0.999), rel=bound)


def test_what_is_made_after_a_sweep_has_no_adjoint_until_the_next():
    x, y = variables(3.0, 2.0)
    first = x * y
    first.backward()
    later = first * x
    with pytest.raises(ValueError, match=r"call backward\(\) of the output first"):
        _ = later.adjoint
    assert first.adjoint == 1.0
    later.backward()
    assert (later.adjoint, first.adjoint, x.adjoint, y.adjoint) == (1.0, 3.0, 12.0, 9.0)
    first.backward()  # what comes after the output has no influence on it
    assert (later.adjoint, first.adjoint, x.adjoint) == (0.0, 1.0, 2.0)


def test_an_input_may_be_the_output():
    x, y = variables(np.array([1.0, 2.0]), 5.0)
    x.backward([3.0, 4.0])
    assert np.array_equal(x.adjoint, [3.0, 4.0])
    assert y.adjoint == 0.0
    y.backward()
    assert (y.adjoint, x.adjoint.tolist()) == (1.0, [0.0, 0.0])


def test_inputs_may_come_onto_a_tape_one_by_one():
    tape = Tape()
    x = tape.variable(2.0, "x")
    square = x * x
    y = tape.variable([1, 2, 3])
    np.sum(square * y).backward()
    assert (len(tape), x.tape is tape) == (6, True)  # x, x x, y, x x repeated, the product, its sum
    assert x.adjoint == 24.0
    assert y.adjoint.tolist() == [4.0] * 3
    assert y.adjoint.dtype == np.float64


OPERATIONS = {
    "divide": (operator.truediv, lambda a, b: (1 / b, -a / b**2)),
    "power": (operator.pow, lambda a, b: (b * a ** (b - 1), a**b * np.log(a))),
    "maximum": (autodiff.maximum, lambda a, b: (1.0 * (a > b), 1.0 * (b > a))),
    "minimum": (autodiff.minimum, lambda a, b: (1.0 * (a < b), 1.0 * (b < a))),
    "where": (lambda a, b: np.where(a < b, a, b), lambda a, b: (1.0 * (a < b), 1.0 * (b <= a))),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    "shapes", [((), (2, 3)), ((2, 1), (1, 3)), ((3,), (2, 3)), ((1, 1), (3,)), ((2, 1, 3), (4, 1))]
)
def test_adjoints_of_what_was_repeated_are_sums(name, shapes):
    f, slopes = OPERATIONS[name]
    rng = np.random.default_rng(7)
    arguments = [rng.uniform(0.5, 2.0, shape) for shape in shapes]
    inputs = variables(*arguments)
    out = f(*inputs)
    seed = rng.standard_normal(out.shape)
    out.backward(seed)
    for x, slope in zip(inputs, slopes(*arguments), strict=True):
        expected = np.broadcast_to(seed * slope, out.shape)
        while expected.ndim > x.ndim:
            expected = expected.sum(axis=0)
        for axis, n in enumerate(x.shape):
            expected = expected.sum(axis=axis, keepdims=True) if n == 1 else expected
        assert np.shape(x.adjoint) == x.shape
        magnitudes = np.abs(np.broadcast_to(seed * slope, out.shape)).sum()
        assert_within(x.adjoint, expected, (elementary(3) + apart(seed.size)) * magnitudes)


# --- memory


@pytest.mark.parametrize("kind", ["second order", "an array of many rows", "never swept", "failed"])
def test_a_tape_is_freed_by_counting_references_whatever_was_done_with_it(kind):
    gc.collect()
    gc.disable()
    try:
        value = np.ones(3)
        (x,) = variables(Dual(value, value) if kind == "second order" else value)
        tape = weakref.ref(x.tape)
        y = autodiff.stack([x[k] * x for k in range(3)])
        if kind != "never swept":
            np.sum(np.exp(y)).backward()
            assert x.adjoint.shape == (3,)
        if kind == "failed":
            with pytest.raises(TypeError, match=r"np.arctan"):
                np.arctan(y)
        del y
        assert tape() is not None  # x holds it
        del x
        assert tape() is None
    finally:
        gc.enable()


# --- branches


@pytest.mark.parametrize("sign", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_comparisons_are_those_of_the_values(sign):
    compare = getattr(operator, sign)
    ufunc = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}
    numbers, array = (1.0, 2.0, 3.0), np.array([1.0, 2.0, 3.0])
    for two in (Dual(2.0, 5.0), variables(2.0)[0], variables(Dual(2.0, 1.0))[0], Dual(Dual(2.0, 1.0, 1), 0.0, 2)):
        for x in numbers:
            assert compare(two, x) is compare(2.0, x)
            assert compare(x, two) is compare(x, 2.0)
        assert np.array_equal(compare(two, array), compare(2.0, array))
        assert np.array_equal(compare(array, two), compare(array, 2.0))
        assert np.array_equal(getattr(np, ufunc[sign])(array, two), compare(array, 2.0))
        assert type(compare(array, two)) is np.ndarray
    (x, y) = variables(1.0, 2.0)
    assert compare(x, y) is compare(1.0, 2.0)


def test_the_truth_of_a_number_is_that_of_its_value():
    for kind in (lambda x: Dual(x, 1.0), lambda x: variables(x)[0]):
        assert bool(kind(2.0))
        assert not kind(0.0)
        with pytest.raises(ValueError, match="ambiguous"):
            bool(kind(np.ones(2)))


def test_a_loop_may_end_by_a_value():
    def root(w):  # Newton's method for x^2 = w, until it is found
        x = 0.5 * (1.0 + w[0])
        while abs(x * x - w[0]) > 1e-12:
            x = 0.5 * (x + w[0] / x)
        return x

    for jacobian in (autodiff.forward_jacobian, autodiff.backward_jacobian):
        # The slope lags a step behind: it is off by about the error of x before the last step, here 1.6e-12.
        np.testing.assert_allclose(jacobian(root, [2.0]), [[0.5 / np.sqrt(2.0)]], rtol=1e-11)


def test_a_number_says_what_it_is():
    assert repr(Dual(2.0, 3.0)) == "Dual(2.0, 3.0)"
    assert repr(variables(2.0)[0]) == "Variable(2.0)"
    inmost = autodiff.plain(variables(Dual(Dual(2.0, 1.0, 1), 0.0, 2))[0])
    assert (type(inmost), inmost) == (float, 2.0)
    x = variables(np.ones((2, 3)))[0]
    assert x.reshape((3, 2)).shape == x.reshape(3, 2).shape == x.reshape(3, -1).shape == (3, 2)
    assert (x.shape, x.ndim, len(x), x.T.shape, [row.shape for row in x]) == ((2, 3), 2, 2, (3, 2), [(3,), (3,)])


# --- graphs


def test_a_trace_has_every_tangent_and_adjoint():
    steps = graph.trace(lambda x, y: (x + y) * (y + 1), (2, 3), ("x", "y"), direction=(0, 1))
    assert [(node.name, node.operation, node.inputs) for node in steps.nodes] == [
        ("x", "input", ()),
        ("y", "input", ()),
        ("a", "+", (0, 1)),
        ("", "constant", ()),
        ("b", "+", (1, 3)),
        ("c", "*", (2, 4)),
    ]
    assert [node.tangent for node in steps.nodes] == [0, 1, 1, None, 1, 9]  # 9 = dc/dy, as the adjoint of y
    assert [node.adjoint for node in steps.nodes] == [4, 9, 4, None, 5, 1]
    assert steps.outputs == (5,)


def test_the_output_of_a_trace_need_not_be_its_last_step():
    def f(x):
        y = x * x
        _ = y + 1.0
        return y

    steps = graph.trace(f, (3.0,), ("x",))
    assert steps.nodes[steps.outputs[0]].value == 9.0
    assert [node.adjoint for node in steps.nodes] == [6.0, 1.0, None, None]
    assert graph.trace(lambda x: x, (3.0,), ("x",)).outputs == (0,)


def test_steps_are_not_called_as_an_input_is_and_letters_may_run_out():
    def f(b, d):
        for _ in range(30):
            b = b + d
        return b

    names = [node.name for node in graph.trace(f, (1.0, 0.0), ("b", "d")).nodes]
    assert names[:6] == ["b", "d", "a", "c", "e", "f"]
    assert names[25:27] == ["z", "v26"]
    assert len(set(names)) == len(names)


def test_a_table_shows_zeros_and_leaves_out_what_is_not_known():
    lines = graph.trace_table(graph.trace(lambda x, y: x * y, (0.0, 2.0), ("x", "y"), adjoints=False)).splitlines()
    assert [line.split() for line in lines] == [
        ["step", "value", "tangent", "adjoint"],
        ["x", "0"],
        ["y", "2"],
        ["a", "=", "x", "*", "y", "0"],
    ]
    assert len({len(line) for line in lines}) == 1  # in columns
    lines = graph.trace_table(graph.trace(lambda x: x * x, (0.0,), ("x",), direction=(1.0,))).splitlines()
    assert [line.split()[-3:] for line in lines[1:]] == [["0", "1", "0"], ["0", "0", "1"]]


# --- errors

NUMPY = {  # each says its own name
    "np.concatenate": lambda x: np.concatenate([x, x]),
    "np.maximum.reduce": lambda x: np.maximum.reduce(x),
    "np.add.outer": lambda x: np.add.outer(x, x),
    "np.floor": lambda x: np.floor(x),
    "np.prod": lambda x: np.prod(x),
    "np.less.reduce": lambda x: np.less.reduce(x),
}


@pytest.mark.parametrize("kind", [lambda x: Dual(x, 1.0), lambda x: variables(x)[0]], ids=["dual", "variable"])
@pytest.mark.parametrize("name", NUMPY)
def test_a_function_without_a_rule_says_its_name_and_what_there_is(name, kind):
    with pytest.raises(TypeError, match=rf"{name} has no derivative here: write it with absolute, add, .*, where") as e:
        NUMPY[name](kind(np.ones(2)))
    assert "or add a row to primitives.py" in str(e.value)


@pytest.mark.parametrize("kind", [lambda x: Dual(x, 1.0), lambda x: variables(x)[0]], ids=["dual", "variable"])
def test_an_array_is_not_changed_in_place_by_a_traced_number(kind):
    array = np.ones(2)
    with pytest.raises(TypeError, match=r"np.add: out is not supported here; no array is changed in place"):
        array += kind(np.ones(2))
    with pytest.raises(TypeError, match=r"np.exp: where is not supported"):
        np.exp(kind(np.ones(2)), where=[True, False])
    assert array.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("bad", ["a", None, 1j, np.array(["a"]), np.array([1j]), [1.0, [2.0]], {}, [None]])
def test_a_constant_that_is_no_number_is_shown(bad):
    calls = [
        lambda: Dual(1.0, 1.0) * bad,
        lambda: bad - variables(1.0)[0],
        lambda: variables(bad),
        lambda: Dual(bad),
        lambda: Dual(1.0, bad),
    ]
    if bad is not None:  # a seed may be left out
        calls.append(lambda: variables(1.0)[0].backward(bad))
    for call in calls:
        with pytest.raises(TypeError, match="expected a number or an array of real numbers, got"):
            call()


POINTS = {
    "vjp": lambda w: autodiff.vjp(np.sum, w, [1.0]),
    "jvp": lambda w: autodiff.jvp(np.sum, w, [1.0]),
    "hvp": lambda w: autodiff.hvp(np.sum, w, [1.0]),
    "backward_jacobian": lambda w: autodiff.gradient(np.sum, w),
}


@pytest.mark.parametrize("bad", [1.0, [], [[1.0]], [np.nan], [-np.inf], [1j], ["a"], None])
@pytest.mark.parametrize("name", POINTS)
def test_a_point_that_is_no_vector_of_numbers_is_shown(name, bad):
    with pytest.raises(ValueError, match=rf"{name}: w must (be a vector of real numbers|hold finite numbers), got "):
        POINTS[name](bad)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: autodiff.vjp(lambda w: w, [1.0], [np.nan]), r"vjp: weights must hold finite numbers"),
        (lambda: autodiff.vjp(lambda w: w, [1.0], 1.0), r"vjp: weights must be a vector"),
        (lambda: autodiff.vjp(np.sum, [1.0, 2.0], [1.0, 2.0]), r"one for each of the 1 outputs, got 2"),
        (lambda: autodiff.hvp(np.sum, [1.0, 2.0], [[1.0, 2.0]]), r"hvp: direction must be a vector"),
        (lambda: autodiff.hvp(np.sum, [1.0, 2.0], [1.0]), r"must have the same shape, got \(2,\) and \(1,\)"),
        (lambda: autodiff.hvp(lambda w: [w[0], w[1]], [1.0, 2.0], [1.0, 0.0]), r"hvp: f must return a number, got 2"),
        (lambda: autodiff.gradient(lambda w: [w[0], 1.0], [1.0]), r"got 2; use backward_jacobian for several"),
        (lambda: autodiff.numerical_jacobian(np.sum, [1.0], -0.1), r"delta must be above 0, got -0.1"),
        (lambda: autodiff.numerical_jacobian(np.sum, [1.0], np.nan), r"delta must be above 0, got nan"),
        (lambda: autodiff.numerical_jacobian(np.sum, [1.0], 1, "Central"), r"one of forward, central, complex, got 'C"),
        (lambda: Dual(1.0, np.ones(2)), r"Dual: value and tangent must have the same shape, got \(\) and \(2,\)"),
        (lambda: Dual(1.0, variables(1.0)[0]), r"Dual: a variable cannot be inside a dual number"),
        (lambda: Tape().variable(variables(1.0)[0]), r"Tape.variable: .* for second derivatives, use hessian"),
        (lambda: variables(1.0)[0] + variables(1.0)[0], r"add: .* two tapes; make them together, with one call of var"),
        (lambda: autodiff.stack([*variables(1.0), *variables(1.0)]), r"stack: the arguments are on two tapes"),
        (lambda: variables(np.ones(2))[0].backward(np.ones((1, 2))), r"shape of the output, \(2,\), got \(1, 2\)"),
        (lambda: variables(1.0)[0].backward([1.0]), r"shape of the output, \(\), got \(1,\)"),
        (lambda: variables(1.0, 2.0, names=("x",)), r"shorter|longer"),
        (lambda: graph.trace(lambda x: x, (1.0,), ("x",), direction=(1.0, 0.0)), r"names and direction must have one"),
        (lambda: graph.trace(lambda x: x, (1.0,), ("x", "y")), r"names and direction must have one for each of the 1"),
        (lambda: graph.trace(lambda x: [x], (1.0,), ("x",)), r"trace: f must return a number that depends"),
    ],
)
def test_a_call_that_cannot_be_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_variable_inside_a_forward_derivative_is_refused():
    with pytest.raises(ValueError, match="put dual numbers on a tape instead"):
        autodiff.gradient(lambda w: autodiff.jvp(np.sum, w, [1.0])[1], [2.0])


@pytest.mark.parametrize("kind", [lambda x: Dual(x, 1.0), lambda x: variables(x)[0]], ids=["dual", "variable"])
def test_a_number_has_no_elements_and_an_array_ends(kind):
    with pytest.raises(TypeError, match="a number has no elements to index"):
        list(kind(1.0)[:1])
    with pytest.raises(TypeError, match="a number has no length"):
        list(kind(1.0))
    with pytest.raises(IndexError, match="out of bounds"):
        kind(np.ones(2))[2]
    with pytest.raises(TypeError, match="unhashable"):
        {kind(1.0)}
