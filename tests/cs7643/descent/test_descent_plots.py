"""The pictures of problems 1 to 4: they render, say what they show, and put it where it should be."""

from __future__ import annotations

import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cs7643.plots import descent as plots

STEPS = np.array([1, 10, 100])
FALLING = np.array([1.0, 0.3, 0.1])
RUNS = np.random.default_rng(0).standard_normal((6, 4))
W, ETA = np.linspace(-2, 3, 9), np.linspace(0.1, 2, 5)
REGION = np.add.outer(ETA, W) > 1
BOTH = {"one": (REGION, REGION), "two": (~REGION, ~REGION)}


FIGURES = {
    "square_or_not": lambda: plots.square_or_not(1.0, (1.0, 3.0)),
    "regret_sides": lambda: plots.regret_sides({"a": ([1.0, 2.0, 1.0], [2.0, 3.0, 4.0]), "b": ([0.0], [1.0])}),
    "attacks": lambda: plots.attacks({"a": (1 - FALLING, FALLING), "b": (1 - FALLING**2, FALLING**2)}),
    "attacks, arrived": lambda: plots.attacks({"a": (np.array([0.5, 1.0]), np.array([0.5, 0.0]))}),
    "rates": lambda: plots.rates(STEPS, {"a": FALLING, "b": FALLING / 2}, {"a": FALLING, "b": 0 * FALLING}),
    "step_sizes": lambda: plots.step_sizes(STEPS, FALLING, {"a": FALLING / 2}, {1.0: 0.5, 10.0: 0.9}),
    "raising_steps": lambda: plots.raising_steps(W, ETA, BOTH),
    "sgd_runs": lambda: plots.sgd_runs({"constant": RUNS, "decaying": RUNS / 2}, 0.5),
    "noise_floors": lambda: plots.noise_floors({"a": FALLING, "b": FALLING}, {"a": FALLING, "b": FALLING / 2}),
}


def line(axis, label):
    (found,) = [one for one in axis.lines if one.get_label() == label]
    return found.get_xdata(), found.get_ydata()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_renders_and_says_what_it_shows(name):
    figure = FIGURES[name]()
    assert plt.get_fignums() == []  # an open one would be shown twice in a notebook
    assert 25 < len(figure.get_label()) < 1200  # its text alternative
    assert not re.search(r"[$\\]|\bnan\b|\binf\b|\.\.$", figure.get_label())
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    stream.seek(0)
    assert np.ptp(plt.imread(stream)) > 0.5  # not one colour
    assert figure.get_suptitle() or any(axis.get_title() for axis in figure.axes)
    with_data = [axis for axis in figure.axes if axis.has_data()]
    assert with_data
    assert all(axis.get_xlabel() for axis in with_data)
    assert with_data[0].get_ylabel()


def test_every_function_of_the_module_has_a_picture_here():
    public = {name for name, value in vars(plots).items() if getattr(value, "__module__", "") == plots.__name__}
    assert {name.partition(",")[0] for name in FIGURES} == public


def test_a_norm_that_is_not_squared_has_a_minimum_only_above_the_slope():
    square_axis, norm_axis = FIGURES["square_or_not"]().axes
    dots = [one for one in square_axis.lines if len(one.get_xdata()) == 1]
    assert [(one.get_xdata()[0], one.get_ydata()[0]) for one in dots] == [(-1, -0.5), (-1 / 3, -1 / 6)]
    assert sum(len(one.get_xdata()) == 1 for one in norm_axis.lines) == 1  # lambda 3, and not lambda 1


def test_the_sides_of_the_regret_start_at_the_first_step():
    axis = FIGURES["regret_sides"]().axes[0]
    for label, values in (("right side", [2, 3, 4]), ("left side: regret", [1, 2, 1])):
        t, y = line(axis, label)
        assert t.tolist() == [1, 2, 3]
        assert y.tolist() == values


def test_an_adversary_who_arrives_stays_in_the_picture():
    left, right = FIGURES["attacks, arrived"]().axes
    assert left.lines[0].get_ydata().tolist() == [0.5, 1e-17]  # a zero has no place on a logarithmic axis
    assert right.lines[0].get_ydata().tolist() == [0.5, 1e-17]


def test_rates_stand_beside_the_bound_and_average_beside_last():
    averages, lasts = FIGURES["rates"]().axes
    for axis in (averages, lasts):
        np.testing.assert_allclose(line(axis, r"the bound, $1/\sqrt{T}$")[1], STEPS**-0.5)
    np.testing.assert_array_equal(line(averages, "b")[1], FALLING / 2)
    np.testing.assert_array_equal(line(lasts, "b")[1], 1e-6)
    assert "average" in averages.get_title()
    assert "last" in lasts.get_title()


def test_the_worst_cases_stand_at_their_step_sizes():
    (axis,) = FIGURES["step_sizes"]().axes
    x, y = line(axis, "the worst of all functions")
    assert list(zip(x, y, strict=True)) == [(1.0, 0.5), (10.0, 0.9)]


def test_the_floors_begin_at_step_one_and_each_has_its_closed_form_beside_it():
    (axis,) = FIGURES["noise_floors"]().axes
    steps, measured = line(axis, "b")
    closed = axis.lines[3].get_ydata()
    assert steps.tolist() == [1, 2]
    np.testing.assert_array_equal(measured, FALLING[1:])
    np.testing.assert_array_equal(closed, FALLING[1:] / 2)
    assert axis.lines[3].get_linestyle() == "--"


def test_all_runs_are_drawn_and_the_first_stands_out():
    constant, decaying = FIGURES["sgd_runs"]().axes
    for axis, points in ((constant, RUNS), (decaying, RUNS / 2)):
        assert all(np.array_equal(axis.lines[k].get_ydata(), points[:, k]) for k in range(4))
        np.testing.assert_array_equal(line(axis, "one run")[1], points[:, 0])
        assert list(line(axis, "w*")[1]) == [0.5, 0.5]
