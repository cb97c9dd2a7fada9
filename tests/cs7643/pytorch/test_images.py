"""Batches on the device: the normalisation, and augmentation as another order of reading."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tolerances import apart, assert_within
from torchvision.transforms.v2 import functional as transforms

from cs7643.pytorch.images import Augmentation, DeviceImages, PixelStatistics

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 3, 8, 12), np.uint8)
LABELS = RNG.integers(0, 10, 40)
# In float32: mean and scale are rounded, then the difference and the product. Evenly spread bytes have a mean of half
# and a standard deviation of 0.29, so the terms are up to 1 / 0.28 in size.
ROUNDING = apart(4, np.float32) / 0.28


def device_images():
    return DeviceImages(IMAGES, LABELS, PixelStatistics.of(IMAGES), CPU)


def normalised(images):
    scaled = images / 255
    mean, std = (getattr(IMAGES / 255, name)(axis=(0, 2, 3))[:, np.newaxis, np.newaxis] for name in ("mean", "std"))
    return (scaled - mean) / std


def test_the_statistics_are_those_of_numpy():
    found = PixelStatistics.of(IMAGES)
    rounding = apart(IMAGES[:, 0].size + 4)  # a mean of so many numbers of one sign
    np.testing.assert_allclose(found.mean, (IMAGES / 255).mean(axis=(0, 2, 3)), rtol=rounding)
    np.testing.assert_allclose(found.std, (IMAGES / 255).std(axis=(0, 2, 3)), rtol=4 * rounding)  # mean and squares
    with pytest.raises(ValueError, match="channel 1 has the same value everywhere"):
        PixelStatistics.of(np.where(np.arange(3)[:, None, None] == 1, np.uint8(7), IMAGES))


@pytest.mark.parametrize("indices", [slice(3, 20), slice(None), np.array([5, 5, 0, 39])])
def test_a_batch_is_normalised_and_has_the_channels_last_in_memory(indices):
    images, labels = device_images().batch(indices)
    assert_within(images, normalised(IMAGES[indices]), ROUNDING)
    assert np.array_equal(labels.numpy(), LABELS[indices])
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64


@pytest.mark.parametrize("with_shifts", [False, True])
@pytest.mark.parametrize("with_mirror", [False, True])
def test_augmentation_is_what_torchvision_gives(with_shifts, with_mirror):
    indices = RNG.integers(0, 40, 16)
    mirrored = RNG.random(16) < 0.5 if with_mirror else None
    shifts = RNG.integers(-3, 4, (16, 2)) if with_shifts else None
    found, _ = device_images().batch(indices, mirrored, shifts)
    padded = transforms.pad(torch.from_numpy(IMAGES), [3, 3, 3, 3], padding_mode="reflect")
    for k, index in enumerate(indices):
        down, right = (0, 0) if shifts is None else shifts[k]
        expected = transforms.crop(padded[index], 3 - down, 3 - right, 8, 12)
        if mirrored is not None and mirrored[k]:
            expected = transforms.horizontal_flip(expected)
        assert_within(found[k], normalised(expected.numpy()), ROUNDING)


def test_a_margin_is_left_out_after_the_image_was_moved():
    indices, mirrored, shifts = RNG.integers(0, 40, 16), RNG.random(16) < 0.5, RNG.integers(-3, 4, (16, 2))
    whole, _ = device_images().batch(indices, mirrored, shifts)
    inner, _ = device_images().batch(indices, torch.from_numpy(mirrored), torch.from_numpy(shifts), margin=2)
    assert torch.equal(inner, whole[:, :, 2:-2, 2:-2])
    for arguments in ((indices, mirrored, shifts, 4), (indices, mirrored, shifts, -1), (indices, None, None, 1)):
        with pytest.raises(ValueError, match="a margin needs shifts and less than half of the image"):
            device_images().batch(*arguments)


def test_every_image_is_mirrored_in_every_other_epoch():
    augmentation = Augmentation(flip=True, seed=3)
    indices = RNG.permutation(1000)
    epochs = [augmentation.mirrored(indices, 1000, epoch) for epoch in range(4)]
    assert np.array_equal(epochs[0], ~epochs[1])
    assert np.array_equal(epochs[0], epochs[2])
    assert 400 < epochs[0].sum() < 600
    assert np.array_equal(epochs[0][:10], augmentation.mirrored(indices[:10], 1000, 0))  # whatever the batch
    assert not Augmentation(flip=False, seed=3).mirrored(indices, 1000, 1).any()


def test_shifts_come_from_the_seed_and_the_step():
    augmentation = Augmentation(translate=2, seed=1)
    shifts = augmentation.shifts(500, 7)
    assert np.array_equal(shifts, augmentation.shifts(500, 7))
    assert not np.array_equal(shifts, augmentation.shifts(500, 8))
    assert set(shifts.ravel()) == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES.astype(np.float32), LABELS, "images must be uint8"),
        (IMAGES[0], LABELS, "images must be uint8"),
        (IMAGES, LABELS[:3], r"labels must have shape \(40,\), got \(3,\)"),
        (IMAGES[:, :2], LABELS, "statistics of 3 channels, images of 2"),
    ],
)
def test_arguments_that_do_not_fit_are_named(images, labels, message):
    with pytest.raises(ValueError, match=message):
        DeviceImages(images, labels, PixelStatistics.of(IMAGES), CPU)
