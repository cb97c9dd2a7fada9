"""A network that keeps its filters at some moments of its training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cs7643.arrays import Array, Model
from cs7643.trainer import LossFunction


class Recorded:
    """A network, with a copy of its first weights and biases before each of the chosen steps.

    Attributes:
        frames: for each step that has been reached, counted from 0, copies of W1 and b1.
    """

    def __init__(self, network: LossFunction, steps: Iterable[int]) -> None:
        self.network, self.steps = network, frozenset(steps)
        self.frames: dict[int, tuple[Array, Array]] = {}
        self._step = 0

    def __call__(self, X: Array, model: Model, y: Array | None = None, reg: float = 0.0) -> Any:
        """Do what the network does; a call with labels is a step."""
        if y is not None:
            if self._step in self.steps:
                self.frames[self._step] = model["W1"].copy(), model["b1"].copy()
            self._step += 1
        return self.network(X, model, y, reg)
