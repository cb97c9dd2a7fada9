"""What a student may take from torchvision works in the training loop: networks, and transforms in a model."""

from __future__ import annotations

import torch
from test_training import essence, same, settings
from torch import nn
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock
from torchvision.transforms import v2

from cs7643.pytorch import networks
from cs7643.pytorch.training import train


class Erased(nn.Module):
    """A network of torchvision, with its augmentation in front."""

    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        self.erase = v2.RandomErasing(p=1.0)
        self.network = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=n_classes)

    def forward(self, images):
        return self.network(self.erase(images) if self.training else images)


def test_a_model_made_of_torchvision_gives_the_same_bits_again(dataset, monkeypatch):
    monkeypatch.setattr(networks, "MyModel", Erased)
    options = settings(model="mymodel", num_training=64, epochs=1)
    runs = []
    for seed in (1, 2):  # what the program drew before does not matter
        torch.manual_seed(seed)
        runs.append(train(dataset, options))
    assert same(*map(essence, runs))
    monkeypatch.setattr(v2.RandomErasing, "forward", lambda self, images: images)
    assert not same(essence(train(dataset, options)), essence(runs[0]))
