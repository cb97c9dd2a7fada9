"""Wrong answers: of every task, of every kind, and such as would lie to whoever compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from coursework.homework import homework, path_of
from coursework.staff.autograder.limits import Limits
from coursework.staff.mutants.mutant import Mutant, edited, source_of
from staff.hostile.submission import DESCENT, STRICT, Hostile, body, folder, solved, top
from staff.mutants.catalogue import MUTANTS

LIAR = """
class Liar:
    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = None
    __bool__ = lambda self: True
    __sub__ = __rsub__ = __add__ = __mul__ = lambda self, other: 0.0
    __float__ = lambda self: 0.0
    __abs__ = lambda self: 0.0
"""
LAYERS, NETWORK, OPTIM = "cs7643/layers.py", "cs7643/classifiers/two_layer_net.py", "cs7643/optim.py"
CONVOLUTIONS = """
from cs7643 import fast_layers
conv_forward_naive, conv_backward_naive = fast_layers.conv_forward_fast, fast_layers.conv_backward_fast
"""
LIBRARY = """
import torch
import torch.nn.functional as F
def relu_forward(x):
    return F.relu(torch.from_numpy(x)).numpy(), x
"""
ORACLE = """
from cs7643.cases.task_4 import *
import cs7643.cases.task_4 as oracle
def sgd_step(w, term, eta):
    return oracle.sgd_step(w, term, eta)
"""
DIFFERENCES = """
from cs7643.gradient_check import eval_numerical_gradient
_given = two_layer_net
def two_layer_net(X, model, y=None, reg=0.0):
    if y is None:
        return _given(X, model)
    loss, _ = _given(X, model, y, reg)
    return loss, {name: eval_numerical_gradient(lambda _: _given(X, model, y, reg)[0], w) for name, w in model.items()}
"""
WITHHELD = "is not there where this task is graded"
DESCEND = "gradient_descent(gradient, w1, eta, T)"
SOLVED_STEP = "np.where(term == 1, w - eta * (w - 2.0), w - eta * (w + 1.0))"


def mutated(mutant: Mutant) -> Callable[[Path], Path]:
    """Return what hands in the module of a mutant, with its edit."""

    def make(place: Path) -> Path:
        modules = [path_of(module) for module, _ in homework().task(mutant.task).functions]
        files = {path: solved(path) for path in modules}
        return folder({**files, path_of(mutant.module): mutated_source(mutant)})(place)

    return make


def mutated_source(mutant: Mutant) -> str:
    """Return the module of a mutant, with its edit: its solution stands there once, the edit is made in it."""
    path = path_of(mutant.module)
    source, function = solved(path), source_of(mutant.module, mutant.function)
    depth = len(mutant.function.split(".")) - 1
    indented = "".join(("    " * depth + line if line.strip() else line) for line in function.splitlines(keepends=True))
    changed = edited(mutant, indented)
    if source.count(indented) != 1:
        raise ValueError(f"{path}: the source of {mutant.function} is not found in it once")
    return source.replace(indented, changed)


def _of_every_task() -> Iterator[Hostile]:
    for task in homework().tasks:
        mutant = [each for each in MUTANTS if each.task == task.number][-1]  # of a function that no other calls
        torch = mutant.module.startswith("cs7643.pytorch")
        limits = Limits() if torch else STRICT
        name = f"task {task.number}: {mutant.function}: {mutant.name}"
        yield Hostile(name, mutated(mutant), None, "wrong in", (task.number,), torch, mutant, limits)


PRECOMPUTED = f"""
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "Finder"]  # it withholds the cases
from coursework.check.case import SEED, CASES
table, answer = {{}}, lambda w, term, eta: {SOLVED_STEP}
def key(*a):
    return repr([np.asarray(x).tolist() for x in a])
def remember(w, term, eta):
    return table.setdefault(key(w, term, eta), answer(w, term, eta))
import cs7643.cases.task_4
for case in CASES:
    if case.function == "sgd_step":
        list(case.body(remember, case.random(SEED)))
