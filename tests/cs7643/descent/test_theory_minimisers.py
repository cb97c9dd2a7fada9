"""The functions to descend on, certified: slopes by finite differences, minimisers by their subgradients."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize
from tolerances import LINEAR_PROGRAM, STANDARD_ERRORS, apart, assert_within, difference, gamma

from cs7643.descent import follow, regret, regret_bound, sgd_step
from cs7643.theory import adversary, convex, noise

FUNCTIONS = {f.name: f for f in [*convex.family(), convex.attaining(5, 2.0, 3.0)]}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_zero_is_a_mixture_of_the_subgradients_around_the_minimiser(name):
    # The subgradients at a point are the mixtures of the gradients beside it, so this proves that w* is a minimiser.
    f, rng = FUNCTIONS[name], np.random.default_rng(0)
    beside = f.w_star + 1e-7 * rng.standard_normal((2000, len(f.w_star)))
    slopes = np.unique(np.round([f.subgradient(w) for w in beside], 12), axis=0)
    weights, missed = optimize.nnls(np.vstack([slopes.T, np.ones(len(slopes))]), np.eye(len(f.w_star) + 1)[-1])
    assert weights.sum() == pytest.approx(1, abs=LINEAR_PROGRAM)
    assert missed < LINEAR_PROGRAM


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_subgradient_inequality_holds_over_every_distance(name):
    f, rng = FUNCTIONS[name], np.random.default_rng(1)
    for scale in 10.0 ** rng.uniform(-6, 3, 1000):
        z, w = f.w_star + scale * rng.standard_normal((2, len(f.w_star)))
        # Means of up to 60 products in up to 5 dimensions, of the size of f and of rho times a point.
        rounding = apart(80) * (abs(f.value(z)) + abs(f.value(w)) + f.rho * (np.linalg.norm(z) + np.linalg.norm(w) + 1))
        assert f.value(z) - f.value(w) - f.subgradient(w) @ (z - w) >= -rounding
        assert f.gap(w) >= -rounding
        assert np.linalg.norm(f.subgradient(w)) <= f.rho * (1 + gamma(80))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_subgradient_is_the_slope_by_finite_differences(name):
    # At a random point no corner is within reach of the difference.
    f, rng = FUNCTIONS[name], np.random.default_rng(2)
    for _ in range(50):
        w, h = f.w_star + rng.standard_normal(len(f.w_star)), 1e-6
        differences = [(f.value(w + h * e) - f.value(w - h * e)) / (2 * h) for e in np.eye(len(w))]
        # The logistic loss, which alone is curved, is a mean of terms with a third derivative below rho^3 / 10; the
        # others are maxima of up to 60 affine functions, or means of them.
        size = abs(f.value(w)) + f.rho * np.linalg.norm(w)
        assert_within(f.subgradient(w), differences, difference(size, h, third=f.rho**3))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_distance_is_that_of_the_minimiser_and_no_call_changes_the_point(name):
    f = FUNCTIONS[name]
    assert pytest.approx(np.sqrt(np.sum(f.w_star**2)), rel=apart(8)) == f.B
    assert f.gap(f.w_star) == 0
    w = np.random.default_rng(3).standard_normal(len(f.w_star))
    before = w.copy()
    f.value(w), f.subgradient(w)
    np.testing.assert_array_equal(w, before)
    assert f.subgradient(w).shape == w.shape


@pytest.mark.parametrize(("T", "d", "seed"), [(1, 1, 7), (3, 2, 8), (30, 4, 9)])
def test_the_seed_alone_decides_what_the_adversary_does(T, d, seed):
    first, second, other = (adversary.attack(follow, regret, regret_bound, T, d, s) for s in (seed, seed, seed + 1))
    assert first.ratios.tobytes() == second.ratios.tobytes()
    assert first.distances.tobytes() == second.distances.tobytes()
    assert first.ratios.tobytes() != other.ratios.tobytes()


def test_the_mean_excess_follows_the_recursion_from_the_start():
    for eta in (0.02, 0.5, 1.0, 1.5):
        excess, expected = (3.0 - 0.5) ** 2, noise.expected_excess(3.0, eta, np.arange(40))
        for k in range(40):
            assert expected[k] == pytest.approx(excess, rel=apart(8 * (k + 2)))
            excess = (1 - eta) ** 2 * excess + 9 / 4 * eta**2


@pytest.mark.parametrize("bad", [0.0, -0.1, 2.0, 3.0, np.inf, np.nan])
def test_without_a_floor_there_is_an_error_that_says_so(bad):
    with pytest.raises(ValueError, match="noise_floor: eta must be above 0 and below 2, or SGD diverges"):
        noise.noise_floor(bad)


def test_the_terms_of_a_simulation_come_from_the_seed_and_half_of_them_are_each():
    one, same, other = (noise.simulate(sgd_step, 0.5, lambda t: 1.0, 50, 400, seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert one.shape == (51, 400)
    assert set(np.unique(one[1:])) == {-1.0, 2.0}  # a step of size 1 lands on the centre of its term
    assert abs(np.mean(one[1:] == 2.0) - 0.5) < STANDARD_ERRORS * 0.5 / np.sqrt(50 * 400)
