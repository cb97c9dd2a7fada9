"""The staff's model of the challenge, problem 6.7: ``python -m staff.challenge --cifar10-dir DIR``.

A small, wide network that sees every image about ten times and is done. What makes it fast is known from public speed
runs on CIFAR-10 (the airbench line); this is our own program in that spirit. Its parts:

1. The first layer is not learned. Its filters are the principal directions of 2x2 patches, scaled so that their
   answers have one size: the network begins with decorrelated inputs instead of spending its first epoch on them.
2. Filters are trained by Muon: momentum whose matrix is made orthogonal, so that every direction in it gets a step of
   one size, not only the few that dominate. The rest, biases and the last layer, is trained by SGD with Nesterov's
   momentum.
3. The learning rate falls to zero, after a rise where the batches are small.
4. Images are mirrored every other epoch and moved by two pixels; labels are smoothed; a test image is looked at six
   times: as it is and moved twice, and all three mirrored.
5. On a GPU the first steps see only the middle of the images, and a step is recorded once, with everything in it, and
   played back: no step waits for Python.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643 import data
from cs7643.data.dataset import Dataset
from cs7643.fast.memory import keep_freed_memory
from cs7643.pytorch.evaluation import evaluating
from cs7643.pytorch.images import Augmentation, DeviceImages, PixelStatistics
from cs7643.pytorch.networks import choose_device, knows_bfloat16
from cs7643.pytorch.runfiles import load, save
from cs7643.trainer import BatchOrder

PATCH = 2  # pixels: the smallest patch that has edges; 12 principal directions, each with both signs: 24 filters
WHITENING_IMAGES = 5000  # 5 million patches: their covariance is known to a fraction of a percent
WHITENING_FLOOR = 5e-4  # added to the variances: the last directions hold little but noise, and would be blown up
HEAD_SCALE = 1 / 9  # so that the first logits are near zero, and the first loss near log 10
LABEL_SMOOTHING = 0.2  # keeps the network from certainty, which would only shrink the useful gradients
MUON_MOMENTUM = 0.6  # low: with so few steps a longer memory would be out of date
SGD_MOMENTUM = 0.85  # a memory of 1 / (1 - 0.85), 7 steps
NORM_MOMENTUM = 0.4  # the running statistics follow quickly, for at the end there are only few steps to follow
TEST_BATCH = 2000  # images
CROP = 4  # pixels on each side that the first steps leave away: 24x24 pixels take 0.62 of the time of 32x32


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
        rise: for which part of the run the rates rise, before they fall to zero.
        average: of the weights, a step: 0.96 is over about 25 steps.
        cropped: for which part of the run the network sees only the middle of the images.
        translate: how far an image is moved, in pixels: some variety, and not so much that a short run cannot fit it.
    """

    widths: tuple[int, int, int]
    epochs: int
    batch_size: int
    muon_lr: float
    sgd_lr: float
    bias_lr: float = 10.0
    rise: float = 0.2
    average: float = 0.96
    cropped: float = 0.0
    translate: int = 2


PRESETS = {
    # A narrower second block, and twice the epochs: two cores have minutes where a GPU has seconds. With
    # batches of 500 there are more steps, and each turns the filters less far.
    "small": Preset(widths=(64, 128, 256), epochs=16, batch_size=500, muon_lr=0.1, sgd_lr=0.15),
    # The first block stays narrow, because it works on four times as many places as the second.
    "full": Preset(
        widths=(64, 256, 256),
        epochs=9,
        batch_size=2000,
        muon_lr=0.24,
        sgd_lr=1.6,
        bias_lr=50,
        rise=0,
        average=0,
        cropped=0.3,
    ),
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
        self.whiten = nn.Conv2d(3, directions, PATCH, bias=False)
        self.whiten.weight.requires_grad = False
        self.blocks = nn.Sequential(*map(Block, (directions, *widths[:-1]), widths))
        self.head = nn.Linear(widths[-1], n_classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, 32, 32) -> logits (B, n_classes)."""
        features = self.blocks(F.gelu(self.whiten(images)))
        logits: Tensor = HEAD_SCALE * self.head(F.max_pool2d(features, features.shape[2:]).flatten(1))
        return logits

    @torch.no_grad()
    def set_whitening(self, images: Tensor) -> None:
        """Set the first filters to the whitened principal directions of the patches of ``images``, with both signs."""
        patches = images.unfold(2, PATCH, 1).unfold(3, PATCH, 1)  # (B, 3, 31, 31, PATCH, PATCH)
        rows = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * PATCH**2)
        rows = rows.double() if rows.device.type == "cuda" else rows.cpu().double()  # an Apple GPU has no float64
        variances, directions = torch.linalg.eigh(torch.cov(rows.T).cpu())
        filters = (directions / torch.sqrt(variances + WHITENING_FLOOR)).T.reshape(-1, 3, PATCH, PATCH)
        self.whiten.weight.copy_(torch.cat([filters, -filters]))


# p(s) = a s + b s^3 + c s^5, round after round: each has the smallest largest |1 - p(s)| over what the round before it
# leaves of 1/100 to 1, found as a linear program. After four rounds no singular value is further than 0.013 from 1.
ORTHOGONAL = (
    (8.0934, -23.6205, 17.4462),
    (3.6366, -2.7219, 0.5365),
    (2.6613, -1.9772, 0.4526),
    (1.9562, -1.3375, 0.3839),
)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return nearly the orthogonal matrix U V^T of the singular value decomposition U S V^T of each matrix (..., n, m).

    Each round applies a polynomial to all singular values at once, by products of matrices alone. What is above 1/100
    of the norm comes close to 1; what is smaller grows by up to 150 times.
    """
    wide = matrices.mT if matrices.shape[-2] > matrices.shape[-1] else matrices
    x: Tensor = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-12)
    for a, b, c in ORTHOGONAL:
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide is matrices else x.mT


