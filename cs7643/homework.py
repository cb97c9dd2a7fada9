"""The one table of this homework: problems, tasks, points, what is written where, what is handed in, who grades what.

The cells of the notebooks say by tags which task they belong to (see ``coursework/notebooks/outline.py``).
"""

from __future__ import annotations

from coursework.homework import Data, Homework, Loose, Problem, Task
from cs7643 import __version__
from cs7643.options import COMMANDS, choose_data

ANSWERS = "answers"
BY_NUMPY = ("torch", "torchvision", "cs7643.cases")  # problems 1 to 6.2 do without PyTorch, and without the oracles
DIFFERENTIATION = ("cs7643.autodiff", "cs7643.gradient_check")  # so that 6.1 and 6.2 derive gradients themselves


def _task(
    number: str,
    points: int,
    title: str,
    by_program: float | None = None,
    by_person: str = "",
    also: tuple[str, ...] = (),
    run: str = "",
    without: tuple[str, ...] = BY_NUMPY,
    **functions: tuple[str, ...],
) -> Task:
    """Return a task; ``autodiff__forward=("f",)`` says that ``f`` is written in cs7643/autodiff/forward.py."""
    pairs = tuple(
        (f"cs7643.{module.replace('__', '.')}", name) for module, names in functions.items() for name in names
    )
    cases = f"cs7643.cases.task_{number.rstrip('abcd').replace('.', '_')}" if pairs else ""
    return Task(number, points, title, pairs, cases, by_program, by_person, also, run, without)


PROBLEMS = (
    Problem(
        1,
        "A gradient step is a proximal step",
        (
            _task(
                "1",
                3,
                "Gradient descent as a proximal step",
                by_program=1,
                by_person="the derivation",
                also=("a proof",),
                descent=("proximal_step", "step_size"),
            ),
        ),
    ),
    Problem(
        2,
        "What any sequence of steps can lose",
        (
            _task(
                "2",
                3,
                "The regret inequality",
                by_program=1,
                by_person="the proof",
                also=("a proof",),
                descent=("follow", "regret", "regret_bound"),
            ),
        ),
    ),
    Problem(
        3,
        "The rate of gradient descent",
        (
            _task(
                "3",
                3,
                "The rate of gradient descent",
                by_program=1,
                by_person="the proof",
                also=("a proof",),
                descent=("gradient_descent", "rate_step_size", "rate_bound"),
            ),
        ),
    ),
    Problem(
        4,
        "SGD is not a descent method",
        (
            _task(
                "4",
                2,
                "SGD is not a descent method",
                by_program=1,
                by_person="the argument",
                also=("a proof",),
                descent=("sgd_step", "sgd_counterexample"),
            ),
        ),
    ),
    Problem(
        5,
        "Automatic differentiation",
        (
            _task(
                "5a",
                1,
                "Two functions",
                by_program=0.5,
                by_person="the drawn graph",
                also=("a drawn graph",),
                autodiff__functions=("f1", "f1_as_typeset", "f2"),
            ),
            _task("5b", 1, "Numerical differentiation", autodiff__numerical=("numerical_jacobian",)),
            _task("5c", 1, "Forward mode", autodiff__forward=("Dual.apply", "forward_jacobian")),
            _task("5d", 1, "Reverse mode", autodiff__reverse=("Tape.sweep", "backward_jacobian")),
        ),
    ),
    Problem(
        6,
        "Convolutional networks",
        (
            _task(
                "6.1",
                3,
                "A two-layer network",
                by_program=2,
                by_person="the tuned network, its curves and filters",
                also=(f"settings, {ANSWERS}",),
                without=(*BY_NUMPY, *DIFFERENTIATION),
                classifiers__two_layer_net=("two_layer_net",),
                optim=("momentum", "rmsprop"),
            ),
            _task(
                "6.2",
                5,
                "Modular layers",
                without=(*BY_NUMPY, *DIFFERENTIATION, "cs7643.fast"),
                layers=(
                    *("affine_forward", "affine_backward", "relu_forward", "relu_backward"),
                    *("conv_forward_naive", "conv_backward_naive"),
                    *("max_pool_forward_naive", "max_pool_backward_naive"),
                ),
            ),
            _task(
                "6.3",
                2,
                "A convolutional network",
                by_program=0,
                by_person="the trained ConvNet, its settings and filters",
                also=(f"counts and settings in two cells, {ANSWERS}",),
            ),
            _task(
                "6.4",
                2,
                "Softmax in PyTorch",
                by_program=1,
                by_person="the run of the linear classifier, its curves and filters",
                also=("experiments/run_softmax.sh", ANSWERS),
                run="softmax",
                without=(),
                pytorch__models=("Softmax",),
                pytorch__steps=("make_optimizer", "update_step"),
            ),
            _task(
                "6.5",
                2,
                "Two layers in PyTorch",
                by_program=1,
                by_person="the run of the two-layer network, its curves and filters",
                also=("experiments/run_twolayernn.sh",),
                run="twolayernn",
                without=(),
                pytorch__models=("TwoLayerNN",),
            ),
            _task(
                "6.6",
                2,
                "A ConvNet in PyTorch",
                by_program=1,
                by_person="the run of the ConvNet, its curves and filters",
                also=("experiments/run_convnet.sh", ANSWERS),
                run="convnet",
                without=(),
                pytorch__models=("CNN",),
            ),
            _task(
                "6.7",
                10,
                "A model of your own",
                also=("MyModel in cs7643/pytorch/models.py", "experiments/run_mymodel.sh", ANSWERS),
                run="mymodel",
                without=(),
            ),
        ),
        apart=True,
    ),
)

