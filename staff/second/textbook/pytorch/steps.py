"""The optimiser and one update, one step a line."""

import torch
from torch.nn import functional as F


def make_optimizer(model, lr, momentum, weight_decay):
    parameters = model.parameters()
    optimizer = torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay)
    return optimizer


def update_step(model, optimizer, images, labels, loss_function=F.cross_entropy):
    optimizer.zero_grad()
    scores = model(images)
    loss = loss_function(scores, labels)
    loss.backward()
    optimizer.step()
    result = loss.detach()
    return result
