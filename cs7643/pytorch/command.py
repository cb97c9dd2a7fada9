"""``python -m cs7643 train``: train one of the four models, with everything that is tuned as an option.

Alone, or in several processes: ``torchrun --nproc-per-node 2 -m cs7643 train ...``.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import warnings

import torch
from tqdm import tqdm

from cs7643 import data
from cs7643.pytorch.pictures import draw
from cs7643.pytorch.processes import Processes, processes
from cs7643.pytorch.runfiles import RunFiles
from cs7643.pytorch.settings import Settings
from cs7643.pytorch.training import choose_device, knows_bfloat16, train
from cs7643.trainer import TrainingDivergedError


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
