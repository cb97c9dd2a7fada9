"""Problems 1 to 4, the details: rounding at every scale, every T up to 1000, and what happens to the arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EPS, apart, assert_within

from cs7643 import descent
from cs7643.theory import convex, noise

MANY = settings(max_examples=1000)
SEEDS = st.integers(0, 2**32 - 1)


def unchanged(name, **arguments):
    """Call a function of descent.py, and check that it changed none of the arrays that it was given."""
    before = {key: value.copy() for key, value in arguments.items() if isinstance(value, np.ndarray)}
    result = getattr(descent, name)(**arguments)
    for key, value in before.items():
        np.testing.assert_array_equal(arguments[key], value, err_msg=f"{name} changed {key}")
        assert not np.shares_memory(result, arguments[key]), f"{name} returns {key} itself"
    return result


# --- problem 2


@MANY
@given(
    SEEDS,
    st.integers(1, 1000),
    st.integers(1, 100),
    st.integers(-100, 100),
    st.integers(-2, 2),
    st.sampled_from(["random", "constant", "alternating", "sparse", "mixed scales"]),
)
def test_the_regret_inequality_holds_where_both_of_its_terms_count(seed, T, d, power, ratio, kind):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal((T, d))
    if kind == "constant":
        v[:] = v[0]
    elif kind == "alternating":
        v[1::2] = -v[: T // 2 * 2 : 2]
    elif kind == "sparse":
        v *= rng.random((T, d)) < 0.05
    elif kind == "mixed scales":
        v *= 10.0 ** rng.integers(-8, 9, (T, 1))
    # w* is as far as the path is long, give or take a factor of 100: else one term drowns the other.
    eta = 10.0 ** rng.integers(-3, 4)
    w_star = rng.standard_normal(d) * eta * np.sqrt(np.sum(v**2) / d) * 10.0**ratio
    v, w_star = v * 10.0**power, w_star * 10.0**power
    iterates = descent.follow(v, eta)
    left, right = descent.regret(iterates, w_star, v), descent.regret_bound(w_star, v, eta)
    # A coordinate of w(t) is a running sum of fewer than T terms: it is off by at most T eps times the sum of their
    # magnitudes, |path|. NumPy sums the T d products pairwise, in blocks of 128 with 8 running sums, so a product
    # passes through at most 16 + 3 + log2(T d / 128), below 30, roundings, and through 3 more while it is made: T + 33
    # in all. The d on top allows for the order of the formula, in which each <., .> is summed first.
    path = np.vstack([np.zeros(d), eta * np.cumsum(abs(v), axis=0)])
    products = np.sum((path[:-1] + abs(w_star)) * abs(v))
    tolerance = EPS * (T + d + 33) * (products + right)
    assert left <= right + tolerance
    gap = np.sum((iterates[-1] - w_star) ** 2) / (2 * eta)
    # The last point is off by at most T eps |path|, so its squared distance by twice that times the distance.
    blur = EPS * (T + 33) * np.sum((path[-1] + abs(w_star)) ** 2) / eta
    assert abs(right - left - gap) <= tolerance + blur


@MANY
@given(SEEDS, st.integers(1, 30), st.integers(1, 5), st.floats(1e-3, 1e3))
def test_follow_is_gradient_descent_whatever_is_followed(seed, T, d, eta):
    v = np.random.default_rng(seed).standard_normal((T, d))
    rows = iter(v)
    one_by_one = descent.gradient_descent(lambda w: next(rows), np.zeros(d), eta, T)
    path = eta * np.cumsum(abs(v), axis=0)
    found = unchanged("follow", v=v, eta=eta)
    assert found.shape == (T + 1, d)
    assert not found[0].any()
    # Each step is rounded twice here and twice there.
    assert np.all(abs(found - one_by_one)[1:] <= 4 * T * EPS * path)


# --- problem 3


@pytest.mark.slow
def test_the_attaining_function_is_on_the_bound_for_every_number_of_steps_up_to_1000():
    for T in range(1, 1001):
        f = convex.attaining(T)
        iterates = descent.gradient_descent(f.subgradient, np.zeros(T), descent.rate_step_size(1.0, 1.0, T), T)
        assert f.gap(descent.average(iterates)) == pytest.approx(descent.rate_bound(1.0, 1.0, T), rel=apart(T + 8)), T


@pytest.mark.parametrize("T", [1, 2, 3, 30, 200])
@pytest.mark.parametrize(("B", "rho"), [(1e-3, 5.0), (20.0, 1e-4), (1e6, 1e6)])
def test_the_attaining_function_is_on_the_bound_at_other_scales(T, B, rho):
    f = convex.attaining(T, B, rho)
    iterates = descent.gradient_descent(f.subgradient, np.zeros(T), descent.rate_step_size(B, rho, T), T)
    assert f.gap(descent.average(iterates)) == pytest.approx(descent.rate_bound(B, rho, T), rel=apart(T + 8))


def test_gradient_descent_asks_for_the_gradient_once_at_each_point_but_the_last():
    asked = []

    def grad(w):
        asked.append(w.copy())
        return 2 * w

    iterates = descent.gradient_descent(grad, [1.0, -3.0], 0.1, 7)
    assert iterates.shape == (8, 2)
    np.testing.assert_array_equal(asked, iterates[:-1])


def test_a_gradient_that_returns_the_same_array_each_time_does_not_spoil_the_iterates():
    buffer = np.empty(2)

    def grad(w):
        buffer[:] = w
        return buffer

    np.testing.assert_array_equal(descent.gradient_descent(grad, [4.0, 8.0], 0.5, 2), [[4, 8], [2, 4], [1, 2]])


def test_the_average_leaves_out_the_last_point_and_nothing_else():
    iterates = np.array([[1.0, 0.0], [2.0, 4.0], [100.0, 100.0]])
    assert unchanged("average", iterates=iterates).tolist() == [1.5, 2.0]


# --- problem 4


@MANY
@given(st.floats(-10, 10), st.sampled_from([1, 2]), st.floats(1e-3, 3))
def test_a_step_changes_f_by_the_closed_form(w, term, eta):
    slope = w - noise.CENTRES[term]
    change = noise.f(descent.sgd_step(w, term, eta)) - noise.f(w)
    scale = 2 * (2 + abs(w) + eta * abs(slope)) ** 2  # a difference of two sums of two squares
    assert_within(change, eta * slope * (eta * slope - (2 * w - 1)), apart(12) * scale)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (2, 1, 2)])
def test_each_point_takes_the_step_of_its_own_term(shape):
    rng = np.random.default_rng(0)
    w, term = rng.standard_normal(shape), rng.integers(1, 3, shape)
    found = unchanged("sgd_step", w=np.asarray(w), term=np.asarray(term), eta=0.3)
    assert found.shape == shape
    assert found.dtype == np.float64
    for place in np.ndindex(shape):
        one = descent.sgd_step(float(np.asarray(w)[place]), int(np.asarray(term)[place]), 0.3)
        assert found[place] == one
    assert np.array_equal(descent.sgd_step(w, 2, 0.3), descent.sgd_step(w, np.full(shape, 2), 0.3))


# --- bad input, and what is returned

NOT_VECTORS = {
    "number": 1.0,
    "empty": [],
    "matrix": [[1.0, 2.0]],
    "ragged": [[1.0], [1.0, 2.0]],
    "nan": [1.0, np.nan],
    "infinite": [-np.inf, 1.0],
    "complex": [1j, 2.0],
    "words": ["a", "b"],
    "None": None,
}


@pytest.mark.parametrize("bad", NOT_VECTORS)
def test_a_bad_first_point_is_named(bad):
    with pytest.raises(ValueError, match="proximal_step: w must"):
        descent.proximal_step(NOT_VECTORS[bad], [0.5, 1.0], 2.0)
    with pytest.raises(ValueError, match="gradient_descent: w1 must"):
        descent.gradient_descent(lambda w: w, NOT_VECTORS[bad], 0.5, 3)


@pytest.mark.parametrize("bad", [np.nan, [1.0, np.inf], 1j, "a", None, [None]])
def test_a_bad_point_of_sgd_is_named(bad):
    with pytest.raises(ValueError, match="sgd_step: w must"):
        descent.sgd_step(bad, 1, 0.5)


@pytest.mark.parametrize(
    ("w", "term"), [([1.0, 2.0], [1]), ([1.0, 2.0], [[1, 2]]), (1.0, [1]), ([1.0, 2.0], [1, 3]), (1.0, np.nan)]
)
def test_terms_that_do_not_fit_the_points_are_named(w, term):
    with pytest.raises(ValueError, match=r"sgd_step: term must be 1 or 2, or an array of them of shape"):
        descent.sgd_step(w, term, 0.5)


@pytest.mark.parametrize("iterates", [[[0.0, 0.0]], np.zeros((3, 2)), np.zeros((2, 3)), np.zeros(2)])
def test_iterates_that_do_not_fit_v_are_named_with_the_shape_that_would(iterates):
    with pytest.raises(ValueError, match=r"regret: iterates must have shape \(2, 2\), got"):
        descent.regret(iterates, [1.0, 0.0], [[1.0, 2.0]])


def test_one_point_has_no_average():
    with pytest.raises(ValueError, match=r"average: iterates must hold at least w\(1\) and w\(2\)"):
        descent.average([[0.0, 1.0]])


@pytest.mark.parametrize(
    "bad", [[np.nan, 0.0], [np.inf, 0.0], [1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], 1.0, "ab", [1j, 0]]
)
@pytest.mark.parametrize("when", [1, 3])
def test_a_gradient_that_turns_bad_is_named_also_later_on(bad, when):
    calls = []

    def grad(w):
        calls.append(w)
        return bad if len(calls) == when else w

    with pytest.raises(ValueError, match=r"gradient_descent: grad\(w\) must"):
        descent.gradient_descent(grad, [1.0, 2.0], 0.5, 4)
    assert len(calls) == when


def test_whole_numbers_in_lists_give_the_same_as_floats():
    grad = {"grad": lambda w: [1, 2]}
    whole = {
        "proximal_step": {"w": [1, 2], "grad": [3, 4], "lam": 2},
        "follow": {"v": [[1, 2], [3, 4]], "eta": 1},
        "gradient_descent": {"w1": [1, 2], "eta": 1, "T": 2},
        "average": {"iterates": [[1], [2], [5]]},
        "sgd_step": {"w": [1, 2], "term": [1, 2], "eta": 1},
    }
    for name, arguments in whole.items():
        more = grad if name == "gradient_descent" else {}
        found = getattr(descent, name)(**arguments, **more)
        floats = {
            key: value if key in ("T", "term") else np.array(value, dtype=float) for key, value in arguments.items()
        }
        assert found.dtype == np.float64, name
        np.testing.assert_array_equal(found, unchanged(name, **floats, **more))


def test_no_array_is_changed_and_none_is_handed_back():
    rng = np.random.default_rng(0)
    w, v = rng.standard_normal(3), rng.standard_normal((4, 3))
    unchanged("proximal_step", w=w, grad=v[0].copy(), lam=2.0)
    iterates = unchanged("follow", v=v, eta=0.5)
    assert isinstance(unchanged("regret", iterates=iterates, w_star=w, v=v), float)
    assert isinstance(unchanged("regret_bound", w_star=w, v=v, eta=0.5), float)
    unchanged("gradient_descent", grad=lambda w: w, w1=w, eta=0.5, T=3)
