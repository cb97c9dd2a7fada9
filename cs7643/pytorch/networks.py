"""From the settings to a network on a device, and its first filters."""

from __future__ import annotations

import math
import sys

import torch
from torch import Tensor, nn

from cs7643.pytorch.models import CNN, MyModel, Softmax, TwoLayerNN
from cs7643.pytorch.settings import Settings


def build_model(settings: Settings, im_size: tuple[int, int, int], n_classes: int) -> nn.Module:
    """Make the model that the settings name, with initial weights from their seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if settings.model == "softmax":
            return Softmax(im_size, n_classes)
        if settings.model == "twolayernn":
            return TwoLayerNN(im_size, settings.hidden_dim, n_classes)
        maker = CNN if settings.model == "convnet" else MyModel
        return maker(im_size, settings.hidden_dim, settings.kernel_size, n_classes)


class MixedPrecision(nn.Module):
    """A model whose matrix products and convolutions are computed in bfloat16; weights and logits stay float32."""

    def __init__(self, model: nn.Module, device_type: str) -> None:
        super().__init__()
        self.model = model
        self.device_type = device_type

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, in float32."""
        with torch.autocast(self.device_type, torch.bfloat16):
            logits: Tensor = self.model(images)
        return logits.float()


def first_filters(model: nn.Module, im_size: tuple[int, int, int]) -> Tensor:
    """Return the weights of the first layer as images: filters (F, C, HH, WW), or hidden units (F, C, H, W).

    Raises:
        ValueError: if the model's first layer is neither a convolution nor an affine layer on whole images.
    """
    for parameter in model.parameters():
        if parameter.ndim == 4 and parameter.shape[1] == im_size[0]:
            return parameter.detach()
        if parameter.ndim == 2 and parameter.shape[1] == math.prod(im_size):
            return parameter.detach().reshape(-1, *im_size)
    name = type(model).__name__
    raise ValueError(f"first_filters: {name} has no layer whose weights can be shown as images {im_size}")


def choose_device(no_cuda: bool = False) -> torch.device:
    """Return the CUDA GPU of this process, else an Apple GPU, else the CPU; with ``no_cuda``, always the CPU."""
    if not no_cuda and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if not no_cuda and sys.platform == "darwin" and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def knows_bfloat16(device: torch.device) -> bool:
    """Tell whether a device has bfloat16 arithmetic; on a CPU without it, emulation takes many times longer."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities().items()
    return device.type != "cpu" or any(has for name, has in capabilities if name.endswith("bf16"))
