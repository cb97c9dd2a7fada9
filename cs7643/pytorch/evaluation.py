"""Measuring a model in evaluation mode, over all images, including an incomplete last batch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cs7643.pytorch.images import DeviceImages
from cs7643.pytorch.processes import Processes


class ProbabilitiesNotLogitsWarning(UserWarning):
    """A model ends in a softmax, and the cross-entropy will apply a second one."""


@dataclass(frozen=True)
class Measurement:
    """The mean loss in nats, and the fraction of the images whose highest logit is that of their label."""

    loss: float
    accuracy: float


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode, without gradients, and restore its mode afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def logits_of(model: nn.Module, images: DeviceImages, batch_size: int = 1000, part: slice | None = None) -> Tensor:
    """Return the logits of all images, or of a ``part`` of them, (N, n_classes)."""
    start, stop, _ = (part or slice(None)).indices(len(images))
    with evaluating(model):
        blocks = [model(images.batch(slice(k, min(k + batch_size, stop)))[0]) for k in range(start, stop, batch_size)]
    if not blocks:
        raise ValueError("logits_of: there are no images")
    return torch.cat(blocks)


def evaluate(
    model: nn.Module, images: DeviceImages, batch_size: int = 1000, where: Processes | None = None
) -> Measurement:
    """Return the mean loss and the accuracy over all images; they depend neither on ``batch_size`` nor on ``where``.

    ``where`` has the processes that share the work, at least an image each, all of which must call this.
    """
    where = where or Processes()
    part = slice(len(images) * where.rank // where.count, len(images) * (where.rank + 1) // where.count)
    logits, labels = logits_of(model, images, batch_size, part).cpu().double(), images.labels[part].cpu()
    sums = torch.stack([F.cross_entropy(logits, labels, reduction="sum"), (logits.argmax(dim=1) == labels).sum()])
    loss, right = (where.mean(sums) * where.count).tolist()
    return Measurement(loss / len(images), right / len(images))


def warn_of_probabilities(model: nn.Module, images: Tensor) -> bool:
    """Warn if the rows of a model's output are probabilities; return whether they are."""
    with evaluating(model):
        outputs = model(images).double()
    ones = torch.ones(len(outputs), dtype=outputs.dtype, device=outputs.device)
    are_probabilities = bool((outputs >= 0).all()) and torch.allclose(outputs.sum(dim=1), ones, atol=1e-3)
    if are_probabilities:
        said = (
            f"the rows of {type(model).__name__}'s output sum to one: does it end in a softmax? The cross-entropy "
            f"applies one itself, and the gradients of two in a row nearly vanish. Return the scores."
        )
        warnings.warn(said, ProbabilitiesNotLogitsWarning, stacklevel=2)
    return are_probabilities
