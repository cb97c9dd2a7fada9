"""The two update rules of task 6.1, each in one expression."""

import numpy as np


def momentum(grad, velocity, learning_rate, momentum=0.9):
    # the step is the new velocity
    return (momentum * velocity - learning_rate * grad,) * 2


def rmsprop(grad, mean_square, learning_rate, decay=0.99, eps=1e-8):
    # moving average: go the part 1 - decay of the way to the new square
    average = mean_square + (1 - decay) * (np.square(grad) - mean_square)
    return -learning_rate * grad * (average + eps) ** -0.5, average
