"""The optimiser and one update, which hands the optimiser a function."""

import torch
from torch.nn import functional as F


def make_optimizer(model, lr, momentum, weight_decay):
    settings = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
    group = {"params": list(model.parameters()), **settings}
    return torch.optim.SGD([group], lr=lr)


def update_step(model, optimizer, images, labels, loss_function=F.cross_entropy):
    def loss_and_gradients():
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        return loss

    loss = optimizer.step(loss_and_gradients)
    return loss.detach()
