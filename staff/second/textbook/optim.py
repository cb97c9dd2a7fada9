"""The update rules, one step a line."""

import numpy as np


def momentum(grad, velocity, learning_rate, momentum=0.9):
    kept = momentum * velocity
    push = learning_rate * grad
    new_velocity = kept - push
    step = new_velocity
    return step, new_velocity


def rmsprop(grad, mean_square, learning_rate, decay=0.99, eps=1e-8):
    squared = grad * grad
    old_part = decay * mean_square
    new_part = (1 - decay) * squared
    new_mean_square = old_part + new_part
    root = np.sqrt(new_mean_square + eps)
    step = -learning_rate * grad / root
    return step, new_mean_square
