"""Images on the device where the model trains: a batch is one gather, and its indices do the augmentation.

The images stay as they are stored, one byte per value, with the channels last: (N, H, W, C). Mirroring or moving an
image means reading its rows and columns in another order. So there is no augmented copy, and the batch has the memory
layout in which convolutions are fastest.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class PixelStatistics:
    """The mean and the standard deviation of each channel, as fractions of the largest value, 255."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> PixelStatistics:
        """Compute them over images (N, C, H, W), exactly: from the counts of the 256 values."""
        values = np.arange(256) / 255
        mean, std = [], []
        for channel in np.moveaxis(images, 1, 0):
            share = np.bincount(channel.reshape(-1), minlength=256) / channel.size
            mean.append(float(share @ values))
            std.append(float(np.sqrt(share @ (values - mean[-1]) ** 2)))
        if min(std) == 0:
            raise ValueError(f"PixelStatistics: channel {std.index(0)} has the same value everywhere")
        return cls(tuple(mean), tuple(std))


@dataclass(frozen=True)
class Augmentation:
    """The changes to a training image, which depend on the seed, the image and the time alone.

    Attributes:
        flip: each image is mirrored in every other epoch, in the first one with probability 1/2. So any two successive
            epochs show both versions of each image; independent coins would show half of them twice the same.
        translate: each image is moved by up to this many pixels in both directions, and reflected at the border.
        seed: that of the random numbers.
    """

    flip: bool = False
    translate: int = 0
    seed: int = 0

    def mirrored(self, indices: NDArray[Any], num_images: int, epoch: int) -> NDArray[np.bool_]:
        """Tell for each of the images with these indices whether it is mirrored in this epoch."""
        flipped: NDArray[np.bool_] = _coins(self.seed, num_images)[indices] ^ bool(epoch % 2)
        return flipped if self.flip else np.zeros(len(indices), dtype=bool)

    def shifts(self, count: int, iteration: int) -> NDArray[np.int64]:
        """Return how far each image of a batch moves, downwards and to the right, in pixels: (count, 2)."""
        rng = np.random.default_rng([self.seed, 2, iteration])
        return rng.integers(-self.translate, self.translate + 1, (count, 2))


class DeviceImages:
    """A data set on a device; it holds bytes, and returns normalised batches."""

    def __init__(
        self, images: NDArray[np.uint8], labels: NDArray[Any], statistics: PixelStatistics, device: torch.device
    ) -> None:
        """Move images (N, C, H, W), with labels (N,), to the device where the model is.

        The statistics are those of the training images, also for validation and test images.
        """
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError(f"DeviceImages: images must be uint8 (N, C, H, W), got {images.dtype} {images.shape}")
        if labels.shape != (len(images),):
            raise ValueError(f"DeviceImages: labels must have shape ({len(images)},), got {labels.shape}")
        if (channels := len(statistics.mean)) != images.shape[1]:
            raise ValueError(f"DeviceImages: statistics of {channels} channels, images of {images.shape[1]}")
        self.device = device
        self.pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 2, 3, 1))).to(device)
        self.labels = torch.from_numpy(labels.astype(np.int64)).to(device)
        # A row of an image is W * C values; repeated W times, the channels' numbers normalise a whole row at once.
        width = images.shape[3]
        mean, std = (255 * torch.tensor(values, dtype=torch.float64) for values in (statistics.mean, statistics.std))
        self._mean, self._scale = (values.repeat(width).float().to(device) for values in (mean, std.reciprocal()))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.pixels)

    @property
    def size(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, H, W, C = self.pixels.shape
        return C, H, W

    def batch(
        self,
        indices: slice | NDArray[Any] | Tensor,
        mirrored: NDArray[np.bool_] | Tensor | None = None,
        shifts: NDArray[np.int64] | Tensor | None = None,
        margin: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Return images, normalised, and their labels.

        Args:
            indices: which images.
            mirrored: (len(indices),), whether to mirror each one left to right.
            shifts: (len(indices), 2), how far to move each one down and to the right.
            margin: how many pixels to leave out on each side of an image that was moved.

        Returns:
            images: float32 (B, C, H, W), with the channels last in memory, or (B, C, H - 2 margin, W - 2 margin);
            labels: int64 (B,).
        """
        if margin and (shifts is None or not 0 <= margin < min(self.size[1:]) / 2):
            raise ValueError(f"batch: a margin needs shifts and less than half of the image, got {margin} pixels")
        if isinstance(indices, slice):
            return self._normalised(self.pixels[indices]), self.labels[indices]
        chosen = torch.as_tensor(indices, dtype=torch.int64, device=self.device)
        labels = self.labels[chosen]
        flip = None if mirrored is None else torch.as_tensor(mirrored, device=self.device)[:, None]
        if shifts is not None:
            _, H, W, C = self.pixels.shape
            moves = torch.as_tensor(shifts, device=self.device)
            inner = slice(margin, -margin or None)
            rows, columns = _moved(H, moves[:, 0])[:, inner], _moved(W, moves[:, 1])[:, inner]
            if flip is not None:
                columns = torch.where(flip, columns.flip(1), columns)
            # (B, H, W): the place of each pixel among those of all images
            places = (chosen[:, None] * H + rows)[:, :, None] * W + columns[:, None]
            pixels = self.pixels.view(-1, C).index_select(0, places.view(-1)).view(*places.shape, C)
            return self._normalised(pixels), labels
        pixels = self.pixels[chosen]
        if flip is not None:
            pixels = torch.where(flip[:, :, None, None], pixels.flip(2), pixels)
        return self._normalised(pixels), labels

    def _normalised(self, pixels: Tensor) -> Tensor:
        B, H, W, C = pixels.shape
        rows = pixels.view(B, H, W * C).float()
        return rows.sub_(self._mean[: W * C]).mul_(self._scale[: W * C]).view(B, H, W, C).permute(0, 3, 1, 2)


@functools.lru_cache(maxsize=4)
def _coins(seed: int, num_images: int) -> NDArray[np.bool_]:
    """Toss a coin for each image of a data set; cached, because every step needs some of them."""
    coins: NDArray[np.bool_] = np.random.default_rng([seed, 1]).random(num_images) < 0.5
    coins.flags.writeable = False
    return coins


def _moved(size: int, shifts: Tensor) -> Tensor:
    """Return from where each place of a moved row is read, (B, size); the row is reflected at the border."""
    places = (torch.arange(size, device=shifts.device) - shifts[:, None]).abs()
    return torch.where(places < size, places, 2 * (size - 1) - places)
