"""The update rules of problem 6.1: how a gradient becomes a step.

Each takes the gradient of one parameter and the state that the rule keeps for it (zeros before the first step), and
returns the step, which is added to the parameter, and the new state. All arrays have the parameter's shape. No
argument is changed, and the same call returns the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def sgd(grad: Array, state: Array, learning_rate: float) -> tuple[Array, Array]:
    """Step against the gradient: step = -learning_rate * grad. No state."""
    return -learning_rate * grad, state


def momentum(grad: Array, velocity: Array, learning_rate: float, momentum: float = 0.9) -> tuple[Array, Array]:
    """Step with momentum (Polyak's heavy ball): the velocity decays by ``momentum``, and gains -learning_rate * grad.

    Args:
        grad: the gradient of the loss with respect to the parameter.
        velocity: the last step; zeros before the first.
        learning_rate: the size of a step.
        momentum: the fraction of the velocity that is kept, from 0 (plain gradient descent) to below 1.

    Returns:
        The step, and the new velocity, which is the same array.
    """
    # BEGIN SOLUTION 6.1 momentum
    velocity = momentum * velocity - learning_rate * grad
    return velocity, velocity
    # END SOLUTION


def rmsprop(
    grad: Array, mean_square: Array, learning_rate: float, decay: float = 0.99, eps: float = 1e-8
) -> tuple[Array, Array]:
    """Step with RMSProp: against the gradient, divided elementwise by the root of its recent mean square.

    Args:
        grad: the gradient of the loss with respect to the parameter.
        mean_square: the moving average of grad^2; zeros before the first step.
        learning_rate: the size of a step.
        decay: the fraction of the moving average that is kept; the rest comes from grad^2.
        eps: keeps the root away from zero. It is added INSIDE the root: sqrt(mean_square + eps).

    Returns:
        The step, which uses the new moving average, and that average.
    """
    # BEGIN SOLUTION 6.1 rmsprop
    mean_square = decay * mean_square + (1 - decay) * grad**2
    return -learning_rate * grad / np.sqrt(mean_square + eps), mean_square
    # END SOLUTION
