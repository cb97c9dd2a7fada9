"""The staff's model of the challenge, problem 6.7: ``python -m staff.challenge --cifar10-dir DIR``.

A small, wide network that sees every image about ten times and is done. What makes it fast is known from public speed
runs on CIFAR-10 (the airbench line); this is our own program in that spirit. Its parts:

1. The first layer is not learned. Its filters are the principal directions of 2x2 patches, scaled so that their
   answers have one size: the network begins with decorrelated inputs instead of spending its first epoch on them.
2. Filters are trained by Muon: momentum whose matrix is made orthogonal, so that every direction in it gets a step of
   one size, not only the few that dominate. The rest, biases and the last layer, is trained by SGD with Nesterov's
   momentum.
3. The learning rate rises for a fifth of the run and falls to zero.
4. Images are mirrored every other epoch and moved by two pixels; labels are smoothed; the tested weights are a moving
   average; a test image is looked at six times: as it is and moved twice, and all three mirrored.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643 import data
from cs7643.data.dataset import Dataset
from cs7643.fast.memory import keep_freed_memory
from cs7643.pytorch.evaluation import evaluating
from cs7643.pytorch.images import Augmentation, DeviceImages, PixelStatistics
from cs7643.pytorch.networks import choose_device, knows_bfloat16
from cs7643.pytorch.runfiles import load, save
from cs7643.pytorch.settings import SCHEDULES
from cs7643.trainer import BatchOrder

PATCH = 2  # pixels: the smallest patch that has edges; 12 principal directions, each with both signs: 24 filters
WHITENING_IMAGES = 5000  # 5 million patches: their covariance is known to a fraction of a percent
WHITENING_FLOOR = 5e-4  # added to the variances: the last directions hold little but noise, and would be blown up
FINAL_POOL = 3  # the three blocks leave 3x3 places: one maximum over all of them
HEAD_SCALE = 1 / 9  # so that the first logits are near zero, and the first loss near log 10
LABEL_SMOOTHING = 0.2  # keeps the network from certainty, which would only shrink the useful gradients
MUON_MOMENTUM = 0.6  # low: with so few steps a longer memory would be out of date
SGD_MOMENTUM = 0.85  # a memory of 1 / (1 - 0.85), 7 steps
AVERAGE = 0.96  # of the weights, a step: over about 25 steps
NORM_MOMENTUM = 0.4  # the running statistics follow quickly, for at the end there are only few steps to follow
TEST_BATCH = 1000  # images


@dataclass(frozen=True)
class Preset:
    """A size of the network and of its training.

    Attributes:
        widths: the filters of the three blocks.
        epochs: passes over the training images.
        batch_size: images a step.
        muon_lr: how far a filter of norm 1 turns in a step, at the most.
        sgd_lr: the learning rate of the last layer, for a batch; at the most.
        bias_lr: that of the biases, whose gradients are small.
        translate: how far an image is moved, in pixels: some variety, and not so much that a short run cannot fit it.
    """

    widths: tuple[int, int, int]
    epochs: int
    batch_size: int
    muon_lr: float
    sgd_lr: float
    bias_lr: float = 10.0
    translate: int = 2


PRESETS = {
    # A narrower second block, and twice the epochs: two cores have minutes where a GPU has seconds. With
    # batches of 500 there are more steps, and each turns the filters less far.
    "small": Preset(widths=(64, 128, 256), epochs=16, batch_size=500, muon_lr=0.1, sgd_lr=0.15),
    # Meant for 94 %, and not measured yet: the first block stays narrow, because it works on four times as many places
    # as the second.
    "full": Preset(widths=(64, 256, 256), epochs=8, batch_size=2000, muon_lr=0.24, sgd_lr=0.3),
}


class Block(nn.Module):
    """Convolution, halving, normalisation, GELU; then the same at the smaller size."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm1, self.norm2 = (nn.BatchNorm2d(filters, momentum=NORM_MOMENTUM) for _ in range(2))
        for norm in (self.norm1, self.norm2):
            norm.weight.requires_grad = False  # the next filters can scale as well
        for conv in (self.conv1, self.conv2):
            nn.init.dirac_(conv.weight[:channels].detach() if conv is self.conv1 else conv.weight.detach())

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) -> (B, filters, H // 2, W // 2)."""
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return F.gelu(self.norm2(self.conv2(x)))


class FastNet(nn.Module):
    """Whitening, three blocks, one maximum over the places, an affine layer."""

    def __init__(self, widths: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        directions = 2 * 3 * PATCH**2
        self.whiten = nn.Conv2d(3, directions, PATCH)
        self.whiten.weight.requires_grad = False
        self.blocks = nn.Sequential(*map(Block, (directions, *widths[:-1]), widths))
        self.head = nn.Linear(widths[-1], n_classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) -> logits (B, n_classes)."""
        features = self.blocks(F.gelu(self.whiten(images)))
        logits: Tensor = HEAD_SCALE * self.head(F.max_pool2d(features, FINAL_POOL).flatten(1))
        return logits

    @torch.no_grad()
    def set_whitening(self, images: Tensor) -> None:
        """Set the first filters to the whitened principal directions of the patches of ``images``, with both signs."""
        patches = images.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (B, 3, 31, 31, PATCH, PATCH)
        rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * PATCH**2).double().cpu()
        variances, directions = torch.linalg.eigh(torch.cov(rows.T))
        filters = (directions / torch.sqrt(variances + WHITENING_FLOOR)).T.reshape(-1, 3, PATCH, PATCH)
        self.whiten.weight.copy_(torch.cat([filters, -filters]))
        self.whiten.bias.zero_()  # type: ignore[union-attr]


class Muon(torch.optim.Optimizer):
    """Steps of one size in every direction: the momentum's matrix, made orthogonal.

    For convolutions with a normalisation behind them, which makes the scale of their filters meaningless: so it is held
    fixed, and ``lr`` is by what part of itself a filter changes.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float = MUON_MOMENTUM) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Change every parameter that has a gradient."""
        for group in self.param_groups:
            for filters in group["params"]:
                if filters.grad is None:
                    continue
                state = self.state[filters]
                if not state:
                    state["velocity"] = torch.zeros_like(filters)
                velocity = state["velocity"].mul_(group["momentum"]).add_(filters.grad)
                ahead = filters.grad + group["momentum"] * velocity  # Nesterov's look ahead
                filters.mul_(len(filters) ** 0.5 / filters.norm())
                filters.sub_(group["lr"] * orthogonal(ahead.flatten(1)).view_as(filters))


def orthogonal(matrix: Tensor, rounds: int = 8) -> Tensor:
    """Return nearly the orthogonal matrix U V^T of the singular value decomposition U S V^T of ``matrix`` (n, m).

    Each round applies p(s) = 2 s - 3/2 s^3 + 1/2 s^5 to all singular values at once, by products of matrices alone. p
    has the fixed point 1, where its slope is 0, and doubles what is small: eight rounds bring all that is above 1/200
    of the norm close to 1.
    """
    wide = matrix.T if len(matrix) > matrix.shape[1] else matrix
    x: Tensor = wide / (wide.norm() + 1e-12)
    for _ in range(rounds):
        gram = x @ x.T
        x = 2 * x + (0.5 * gram @ gram - 1.5 * gram) @ x
    return x if wide is matrix else x.T


@dataclass(frozen=True)
class Result:
    """What a run came to; the seconds are those of training alone."""

    seed: int
    accuracy: float
    single_view: float
    seconds: float
    images_per_second: float


def run(dataset: Dataset, preset: Preset, seed: int, device: torch.device, checkpoint: Path | None = None) -> Result:
    """Train on all training images and test; go on from ``checkpoint`` if that file exists."""
    statistics_ = PixelStatistics.of(dataset.X_train)
    training = DeviceImages(dataset.X_train, dataset.y_train, statistics_, device)
    testing = DeviceImages(dataset.X_test, dataset.y_test, statistics_, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = FastNet(preset.widths, len(dataset.class_names))
    model = model.to(device).to(memory_format=torch.channels_last)
    model.set_whitening(training.batch(slice(0, WHITENING_IMAGES))[0])
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE), use_buffers=True)
    learned = [p for p in model.parameters() if p.requires_grad]
    muon = Muon([p for p in learned if p.ndim == 4], preset.muon_lr)
    rest = [p for p in learned if p.ndim != 4]
    biases = [p for p in rest if p.ndim == 1]
    groups: list[dict[str, Any]] = [{"params": [model.head.weight]}, {"params": biases, "lr": preset.bias_lr}]
    sgd = torch.optim.SGD(groups, preset.sgd_lr, SGD_MOMENTUM, nesterov=True)

    order = BatchOrder(len(training), preset.batch_size, seed)
    augmentation = Augmentation(flip=True, translate=preset.translate, seed=seed)
    steps = preset.epochs * order.per_epoch
    state: dict[str, Any] = {"model": model, "average": average, "muon": muon, "sgd": sgd}
    precision = _precision(device)
    first, before = 0, 0.0
    about = {"preset": dataclasses.asdict(preset), "seed": seed, "images": f"{dataset.name}, {statistics_.mean}"}
    if checkpoint is not None and checkpoint.exists():
        saved = load(checkpoint)
        if saved.get("about") != json.dumps(about):
            raise ValueError(f"{checkpoint}: it belongs to another run; delete it to begin anew")
        first, before = saved["step"], saved["seconds"]
        for name, part in state.items():
            part.load_state_dict(saved[name])

    start = time.perf_counter() - before
    with progress_bar(total=steps, initial=first, unit="step", desc=f"seed {seed}") as bar:
        for step in range(first, steps):
            epoch = step // order.per_epoch
            chosen = order.indices(step)
            assert isinstance(chosen, np.ndarray)
            mirrored = augmentation.mirrored(chosen, len(training), epoch)
            images, labels = training.batch(chosen, mirrored, augmentation.shifts(len(chosen), step))
            rate = SCHEDULES["triangle"]((step + 1) / (steps + 1))
            muon.param_groups[0]["lr"], sgd.param_groups[0]["lr"] = rate * preset.muon_lr, rate * preset.sgd_lr
            sgd.param_groups[1]["lr"] = rate * preset.bias_lr
            with precision:
                logits = model(images)
            loss = F.cross_entropy(logits.float(), labels, label_smoothing=LABEL_SMOOTHING)
            model.zero_grad()
            loss.backward()
            muon.step()
            sgd.step()
            average.update_parameters(model)
            if (step + 1) % order.per_epoch == 0:
                bar.set_postfix_str(f"loss {loss.item():.3f}")
                if not torch.isfinite(loss):
                    raise ValueError(f"seed {seed}: the loss is {loss.item()} after epoch {epoch + 1}")
                if checkpoint is not None:
                    parts = {name: part.state_dict() for name, part in state.items()}
                    seconds = time.perf_counter() - start
                    save(checkpoint, {**parts, "about": json.dumps(about), "step": step + 1, "seconds": seconds})
            bar.update()
    seconds = time.perf_counter() - start
    single, several = (
        float((predicted.argmax(dim=1) == testing.labels).double().mean())
        for predicted in (views(average, testing, device, False), views(average, testing, device, True))
    )
    return Result(seed, several, single, seconds, steps * preset.batch_size / seconds)


def held_out(dataset: Dataset, count: int) -> Dataset:
    """Return the data set with its last ``count`` training images in the place of the test images.

    To choose a preset by: one that was chosen by test images has seen them.
    """
    if not 1 <= count < len(dataset.X_train):
        raise ValueError(f"count must be from 1 to {len(dataset.X_train) - 1} images, got {count}")
    train, held = slice(None, -count), slice(-count, None)
    return dataclasses.replace(
        dataset,
        X_train=dataset.X_train[train],
        y_train=dataset.y_train[train],
        X_test=dataset.X_train[held],
        y_test=dataset.y_train[held],
    )


def changed(preset: Preset, changes: list[str]) -> Preset:
    """Return ``preset`` with each ``NAME=VALUE`` of ``changes``; a tuple's value is as in ``widths=32,64,64``."""
    for change in changes:
        name, _, text = change.partition("=")
        try:
            usual = getattr(preset, name)
            several = isinstance(usual, tuple)
            values = [type(usual[0] if several else usual)(part) for part in text.split(",")]
            if len(values) != (len(usual) if several else 1) or min(values) < (0 if name == "translate" else 1e-9):
                raise ValueError
        except (AttributeError, ValueError):
            example = ", ".join(f"{key}={value}" for key, value in dataclasses.asdict(preset).items())
            raise ValueError(f"--set takes NAME=VALUE as in {example}; got {change!r}") from None
        new: dict[str, Any] = {name: tuple(values) if several else values[0]}
        preset = dataclasses.replace(preset, **new)
    return preset


def _precision(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where the device knows it, else in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=knows_bfloat16(device))


def views(model: nn.Module, images: DeviceImages, device: torch.device, several: bool) -> Tensor:
    """Return the logits (N, C) of images seen once, or the mean over six views: both sides of three places."""
    weights = {(0, 0): 0.5, (-1, -1): 0.25, (1, 1): 0.25} if several else {(0, 0): 1.0}  # the place as it is: most
    blocks = []
    with evaluating(model), _precision(device):
        for start in range(0, len(images), TEST_BATCH):
            chosen = np.arange(start, min(start + TEST_BATCH, len(images)))
            total = torch.zeros(())
            for (shift, weight), mirrored in itertools.product(weights.items(), (False, True)[: 1 + several]):
                batch, _ = images.batch(chosen, np.full(len(chosen), mirrored), np.tile(shift, (len(chosen), 1)))
                total = total + weight * model(batch).float()
            blocks.append(total)
    return torch.cat(blocks)


def main() -> None:
    """Train with one seed or several and print the accuracies."""
    parser = argparse.ArgumentParser(description="The staff's model of the challenge.")
    parser.add_argument("--preset", choices=PRESETS, default="small", help="small: two CPU cores; full: a GPU")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="N", help="(default: 0)")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", help="in the place of the preset's, as in epochs=5"
    )
    parser.add_argument(
        "--validate", type=int, metavar="N", help="hold back the last N training images and test on those instead"
    )
    parser.add_argument("--cifar10-dir", metavar="DIR", help="the folder of CIFAR-10 (default: the usual search)")
    parser.add_argument("--no-cuda", action="store_true", help="stay on the CPU")
    parser.add_argument("--output", type=Path, default=Path("build/challenge"), metavar="DIR", help="for checkpoints")
    args = parser.parse_args()
    keep_freed_memory()
    device = choose_device(args.no_cuda)
    try:
        preset = changed(PRESETS[args.preset], args.set)
        dataset = data.load(args.cifar10_dir, announce=False)
        if args.validate is not None:
            dataset = held_out(dataset, args.validate)
        hardware = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        precision = "bfloat16" if knows_bfloat16(device) else "float32"
        print(f"{dataset.name}, preset {args.preset}, {device.type} ({hardware}), {precision}")
        print(f"{dataclasses.asdict(preset)}, {len(dataset.X_train)} images to train on")
        tested = "test" if args.validate is None else "validation"
        results = []
        for seed in args.seeds:
            name = "-".join([args.preset, *args.set, tested, str(seed)])
            result = run(dataset, preset, seed, device, args.output / f"{name}.pt")
            results.append(result)
            print(json.dumps(dataclasses.asdict(result)), flush=True)
    except ValueError as error:
        parser.exit(1, f"challenge: {error}\n")
    accuracies = [result.accuracy for result in results]
    spread = f" ({min(accuracies):.4f}-{max(accuracies):.4f})" if len(accuracies) > 1 else ""
    seconds = statistics.mean(result.seconds for result in results)
    print(f"{tested} accuracy {statistics.mean(accuracies):.4f}{spread}, {seconds:.1f} s a run")


if __name__ == "__main__":
    sys.exit(guarded(main, "challenge"))
