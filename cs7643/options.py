"""What the homework's own commands take. Only the standard library, so that ``--help`` needs nothing installed."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from coursework.homework import Command
from coursework.options import file_name
from coursework.root import ROOT
from cs7643.pytorch.settings import MODELS, SCHEDULES, Settings

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
  python -m cs7643 data --verify --cifar10-dir "my data"   check a copy that lies elsewhere

The exit code is 0 if all went well, 1 if data is missing, damaged or cannot be fetched, 2 for a wrong command line."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--download", action="store_true", help="fetch CIFAR-10 into datasets/, or go on doing so")
    action.add_argument("--verify", action="store_true", help="read and check every file of CIFAR-10")
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder cifar-10-batches-py, or the one that holds it")


def _train(parser: argparse.ArgumentParser) -> None:
    """Keep the names of the original assignment; some options are new."""
    default = {field.name: field.default for field in dataclasses.fields(Settings)}
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = """\
Train one of the models of problems 6.4 to 6.7, keep the weights that do best on 1,000 validation images, and test
them. It leaves in --output: MODEL.log, with the test accuracy at the bottom; MODEL.jsonl, the same for programs;
MODEL.pt, the weights; MODEL.checkpoint.pt, from which --resume goes on."""
    parser.epilog = """\
examples:
  python -m cs7643 train --model softmax --lr 0.01 --epochs 5
  python -m cs7643 train --model convnet --hidden-dim 64 --kernel-size 5 --schedule triangle --flip --resume
  torchrun --nproc-per-node 2 -m cs7643 train --model convnet --batch-size 256

The exit code is 0 if all went well, 1 if the data or the checkpoint does not fit or the training diverged, 2 for a
wrong command line."""
    what = parser.add_argument_group("what is computed")
    what.add_argument("--model", choices=MODELS, default="softmax", help="which model (default: softmax)")

    def number(name: str, kind: type, help: str) -> None:
        standard = default[name.replace("-", "_")]
        what.add_argument(f"--{name}", type=kind, default=standard, metavar="N", help=f"{help} (default: {standard})")

    number("lr", float, "the learning rate, at its highest")
    number("momentum", float, "the part of the velocity that is kept")
    number("weight-decay", float, "the strength of the penalty on the weights")
    number("batch-size", int, "images a step, of all processes together")
    number("epochs", int, "passes over the training images")
    number("hidden-dim", int, "hidden units, or filters")
    number("kernel-size", int, "the size of a filter")
    what.add_argument("--schedule", choices=SCHEDULES, default="constant", help="how the learning rate changes")
    what.add_argument("--flip", action="store_true", help="mirror every training image in every other epoch")
    number("translate", int, "move each training image by up to N pixels")
    number("label-smoothing", float, "the part of the probability that is spread over all classes")
    what.add_argument(
        "--amp",
        action="store_true",
        help="compute in bfloat16: faster on CUDA, and on CPUs that know it; left out on others",
    )
    number("num-training", int, "train on the first N images")
    number("seed", int, "seed of everything random")

    how = parser.add_argument_group("how it runs")
    how.add_argument("--no-cuda", action="store_true", help="stay on the CPU; else a CUDA card or an Apple GPU is used")
    how.add_argument("--cifar10-dir", metavar="DIR", help="the folder of CIFAR-10 (default: the usual search)")
    how.add_argument("--test-batch-size", type=int, default=1000, metavar="N", help="images measured at a time")
    how.add_argument(
        "--log-interval",
        type=int,
        default=50,
        metavar="N",
        help="steps between two lines of the log, beside those at the end of an epoch and at a checkpoint",
    )
    how.add_argument("--checkpoint-every", type=int, default=200, metavar="N", help="steps between two checkpoints")
    how.add_argument("--resume", action="store_true", help="go on from the checkpoint, if there is one")
    how.add_argument("--compile", action="store_true", help="compile the model first (needs a C++ compiler on a CPU)")
    how.add_argument("--plots", action="store_true", help="draw the pictures at the end, as the command `plots` does")
    how.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="default: experiments/results")
    how.add_argument("--name", type=file_name, help="name of the files (default: that of the model)")


def _predict(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Write predictions.csv: a line image_id,label for each of the test images, in their order, with labels from 0 to 9. The
model is read from the file that `train` left; --check looks at a file that you have."""
    parser.add_argument(
        "model_file",
        nargs="?",
        type=Path,
        default=RESULTS / "mymodel.pt",
        help="default: experiments/results/mymodel.pt",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("predictions.csv"), metavar="FILE", help="default: predictions.csv"
    )
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder of CIFAR-10 (default: the usual search)")
    parser.add_argument("--no-cuda", action="store_true", help="stay on the CPU")
    parser.add_argument("--check", type=Path, metavar="FILE", help="write nothing; check this file")


def _plots(parser: argparse.ArgumentParser) -> None:
    parser.description = """\
Draw what a run looked like: NAME_lossvstrain.png, NAME_valaccuracy.png, NAME_gridfilt.png, NAME_confusion.png and
NAME_filters.png, how the filters developed. Every run in the folder, or those that are named."""
    parser.add_argument(
        "names", nargs="*", type=file_name, help="of the runs, such as softmax (default: all in the folder)"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="default: experiments/results")
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder of CIFAR-10 (default: the usual search)")
    parser.add_argument("--no-cuda", action="store_true", help="stay on the CPU")


COMMANDS = {
    "data": Command("show, download or verify the images", "cs7643.data.command", _data),
    "train": Command("train a model of problems 6.4 to 6.7", "cs7643.pytorch.command", _train),
    "predict": Command("write predictions.csv with a trained model", "cs7643.pytorch.predictions", _predict),
    "plots": Command("draw the pictures of finished runs", "cs7643.pytorch.pictures", _plots),
}
