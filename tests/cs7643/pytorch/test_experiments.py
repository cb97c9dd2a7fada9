"""Experiments: short runs are the first steps of long ones, and intervals are those of the paired t-test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tolerances import apart

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
