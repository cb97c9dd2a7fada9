"""``python -m cs7643 plots``: the pictures of finished runs, named after them."""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path

import torch
from matplotlib.figure import Figure

from coursework.files import atomic_writer
from coursework.notebooks.figures import described
from coursework.terminal import complain
from cs7643 import data, plots
from cs7643.data.dataset import Dataset
from cs7643.pytorch.networks import choose_device, first_filters
from cs7643.pytorch.predictions import labels_of, model_from
from cs7643.pytorch.runfiles import RunFiles, load, read_history


def main(args: argparse.Namespace) -> int:
    """Draw the pictures and return the exit code."""
    names = args.names or sorted(path.stem for path in args.output.glob("*.pt") if ".checkpoint" not in path.name)
    if not names:
        return complain("plots", f"there is no finished run in {args.output}; `train` makes one")
    try:
        dataset = data.load(args.cifar10_dir, announce=False)
        for name in names:
            draw(RunFiles(args.output, name), dataset, choose_device(args.no_cuda))
    except (ValueError, NotImplementedError) as error:
        return complain("plots", str(error))
    return 0


def draw(files: RunFiles, dataset: Dataset, device: torch.device) -> None:
    """Write all pictures of one run to its folder, and print their names; arguments and errors as for `pictures`."""
    for kind, figure in pictures(files, dataset, device).items():
        save_picture(figure, files.picture(kind))
        print(files.picture(kind))


def pictures(files: RunFiles, dataset: Dataset, device: torch.device) -> dict[str, Figure]:
    """Draw all pictures of one run, from the files that ``train`` wrote and the images that it was trained on.

    A ValueError says that a file is missing or damaged, or that the run belongs to other images.
    """
    saved = load(files.model)
    model, statistics, im_size = model_from(saved, files.model)
    if (name := saved.get("dataset")) != dataset.name:
        raise ValueError(f"{files.model}: it was trained on {name}, but these images are {dataset.name}")
    history = read_history(files.history)
    losses = [loss for record in history if record.get("kind") == "steps" for loss in record["losses"]]
    epochs = [record for record in history if record.get("kind") == "epoch"]
    title = f"{dataset.name}, {type(model).__name__}"
    predicted = labels_of(model, statistics, dataset.X_test, device)
    accuracy = 100 * float((predicted == dataset.y_test).mean())
    return {
        "lossvstrain": plots.loss_curve(losses, max(1, len(losses) // max(1, len(epochs))), f"{title}: loss"),
        "valaccuracy": plots.accuracy_curves(
            {files.name: [epoch["val_accuracy"] for epoch in epochs]}, f"{title}: validation accuracy"
        ),
        "gridfilt": plots.weight_images(first_filters(model, im_size).cpu().numpy(), f"{title}: first filters"),
        "confusion": plots.confusion_matrix(
            dataset.y_test, predicted, dataset.class_names, f"{title}: {accuracy:.1f} % correct"
        ),
        "filters": plots.filter_evolution(
            [s.float().numpy() for s in saved["snapshots"]], f"{title}: how the filters develop"
        ),
    }


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, completely or not at all, without a date in it."""
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None, **described(figure)})
    with atomic_writer(path) as stream:
        stream.write(picture.getvalue())
