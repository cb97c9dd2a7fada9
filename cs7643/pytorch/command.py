"""``python -m cs7643 train``: train one of the four models, with everything that is tuned as an option.

Alone, or in several processes: ``torchrun --nproc-per-node 2 -m cs7643 train ...``.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import warnings
from pathlib import Path

import torch
from tqdm import tqdm

from cs7643 import data
from cs7643.pytorch.pictures import draw
from cs7643.pytorch.processes import Processes, processes
from cs7643.pytorch.runfiles import RESULTS, RunFiles
from cs7643.pytorch.settings import MODELS, SCHEDULES, Settings
from cs7643.pytorch.training import choose_device, knows_bfloat16, train
from cs7643.trainer import TrainingDivergedError

DESCRIPTION = """\
Train one of the models of problems 6.4 to 6.7, keep the weights that do best on 1,000 validation images, and test
them. It leaves in --output: MODEL.log, with the test accuracy at the bottom; MODEL.jsonl, the same for programs;
MODEL.pt, the weights; MODEL.checkpoint.pt, from which --resume goes on."""
EXAMPLES = """\
examples:
  python -m cs7643 train --model softmax --lr 0.01 --epochs 5
  python -m cs7643 train --model convnet --hidden-dim 64 --kernel-size 5 --schedule triangle --flip --resume
  torchrun --nproc-per-node 2 -m cs7643 train --model convnet --batch-size 256

The exit code is 0 if all went well, 1 if the data or the checkpoint does not fit or the training diverged, 2 for a
wrong command line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``train``; the names are those of the original assignment, and some are new."""
    default = {field.name: field.default for field in dataclasses.fields(Settings)}
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
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
    what.add_argument("--schedule", choices=SCHEDULES, default="constant", help="of the learning rate")
    what.add_argument("--flip", action="store_true", help="mirror every training image in every other epoch")
    number("translate", int, "move each training image by up to so many pixels")
    number("label-smoothing", float, "the part of the probability that is spread over all classes")
    what.add_argument(
        "--amp",
        action="store_true",
        help="compute in bfloat16: faster on CUDA, and on CPUs that know it; left out on others",
    )
    number("num-training", int, "train on the first so many images")
    number("seed", int, "of everything random")

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
    how.add_argument("--plots", action="store_true", help="draw the pictures in the end, as the command `plots` does")
    how.add_argument("--output", type=Path, default=RESULTS, metavar="DIR", help="default: experiments/results")
    how.add_argument("--name", help="of the files (default: that of the model)")


def main(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    names = [field.name for field in dataclasses.fields(Settings)]
    try:
        settings = Settings(**{name: getattr(args, name) for name in names})
    except ValueError as error:
        return _complain(str(error).replace("_", "-"), code=2)
    if torch.cuda.is_available() and not args.no_cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    device = choose_device(args.no_cuda)
    if settings.amp and not knows_bfloat16(device):
        print(
            f"warning: this {device.type.upper()} has no bfloat16: --amp would slow it down, and is left out",
            file=sys.stderr,
        )
        settings = dataclasses.replace(settings, amp=False)
    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    try:
        with processes(device.type) as where:
            _train(args, settings, device, where)
    except (ValueError, TrainingDivergedError, NotImplementedError) as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("stopped; the same command with --resume goes on from the last checkpoint", code=130)
    return 0


def _train(args: argparse.Namespace, settings: Settings, device: torch.device, where: Processes) -> None:
    dataset = data.load(args.cifar10_dir, announce=False)
    files = RunFiles(args.output, args.name or args.model)
    train(
        dataset,
        settings,
        device=device,
        files=files,
        resume=args.resume,
        where=where,
        test_batch_size=args.test_batch_size,
        log_interval=args.log_interval,
        checkpoint_every=args.checkpoint_every,
        compiled=args.compile,
        say=_say,
    )
    if args.plots and where.is_first:
        draw(files, dataset, device)


def _say(line: str) -> None:
    tqdm.write(line)  # leaves the progress bar where it is
    sys.stdout.flush()  # a pipe is to have it at once


def _complain(message: str, code: int = 1) -> int:
    message = message.removeprefix("train: ")
    print(f"train: {message}", file=sys.stderr)
    return code