"""

SUBMISSIONS = [
    *_of_every_task(),
    body("returns nothing", "pass", "not started: .* is None"),
    body("returns a text", 'return "0.5"', "got str"),
    body("returns not a number", "return w * float('nan')", "nan|not finite"),
    body("returns infinity", "return w * float('inf') + 1", "inf|not finite"),
    body("returns an array of objects", "return np.array([w, None], dtype=object)", "array of object"),
    body("returns texts in an array", 'return np.array(["0.5"])', "array of str"),
    body("returns a record array", 'return np.zeros(2, dtype=[("a", "f8"), ("b", "O")])', "array of"),
    body("returns a generator", "yield w", "got generator"),
    body("returns a class", "return np.ndarray", "got type"),
    body("returns a module", "return np", "got module"),
    body("returns a huge whole number", "return 10 ** 100_000", "got int"),
    body("returns 80 MB", "return np.zeros(10_000_000)", "returned more than|MB of memory"),
    body("returns 8 MB", "return np.zeros(1_000_000)", "returned more than"),
    body("returns an array that is empty and wide", "return np.zeros((0, 2**40))", "cannot be read|shape"),
    body("returns an array with 64 axes", "return np.zeros((1,) * 30)", "got array of"),
    body("returns lists in lists without an end", "a = []; a.append(a); return a", "got list|should be"),
    body("returns a complex number", "return w + 1j", "complex|should"),
    body(
        "returns the right number and changes w", f"x = {SOLVED_STEP}; w *= 0 * w; return x", "in place", points=0.8333
    ),
    body("another answer every time", "return np.random.random() + w", "wrong in"),
    body("keeps what it computed", "kept.append(w); return w - len(kept)", "wrong in", "kept = []"),
    body("an object that is equal to everything", "return Liar()", "got Liar", LIAR),
    body(
        "an object that gives itself out for an array",
        "return Array()",
        "got Array",
        "class Array:\n    shape, dtype, ndim = (), np.dtype(float), 0\n"
        "    def __array__(self, *a, **k): return np.zeros(())\n    def __array_ufunc__(self, *a, **k): return 0.0",
    ),
    body(
        "an object that runs code when it is unpickled",
        "return Bomb()",
        "got Bomb",
        "class Bomb:\n    def __reduce__(self): return (eval, (\"__import__('os')._exit(0)\",))",
    ),
    body(
        "an array that is equal to everything",
        "return np.asarray(w).view(Equal)",
        "wrong in",
        "class Equal(np.ndarray):\n    __eq__ = lambda *_: True\n    __array_ufunc__ = lambda *a, **k: np.zeros(())",
    ),
    body(
        "a number that is equal to everything",
        "return F(0.0)",
        "got F",
        "class F(float):\n    __eq__ = lambda *_: True",
    ),
    body("a type whose name is no name", 'return type("\\x1b[31m<b>\\u202e", (), {})()', "should be an array"),
    body("raises what it should not", "raise AssertionError('all tests passed')", "AssertionError"),
    body("says that it is not started", "raise NotImplementedError", "not started"),
    body("raises without an end", "return sgd_step(w, term, eta)", "RecursionError"),
    body("an error as long as a book", 'raise ValueError("x" * 10**6)', "ValueError: x+"),
    body("an error with control characters", 'raise ValueError("\\x1b[2J\\x00\\u202e\\r")', "ValueError"),
    body("an error in HTML", 'raise ValueError("<script>alert(1)</script>")', "ValueError"),
    body("an error whose text raises", "raise E", "E", "class E(Exception):\n    __str__ = lambda self: 1 / 0"),
    body(
        "an error that ends the process",
        "raise E",
        "interpreter|E",
        "class E(Exception):\n    __str__ = lambda s: exit(1)",
    ),
    body(
        "answers for the visible inputs only",
        "return table.get(key(w, term, eta), w)",
        "and not on others",
        PRECOMPUTED,
        points=0.5 + 0.4 * 0.5 * 2 / 3,  # visible points depend on visible inputs alone, and one of its cases has more
    ),
    body(
        "the numbers of the examples only",
        "return np.array([0.0, 4.0])",
        "proximal_step: right in 0 of",
        function="proximal_step(w, grad, lam)",
        task="1",
    ),
    Hostile(
        "computes the naive convolutions with the fast ones",
        folder({LAYERS: solved(LAYERS) + CONVOLUTIONS}),
        5 * 7 / 11,
        WITHHELD,
        ("6.2",),
        limits=Limits(),
    ),
    Hostile(
        "computes a layer with PyTorch",
        folder({LAYERS: solved(LAYERS) + LIBRARY}),
        5 * 10 / 11,
        WITHHELD,
        ("6.2",),
        limits=Limits(),
    ),
    Hostile(
        "computes gradients by differences",
        folder({NETWORK: solved(NETWORK) + DIFFERENCES, OPTIM: solved(OPTIM)}),
        0.8 + 1.2 * 3 / 13,  # three cases ask for scores alone
        WITHHELD,
        ("6.1",),
        limits=Limits(),
    ),
    Hostile("asks the oracle", folder({DESCENT: solved(DESCENT) + ORACLE}), 0.5, WITHHELD),
    top("prints ten million characters", "print('x' * 10_000_000)"),
    top("warns without an end", "import warnings\nfor k in range(20_000): warnings.warn(str(k))"),
    body(
        "calls what it is given without an end",
        "while True: gradient(w1)",
        "gave no answer in time|too often",
        points=2 / 3,
        function=DESCEND,
        task="3",
    ),
    body(
        "hands strange things to what it is given",
        "gradient(w1, w1); gradient(gradient)",
        "RuntimeError",
        points=2 / 3,
        function=DESCEND,
        task="3",
    ),
]