@dataclass(frozen=True)
class Result:
    """What a run came to; the seconds are those of training and of the test that ``accuracy`` is from."""

    seed: int
    accuracy: float
    single_view: float
    seconds: float
    images_per_second: float


class Training:
    """A network, its steps and its test, on one device; it runs one seed after the other.

    All that a step reads lies on the device before the first step: which images, how they are moved, and the rates. So
    a GPU records a step once, as a graph, and plays it back without waiting for Python.
    """

    def __init__(self, dataset: Dataset, preset: Preset, device: torch.device) -> None:
        self.preset, self.device = preset, device
        self.statistics = PixelStatistics.of(dataset.X_train)
        self.name = f"{dataset.name}, {self.statistics.mean}"
        self.images = DeviceImages(dataset.X_train, dataset.y_train, self.statistics, device)
        self.tested = DeviceImages(dataset.X_test, dataset.y_test, self.statistics, device)
        self.per_epoch = len(self.images) // preset.batch_size
        if not self.per_epoch:
            raise ValueError(f"batch_size must be at most the {len(self.images)} images, got {preset.batch_size}")
        self.steps = preset.epochs * self.per_epoch
        self.classes = len(dataset.class_names)
        self.model = FastNet(preset.widths, self.classes).to(device).to(memory_format=torch.channels_last)
        self.learned = sorted((p for p in self.model.parameters() if p.requires_grad), key=lambda p: (-p.ndim, p.shape))
        # by their places: filters of one shape, which are made orthogonal together, and everything else
        places = [place for place, p in enumerate(self.learned) if p.ndim == 4]
        self.filters = [list(same) for _, same in itertools.groupby(places, lambda place: self.learned[place].shape)]
        self.rest = {place: self.learned[place].ndim for place in range(len(places), len(self.learned))}
        self.velocities = [torch.zeros_like(p) for p in self.learned]
        self.values = [value for value in self.model.state_dict().values() if value.is_floating_point()]
        self.averages = [value.clone() for value in self.values]
        self.at = torch.zeros(1, dtype=torch.long, device=device)
        done = (np.arange(self.steps) + 1) / (self.steps + 1)
        highest = np.array([preset.muon_lr, preset.sgd_lr, preset.bias_lr])
        rates = highest * np.interp(done, [0, max(preset.rise, 1e-9), 1], [0, 1, 0])[:, np.newaxis]
        self.rates = torch.from_numpy(rates).float().to(device)
        self.loss = torch.zeros((), device=device)
        size = (self.steps, preset.batch_size)
        self.plan = tuple(
            torch.zeros(shape, dtype=dtype, device=device)
            for shape, dtype in ((size, torch.long), (size, torch.bool), ((*size, 2), torch.long))
        )
        self.narrow = torch.bfloat16 if knows_bfloat16(device) else torch.float32
        self.precision = torch.autocast(device.type, self.narrow, enabled=knows_bfloat16(device))
        self.play: Callable[[int], None] = self.step
        self.logits: Callable[..., Tensor] = self._logits
        self.update: Callable[[tuple[Tensor, ...]], None] = self._update
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True
            self.logits = torch.compile(self._logits)
            self.update = torch.compile(self._update)
            graphs = {margin: self._recorded(margin) for margin in {0, CROP if preset.cropped else 0}}
            self.play = lambda margin: graphs[margin].replay()
            self.test(several=True)

    def _recorded(self, margin: int) -> torch.cuda.CUDAGraph:
        """Record a step on a GPU, after a few that compile it."""
        others = torch.cuda.Stream()
        with torch.cuda.stream(others):
            for _ in range(3):
                self.step(margin)
        torch.cuda.current_stream().wait_stream(others)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step(margin)
        return graph

    def begin(self, seed: int) -> None:
        """Set everything as it is before the first step of a run."""
        preset = self.preset
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.model.load_state_dict(FastNet(preset.widths, self.classes).state_dict())
        self.model.set_whitening(self.images.batch(slice(0, WHITENING_IMAGES))[0])
        for velocity in self.velocities:
            velocity.zero_()
        for average, value in zip(self.averages, self.values, strict=True):
            average.copy_(value)
        order = BatchOrder(len(self.images), preset.batch_size, seed)
        augmentation = Augmentation(flip=True, translate=preset.translate, seed=seed)
        chosen = np.stack([np.asarray(order.indices(step)) for step in range(self.steps)])
        mirrored = [
            augmentation.mirrored(part, len(self.images), step // self.per_epoch) for step, part in enumerate(chosen)
        ]
        shifts = [augmentation.shifts(preset.batch_size, step) for step in range(self.steps)]
        for part, values in zip(self.plan, (chosen, np.stack(mirrored), np.stack(shifts)), strict=True):
            part.copy_(torch.from_numpy(values))
        self.at.zero_()

    def _logits(
        self, images: DeviceImages, chosen: Tensor, mirrored: Tensor, shifts: Tensor, margin: int = 0
    ) -> Tensor:
        """Return the logits of chosen images, mirrored and moved, without ``margin`` pixels on each side."""
        with self.precision:
            logits: Tensor = self.model(images.batch(chosen, mirrored, shifts, margin)[0])
        return logits.float()

    def step(self, margin: int) -> None:
        """Take the next step, with images that lack ``margin`` pixels on each side."""
        chosen, mirrored, shifts = (part.index_select(0, self.at)[0] for part in self.plan)
        logits = self.logits(self.images, chosen, mirrored, shifts, margin)
        loss = F.cross_entropy(logits, self.images.labels[chosen], label_smoothing=LABEL_SMOOTHING)
        self.loss.copy_(loss.detach())
        self.update(torch.autograd.grad(loss, self.learned))

    @torch.no_grad()
    def _update(self, gradients: tuple[Tensor, ...]) -> None:
        """Change all parameters, by Muon and by SGD with momentum, and the average."""
        muon_lr, sgd_lr, bias_lr = self.rates.index_select(0, self.at)[0].unbind()

        def ahead(place: int, momentum: float) -> Tensor:
            velocity = self.velocities[place].mul_(momentum).add_(gradients[place])
            return gradients[place] + momentum * velocity  # Nesterov's look ahead

        for places in self.filters:
            turns = torch.stack([ahead(place, MUON_MOMENTUM).flatten(1) for place in places])
            for place, turn in zip(places, orthogonal(turns.to(self.narrow)), strict=True):
                # The normalisation behind it makes the scale of a filter meaningless: so it is held fixed, and the rate
                # is by what part of itself a filter changes.
                filters = self.learned[place]
                filters.mul_(len(filters) ** 0.5 / filters.norm())
                filters.sub_(muon_lr * turn.float().view_as(filters))
        for place, ndim in self.rest.items():
            lr = bias_lr if ndim == 1 else sgd_lr
            self.learned[place].sub_(lr * ahead(place, SGD_MOMENTUM))
        for average, value in zip(self.averages, self.values, strict=True):
            average.lerp_(value, 1 - self.preset.average)
        self.at += 1

    def test(self, several: bool) -> float:
        """Return the accuracy over the test images, each seen once, or as the mean of six views."""
        views = {(0, 0): 0.5, (-1, -1): 0.25, (1, 1): 0.25} if several else {(0, 0): 1.0}  # the place as it is: most
        right = []
        with evaluating(self.model):
            for chosen in torch.arange(len(self.tested), device=self.device).split(TEST_BATCH):
                total = torch.zeros(())
                for (shift, weight), mirror in itertools.product(views.items(), (False, True)[: 1 + several]):
                    mirrored = torch.full((len(chosen),), mirror, device=self.device)
                    shifts = torch.tensor(shift, device=self.device).expand(len(chosen), 2)
                    total = total + weight * self.logits(self.tested, chosen, mirrored, shifts)
                right.append(total.argmax(dim=1) == self.tested.labels[chosen])
        return float(torch.cat(right).double().mean())

    def run(self, seed: int, checkpoint: Path | None = None) -> Result:
        """Train on all training images and test; go on from ``checkpoint`` if that file exists."""
        about = json.dumps({"preset": dataclasses.asdict(self.preset), "seed": seed, "images": self.name})
        start = time.perf_counter()
        self.begin(seed)
        state = {"values": self.values, "averages": self.averages, "velocities": self.velocities}
        if checkpoint is not None and checkpoint.exists():
            saved = load(checkpoint)
            if saved.get("about") != about:
                raise ValueError(f"{checkpoint}: it belongs to another run; delete it to begin anew")
            for name, tensors in state.items():
                for tensor, value in zip(tensors, saved[name], strict=True):
                    tensor.detach().copy_(value)
            self.at.fill_(saved["step"])
            start -= saved["seconds"]
        first = int(self.at)
        self.model.train()
        with progress_bar(total=self.steps, initial=first, unit="step", desc=f"seed {seed}") as bar:
            for step in range(first, self.steps):
                self.play(CROP if step < self.preset.cropped * self.steps else 0)
                if (step + 1) % self.per_epoch == 0:
                    loss = self.loss.item()
                    bar.set_postfix_str(f"loss {loss:.3f}")
                    if not np.isfinite(loss):
                        raise ValueError(f"seed {seed}: the loss is {loss} after epoch {(step + 1) // self.per_epoch}")
                    if checkpoint is not None:
                        seconds = time.perf_counter() - start
                        save(checkpoint, {**state, "about": about, "step": step + 1, "seconds": seconds})
                bar.update()
        trained = time.perf_counter() - start
        for value, average in zip(self.values, self.averages, strict=True):
            value.copy_(average)
        accuracy = self.test(several=True)
        seconds = time.perf_counter() - start
        return Result(seed, accuracy, self.test(several=False), seconds, self.steps * self.preset.batch_size / trained)


def changed(preset: Preset, changes: list[str]) -> Preset:
    """Return ``preset`` with each ``NAME=VALUE`` of ``changes``; a tuple's value is as in ``widths=32,64,64``."""
    for change in changes:
        name, _, text = change.partition("=")
        try:
            usual = getattr(preset, name)
            several = isinstance(usual, tuple)
            values = [type(usual[0] if several else usual)(part) for part in text.split(",")]
            if len(values) != (len(usual) if several else 1) or min(values) < (
                0 if name in ("rise", "translate", "average", "cropped") else 1e-9
            ):
                raise ValueError
        except (AttributeError, ValueError):
            example = ", ".join(f"{key}={value}" for key, value in dataclasses.asdict(preset).items())
            raise ValueError(f"--set takes NAME=VALUE as in {example}; got {change!r}") from None
        new: dict[str, Any] = {name: tuple(values) if several else values[0]}
        preset = dataclasses.replace(preset, **new)
    return preset


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
            dataset = dataset.without_test_images(args.validate)
        hardware = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        precision = "bfloat16" if knows_bfloat16(device) else "float32"
        print(f"{dataset.name}, preset {args.preset}, {device.type} ({hardware}), {precision}")
        print(f"{dataclasses.asdict(preset)}, {len(dataset.X_train)} images to train on")
        tested = "test" if args.validate is None else "validation"
        results = []
        start = time.perf_counter()
        training = Training(dataset, preset, device)
        print(f"ready after {time.perf_counter() - start:.1f} s, compiling included", flush=True)
        for seed in args.seeds:
            name = "-".join([args.preset, *args.set, tested, str(seed)])
            # A GPU is done before a checkpoint would be worth its time.
            result = training.run(seed, None if device.type == "cuda" else args.output / f"{name}.pt")
            results.append(result)
            print(json.dumps(dataclasses.asdict(result)), flush=True)
    except ValueError as error:
        parser.exit(1, f"challenge: {error}\n")
    accuracies = [result.accuracy for result in results]
    spread = ""
    if len(accuracies) > 1:
        standard_error = statistics.stdev(accuracies) / len(accuracies) ** 0.5
        spread = f" +- {standard_error:.4f} ({min(accuracies):.4f}-{max(accuracies):.4f})"
    seconds = statistics.mean(result.seconds for result in results)
    print(f"{tested} accuracy {statistics.mean(accuracies):.4f}{spread}, {seconds:.1f} s a run")


if __name__ == "__main__":
    sys.exit(guarded(main, "challenge"))
