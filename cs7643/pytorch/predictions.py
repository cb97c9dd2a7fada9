"""``python -m cs7643 predict``: the labels of the test images as predictions.csv, the file that the challenge takes."""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from coursework.files import atomic_writer
from coursework.terminal import complain
from cs7643 import data
from cs7643.data import shapes
from cs7643.data.dataset import Images
from cs7643.pytorch.evaluation import logits_of
from cs7643.pytorch.images import DeviceImages, PixelStatistics
from cs7643.pytorch.networks import build_model, choose_device
from cs7643.pytorch.runfiles import load
from cs7643.pytorch.settings import Settings

HEADER = ("image_id", "label")
ONLY_DRAWN = 0.15  # of the drawn images' labels right: for other images that is 0.1, give or take 0.003
CIFAR10 = "CIFAR-10"  # how the name of the data set begins
NO_POINTS = (
    "The 10 points of problem 6.7 are for accuracy on CIFAR-10; these predictions earn none of them. Fetch the images "
    "(python -m cs7643 data --download), train MyModel on them, and call predict again."
)


def write_predictions(path: Path, labels: Sequence[int] | NDArray[Any], n_classes: int = 10) -> None:
    """Write predictions, completely or not at all.

    Args:
        path: the file.
        labels: one for each test image, in order, whole numbers from 0 to n_classes - 1.
        n_classes: the number of classes.

    Raises:
        ValueError: if a label is not such a number.
    """
    values = np.asarray(labels)
    if values.ndim != 1 or not len(values) or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"predictions: labels must be whole numbers, one per image, got {values.dtype} {values.shape}")
    if values.min() < 0 or values.max() >= n_classes:
        got = f"got {values.min()} to {values.max()}"
        raise ValueError(f"predictions: labels must lie from 0 to {n_classes - 1}, {got}")
    with atomic_writer(path, "w") as stream:
        stream.write(",".join(HEADER) + "\n")
        stream.writelines(f"{image_id},{label}\n" for image_id, label in enumerate(values))


