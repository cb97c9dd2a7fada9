"""The table of the toy homework."""

from coursework.homework import Homework, Problem, Task

HOMEWORK = Homework(
    name="toy1",
    title="A toy homework",
    package="toy",
    version="0.1",
    problems=(
        Problem(1, "Sums", (Task("1", 2, "A sum", (("toy.sums", "total"),), "toy.cases", 1, "the proof"),)),
        Problem(2, "Points", (Task("2", 1, "A point", (("toy.points", "mirrored"),), "toy.cases"),)),
    ),
    notebooks=("notebooks/1_toy.ipynb",),
    computes_nothing=("cases", "homework"),
)
