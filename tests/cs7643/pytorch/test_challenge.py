"""The staff's model of the challenge: its parts do what they are said to do, and a run goes on where it was stopped."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from nbformat import read
from tolerances import STANDARD_ERRORS, apart, assert_within
from torch.nn import functional as F

from coursework.root import ROOT
from cs7643.pytorch.images import DeviceImages, PixelStatistics
from staff import challenge
from staff.challenge import ORTHOGONAL, PATCH, FastNet, Preset, orthogonal
from staff.judge import STAFF_ACCURACY

CPU = torch.device("cpu")
TINY = Preset(widths=(8, 8, 8), epochs=4, batch_size=100, muon_lr=0.1, sgd_lr=0.1)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (7, 7), (1, 9)])
def test_orthogonal_is_the_orthogonal_factor(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    U, S, V = torch.linalg.svd(matrix, full_matrices=False)
    found = U.T @ orthogonal(matrix) @ V.T  # in the directions of the matrix it has values near 1, and nothing beside
    values = found.diagonal()
    assert_within(found, torch.diag(values), apart(50 * 5 * len(ORTHOGONAL)) * min(shape))
    near = S.norm() / 100 < S
    assert near.any()
    assert ((values - 1).abs() <= 0.013)[near].all()
    together = orthogonal(torch.stack([matrix, matrix.flip(0)]))
    assert_within(together[0], orthogonal(matrix), apart(50 * 5 * len(ORTHOGONAL)) * min(shape))


def test_the_whitened_patches_have_one_size_in_every_direction(dataset):
    images, _ = DeviceImages(dataset.X_train, dataset.y_train, PixelStatistics.of(dataset.X_train), CPU).batch(
        slice(0, 500)
    )
    net = FastNet((8, 8, 8), 10)
    net.set_whitening(images)
    answers = net.whiten(images)[:, : 3 * PATCH**2].permute(1, 0, 2, 3).flatten(1).double()
    covariance = torch.cov(answers.detach())
    # An answer is a sum of 12 products in float32, whose filter was rounded, too. Answers of variance up to 1, each off
    # by that much, have a covariance that is off by twice as much.
    products = F.conv2d(images.abs(), net.whiten.weight.detach().abs()).max().item()
    bound = 2 * apart(3 * PATCH**2 + 2, np.float32) * products
    assert (covariance - torch.diag(covariance.diagonal())).abs().max() <= bound
    assert (covariance.diagonal() <= 1 + bound).all()
    assert bound < 0.01  # so that something is said
    assert torch.equal(net.whiten.weight[:12], -net.whiten.weight[12:])


def test_a_run_learns_and_goes_on_where_it_was(dataset, tmp_path):
    small = dataclasses.replace(dataset, X_train=dataset.X_train[:1000], y_train=dataset.y_train[:1000])
    whole = challenge.Training(small, TINY, CPU).run(0, tmp_path / "whole.pt")
    chance = 0.1 + STANDARD_ERRORS * np.sqrt(0.1 * 0.9 / len(small.X_test))
    assert whole.accuracy > chance
    saves = []
    original = challenge.save

    def stops(*args):
        original(*args)
        saves.append(args)
        raise KeyboardInterrupt

    challenge.save = stops
    try:
        with pytest.raises(KeyboardInterrupt):
            challenge.Training(small, TINY, CPU).run(0, tmp_path / "stopped.pt")
    finally:
        challenge.save = original
    assert len(saves) == 1
    resumed = challenge.Training(small, TINY, CPU).run(0, tmp_path / "stopped.pt")
    assert (resumed.accuracy, resumed.single_view) == (
        whole.accuracy,
        whole.single_view,
    )
    with pytest.raises(ValueError, match="it belongs to another run; delete it"):
        challenge.Training(small, TINY, CPU).run(1, tmp_path / "stopped.pt")


def test_held_out_images_are_tested_on_and_not_trained_on(dataset):
    held = dataset.without_test_images(100)
    assert np.array_equal(np.concatenate([held.X_train, held.X_test]), dataset.X_train)
    assert np.array_equal(np.concatenate([held.y_train, held.y_test]), dataset.y_train)
    assert len(held.X_test) == len(held.y_test) == 100
    for count in (0, len(dataset.X_train)):
        with pytest.raises(ValueError, match=f"count must be from 1 to 1599, got {count}"):
            dataset.without_test_images(count)


def test_a_preset_is_changed_by_name():
    assert challenge.changed(TINY, ["epochs=3", "widths=1,2,3", "muon_lr=0.5", "translate=0"]) == dataclasses.replace(
        TINY, epochs=3, widths=(1, 2, 3), muon_lr=0.5, translate=0
    )


@pytest.mark.parametrize("change", ["epochs", "epoch=3", "epochs=0", "epochs=1.5", "widths=1,2", "muon_lr=-1", "=1"])
def test_a_preset_refuses_what_it_has_no_place_for(change):
    with pytest.raises(ValueError, match=f"--set takes NAME=VALUE as in .*epochs=4.*; got '{change}'"):
        challenge.changed(TINY, [change])


def test_the_notebook_names_the_accuracy_to_beat():
    title = read(ROOT / "notebooks" / "7_challenge.ipynb", as_version=4).cells[0].source
    assert f"an accuracy of **{STAFF_ACCURACY}** on the 10,000 test images of CIFAR-10" in title
