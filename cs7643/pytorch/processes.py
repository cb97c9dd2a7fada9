"""Several processes that train one model together, as ``torchrun`` starts them; without it, one process.

Each process takes its part of every batch, and the gradients are averaged, so that two processes do what one does with
the same batch. Batch normalisation looks at the whole batch too, wherever its parts are: :class:`SharedBatchNorm`.

The group of processes has threads of its own. A thread that still runs when Python exits, to release a tensor, aborts
its process. So :func:`processes` ends them, whatever the program keeps.
"""

from __future__ import annotations

import datetime
import gc
import inspect
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

PATIENCE = datetime.timedelta(minutes=10)  # how long the processes wait for one that says nothing
_FAILURES = "cs7643/failures"  # in the store that all processes share: how many have failed


class OtherProcessError(RuntimeError):
    """A process cannot go on because another one failed. ``explained`` tells whether the other one says why."""

    def __init__(self, message: str, explained: bool) -> None:
        super().__init__(message)
        self.explained = explained


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
        """Wait until all processes have arrived here."""
        if self.count > 1:
            dist.barrier()

    def share(self, model: nn.Module) -> nn.Module:
        """Return ``model`` such that its gradients are averaged over the processes; with one process, as it is."""
        if self.count == 1:
            return model
        parameters = inspect.signature(DistributedDataParallel.__init__).parameters
        name = "forward_sync_buffers" if "forward_sync_buffers" in parameters else "broadcast_buffers"  # the older name
        options: dict[str, Any] = {name: False, "device_ids": [self.local_rank] if self.device == "cuda" else None}
        return DistributedDataParallel(model, **options)


def is_first() -> bool:
    """Tell whether this process speaks: it is alone, or of those that ``torchrun`` started the first."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def processes(device_type: str, meeting: str | None = None) -> Iterator[Processes]:
    """Join the other processes, if ``torchrun`` started this one, and leave them at the end.

    Whoever starts them without torchrun sets RANK and WORLD_SIZE, and gives all the same ``meeting``, the ``file://``
    address of a file that is not there yet.

    At the end all processes wait for each other. Then the group is taken from every DistributedDataParallel, and from
    every variable, so that its threads end here: none of these can be used afterwards.

    Raises:
        OtherProcessError: if another process has failed before, or has ended.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Processes()
        return
    import torch.distributed.nn  # noqa: F401  (its functions keep, as a default, the group that is there at its import)

    device = "cuda" if device_type == "cuda" else "cpu"
    rank, count = (int(os.environ[name]) if meeting else -1 for name in ("RANK", "WORLD_SIZE"))  # torchrun's are known
    backend = "nccl" if device == "cuda" else "gloo"
    dist.init_process_group(backend, init_method=meeting, timeout=PATIENCE, rank=rank, world_size=count)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_RANK", "0")), device)
        dist.barrier()
    except BaseException as error:
        _tell_apart(error)
        raise
    finally:
        _leave()


def _tell_apart(error: BaseException) -> None:
    """Raise an OtherProcessError if an error only follows from that of another process, or repeats it."""
    try:
        count = dist.distributed_c10d._get_default_store().add(_FAILURES, 1)
    except RuntimeError:  # the process that held the store has ended
        count = 1
    if count > 1:
        raise OtherProcessError("another process failed first, and says why", explained=True) from error
    if isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error)):
        reason = str(error).split("] ", 1)[-1].splitlines()[0]
        said = f"another process ended or fell silent ({reason}): was it killed, perhaps for want of memory?"
        raise OtherProcessError(said, explained=False) from error


def _leave() -> None:
    """Destroy the group, and with it its threads, which live as long as anybody holds it."""
    error = sys.exc_info()[1]
    while error is not None:  # the functions that it came through keep their variables as long as it is kept
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
    for model in [it for it in gc.get_objects() if issubclass(type(it), DistributedDataParallel)]:
        for name in ("logger", "reducer"):  # these hold it out of Python's sight
            vars(model).pop(name, None)
    group = dist.group.WORLD
    dist.destroy_process_group()
    for it in gc.get_objects():  # not gc.get_referrers, to which dictionaries can be invisible before Python 3.11
        variables = it if type(it) is dict else _attributes(it)
        for name in [name for name, value in list(variables.items()) if value is group]:
            variables[name] = None


def _attributes(it: object) -> dict[Any, Any]:
    try:
        found = object.__getattribute__(it, "__dict__")  # nothing that the object itself would compute
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


class _SumOverProcesses(torch.autograd.Function):
    """The sum of a tensor over all processes. Each one's loss depends on it, so the gradients are summed, too."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    backward = forward


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
