"""Experiments: short runs are the first steps of long ones, and intervals are those of the paired t-test."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from scipy import stats
from tolerances import apart

from coursework.explorable import LIMIT
from cs7643 import plots
from cs7643.plots import pairs as pairs_drawn
from cs7643.plots.style import GREY
from cs7643.pytorch.experiments import CONFIDENCE, Effect, repeat, short_run
from cs7643.pytorch.settings import Settings
from cs7643.pytorch.training import train

SETTINGS = Settings("mymodel", lr=0.05, hidden_dim=4, kernel_size=3, batch_size=50, epochs=2, num_training=500)


@pytest.fixture(scope="module")
def half(dataset):
    return dataset.half_size().without_test_images(50)


@pytest.fixture(scope="module")
def run(half):
    return train(half, SETTINGS)


def test_a_short_run_takes_the_first_steps_of_a_run(half, run):
    assert short_run(half, SETTINGS, 15 * [SETTINGS.lr]) == run.losses[:15]


def test_every_step_is_on_the_one_batch(half):
    one = Settings("softmax", lr=0.005, batch_size=50, epochs=40, num_training=50)  # an epoch is that batch, reordered
    found = short_run(half, one, 40 * [one.lr], one_batch=True)
    assert found == pytest.approx(train(half, one).losses, rel=1e-3)  # float32, 40 steps on a convex function


def test_the_model_learns_one_batch_by_heart(half):
    assert short_run(half, SETTINGS, 60 * [SETTINGS.lr], one_batch=True)[-1] < 0.1


def test_a_short_run_ends_where_the_loss_is_no_number(half):
    settings = Settings("softmax", batch_size=50, num_training=500)
    losses = short_run(half, settings, [1e-3, 1e38, 1e38, 1e38, 1e38, 1e38])
    assert len(losses) < 6
    assert np.isfinite(losses[:-1]).all()
    assert not np.isfinite(losses[-1])


def test_trials_are_runs_with_other_seeds(half, run):
    found = repeat(half, SETTINGS, (0, 3))
    assert found.histories[0] == tuple(run.val_accuracies)
    assert found.accuracies[1] != found.accuracies[0]
    assert found.steps == len(run.losses)
    assert found.parameters == sum(parameter.numel() for parameter in run.model.parameters())


def test_a_run_that_diverges_counts_as_chance(half):
    found = repeat(half, Settings("softmax", lr=1e38, batch_size=50, epochs=1, num_training=500), (0, 1))
    assert found.accuracies == (0.1, 0.1)


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_is_that_of_the_paired_t_test(seed):
    rng = np.random.default_rng(seed)
    base, changed = rng.random((2, rng.integers(2, 9)))
    effect = Effect.of(changed, base)
    expected = stats.ttest_rel(changed, base).confidence_interval(CONFIDENCE)
    assert [effect.low, effect.high] == pytest.approx(list(expected), abs=1e3 * apart(10))
    assert effect.mean == pytest.approx(np.mean(changed) - np.mean(base), abs=apart(20))
    assert effect.differences == tuple(changed - base)


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ((0.02, 0.03, 0.025), "helps by 2.5 points (+1.3 to +3.7)"),
        ((-0.02, -0.03, -0.025), "costs 2.5 points (-3.7 to -1.3)"),
        ((0.01, -0.02, 0.0), "3 seeds do not decide (-4.1 to +3.5 points)"),
        ((0.01, 0.01), "helps by 1.0 points (+1.0 to +1.0)"),
    ],
)
def test_the_sentence_follows_from_the_interval(differences, said):
    effect = Effect.of(np.add(0.5, differences), [0.5] * len(differences))
    assert str(effect) == said


@pytest.mark.parametrize(("changed", "base"), [((0.5,), (0.4,)), ((0.5, 0.6), (0.4,)), ((), ())])
def test_what_is_no_pairs_is_refused(changed, base):
    with pytest.raises(ValueError, match="Effect: expected pairs, at least 2 of them, got"):
        Effect.of(changed, base)


def test_who_looks_after_each_pair_finds_an_effect_that_is_none_one_time_in_seven():
    differences = np.random.default_rng(0).standard_normal((4000, 5))
    found = 0
    for row in differences:
        effects = (Effect.of(row[:pairs], np.zeros(pairs)) for pairs in (2, 3, 4, 5))
        found += any(not effect.low <= 0 <= effect.high for effect in effects)
    assert found / len(differences) == pytest.approx(1 / 7, abs=0.02)


CHANGED = {"better": (0.84, 0.81, 0.86, 0.8, 0.85), "unclear": (0.61, 0.6, 0.69, 0.58, 0.57), "nothing": 5 * (0.6,)}
BASE = 5 * (0.6,)


def after_pairs(accuracies):
    return [Effect.of(accuracies[:pairs], BASE[:pairs]) for pairs in (2, 3, 4, 5)]


EFFECTS = {name: after_pairs(accuracies) for name, accuracies in CHANGED.items()}


def test_the_picture_of_the_pairs_says_what_their_effect_says():
    shown = plots.paired_differences(EFFECTS, "title")
    assert len(shown.html.encode()) < LIMIT / 2
    said = [str(effect).lower() for effects in EFFECTS.values() for effect in effects]
    assert len(shown.texts) == len(said) == 12
    assert all(text.lower().endswith(f"{sentence}.") for text, sentence in zip(shown.texts, said, strict=True))
    assert shown.still.text == shown.texts[-1]  # all pairs of the change with the smallest mean


def test_pairs_and_interval_are_on_one_scale_and_what_does_not_decide_is_grey(monkeypatch):
    found = {}

    def frames(draw, parameters, **_):
        found.update({values: draw(*values) for values in itertools.product(*parameters.values())})

    monkeypatch.setattr(pairs_drawn, "frames", frames)
    plots.paired_differences(EFFECTS, "title")
    for (name, pairs), drawing in found.items():
        effect, row = EFFECTS[name][pairs - 2], list(EFFECTS).index(name)
        places = re.findall(r'<circle cx="(\S+)" cy="\S+" r="4" fill="(\S+)"', drawing.svg)
        assert [fill != "none" for _, fill in places] == [k < pairs for k in range(5)]
        intervals = re.findall(r'd="M(\S+) \S+?l(\S+?),0" fill="none" stroke="(\S+)"', drawing.svg)
        assert len(intervals) == len(EFFECTS) + 1  # of every change, and once more of this one
        assert intervals[row][2] == intervals[-1][2]
        assert (intervals[-1][2] == GREY) == (effect.low <= 0 <= effect.high)
        differences = np.subtract(CHANGED[name], BASE)
        if np.ptp(differences) > 0:
            slope, start = np.polyfit(differences, [float(x) for x, _ in places], 1)
            left, wide = map(float, intervals[-1][:2])
            assert left == pytest.approx(start + slope * effect.low, abs=0.3)
            assert wide == pytest.approx(slope * (effect.high - effect.low), abs=0.3)
