"""The models of tasks 6.4 to 6.7, with nn.Sequential and view."""

import torch.nn as nn
import torch.nn.functional as F


class Softmax(nn.Module):
    def __init__(self, im_size, n_classes):
        super().__init__()
        C, H, W = im_size
        self.net = nn.Sequential(nn.Linear(C * H * W, n_classes))

    def forward(self, images):
        N = images.size(0)
        return self.net(images.view(N, -1))


class TwoLayerNN(nn.Module):
    def __init__(self, im_size, hidden_dim, n_classes):
        super().__init__()
        C, H, W = im_size
        self.net = nn.Sequential(
            nn.Linear(C * H * W, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, n_classes),
        )

    def forward(self, images):
        N = images.size(0)
        return self.net(images.view(N, -1))


class CNN(nn.Module):
    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        C, H, W = im_size
        # (k - 1) / 2 zeros on every side keep the size; pooling halves it
        self.conv1 = nn.Conv2d(C, hidden_dim, kernel_size, padding=(kernel_size - 1) // 2)
        self.fc = nn.Linear(hidden_dim * (H // 2) * (W // 2), n_classes)

    def forward(self, images):
        N = images.size(0)
        x = F.relu(self.conv1(images))
        x = F.max_pool2d(x, 2)
        return self.fc(x.view(N, -1))


class MyModel(nn.Module):
    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        C, H, W = im_size
        pad = kernel_size // 2
        self.features = nn.Sequential(
            nn.Conv2d(C, hidden_dim, kernel_size, padding=pad),
            nn.BatchNorm2d(hidden_dim),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(hidden_dim, 2 * hidden_dim, kernel_size, padding=pad),
            nn.BatchNorm2d(2 * hidden_dim),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.3),
            nn.Linear(2 * hidden_dim * (H // 4) * (W // 4), n_classes),
        )

    def forward(self, images):
        N = images.size(0)
        return self.classifier(self.features(images).view(N, -1))
