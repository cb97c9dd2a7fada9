"""Splits and the mean image, against the plain formula in float64."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import apart

from cs7643.data import Dataset, preprocess


def made_up(num_train: int, num_test: int, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset(
        "made up",
        rng.integers(0, 256, (num_train, 3, 32, 32), dtype=np.uint8),
        rng.integers(0, 10, num_train),
        rng.integers(0, 256, (num_test, 3, 32, 32), dtype=np.uint8),
        rng.integers(0, 10, num_test),
        tuple("abcdefghij"),
        is_cifar10=False,
    )


@settings(max_examples=40)
@given(
    data=st.data(),
    seed=st.integers(0, 2**32 - 1),
    layout=st.sampled_from(["rows", "NCHW"]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_splits(data: st.DataObject, seed: int, layout: Literal["rows", "NCHW"], dtype: type) -> None:
    dataset = made_up(30, 12, seed)
    before = dataset.X_train.copy(), dataset.X_test.copy()
    n = data.draw(st.integers(1, 30), "num_training")
    m = data.draw(st.integers(0, 30 - n), "num_validation")
    k = data.draw(st.integers(0, 12), "num_test")
    splits = preprocess(dataset, n, m, k, layout, dtype)

    mean = dataset.X_train[:n].astype(np.float64).mean(axis=0)
    shape = (-1, 3072) if layout == "rows" else (-1, 3, 32, 32)
    # A mean of n bytes in float64, then a difference of numbers up to 255.
    tolerance = (apart(n + 1) + apart(2, dtype)) * 255
    for ours, images in [
        (splits.X_train, dataset.X_train[:n]),
        (splits.X_val, dataset.X_train[n : n + m]),
        (splits.X_test, dataset.X_test[:k]),
    ]:
        expected = (images.astype(np.float64) - mean).reshape(len(images), *shape[1:])
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance)
    np.testing.assert_allclose(splits.mean_image, mean.reshape(shape[1:]), rtol=0, atol=tolerance)
    assert splits.mean_image.dtype == dtype
    np.testing.assert_array_equal(splits.y_train, dataset.y_train[:n])
    np.testing.assert_array_equal(splits.y_val, dataset.y_train[n : n + m])
    np.testing.assert_array_equal(splits.y_test, dataset.y_test[:k])
    np.testing.assert_array_equal(dataset.X_train, before[0])
    np.testing.assert_array_equal(dataset.X_test, before[1])
    assert (splits.name, splits.class_names, splits.is_cifar10) == (dataset.name, dataset.class_names, False)
    assert splits.pick(cifar10="a", embedded="b") == "b"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_training": 0}, "num_training must be a whole number from 1 to 30, got 0"),
        ({"num_training": 31}, "num_training must be a whole number from 1 to 30, got 31"),
        ({"num_training": 2.5}, "num_training must be a whole number from 1 to 30, got 2.5"),
        ({"num_validation": 11}, "num_validation must be a whole number from 0 to 10, got 11"),
        ({"num_validation": -1}, "num_validation must be a whole number from 0 to 10, got -1"),
        ({"num_test": 13}, "num_test must be a whole number from 0 to 12, got 13"),
        ({"layout": "NHWC"}, "layout must be 'rows' or 'NCHW', got 'NHWC'"),
        ({"dtype": np.int64}, "dtype must be float32 or float64, got int64"),
        ({"dtype": np.float16}, "dtype must be float32 or float64, got float16"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"preprocess: {words}"):
        preprocess(made_up(30, 12), **{"num_training": 20, "num_validation": 5, "num_test": 5, **arguments})


MEASURE = """
import re, sys
from cs7643 import data

def peak():  # not getrusage: its peak may be that of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

before = peak()
dataset = data.load(sys.argv[1])
splits = data.preprocess(dataset, num_test=10_000)
kept = [dataset.X_train, dataset.X_test, splits.X_train, splits.X_val, splits.X_test]
print(peak() - before, sum(array.nbytes for array in kept), dataset.X_train.nbytes, dataset.name, sep=";")
"""


@pytest.mark.cifar10
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of its memory from /proc")
@pytest.mark.skipif("CS7643_TEST_CIFAR10" not in os.environ, reason="CS7643_TEST_CIFAR10 names no CIFAR-10")
def test_all_of_cifar10_is_read_and_centred_without_a_copy_of_it_on_the_way() -> None:
    command = [sys.executable, "-c", MEASURE, os.environ["CS7643_TEST_CIFAR10"]]
    line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    *numbers, name = line.split(";")
    peak, kept, one_copy = map(int, numbers)
    # The files are read one at a time; what an allocator keeps of one is less than the smallest copy, of bytes.
    assert kept <= peak < kept + one_copy
    assert name.startswith("CIFAR-10")


@pytest.mark.cifar10
@pytest.mark.skipif("CS7643_TEST_CIFAR10" not in os.environ, reason="CS7643_TEST_CIFAR10 names no CIFAR-10")
def test_cifar10_is_what_its_authors_say() -> None:
    from cs7643.data.cifar10 import read

    dataset, _ = read(Path(os.environ["CS7643_TEST_CIFAR10"]))
    assert (np.bincount(dataset.y_train) == 5000).all()
    assert (np.bincount(dataset.y_test) == 1000).all()
    np.testing.assert_array_equal(dataset.y_train[:10], [6, 9, 9, 4, 1, 1, 2, 7, 8, 3])  # the well-known first ones
    np.testing.assert_array_equal(dataset.y_test[:10], [3, 8, 8, 0, 6, 6, 1, 6, 3, 1])
    mean = dataset.X_train.mean(axis=(0, 2, 3)) / 255
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=0.003)


def test_half_the_size_is_the_mean_of_four_pixels():
    dataset = made_up(6, 4)
    half = dataset.half_size()
    assert half.name == "made up, 16 x 16 pixels"
    for whole, found in ((dataset.X_train, half.X_train), (dataset.X_test, half.X_test)):
        means = whole.reshape(-1, 3, 16, 2, 16, 2).mean(axis=(3, 5))
        assert found.dtype == np.uint8
        assert np.array_equal(found, np.floor(means + 0.5))
    assert half.y_train is dataset.y_train


def test_experiments_do_not_see_the_test_images():
    dataset = made_up(20, 5)
    found = dataset.without_test_images(3)
    assert np.array_equal(np.concatenate([found.X_train, found.X_test]), dataset.X_train)
    assert np.array_equal(np.concatenate([found.y_train, found.y_test]), dataset.y_train)
    assert len(found.X_test) == len(found.y_test) == 3
    for count in (0, 20):
        with pytest.raises(ValueError, match=f"count must be from 1 to 19, got {count}"):
            dataset.without_test_images(count)
