"""The models as sequences of layers."""

from torch import nn


def _values(im_size):
    # how many numbers an image has
    C, H, W = im_size
    return C * H * W


class Softmax(nn.Module):
    def __init__(self, im_size, n_classes):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(_values(im_size), n_classes))

    def forward(self, images):
        return self.net(images)


class TwoLayerNN(nn.Module):
    def __init__(self, im_size, hidden_dim, n_classes):
        super().__init__()
        layers = [nn.Flatten(), nn.Linear(_values(im_size), hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, n_classes)]
        self.layers = nn.ModuleList(layers)

    def forward(self, images):
        x = images
        for layer in self.layers:
            x = layer(x)
        return x


class CNN(nn.Module):
    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        C, H, W = im_size
        self.maps = nn.Sequential(
            nn.Conv2d(C, hidden_dim, kernel_size, padding="same"),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        half = (hidden_dim, H // 2, W // 2)
        self.scores = nn.Sequential(nn.Flatten(), nn.Linear(_values(half), n_classes))

    def forward(self, images):
        return self.scores(self.maps(images))


class MyModel(nn.Module):
    def __init__(self, im_size, hidden_dim, kernel_size, n_classes):
        super().__init__()
        layers = []
        channels = im_size[0]
        for filters in (hidden_dim, 2 * hidden_dim):
            layers += [nn.Conv2d(channels, filters, kernel_size, padding="same"), nn.BatchNorm2d(filters), nn.ReLU()]
            channels = filters
        layers += [nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(channels, n_classes)]
        self.net = nn.Sequential(*layers)

    def forward(self, images):
        return self.net(images)
