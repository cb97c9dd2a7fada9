"""torchvision reads the folder that `data --download` fetches: the same files, the same images."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import catalogue_of, files, write_set
from torchvision import datasets

from cs7643.data import cifar10
from cs7643.data.cifar10 import CIFAR10

SET = files()
CATALOGUE = catalogue_of(SET)


def test_torchvision_expects_the_same_files():
    theirs = dict([*datasets.CIFAR10.train_list, *datasets.CIFAR10.test_list])
    theirs[datasets.CIFAR10.meta["filename"]] = datasets.CIFAR10.meta["md5"]
    assert theirs == CIFAR10.files
    assert (datasets.CIFAR10.base_folder, datasets.CIFAR10.tgz_md5) == (CIFAR10.folder, CIFAR10.archive_md5)


@pytest.mark.parametrize("train", [True, False])
def test_torchvision_reads_the_same_images(train, tmp_path, monkeypatch):
    write_set(tmp_path / CATALOGUE.folder, SET)
    for name in ("train_list", "test_list"):
        ours = [(file, CATALOGUE.files[file]) for file, _ in getattr(datasets.CIFAR10, name)]
        monkeypatch.setattr(datasets.CIFAR10, name, ours)
    meta = {**datasets.CIFAR10.meta, "md5": CATALOGUE.files["batches.meta"]}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    theirs, (ours, _) = datasets.CIFAR10(tmp_path, train), cifar10.read(tmp_path / CATALOGUE.folder, CATALOGUE)
    X, y = (ours.X_train, ours.y_train) if train else (ours.X_test, ours.y_test)
    assert np.array_equal(theirs.data.transpose(0, 3, 1, 2), X)
    assert theirs.targets == y.tolist()
    assert tuple(theirs.classes) == ours.class_names
