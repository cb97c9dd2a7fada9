"""Several processes that train one model together, as ``torchrun`` starts them; without it, one process.

Each process takes its part of every batch, and the gradients are averaged, so that two processes do what one does with
the same batch. Batch normalisation uses the whole batch, too: :class:`SharedBatchNorm`.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

PATIENCE = datetime.timedelta(minutes=10)  # how long a process waits for another one
_FAILURES = "cs7643/failures"  # in the store that all processes share: how many have failed


class OtherProcessError(RuntimeError):
    """A process cannot continue because another one failed; ``explained`` tells whether that one says why."""

    def __init__(self, message: str, explained: bool) -> None:
        super().__init__(message)
        self.explained = explained


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is. The first, rank 0, writes the files."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    device: str = "cpu"  # where they exchange data

    @property
    def is_first(self) -> bool:
        """Tell whether this process writes the files and the messages."""
        return self.rank == 0

    def part(self, batch: Any) -> Any:
        """Return this process's part of an array with a row for each image of a batch; all parts have the same size."""
        if batch is None:
            return None
        share = len(batch) // self.count
        return batch[self.rank * share : (self.rank + 1) * share]

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes, on the CPU; all of them must call this."""
        if self.count == 1:
            return values.cpu()
        total = values.to(self.device, copy=True)
        dist.all_reduce(total)
        return total.cpu() / self.count

    def wait(self) -> None:
        """Wait until all processes have called this."""
        if self.count > 1:
            dist.barrier()

    def share(self, model: nn.Module) -> nn.Module:
        """Wrap a model so that its gradients are averaged over the processes; one process gets it unchanged."""
        if self.count == 1:
            return model
        return DistributedDataParallel(model, device_ids=[self.local_rank] if self.device == "cuda" else None)


def is_first() -> bool:
    """Tell whether this process prints messages: it is alone, or the first of those that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def processes(device_type: str) -> Iterator[Processes]:
    """Join the other processes, if ``torchrun`` started this one, and leave them at the end, when all have finished.

    Args:
        device_type: "cuda" for the nccl backend; anything else for gloo.

    Raises:
        OtherProcessError: if another process failed first, or has ended.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Processes()
        return
    device = "cuda" if device_type == "cuda" else "cpu"
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")), device)
        dist.barrier()
    except BaseException as error:
        _raise_if_caused_by_another(error)
        raise
    finally:
        dist.destroy_process_group()


def leave(code: int) -> int:
    """End this process with an exit code if ``torchrun`` started it with others; otherwise return the code.

    A thread of the process group may outlive the group, and would abort Python's regular exit now and then.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _raise_if_caused_by_another(error: BaseException) -> None:
    """Raise an OtherProcessError if an error is only a consequence, or a repetition, of another process's error."""
    try:
        count = dist.distributed_c10d._get_default_store().add(_FAILURES, 1)
    except RuntimeError:  # the process that held the store has ended
        count = 1
    if count > 1:
        raise OtherProcessError("another process failed first, and says why", explained=True) from error
    if isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error)):
        reason = str(error).split("] ", 1)[-1].splitlines()[0]
        raise OtherProcessError(
            f"another process ended or stopped responding ({reason}): was it killed, perhaps because memory ran out?",
            explained=False,
        ) from error


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes. The loss of each one depends on it, so the gradients are summed, too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.clone()
        dist.all_reduce(total)
        return total


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation with the mean and variance of the whole batch, of which each process has a part.

    PyTorch's own SyncBatchNorm works on CUDA only. The equations are those of :class:`torch.nn.BatchNorm2d`, with sums
    over all processes. The parts must have the same size.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise images (B, C, H, W), channel by channel."""
        if not self.training:
            return super().forward(x)
        places = x.numel() // x.shape[1] * dist.get_world_size()
        mean = _SumOverProcesses.apply(x.sum(dim=(0, 2, 3))) / places
        centred = x - mean[:, None, None]
        squares = _SumOverProcesses.apply((centred**2).sum(dim=(0, 2, 3)))
        with torch.no_grad():
            self._follow(mean.detach(), squares.detach() / (places - 1))
        out: Tensor = centred * torch.rsqrt(squares / places + self.eps)[:, None, None]
        return out if self.weight is None else out * self.weight[:, None, None] + self.bias[:, None, None]

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics with those of the batch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        part = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), part)
        self.running_var.lerp_(variance.to(self.running_var), part)


def share_batch_norm(model: nn.Module) -> nn.Module:
    """Turn every BatchNorm2d of a model into a SharedBatchNorm with the same parameters, and return the model."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SharedBatchNorm
    return model
