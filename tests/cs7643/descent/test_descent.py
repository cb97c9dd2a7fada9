"""Problems 1 to 4: every step of every derivation as a property, with SymPy, SciPy and exact arithmetic as oracles."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from tolerances import EPS, apart, assert_within, gamma

from cs7643 import descent
from cs7643.theory import convex, noise

MANY = settings(max_examples=1000)
SEEDS = st.integers(0, 2**32 - 1)


# --- problem 1


def model(z, w, grad, lam):
    """Eq. (3) without its constant."""
    return grad @ (z - w) + lam / 2 * np.sum((z - w) ** 2)


@MANY
@given(SEEDS, st.integers(1, 50), st.floats(1e-3, 1e3))
def test_the_proximal_step_is_the_minimum_and_the_model_grows_from_it_as_a_square(seed, d, lam):
    rng = np.random.default_rng(seed)
    w, grad, z = rng.standard_normal((3, d))
    found = descent.proximal_step(w, grad, lam)
    reach = abs(w) + abs(grad) / lam
    assert_within(found, w - descent.step_size(lam) * grad, apart(4) * reach)
    above = model(z, w, grad, lam) - model(found, w, grad, lam)
    # Three sums of d products; each factor is a difference of numbers up to |z| + |w| + |grad| / lam.
    scale = np.sum((abs(grad) + lam * (abs(z) + reach)) * (abs(z) + reach))
    assert_within(above, lam / 2 * np.sum((z - found) ** 2), apart(d + 16) * scale)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_sympy_solves_equation_3_for_the_proximal_step(d):
    lam = sp.Symbol("lam", positive=True)
    w, g, z = (sp.symbols(f"{letter}0:{d}", real=True) for letter in "wgz")
    equation = sum(gi * (zi - wi) + lam / 2 * (zi - wi) ** 2 for wi, gi, zi in zip(w, g, z, strict=True))
    (solution,) = sp.solve([sp.diff(equation, zi) for zi in z], z, dict=True)
    assert sp.hessian(equation, z).equals(lam * sp.eye(d))  # positive definite: it is a minimum
    rng = np.random.default_rng(d)
    for _ in range(20):
        numbers = [*rng.standard_normal(2 * d), rng.uniform(0.1, 5)]
        values = dict(zip((*w, *g, lam), numbers, strict=True))
        expected = [float(solution[zi].subs(values)) for zi in z]
        found = descent.proximal_step(numbers[:d], numbers[d : 2 * d], numbers[-1])
        # SymPy substitutes with 15 decimals or more: 53 bits.
        reach = abs(np.array(numbers[:d])) + abs(np.array(numbers[d : 2 * d])) / numbers[-1]
        assert_within(found, expected, apart(8) * reach)


def test_scipy_finds_the_proximal_step_on_100_random_models():
    rng = np.random.default_rng(0)
    for _ in range(100):
        d, lam = rng.integers(1, 20), rng.uniform(0.1, 10)
        w, grad = rng.standard_normal((2, d))
        found = optimize.minimize(
            model, np.zeros(d), (w, grad, lam), jac=lambda z, w, g, lam: g + lam * (z - w), options={"gtol": 1e-10}
        )
        # The slope grows by lam for each unit of distance, so it says how far SciPy is from the minimum.
        left = abs(grad + lam * (found.x - w)).max()
        assert left < 1e-6
        bound = left / lam + apart(8) * (abs(w) + abs(grad) / lam)
        assert_within(descent.proximal_step(w, grad, lam), found.x, bound)


# --- problem 2

KINDS = ("random", "constant", "huge", "tiny", "alternating", "sparse", "toward w*", "away from w*", "most regret")


def vectors(kind, T, d, w_star, eta, rng):
    v = rng.standard_normal((T, d))
    if kind == "constant":
        v[:] = v[0]
    elif kind == "huge":
        v *= 1e100
    elif kind == "tiny":
        v *= 1e-100
    elif kind == "alternating":
        v = np.abs(v) * (-1.0) ** np.arange(T)[:, None]
    elif kind == "sparse":
        v *= rng.random((T, d)) < 0.05
    elif kind == "toward w*":
        v[:] = -w_star / (eta * T)  # arrives at w*: the case of equality
    elif kind in ("away from w*", "most regret"):  # one who sees w(t) and chooses v(t)
        w, sign = np.zeros(d), -1.0 if kind == "away from w*" else 1.0
        for t in range(T):
            v[t] = sign * (w - w_star) / max(np.linalg.norm(w - w_star), 1e-300)
            w = w - eta * v[t]
    return v


@MANY
@given(SEEDS, st.integers(1, 1000), st.integers(1, 100), st.sampled_from(KINDS), st.floats(1e-3, 1e3))
def test_the_regret_inequality_is_never_violated_beyond_rounding(seed, T, d, kind, eta):
    rng = np.random.default_rng(seed)
    w_star = rng.standard_normal(d)
    v = vectors(kind, T, d, w_star, eta, rng)
    iterates = descent.follow(v, eta)
    left, right = descent.regret(iterates, w_star, v), descent.regret_bound(w_star, v, eta)
    # A sum of n products is off by at most n eps times the sum of their magnitudes, and so is a coordinate of w(t),
    # which is itself a sum of t terms.
    paths = np.vstack([np.zeros(d), eta * np.cumsum(abs(v), axis=0)])
    magnitudes = np.sum((paths[:-1] + abs(w_star)) * abs(v)) + right
    assert left <= right + EPS * (T + T * d) * magnitudes
    gap = np.sum((iterates[-1] - w_star) ** 2) / (2 * eta)
    assert right - left == pytest.approx(gap, abs=2 * EPS * (T + T * d) * (magnitudes + gap))


@MANY
@given(SEEDS, st.integers(1, 1000), st.integers(1, 20), st.integers(-4, 2))
def test_in_exact_arithmetic_the_gap_is_the_last_squared_distance(seed, T, d, power):
    # Whole numbers and a power of two: all that is computed stays below 2^53, so nothing is rounded, and no tolerance
    # is needed.
    rng = np.random.default_rng(seed)
    v, w_star = rng.integers(-9, 10, (T, d)).astype(float), rng.integers(-50, 51, d).astype(float)
    eta = 2.0**power
    iterates = descent.follow(v, eta)
    left, right = descent.regret(iterates, w_star, v), descent.regret_bound(w_star, v, eta)
    assert left <= right
    assert right - left == np.sum((iterates[-1] - w_star) ** 2) / (2 * eta)
    assert descent.regret(iterates, iterates[-1], v) == descent.regret_bound(iterates[-1], v, eta)


def test_sympy_telescopes_the_sum():
    T, d, eta = 4, 2, sp.Symbol("eta", positive=True)
    v = sp.Matrix(T, d, lambda t, i: sp.Symbol(f"v{t}{i}"))
    w_star = sp.Matrix(1, d, lambda _, i: sp.Symbol(f"s{i}"))
    points = [sp.zeros(1, d)]
    for t in range(T):
        points.append(points[-1] - eta * v.row(t))
    numbers = np.random.default_rng(0).integers(-5, 6, T * d + d).tolist()
    values = dict(zip([*v, *w_star], numbers, strict=True)) | {eta: sp.Rational(1, 2)}
    left = sum((points[t] - w_star).dot(v.row(t)) for t in range(T))
    right = w_star.dot(w_star) / (2 * eta) + eta / 2 * sum(v.row(t).dot(v.row(t)) for t in range(T))
    last = points[T] - w_star
    assert sp.expand(right - left - last.dot(last) / (2 * eta)) == 0
    v_number, w_number = np.array(v.subs(values), dtype=float), np.array(w_star.subs(values), dtype=float)[0]
    assert descent.regret(descent.follow(v_number, 0.5), w_number, v_number) == float(left.subs(values))
    assert descent.regret_bound(w_number, v_number, 0.5) == float(right.subs(values))


# --- problem 3


def descend(f, T):
    return descent.gradient_descent(f.subgradient, 0 * f.w_star, descent.rate_step_size(f.B, f.rho, T), T)


@MANY
@given(SEEDS, st.integers(1, 5), st.integers(1, 40), st.floats(0.01, 0.5))
def test_descent_on_a_quadratic_is_known_in_closed_form(seed, d, T, eta):
    rng = np.random.default_rng(seed)
    curvatures, w1 = rng.uniform(0.1, 3, d), rng.standard_normal(d)
    points = w1 * (1 - eta * curvatures) ** np.arange(T + 1)[:, None]
    found = descent.gradient_descent(lambda w: curvatures * w, w1, eta, T)
    # A step rounds w, up to three times, and eta c w, which is up to 1.5 w; and no step makes |w| larger.
    assert_within(found, points, apart(8 * (T + 1)) * abs(w1))


@pytest.mark.parametrize("T", [1, 2, 7, 50, 400])
@pytest.mark.parametrize("kind", range(5))
def test_jensen_convexity_and_the_bound_hold_one_by_one(kind, T):
    f = [*convex.family(), convex.attaining(T)][kind]
    # Each number is a sum or a mean of up to T, or up to 60 (the points of two_clouds), products in up to T dimensions;
    # what is added is of the size of f and of its slope times the distance.
    points = descend(f, T)[:-1]
    values = np.array([f.value(w) for w in points])
    slopes = np.array([f.subgradient(w) for w in points])
    reach = f.rho * (f.B + np.linalg.norm(points, axis=1).max()) + abs(values).max()
    rounding = apart(2 * T + 80) * reach + 1e-12 * (kind == 2)  # Newton's method stops at a slope of 1e-12
    assert f.value(points.mean(axis=0)) <= values.mean() + rounding  # Jensen
    assert np.all(values - f.value(f.w_star) <= np.sum((points - f.w_star) * slopes, axis=1) + rounding)  # convexity
    assert np.linalg.norm(slopes, axis=1).max() <= f.rho * (1 + gamma(80 + T))
    assert f.gap(descent.average(descend(f, T))) <= descent.rate_bound(f.B, f.rho, T) + rounding


@MANY
@given(SEEDS, st.integers(1, 60), st.integers(1, 8), st.integers(1, 10))
def test_the_rate_holds_on_random_maxima_of_affine_functions(seed, T, d, pieces):
    # For any point in the place of w*: the bound compares with whatever lies within B.
    rng = np.random.default_rng(seed)
    a, b, w_star = rng.standard_normal((pieces, d)), rng.standard_normal(pieces), rng.standard_normal(d)
    B, rho = float(np.linalg.norm(w_star)), float(np.linalg.norm(a, axis=1).max())
    eta = descent.rate_step_size(B, rho, T)
    iterates = descent.gradient_descent(lambda w: a[np.argmax(a @ w + b)], np.zeros(d), eta, T)
    gap = (a @ descent.average(iterates) + b).max() - (a @ w_star + b).max()
    path = rho * eta * T + B  # no point and no comparison is farther away than that, and rho times it is what is added
    assert gap <= descent.rate_bound(B, rho, T) + apart(2 * T + d + 8) * (rho * path + abs(b).max())


@pytest.mark.parametrize(("B", "rho"), [(1.0, 1.0), (0.3, 7.0)])
def test_the_attaining_function_is_on_the_bound(B, rho):
    for T in (*range(1, 60), 100, 333, 1000):
        f = convex.attaining(T, B, rho)
        assert pytest.approx(B, rel=apart(T + 4)) == f.B  # a norm of T numbers
        iterates = descent.gradient_descent(f.subgradient, np.zeros(T), descent.rate_step_size(B, rho, T), T)
        gap, bound = f.gap(descent.average(iterates)), descent.rate_bound(B, rho, T)
        assert gap == pytest.approx(bound, rel=apart(T + 8))  # a mean of T numbers
        assert bound == pytest.approx(B * rho / np.sqrt(T), rel=apart(8))


def test_the_prescribed_step_size_is_the_best_for_the_bound():
    B, rho, T = 1.7, 0.4, 23
    best = descent.rate_step_size(B, rho, T)
    bounds = [B**2 / (2 * eta * T) + eta * rho**2 / 2 for eta in best * np.array([0.9, 1.0, 1.1])]
    assert bounds[1] == pytest.approx(descent.rate_bound(B, rho, T), rel=apart(16))
    assert bounds[1] < min(bounds[0], bounds[2])


def test_the_last_iterate_can_be_worse_than_the_average():
    f = convex.absolute_value()
    iterates = descent.gradient_descent(f.subgradient, np.zeros(1), 0.4, 2 * 50)
    assert f.gap(iterates[-1]) > f.gap(descent.average(iterates))


# --- problem 4


def test_steps_raise_f_where_the_closed_form_says_so():
    w, eta = np.meshgrid(np.linspace(-3.03, 4.01, 211), np.linspace(0.011, 2.49, 157))
    changes = []
    # f is a sum of two squares of numbers up to 4 + eta 5 + 2, and a change is a difference of two f.
    rounding = apart(12) * 2 * (6 + 5 * 2.49) ** 2
    for term in (1, 2):
        found = np.array([descent.sgd_step(row, term, float(eta[k, 0])) for k, row in enumerate(w)])
        changes.append(noise.f(found) - noise.f(w))
        clear = abs(changes[-1]) > rounding
        assert np.array_equal((changes[-1] > 0)[clear], noise.raises(w, term, eta)[clear])
    mean = sum(changes) / 2
    clear = abs(mean) > rounding
    assert np.array_equal((mean < 0)[clear], noise.expected_to_descend(w, eta)[clear])


@MANY
@given(st.floats(-1, 0.5, exclude_min=True, exclude_max=True), st.floats(1e-6, 2, exclude_max=True))
def test_between_minus_one_and_one_half_every_step_on_term_2_leads_away(w, eta):
    after = float(descent.sgd_step(w, 2, eta))
    assert after <= w  # away from the minimiser 1/2, so f does not fall
    assert noise.f(after) >= noise.f(w)
    assert (after + 1) ** 2 <= (w + 1) ** 2  # while the sampled term does not rise


@pytest.mark.parametrize("eta", [0.001, 0.25, 0.5, 0.99])
def test_at_zero_f_goes_from_two_and_a_half_to_the_stated_value(eta):
    assert noise.f(0.0) == 2.5
    assert noise.f(descent.sgd_step(0.0, 2, eta)) == pytest.approx(2.5 + eta + eta**2, rel=apart(8))


def test_the_counterexample_is_one():
    w, term, eta = descent.sgd_counterexample()
    after = descent.sgd_step(w, term, eta)
    centre = noise.CENTRES[term]
    assert abs(after - centre) < abs(w - centre)
    assert noise.f(after) > noise.f(w)


# --- bad input, and what is returned

GOOD = {
    "proximal_step": {"w": [1.0, 2.0], "grad": [0.5, 1.0], "lam": 2.0},
    "step_size": {"lam": 2.0},
    "follow": {"v": [[1.0, 2.0]], "eta": 0.5},
    "regret": {"iterates": [[0.0, 0.0], [1.0, 1.0]], "w_star": [1.0, 0.0], "v": [[1.0, 2.0]]},
    "regret_bound": {"w_star": [1.0, 0.0], "v": [[1.0, 2.0]], "eta": 0.5},
    "gradient_descent": {"grad": lambda w: w, "w1": [1.0, 2.0], "eta": 0.5, "T": 3},
    "average": {"iterates": [[0.0], [1.0]]},
    "rate_step_size": {"B": 1.0, "rho": 1.0, "T": 4},
    "rate_bound": {"B": 1.0, "rho": 1.0, "T": 4},
    "sgd_step": {"w": 0.5, "term": 1, "eta": 0.5},
}
BAD = {
    "positive": (0, -1.0, np.nan, np.inf, "2", b"2", True, np.True_, 1j, [1.0], [[1.0], 2.0], {}, 10**400, None),
    "count": (0, -3, 2.0, True, "3", None),
    "vector": (
        *(["1", "2"], [[1.0], 2.0], [10**400, 1], [], None, 1.0, [1.0, 2.0, 3.0], [[1.0, 2.0]]),
        *([np.nan, 1.0], [np.inf, 1.0], [1j, 2.0], ["a", "b"]),
    ),
    "matrix": (1.0, [1.0, 2.0], np.zeros((0, 2)), [[np.nan, 0.0]], [[1j, 0.0]]),
    "term": (0, 3, 1.5, "1", True, 1 + 0j, None, [1, 2], [[1], 2]),
    "points": ("1", [], [[1.0], 2.0], np.nan, 1j, None),
}
ARGUMENTS = {
    "positive": ("lam", "eta", "B", "rho"),
    "count": ("T",),
    "vector": ("grad", "w_star"),
    "matrix": ("v", "iterates"),
    "term": ("term",),
    "points": ("w",),
}
CALLS = [
    (name, argument, bad)
    for name, good in GOOD.items()
    for kind, arguments in ARGUMENTS.items()
    for argument in arguments
    if argument in good and not callable(good[argument]) and (kind != "points" or name == "sgd_step")
    for bad in BAD[kind]
]


@pytest.mark.parametrize(("name", "argument", "bad"), CALLS, ids=[f"{n}-{a}-{str(b)[:20]}" for n, a, b in CALLS])
def test_bad_input_is_named(name, argument, bad):
    getattr(descent, name)(**GOOD[name])
    if name == "regret" and argument == "iterates" and np.shape(bad) == (1, 2):
        bad = [[1.0, 2.0]]  # a point too few
    with pytest.raises(ValueError, match=rf"{name}: {argument} must"):
        getattr(descent, name)(**{**GOOD[name], argument: bad})


@pytest.mark.parametrize("bad", [lambda w: [np.nan, 0.0], lambda w: [1.0], lambda w: 1.0, lambda w: None])
def test_a_bad_gradient_is_named(bad):
    with pytest.raises(ValueError, match=r"gradient_descent: grad\(w\) must"):
        descent.gradient_descent(bad, [1.0, 2.0], 0.5, 3)
    with pytest.raises(ValueError, match=r"gradient_descent: grad must be a function"):
        descent.gradient_descent(None, [1.0, 2.0], 0.5, 3)


def test_whole_numbers_are_taken_and_nothing_is_changed():
    w, v = np.array([1, 2]), np.array([[3, 4], [5, 6]])
    for found in (descent.proximal_step(w, [1, 1], 2), descent.follow(v, 1), descent.sgd_step(w, 1, 1)):
        assert found.dtype == np.float64
    assert w.tolist() == [1, 2]
    assert v.tolist() == [[3, 4], [5, 6]]

    def meddles(w):
        w *= 0
        return np.ones(2)

    start = np.array([1.0, 2.0])
    np.testing.assert_array_equal(descent.gradient_descent(meddles, start, 0.5, 2), [[1, 2], [0.5, 1.5], [0, 1]])
    assert start.tolist() == [1.0, 2.0]
