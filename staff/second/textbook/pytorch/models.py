"""The models, one layer a line."""

from torch import nn
from torch.nn import functional as F


class Softmax(nn.Module):
    def __init__(self, im_size, n_classes):
        super().__init__()
        C, H, W = im_size
        self.fc = nn.Linear(C * H * W, n_classes)

    def forward(self, images):
        N = images.shape[0]
        x = images.reshape(N, -1)
        scores = self.fc(x)
        return scores


class TwoLayerNN(nn.Module):
    def __init__(self, im_size, hidden_dim, n_classes):
        super().__init__()
        C, H, W = im_size
        self.fc1 = nn.Linear(C * H * W, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, n_classes)

    def forward(self, images):
        N = images.shape[0]
        x = images.reshape(N, -1)
        h = self.fc1(x)
        h = F.relu(h)
        scores = self.fc2(h)
        return scores


class CNN(nn.Module):
    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        C, H, W = im_size
        padding = (kernel_size - 1) // 2
        self.conv1 = nn.Conv2d(C, hidden_dim, kernel_size, stride=1, padding=padding)
        H_pool = H // 2
        W_pool = W // 2
        self.fc1 = nn.Linear(hidden_dim * H_pool * W_pool, n_classes)

    def forward(self, images):
        N = images.shape[0]
        x = self.conv1(images)
        x = F.relu(x)
        x = F.max_pool2d(x, kernel_size=2, stride=2)
        x = x.reshape(N, -1)
        scores = self.fc1(x)
        return scores


class MyModel(nn.Module):
    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        C, H, W = im_size
        padding = kernel_size // 2
        self.conv1 = nn.Conv2d(C, hidden_dim, kernel_size, padding=padding)
        self.conv2 = nn.Conv2d(hidden_dim, 2 * hidden_dim, kernel_size, padding=padding)
        self.pool = nn.AdaptiveAvgPool2d((2, 2))
        self.fc1 = nn.Linear(2 * hidden_dim * 2 * 2, n_classes)

    def forward(self, images):
        N = images.shape[0]
        x = F.relu(self.conv1(images))
        x = F.relu(self.conv2(x))
        x = self.pool(x)
        x = x.reshape(N, -1)
        scores = self.fc1(x)
        return scores
