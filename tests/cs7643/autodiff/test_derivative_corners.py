"""Corners of the automatic differentiation: infinite slopes, mixed second derivatives, lists and axes."""

from __future__ import annotations

import numpy as np
import pytest
from tolerances import elementary

from cs7643 import autodiff
from cs7643.autodiff import Dual, graph, primitives, variables


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", [float, lambda x: np.array([x])], ids=["float", "array"])
@pytest.mark.parametrize(
    ("f", "x", "value", "slope"),
    [
        (lambda x: 1 / x, 0.0, np.inf, -np.inf),
        (lambda x: x / 0.0, 1.0, np.inf, np.inf),
        (autodiff.log, 0.0, -np.inf, np.inf),
        (autodiff.sqrt, 0.0, 0.0, np.inf),
        (lambda x: x**0.5, 0.0, 0.0, np.inf),
        (lambda x: x**-1, 0.0, np.inf, -np.inf),
        (lambda x: x**0.5, -8.0, np.nan, np.nan),
        (lambda x: x**-1.5, 1e-200, 1e300, -np.inf),
    ],
    ids=["1 / 0", "x / 0", "log 0", "sqrt 0", "0 ** 0.5", "0 ** -1", "(-8) ** 0.5", "overflow"],
)
def test_a_slope_of_a_float_may_be_infinite_as_in_an_array(kind, f, x, value, slope):
    (v,) = variables(kind(x))
    out = f(v)
    out.backward(np.ones(out.shape))
    y = f(Dual(kind(x), 1.0))
    np.testing.assert_allclose(np.ravel([out.value, v.adjoint]), [value, slope], rtol=elementary(2))
    np.testing.assert_allclose(np.ravel([y.value, y.tangent]), [value, slope], rtol=elementary(2))


def test_the_hessian_of_a_power_is_symmetric_also_at_exponent_zero():
    found = autodiff.hessian(lambda w: w[0] ** w[1], [2.0, 0.0])
    np.testing.assert_allclose(found, [[0.0, 0.5], [0.5, np.log(2.0) ** 2]], rtol=elementary(2))


@pytest.mark.parametrize("kind", [lambda x: Dual(x, 1.0), lambda x: variables(x)[0]], ids=["dual", "variable"])
def test_np_dot_of_stacks_is_that_of_numpy_or_refused(kind):
    a, b = np.ones((2, 2, 3)), np.ones((2, 3, 4))
    try:
        found = np.dot(kind(a), b)
    except (TypeError, ValueError):
        return
    assert found.shape == np.dot(a, b).shape  # (2, 2, 2, 4); np.matmul gives (2, 2, 4)


def test_what_has_no_influence_has_adjoint_zero_also_where_it_is_infinite():
    x, y = variables(1.0, np.inf)
    (2.0 * x).backward()
    assert y.adjoint == 0.0


@pytest.mark.parametrize("mode", [autodiff.forward_jacobian, autodiff.backward_jacobian])
def test_an_infinite_constant_output_has_a_row_of_zeros(mode):
    assert mode(lambda w: [w[0], np.inf], [1.0]).tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize("mode", [autodiff.forward_jacobian, autodiff.backward_jacobian])
def test_where_only_the_condition_depends_on_the_input_the_derivative_is_zero(mode):
    assert mode(lambda w: np.where(w, 1.0, 2.0), [1.0, 0.0]).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_dual_constant_before_a_whole_number_is_not_forgotten():
    y = autodiff.sigmoid(primitives.stack([Dual(1.0, 1.0), 1, variables(2.0)[0]]))  # 1.0 for 1 works
    np.testing.assert_allclose(y.value.value, autodiff.sigmoid(np.array([1.0, 1.0, 2.0])), rtol=elementary(2))


@pytest.mark.parametrize("f", [np.sum, np.mean, lambda x: np.reshape(x, ())])
def test_a_trace_takes_operations_with_an_axis_or_a_shape(f):
    assert graph.trace(lambda x: f(x) * 2, (1.0,), ("x",)).nodes[0].adjoint == 2.0


def test_an_axis_may_be_an_integer_of_numpy():
    assert np.sum(Dual(np.ones((2, 3)), 1.0), axis=np.int64(0)).shape == (3,)


def test_the_adjoint_of_a_number_that_was_repeated_is_a_float():
    x, y = variables(2.0, np.ones(3))
    np.sum(x * y).backward()
    assert type(x.adjoint) is float


@pytest.mark.parametrize("kind", [lambda x: Dual(x, 1.0), lambda x: variables(x)[0]], ids=["dual", "variable"])
def test_a_list_may_stand_on_either_side_of_a_matrix_product(kind):
    x = kind(np.ones(2))
    assert autodiff.plain([[1.0, 2.0], [3.0, 4.0]] @ x).tolist() == [3.0, 7.0]
    assert autodiff.plain(x @ [[1.0, 2.0], [3.0, 4.0]]).tolist() == [4.0, 6.0]
