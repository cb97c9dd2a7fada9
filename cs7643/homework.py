"""The one table of the tasks: number, points, title, and the functions that a student writes for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task of the assignment."""

    number: str
    points: int
    title: str
    functions: tuple[tuple[str, str], ...]  # (module, name) of each, in the order in which they are written

    @property
    def cases(self) -> str:
        """The module that holds the cases of its functions."""
        return "cs7643.cases.task_" + self.number.rstrip("abcd").replace(".", "_")


def path_of(module: str) -> str:
    """Return where the file of a module is, from the root of the repository."""
    return module.replace(".", "/") + ".py"


def _task(number: str, points: int, title: str, **functions: tuple[str, ...]) -> Task:
    pairs = tuple(
        (f"cs7643.{module.replace('__', '.')}", name) for module, names in functions.items() for name in names
    )
    return Task(number, points, title, pairs)


TASKS = (
    _task("1", 3, "Gradient descent as a proximal step", descent=("proximal_step", "step_size")),
    _task("2", 3, "The regret inequality", descent=("follow", "regret", "regret_bound")),
    _task("3", 3, "The rate of gradient descent", descent=("gradient_descent", "rate_step_size", "rate_bound")),
    _task("4", 2, "SGD is not a descent method", descent=("sgd_step", "sgd_counterexample")),
    _task("5a", 1, "Two functions", autodiff__functions=("f1", "f1_as_typeset", "f2")),
    _task("5b", 1, "Numerical differentiation", autodiff__numerical=("numerical_jacobian",)),
    _task("5c", 1, "Forward mode", autodiff__forward=("Dual.apply", "forward_jacobian")),
    _task("5d", 1, "Reverse mode", autodiff__reverse=("Tape.sweep", "backward_jacobian")),
    _task(
        "6.1",
        3,
        "A two-layer network",
        classifiers__two_layer_net=("two_layer_net",),
        optim=("momentum", "rmsprop"),
    ),
    _task(
        "6.2",
        5,
        "Modular layers",
        layers=(
            "affine_forward",
            "affine_backward",
            "relu_forward",
            "relu_backward",
            "conv_forward_naive",
            "conv_backward_naive",
            "max_pool_forward_naive",
            "max_pool_backward_naive",
        ),
    ),
    _task(
        "6.4", 2, "Softmax in PyTorch", pytorch__models=("Softmax",), pytorch__steps=("make_optimizer", "update_step")
    ),
    _task("6.5", 2, "Two layers in PyTorch", pytorch__models=("TwoLayerNN",)),
    _task("6.6", 2, "A ConvNet in PyTorch", pytorch__models=("CNN",)),
)

# What a student trains, tunes and writes about: graded from hw1.pdf and predictions.csv.
BY_HAND = (
    Task("6.3", 2, "A convolutional network", ()),
    Task("6.7", 10, "A model of your own", ()),
)


def all_tasks() -> tuple[Task, ...]:
    """Return every task of the assignment in its order: those that have checks, and those that are graded by hand."""
    return tuple(sorted((*TASKS, *BY_HAND), key=lambda task: task.number))
