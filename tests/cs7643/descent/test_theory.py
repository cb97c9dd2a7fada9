"""The experiments around problems 1 to 4: functions, the adversary, the certificate, and the noise."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from tolerances import SEMIDEFINITE, STANDARD_ERRORS, apart, gamma

from cs7643.descent import follow, rate_bound, regret, regret_bound, sgd_step
from cs7643.theory import adversary, certificate, convex, noise

FUNCTIONS = {f.name: f for f in [*convex.family(), convex.attaining(6, 2.0, 3.0)]}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_convex_lipschitz_and_lowest_at_its_minimiser(name):
    f, rng = FUNCTIONS[name], np.random.default_rng(0)
    lowest = f.value(f.w_star)
    for _ in range(1000):
        scale = 10.0 ** rng.uniform(-3, 1)
        z, w = f.w_star + scale * rng.standard_normal((2, len(f.w_star)))
        slope = f.subgradient(w)
        # Means of up to 60 products in up to 6 dimensions, of the size of f and of rho times a point.
        rounding = apart(80) * (abs(f.value(z)) + abs(f.value(w)) + f.rho * (np.linalg.norm(z) + np.linalg.norm(w)))
        assert f.value(z) >= f.value(w) + slope @ (z - w) - rounding
        assert np.linalg.norm(slope) <= f.rho * (1 + gamma(80))
        assert abs(f.value(z) - f.value(w)) <= f.rho * np.linalg.norm(z - w) + rounding
        assert f.value(z) >= lowest - rounding


@pytest.mark.parametrize(("T", "d"), [(1, 1), (2, 1), (10, 3), (100, 10), (1000, 5)])
@pytest.mark.parametrize("seed", range(3))
def test_the_adversary_reaches_the_bound_and_never_passes_it(T, d, seed):
    found = adversary.attack(follow, regret, regret_bound, T, d, seed)
    assert found.ratios[-1] >= 0.999
    assert found.ratios.max() <= 1 + apart(2 * T * d + T)  # both sides are sums of T d products of sums of T terms
    assert found.distances[-1] < 1e-6
    assert np.all(np.diff(found.ratios) >= 0)
    again = adversary.attack(follow, regret, regret_bound, T, d, seed)
    assert np.array_equal(found.ratios, again.ratios)


def test_the_adversary_breaks_a_wrong_bound():
    def too_small(w_star, v, eta):  # the second term of the bound is forgotten
        return regret_bound(w_star, v, eta) - eta / 2 * float(np.sum(v**2))

    assert adversary.attack(follow, regret, too_small, T=5, d=2, seed=0).ratios.max() > 1.01


@pytest.mark.parametrize("T", [1, 2, 5, 10, 20])
def test_the_semidefinite_program_certifies_the_rate(T):
    pytest.importorskip("PEPit")
    found = certificate.worst_case(T)
    assert found == pytest.approx(rate_bound(1, 1, T), rel=SEMIDEFINITE)
    assert certificate.STORED[T, 1.0] == pytest.approx(found, rel=SEMIDEFINITE)


def test_the_certificate_scales_and_bounds_other_step_sizes():
    pytest.importorskip("PEPit")
    assert certificate.worst_case(4, B=2.0, rho=3.0) == pytest.approx(3.0, rel=SEMIDEFINITE)
    for (T, factor), stored in certificate.STORED.items():
        assert stored <= (factor + 1 / factor) / (2 * np.sqrt(T)) * (1 + SEMIDEFINITE)
        assert certificate.worst_case(T, factor) == pytest.approx(stored, rel=SEMIDEFINITE)


def test_the_last_iterate_has_a_worse_worst_case_which_the_same_program_finds():
    pytest.importorskip("PEPit")
    found = certificate.worst_last_iterates()
    assert found == pytest.approx(certificate.STORED_LAST, rel=SEMIDEFINITE)
    ratios = [found[T] / certificate.STORED[T, 1.0] for T in sorted(found)]
    assert ratios == sorted(ratios)
    assert ratios[0] > 1.1


def test_without_pepit_the_stored_table_is_shown_as_stored(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "PEPit" else find(name))
    assert certificate.worst_cases() == (certificate.STORED, certificate.ADVICE)
    assert certificate.worst_last_iterates() == certificate.STORED_LAST
    assert "stored" in certificate.ADVICE
    assert "%pip install PEPit" in certificate.ADVICE


@pytest.mark.parametrize("eta", [0.5, 0.1, 0.02])
def test_constant_steps_settle_at_the_noise_floor(eta):
    runs = 4000
    squares = (noise.simulate(sgd_step, -1.0, lambda t: eta, 300, runs, seed=3) - noise.MINIMISER) ** 2
    for step in (1, 10, 300):
        error = squares[step].std() / np.sqrt(runs)
        expected = noise.expected_excess(-1.0, eta, step)
        rounding = apart(runs + 8 * step) * (squares[step].max() + expected)
        assert abs(squares[step].mean() - expected) <= STANDARD_ERRORS * error + rounding
    assert noise.expected_excess(-1.0, eta, 10**5) == pytest.approx(noise.noise_floor(eta), rel=apart(8))


def test_the_floor_is_the_fixed_point_of_the_recursion_and_a_step_follows_it():
    for eta in (0.01, 0.3, 1.0, 1.9):
        floor = noise.noise_floor(eta)
        assert (1 - eta) ** 2 * floor + 9 / 4 * eta**2 == pytest.approx(floor, rel=apart(16))
        after = np.array([sgd_step(0.2, term, eta) for term in (1, 2)])
        assert np.mean((after - 0.5) ** 2) == pytest.approx(noise.expected_excess(0.2, eta, 1), rel=apart(32))
    for bad in (0.0, 2.0, -1.0):
        with pytest.raises(ValueError, match="eta must be above 0 and below 2"):
            noise.noise_floor(bad)


def test_steps_of_one_over_t_have_no_floor():
    runs = 4000
    squares = (noise.simulate(sgd_step, 5.0, lambda t: 1 / t, 200, runs, seed=4) - noise.MINIMISER) ** 2
    for step in (1, 20, 200):
        error = squares[step].std() / np.sqrt(runs)
        rounding = apart(runs + 8 * step) * squares[step].max()
        assert abs(squares[step].mean() - 9 / (4 * step)) <= STANDARD_ERRORS * error + rounding
