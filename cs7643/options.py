"""The options of the homework's own commands. Only the standard library, so that ``--help`` needs nothing installed."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from coursework.homework import Command
from coursework.options import file_name
from coursework.root import ROOT
from cs7643.pytorch.settings import Settings

RESULTS = ROOT / "experiments" / "results"


def choose_data(parser: argparse.ArgumentParser) -> None:
    """Declare the option of `run` that names the images."""
    parser.add_argument(
        "--cifar10-dir", metavar="DIR", help='the folder that holds CIFAR-10; "embedded" asks for the embedded default'
    )


def _data(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = """\
Show which images the homework would use: those of --cifar10-dir, else of the folder that CS7643_CIFAR10 names, else
CIFAR-10 in datasets/, else the embedded default, which needs no download."""
    parser.epilog = """\
examples:
  python -m cs7643 data                                    which images would be used, and why
  python -m cs7643 data --download                         fetch CIFAR-10 (170 MB) into datasets/
  python -m cs7643 data --verify                           check it, file by file
  python -m cs7643 data --verify --cifar10-dir "my data"   check a copy in another folder

The exit code is 0 on success, 1 if data is missing, damaged or cannot be fetched, 2 for a wrong command line."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--download", action="store_true", help="fetch CIFAR-10 into datasets/, or resume the download")
    action.add_argument("--verify", action="store_true", help="read and check every file of CIFAR-10")
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder cifar-10-batches-py, or the one that holds it")


def _train(parser: argparse.ArgumentParser) -> None:
    """Declare an option for each of the settings, and those that do not change what is computed."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = """\
Train one of the models of problems 6.4 to 6.7, keep the weights that do best on 1,000 validation images, and test
them. It leaves in --output: MODEL.log, with the test accuracy at the bottom; MODEL.jsonl, the same for programs;
MODEL.pt, the weights; MODEL.checkpoint.pt, from which --resume continues."""
    parser.epilog = """\
examples:
  python -m cs7643 train --model softmax --lr 0.01 --epochs 5
  python -m cs7643 train --model convnet --hidden-dim 64 --kernel-size 5 --schedule triangle --flip --resume
  torchrun --nproc-per-node 2 -m cs7643 train --model convnet --batch-size 256

The exit code is 0 on success, 1 if the data or the checkpoint does not fit or the training diverged, 2 for a wrong
command line."""
    what = parser.add_argument_group("what is computed")
    for setting in dataclasses.fields(Settings):
        options: dict[str, Any] = {"default": setting.default, "help": setting.metadata["what"]}
        if isinstance(setting.default, bool):
            options["action"] = "store_true"
        else:
            options["help"] += f" (default: {setting.default})"
            choices = setting.metadata["choices"]
            options |= {"choices": choices} if choices else {"type": type(setting.default), "metavar": "N"}
        what.add_argument(f"--{setting.name.replace('_', '-')}", **options)

    how = parser.add_argument_group("how it runs")
    _data_and_device(how)
    for name, default, help in (
        ("test-batch-size", 1000, "images measured at a time"),
        ("log-interval", 50, "steps between two lines of the log, besides those at epochs and checkpoints"),
        ("checkpoint-every", 200, "steps between two checkpoints"),
    ):
        how.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{help} (default: {default})")
    how.add_argument("--resume", action="store_true", help="continue from the checkpoint, if there is one")
    how.add_argument("--compile", action="store_true", help="compile the model first (needs a C++ compiler on a CPU)")
    how.add_argument("--plots", action="store_true", help="draw the pictures at the end, as the command `plots` does")
    how.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="default: experiments/results")
    how.add_argument("--name", type=file_name, help="name of the files (default: that of the model)")


def _data_and_device(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder of CIFAR-10 (default: the usual search)")
    parser.add_argument("--no-cuda", action="store_true", help="use the CPU even if there is a CUDA or Apple GPU")


def _predict(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Write predictions.csv: a line image_id,label for each test image, in order, with labels from 0 to 9. The model is read
from the file that `train` wrote; --check checks an existing file instead."""
    model, output = RESULTS / "mymodel.pt", Path("predictions.csv")
    parser.add_argument(
        "model_file", nargs="?", type=Path, default=model, help="default: experiments/results/mymodel.pt"
    )
    parser.add_argument("--output", type=Path, default=output, metavar="FILE", help="default: predictions.csv")
    _data_and_device(parser)
    parser.add_argument("--check", type=Path, metavar="FILE", help="write nothing, and check this file")


def _plots(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Draw the pictures of a run: NAME_lossvstrain.png, NAME_valaccuracy.png, NAME_gridfilt.png, NAME_confusion.png and
NAME_filters.png, which shows how the filters developed. It draws all runs in the folder, or those that are named."""
    parser.add_argument(
        "names", nargs="*", type=file_name, help="runs to draw, such as softmax (default: all in the folder)"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="default: experiments/results")
    _data_and_device(parser)


COMMANDS = {
    "data": Command("show, download or verify the images", "cs7643.data.data_command", _data),
    "train": Command("train a model of problems 6.4 to 6.7", "cs7643.pytorch.train_command", _train),
    "predict": Command("write predictions.csv with a trained model", "cs7643.pytorch.predictions", _predict),
    "plots": Command("draw the pictures of finished runs", "cs7643.pytorch.run_pictures", _plots),
}
