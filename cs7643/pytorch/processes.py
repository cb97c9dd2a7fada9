"""Several processes that train one model together, as ``torchrun`` starts them; without it, one process.

Each process takes its part of every batch, and the gradients are averaged, so that two processes do what one does with
the same batch. Batch normalisation looks at the whole batch too, wherever its parts are: :class:`SharedBatchNorm`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is. The first, rank 0, writes the files."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    device: str = "cpu"  # where they exchange numbers

    @property
    def is_first(self) -> bool:
        """Tell whether this process writes the files and speaks."""
        return self.rank == 0

    def part(self, batch: Any) -> Any:
        """Return this process's part of an array with a row for each image of a batch; all parts have one size."""
        if batch is None:
            return None
        share = len(batch) // self.count
        return batch[self.rank * share : (self.rank + 1) * share]

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes, on the CPU; all of them call this at the same time."""
        if self.count == 1:
            return values.cpu()
        total = values.to(self.device, copy=True)
        dist.all_reduce(total)
        return total.cpu() / self.count

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def processes(device_type: str) -> Iterator[Processes]:
    """Join the other processes, if ``torchrun`` started this one, and leave them at the end.

    Args:
        device_type: "cuda" for the nccl backend; anything else for gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Processes()
        return
    dist.init_process_group("nccl" if device_type == "cuda" else "gloo")
    try:
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        yield Processes(dist.get_rank(), dist.get_world_size(), local_rank, "cuda" if device_type == "cuda" else "cpu")
    finally:
        dist.destroy_process_group()


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes. Each one's loss depends on it, so the gradients are summed, too."""

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
    """Batch normalisation with the mean and the variance of the whole batch, also where each process has a part of it.

    PyTorch's own SyncBatchNorm does this on CUDA only. The equations are those of :class:`torch.nn.BatchNorm2d`; sums
    and sums of squares go over the processes. The parts must have one size.
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
        """Move the running statistics towards those of the batch."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        part = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), part)
        self.running_var.lerp_(variance.to(self.running_var), part)


def share_batch_norm(module: nn.Module) -> nn.Module:
    """Return the module with each BatchNorm2d in it replaced by a SharedBatchNorm with the same parameters."""
    if type(module) is nn.BatchNorm2d:
        sizes = module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats
        like = next((value for value in module.state_dict().values() if value.is_floating_point()), torch.empty(0))
        shared = SharedBatchNorm(*sizes, device=like.device, dtype=like.dtype)
        shared.load_state_dict(module.state_dict())
        return shared
    for name, child in module.named_children():
        setattr(module, name, share_batch_norm(child))
    return module
