"""The two pieces of the training program of task 6.4."""

import torch
import torch.nn.functional as F


def make_optimizer(model, lr, momentum, weight_decay):
    # one group of parameters with settings of its own
    group = {"params": list(model.parameters()), "lr": lr, "weight_decay": weight_decay}
    return torch.optim.SGD([group], lr=lr, momentum=momentum)


def update_step(model, optimizer, images, labels, loss_function=F.cross_entropy):
    outputs = model(images)
    loss = loss_function(outputs, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.data
