"""``python -m cs7643 train``: train one of the four models, with an option for everything that can be tuned.

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

from coursework.terminal import complain
from cs7643 import data
from cs7643.pytorch.networks import choose_device, knows_bfloat16
from cs7643.pytorch.processes import OtherProcessError, is_first, processes
from cs7643.pytorch.run_pictures import draw
from cs7643.pytorch.runfiles import RunFiles
from cs7643.pytorch.settings import Settings
from cs7643.pytorch.training import train
from cs7643.trainer import TrainingDivergedError


def main(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    names = [field.name for field in dataclasses.fields(Settings)]
    try:
        settings = Settings(**{name: getattr(args, name) for name in names})
    except ValueError as error:
        return _complain(str(error).replace("_", "-") if is_first() else None, code=2)
    if torch.cuda.is_available() and not args.no_cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    device = choose_device(args.no_cuda)
    if settings.amp and not knows_bfloat16(device):
        _warn(f"this {device.type.upper()} has no bfloat16: --amp would slow it down, and is ignored")
        settings = dataclasses.replace(settings, amp=False)
    warnings.showwarning = lambda message, *_: _warn(str(message))
    files = RunFiles(args.output, args.name or args.model)
    before = _written(files.checkpoint)
    try:
        with processes(device.type) as where:
            dataset = data.load(args.cifar10_dir, announce=False)
            chosen = ("resume", "test_batch_size", "log_interval", "checkpoint_every")
            options = {name: getattr(args, name) for name in chosen}
            train(
                dataset, settings, device=device, files=files, where=where, compiled=args.compile, say=_say, **options
            )
            if args.plots and where.is_first:
                draw(files, dataset, device)
    except OtherProcessError as error:
        return _complain(None if error.explained else str(error))
    except (ValueError, TrainingDivergedError, NotImplementedError) as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        if files.checkpoint.exists() and (args.resume or _written(files.checkpoint) != before):
            return _complain("stopped; the same command with --resume continues from the last checkpoint", code=130)
        return _complain("stopped before the first checkpoint: the same command starts over", code=130)
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reason = str(error).strip().splitlines()[0]
        needs = "on a CPU this needs a C++ compiler, such as g++, in PATH or named by CXX; or leave out --compile"
        return _complain(f"--compile: the model cannot be compiled here ({reason}): {needs}")
    return 0


def _say(line: str) -> None:
    tqdm.write(line)  # leaves the progress bar in place
    sys.stdout.flush()  # into a pipe at once


def _written(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def _warn(message: str) -> None:
    if is_first():
        print(f"warning: {message}", file=sys.stderr)


def _complain(message: str | None, code: int = 1) -> int:
    return code if message is None else complain("train", message.removeprefix("train: "), code)