def read_predictions(path: Path, num_images: int = 10_000, n_classes: int = 10) -> NDArray[np.int64]:
    """Read and check predictions.

    Args:
        path: the file.
        num_images: the file must have a line for each of the images 0 to num_images - 1, in any order.
        n_classes: the number of classes.

    Returns:
        The label of each image, (num_images,).

    Raises:
        ValueError: if an image is missing or occurs twice, or a label is invalid; the message names the line.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: it cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not rows or tuple(cell.strip() for cell in rows[0]) != HEADER:
        found = ",".join(rows[0]) if rows else "an empty file"
        raise ValueError(f"{path}, line 1: expected {','.join(HEADER)}, got {found[:60]!r}")
    labels = np.full(num_images, -1, np.int64)
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 2 or not all(re.fullmatch(r"\s*[0-9]{1,11}\s*", cell) for cell in row):
            raise ValueError(f"{path}, line {line}: expected two whole numbers, got {','.join(row)[:60]!r}")
        image_id, label = map(int, row)
        for name, value, end in zip(HEADER, (image_id, label), (num_images, n_classes), strict=True):
            if not 0 <= value < end:
                raise ValueError(f"{path}, line {line}: {name} must be from 0 to {end - 1}, got {value}")
        if labels[image_id] >= 0:
            raise ValueError(f"{path}, line {line}: image {image_id} occurs twice")
        labels[image_id] = label
    missing = np.flatnonzero(labels < 0)
    if len(missing):
        raise ValueError(f"{path}: {len(missing)} of {num_images} images have no label, the first is {missing[0]}")
    return labels


def note_dataset(path: Path, labels: NDArray[np.int64], dataset: str) -> None:
    """Note beside predictions, in a file of the same name that ends in .json, which data set these labels are for."""
    with atomic_writer(path.with_suffix(".json"), "w") as stream:
        json.dump({"dataset": dataset, "labels": _digest(labels)}, stream)
        stream.write("\n")


def dataset_of(path: Path, num_images: int = 10_000) -> str:
    """Return the name of the images that predictions are for; "" if that is not known.

    It is what ``predict`` noted of these labels, however the file was saved since, or what the labels tell: they agree
    with those of the drawn images for a model that was trained on them, and for no other. Errors as for
    :func:`read_predictions`.
    """
    labels = read_predictions(path, num_images)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        noted = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if noted["labels"] == _digest(labels):
            return str(noted["dataset"])
    return shapes.NAME if right_if_drawn(labels) > ONLY_DRAWN else ""


def right_if_drawn(labels: NDArray[np.int64]) -> float:
    """Return the part of labels that would be right if they were for the drawn test images."""
    return float(np.mean(labels == shapes.labels_of_test_images(len(labels))))


def require_cifar10(path: Path) -> None:
    """Check predictions as they are handed in: as :func:`read_predictions` does, and that they are for CIFAR-10."""
    name = dataset_of(path)
    if name and not name.startswith(CIFAR10):
        raise ValueError(f"it is for the drawn images, {name}, not CIFAR-10. {NO_POINTS}")


def _digest(labels: NDArray[np.int64]) -> str:
    return hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest()


def predict(model_file: Path, images: Images, device: torch.device | str = "cpu") -> NDArray[np.int64]:
    """Return the label that a trained model, in a file of ``train``, gives to each image, uint8 (N, C, H, W).

    Raises:
        ValueError: if the file is missing or damaged, or the model was trained on images of another size.
    """
    model, statistics, im_size = model_from(load(model_file), model_file)
    if images.shape[1:] != im_size:
        raise ValueError(f"predict: {model_file} takes images of size {im_size}, got {images.shape[1:]}")
    return labels_of(model, statistics, images, device)


def labels_of(
    model: nn.Module, statistics: PixelStatistics, images: Images, device: torch.device | str
) -> NDArray[np.int64]:
    """Return the label that a model gives to each image, uint8 (N, C, H, W)."""
    unlabelled = np.zeros(len(images), np.int64)
    prepared = DeviceImages(images, unlabelled, statistics, torch.device(device))
    return logits_of(model.to(device), prepared).argmax(dim=1).cpu().numpy()


def model_from(saved: Mapping[str, Any], model_file: Path) -> tuple[nn.Module, PixelStatistics, tuple[int, int, int]]:
    """Return the trained model of a file, the statistics that normalise its images, and their size (C, H, W).

    A ValueError says that it is incomplete, or that the model's code has changed since.
    """
    lacking = [name for name in ("model", "settings", "statistics", "im_size", "n_classes") if name not in saved]
    if lacking:
        what = "it is not a trained model as `train` writes it, such as mymodel.pt"
        raise ValueError(f"{model_file}: {what}: it lacks {', '.join(lacking)}")
    try:
        im_size = tuple(saved["im_size"])
        model = build_model(Settings(**saved["settings"]), im_size, saved["n_classes"])
        model.load_state_dict(saved["model"])
        statistics = PixelStatistics(**saved["statistics"])
    except (KeyError, TypeError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{model_file}: it does not fit the model's current code ({reason}): train again") from error
    return model, statistics, im_size


def main(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    try:
        dataset = data.load(args.cifar10_dir, announce=False)
        if args.check is not None:
            labels = read_predictions(args.check, len(dataset.X_test), len(dataset.class_names))
            name = dataset_of(args.check, len(labels))
            print(f"{args.check}: {len(labels)} images, each with a label{f'; they are for {name}' if name else ''}")
            if name and not name.startswith(CIFAR10):
                print(f"\nNOT CIFAR-10. {NO_POINTS}")
            return 0
        labels = predict(args.model_file, dataset.X_test, choose_device(args.no_cuda))
        write_predictions(args.output, labels, len(dataset.class_names))
        note_dataset(args.output, labels, dataset.name)
        trained_on = str(load(args.model_file).get("dataset", dataset.name))
    except (ValueError, NotImplementedError) as error:
        return complain("predict", str(error).removeprefix("predict: "))
    print(f"{args.output}: {len(labels)} labels for the test images of {dataset.name}")
    if not dataset.is_cifar10:
        print(f"\nNOT CIFAR-10: these are the drawn images. {NO_POINTS}")
    elif not trained_on.startswith(CIFAR10):
        print(f"\nThe model was trained on {trained_on}, NOT CIFAR-10, and can only guess here. Train it again.")
    return 0