SECONDS = {  # of the notebooks on two cores of a laptop: with the drawn images, with CIFAR-10
    "1_gradient_descent": (30, 30),
    "2_autodiff": (20, 20),
    "3_two_layer_net": (30, 115),
    "4_layers": (10, 25),
    "5_convnet": (15, 95),
    "6_pytorch": (45, 365),
    "7_challenge": (60, 700),
}

HOMEWORK = Homework(
    name="hw1",
    title="CS7643 Deep Learning, Homework 1",
    package="cs7643",
    version=__version__,
    problems=PROBLEMS,
    notebooks=tuple(
        f"notebooks/{name}.ipynb"
        for name in (
            *("1_gradient_descent", "2_autodiff", "3_two_layer_net", "4_layers"),
            *("5_convnet", "6_pytorch", "7_challenge"),
        )
    ),
    scripts=tuple(f"experiments/run_{model}.sh" for model in ("softmax", "twolayernn", "convnet", "mymodel")),
    loose=(
        Loose(
            "predictions.csv",
            "predictions",
            "Write it: python -m cs7643 predict. If you leave out problem 6.7, call with --force.",
            "cs7643.pytorch.predictions:require_cifar10",
            "cs7643.pytorch.predictions:dataset_of",
        ),
        Loose(
            "extra.md",
            "extra",
            "Say in it what you did for problem 6.7. If you leave that out, call with --force.",
        ),
    ),
    results="experiments/results",
    commands=COMMANDS,
    data=Data(
        choose_data,
        "cs7643.data.sources:for_notebooks",
        {"CS7643_CIFAR10": "embedded"},
        "Data: CIFAR-10",
        "data",
        SECONDS,
    ),
    computes_nothing=("cases", "checks", "homework", "options", "plots"),
    weights={"two_layer_net": 3, "conv_forward_naive": 2, "conv_backward_naive": 2, "max_pool_backward_naive": 2},
    libraries={"NumPy": "numpy", "Matplotlib": "matplotlib", "PyTorch": "torch"},
    hours={
        "1_gradient_descent": (5, 9),
        "2_autodiff": (4, 7),
        "3_two_layer_net": (4, 7),
        "4_layers": (5, 9),
        "5_convnet": (1, 3),
        "6_pytorch": (3, 5),
        "7_challenge": (4, 10),
    },
)
