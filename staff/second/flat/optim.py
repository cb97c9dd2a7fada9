"""The update rules: one number after another, and all numbers at once."""

import numpy as np


def momentum(grad, velocity, learning_rate, momentum=0.9):
    new = np.zeros_like(velocity)
    for k in np.ndindex(velocity.shape):
        new[k] = momentum * velocity[k] - learning_rate * grad[k]
    return new, new


def _mix(old, new, part):
    return part * old + (1 - part) * new


def rmsprop(grad, mean_square, learning_rate, decay=0.99, eps=1e-8):
    mean_square = _mix(mean_square, np.square(grad), decay)
    return -learning_rate * np.divide(grad, np.sqrt(mean_square + eps)), mean_square
