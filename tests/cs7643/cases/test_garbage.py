"""What computes something else earns nothing: right answers' shapes without their numbers, models without images."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from coursework.check.verdict import try_function
from coursework.homework import homework
from coursework.staff.autograder.trying import Trial

SEEDS = (0, 11, 22)
FUNCTIONS = [pair for task in homework().tasks for pair in task.functions]


def loaded(module: str, name: str) -> Any:
    return operator.attrgetter(name)(importlib.import_module(module))


def earned(module: str, name: str, function: Callable[..., Any]) -> tuple[float, float]:
    """Return the part of the cases that count, of the visible and of the hidden ones."""
    trial = Trial(name, module, SEEDS)
    for seed in SEEDS:
        trial.outcomes[seed] = list(try_function(name, function, seed).outcomes)
    return trial.fraction(visible=True), trial.fraction(visible=False)


def replaced(value: Any, fill: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Return a result with other numbers in its arrays; cached objects stay what they are."""
    if isinstance(value, (float, np.floating)):
        return float(fill(np.asarray(value)))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return fill(value)
    if isinstance(value, dict):
        return {key: replaced(part, fill) for key, part in value.items()}
    return type(value)(replaced(part, fill) for part in value) if type(value) in (tuple, list) else value


FILLS = {"zeros": np.zeros_like, "noise": lambda array: np.random.default_rng(1).standard_normal(array.shape)}
OTHERS = ("Dual.apply", "sgd_counterexample")  # returns an object of its own; has many right answers
IN_NUMPY = [pair for pair in FUNCTIONS if ".pytorch." not in pair[0] and pair[1] not in OTHERS]


@pytest.mark.parametrize(("module", "name"), IN_NUMPY)
def test_other_numbers_of_the_right_shapes_earn_nothing(module: str, name: str) -> None:
    right = loaded(module, name)
    importlib.import_module(homework().task_of(name).cases)  # type: ignore[union-attr]
    for kind, fill in FILLS.items():
        garbage = lambda *args, _fill=fill, **kwargs: replaced(right(*args, **kwargs), _fill)  # noqa: E731
        assert earned(module, name, garbage) == (0, 0), kind
    assert earned(module, name, lambda *args, **_: args[0]) == (0, 0)
    assert earned(module, name, lambda *_, **__: 0.0) == (0, 0)


class Constant(nn.Module):
    """Ten scores, whatever the image is."""

    def __init__(self, image_shape: tuple[int, ...], *sizes: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(sizes[-1] if sizes else 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores.to(x.dtype).expand(len(x), len(self.scores))


def blind(model: type[nn.Module]) -> type[nn.Module]:
    """Return a model with all parameters of the right one, whose scores are all the sum of these."""

    class Blind(model):  # type: ignore[misc, valid-type]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            right = super().forward(x)
            return 0 * right.detach() + sum(weight.sum() for weight in self.parameters())

    return Blind


@pytest.mark.parametrize("name", ["Softmax", "TwoLayerNN", "CNN"])
def test_a_model_that_does_not_look_at_the_image_earns_nothing(name: str) -> None:
    module, _ = next(pair for pair in FUNCTIONS if pair[1] == name)
    importlib.import_module(homework().task_of(name).cases)  # type: ignore[union-attr]
    assert earned(module, name, Constant) == (0, 0)
    assert earned(module, name, blind(loaded(module, name))) == (0, 0)
    assert earned(module, name, loaded(module, name)) == (1, 1)


def test_a_step_that_changes_nothing_earns_nothing() -> None:
    module, _ = next(pair for pair in FUNCTIONS if pair[1] == "update_step")
    importlib.import_module(homework().task_of("update_step").cases)  # type: ignore[union-attr]
    assert earned(module, "update_step", lambda *_, **__: torch.tensor(0.0)) == (0, 0)
    still = lambda model, *_, **__: torch.optim.SGD(model.parameters(), lr=0.0)  # noqa: E731
    assert earned(module, "make_optimizer", still) == (0, 0)
