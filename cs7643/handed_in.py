"""The one list of what is handed in: the files of hw1.zip, and the cells of the notebooks that make hw1.pdf."""

from __future__ import annotations

from dataclasses import dataclass

from cs7643.homework import TASKS, all_tasks, path_of

PERSON = "collaborators.txt"
PREDICTIONS = "predictions.csv"
EXTRA = "extra.md"
RESULTS = "experiments/results"
RESULT_KINDS = {  # what training leaves there: the log of a run, and its pictures; never weights
    ".csv": "log",
    ".json": "log",
    ".jsonl": "log",
    ".log": "log",
    ".txt": "log",
    ".png": "plot",
    ".svg": "plot",
    ".pdf": "plot",
}
NOTEBOOKS = (
    "notebooks/1_gradient_descent.ipynb",
    "notebooks/2_autodiff.ipynb",
    "notebooks/3_two_layer_net.ipynb",
    "notebooks/4_layers.ipynb",
    "notebooks/5_convnet.ipynb",
    "notebooks/6_pytorch.ipynb",
    "notebooks/7_challenge.ipynb",
)

SCRIPTS = tuple(f"experiments/run_{model}.sh" for model in ("softmax", "twolayernn", "convnet", "mymodel"))

# The runs of problems 6.4 to 6.7, as `train` and `plots` name what they leave, each with its heading in hw1.pdf.
RUNS = {
    "softmax": "6.4 The run of the linear classifier",
    "twolayernn": "6.5 The run of the two-layer network",
    "convnet": "6.6 The run of the convolutional network",
    "mymodel": "6.7 The run of your own model",
}


def student_files() -> tuple[str, ...]:
    """Return the files in which a student writes code or settings, in the order of the tasks."""
    modules = [path_of(module) for task in TASKS for module, _ in task.functions]
    return tuple(dict.fromkeys((*modules, *SCRIPTS)))


@dataclass(frozen=True)
class Section:
    """A part of a problem in hw1.pdf.

    Attributes:
        heading: above it; empty where the problem has one part only.
        notebook: where its cells are.
        answers: the ids of the cells in which a student writes.
        results: the ids of the cells whose outputs are shown.
        settings: those of them whose code is shown as well.
    """

    heading: str
    notebook: str
    answers: tuple[str, ...]
    results: tuple[str, ...]
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A problem as Gradescope knows it: it begins on a page of its own."""

    number: int
    title: str
    sections: tuple[Section, ...]

    @property
    def points(self) -> int:
        """The points of all its tasks."""
        return sum(task.points for task in all_tasks() if int(task.number[0]) == self.number)


def _theory(number: int, title: str, answer: str, results: tuple[str, ...]) -> Problem:
    section = Section("", "1_gradient_descent", (answer,), (f"check-{number}", *results))
    return Problem(number, title, (section,))


PROBLEMS = (
    _theory(1, "A gradient step is a proximal step", "proximal-proof", ("proximal-scipy",)),
    _theory(2, "What any sequence of steps can lose", "regret-proof", ("regret-many", "regret-kinds")),
    _theory(3, "The rate of gradient descent", "rate-proof", ("chain", "rates")),
    _theory(4, "SGD is not a descent method", "sgd-proof", ("counterexample", "region-picture")),
    Problem(
        5,
        "Automatic differentiation",
        (
            Section(
                "(a) The graph",
                "2_autodiff",
                ("functions-answer",),
                ("check-functions", "values", "closed-form", "graph-f1", "graph-f2"),
            ),
            Section("(b) Numerically", "2_autodiff", (), ("check-numerical", "numerical-table", "numerical-v")),
            Section("(c) Forward mode", "2_autodiff", (), ("check-forward", "forward-duals")),
            Section("(d) Reverse mode", "2_autodiff", (), ("check-backward", "steps-table", "all-modes")),
        ),
    ),
    Problem(
        6,
        "Convolutional networks",
        (
            Section(
                "6.1 A two-layer network",
                "3_two_layer_net",
                ("debugging", "templates-task"),
                (
                    "check-two-layer-net",
                    "check-updates",
                    "check-rmsprop",
                    "images",
                    "tuned",
                    "tuned-curves",
                    "tuned-test",
                    "templates-tuned",
                ),
                settings=("tuned",),
            ),
            Section(
                "6.2 Modular layers",
                "4_layers",
                (),
                (
                    "check-affine-forward",
                    "check-affine-backward",
                    "check-relu-forward",
                    "check-relu-backward",
                    "check-conv-forward",
                    "check-conv-backward",
                    "check-pool-forward",
                    "check-pool-backward",
                ),
            ),
            Section(
                "6.3 A convolutional network",
                "5_convnet",
                ("filters-task", "mistakes-task"),
                ("setup", "training", "training-curves", "test", "filters", "confusion"),
                settings=("training",),
            ),
            Section(
                "6.4 to 6.6 The same networks in PyTorch",
                "6_pytorch",
                ("questions",),
                (
                    "check-softmax",
                    "check-optimizer",
                    "check-step",
                    "replication-curves",
                    "train-softmax",
                    "check-two-layer",
                    "train-two-layer",
                    "check-cnn",
                    "train-cnn",
                    "curves",
                    "softmax-filters",
                    "cnn-filters",
                ),
            ),
            Section(
                "6.7 A model of your own",
                "7_challenge",
                ("log-task",),
                ("base", "log", "ablation", "best", "calibration", "confusion"),
                settings=("base",),
            ),
        ),
    ),
)
