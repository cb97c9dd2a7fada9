"""Our automatic differentiation against HIPS autograd, micrograd, PyTorch and hand-written NumPy.

``python -m benchmarks.autodiff``. Three tasks, each for all opponents that can do it, in turn, in one process. A
figure is the median over rounds; a ratio is that of medians. At last: how long a chain of a million
operations takes, and the memory of its tape.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.clock import Call, seconds
from coursework.progress import progress_bar
from coursework.terminal import guarded
from cs7643.autodiff import backward_jacobian, exp, f1, f2, forward_jacobian, log, maximum, plain, variables

OPPONENTS = ("autograd", "micrograd", "torch")
CHAINS = (1_000, 10_000)


def jacobians() -> dict[str, Call]:
    """Return the Jacobian of (f1, f2) at (1, 2), by each."""
    import autograd
    import autograd.numpy as anp
    import torch

    def both(w: Any) -> Any:
        return f1(*w), f2(*w)

    def with_autograd(w: Any) -> Any:
        inner = anp.exp(w[0]) + anp.exp(2 * w[1])
        return anp.array([anp.exp(inner) + anp.sin(inner), w[0] * w[1] + 1 / (1 + anp.exp(-w[0]))])

    def with_torch(w: Any) -> Any:
        inner = torch.exp(w[0]) + torch.exp(2 * w[1])
        return torch.stack([torch.exp(inner) + torch.sin(inner), w[0] * w[1] + torch.sigmoid(w[0])])

    w, tensor = np.array([1.0, 2.0]), torch.tensor([1.0, 2.0], dtype=torch.float64)
    by_autograd: Callable[..., Any] = autograd.jacobian(with_autograd)
    calls: dict[str, Call] = {
        "ours, reverse": lambda: backward_jacobian(both, w),
        "ours, forward": lambda: forward_jacobian(both, w),
        "HIPS autograd": lambda: by_autograd(w),
        "PyTorch": lambda: torch.func.jacrev(with_torch)(tensor).numpy(),
    }
    for name, call in calls.items():
        np.testing.assert_allclose(call(), calls["ours, reverse"](), rtol=1e-13, err_msg=name)
    return calls


def chains(length: int) -> dict[str, Call]:
    """Return a chain of multiplications and additions of numbers, with its gradient, by each."""
    import torch
    from autograd import grad
    from micrograd.engine import Value

    def chain(x: Any, y: Any) -> Any:
        z = x
        for _ in range(length // 2):
            z = z * x
            z = z + y
        return z

    def ours() -> Any:
        x, y = variables(0.5, 0.3)
        chain(x, y).backward()
        return x.adjoint

    def with_micrograd() -> Any:
        x, y = Value(0.5), Value(0.3)
        chain(x, y).backward()
        return x.grad

    def with_torch() -> Any:
        x, y = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (0.5, 0.3))
        chain(x, y).backward()
        return float(x.grad) if x.grad is not None else None

    by_autograd: Callable[..., Any] = grad(chain)
    calls = {
        "ours, reverse": ours,
        "micrograd": with_micrograd,
        "HIPS autograd": lambda: by_autograd(0.5, 0.3),
        "PyTorch": with_torch,
    }
    sys.setrecursionlimit(10 * max(CHAINS))  # micrograd sorts its graph by recursion
    for name, call in calls.items():
        np.testing.assert_allclose(call(), ours(), rtol=1e-12, err_msg=name)
    return calls


def networks() -> dict[str, Call]:
    """Return the gradient of a 3072-100-10 net with softmax cross-entropy, 64 images, float64, by each."""
    import autograd.numpy as anp
    import torch
    from autograd import grad

    rng = np.random.default_rng(0)
    X, y, rows = rng.standard_normal((64, 3072)), rng.integers(0, 10, 64), np.arange(64)
    parameters = [0.01 * rng.standard_normal(shape) for shape in ((3072, 100), (100,), (100, 10), (10,))]

    def by_hand() -> list[Any]:
        W1, b1, W2, b2 = parameters
        hidden = np.maximum(0, X @ W1 + b1)
        scores = hidden @ W2 + b2
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        dscores = shares / shares.sum(axis=1, keepdims=True)
        dscores[rows, y] -= 1
        dscores /= len(X)
        dhidden = (dscores @ W2.T) * (hidden > 0)
        return [X.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dscores, dscores.sum(axis=0)]

    def ours() -> list[Any]:
        inputs = W1, b1, W2, b2 = variables(*parameters)
        scores = maximum(X @ W1 + b1, 0.0) @ W2 + b2
        scores = scores - plain(scores).max(axis=1, keepdims=True)
        log_p = scores - log(exp(scores).sum(axis=1, keepdims=True))
        loss = -log_p[rows, y].mean()
        loss.backward()
        return [x.adjoint for x in inputs]

    def loss_of_autograd(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        scores = anp.dot(anp.maximum(0, anp.dot(X, W1) + b1), W2) + b2
        log_p = scores - anp.log(anp.sum(anp.exp(scores), axis=1, keepdims=True))
        return -anp.mean(log_p[rows, y])

    images, labels = torch.from_numpy(X), torch.from_numpy(y)

    def with_torch() -> list[Any]:
        W1, b1, W2, b2 = inputs = [torch.from_numpy(w).requires_grad_() for w in parameters]
        loss = torch.nn.functional.cross_entropy(torch.relu(images @ W1 + b1) @ W2 + b2, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        found = [w.grad for w in inputs]
        return [w.numpy() for w in found if w is not None]

    by_autograd: Callable[..., Any] = grad(loss_of_autograd, (0, 1, 2, 3))
    calls: dict[str, Call] = {
        "ours, reverse": ours,
        "by hand, NumPy": by_hand,
        "HIPS autograd": lambda: by_autograd(*parameters),
        "PyTorch": with_torch,
    }
    for name, call in calls.items():
        for found, expected in zip(call(), by_hand(), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14, err_msg=name)
    return calls


def million() -> str:
    """Compute a chain of a million operations and its gradient; say how long it took and what the tape weighs."""
    x, y = variables(0.999999, 1e-7)
    gc.collect()
    start = time.perf_counter()
    z = x
    for _ in range(500_000):
        z = z * x
        z = z + y
    middle = time.perf_counter()
    z.backward()
    end = time.perf_counter()
    del x, y, z
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    x, y = variables(0.999999, 1e-7)
    z = x
    for _ in range(50_000):
        z = z * x
        z = z + y
    size = (tracemalloc.get_traced_memory()[0] - before) / 100_000
    tracemalloc.stop()
    return f"forward {middle - start:.2f} s, backward {end - middle:.2f} s; {size:.0f} bytes an operation on the tape"


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description="Automatic differentiation against others, as ratios in one run.")
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed (default: 7)")
    rounds = parser.parse_args().rounds
    if rounds < 1:
        parser.error(f"--rounds must be at least 1, got {rounds}")
    missing = [name for name in OPPONENTS if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; install them with: python -m pip install -e .[bench]")
    import torch

    tasks = {
        "Jacobian of (f1, f2) at (1, 2)": (jacobians(), 1e6, "µs"),
    }
    for length in CHAINS:
        name = f"a chain of {length} scalar operations and its gradient, per operation"
        tasks[name] = chains(length), 1e6 / length, "µs"
    tasks |= {
        "gradient of a 3072-100-10 net, 64 images, float64": (networks(), 1e3, "ms"),
    }
    print(
        f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}"
    )
    gc.collect()
    gc.freeze()  # so that the collector does not walk through all of PyTorch at the cost of whoever makes many objects
    times: dict[tuple[str, str], list[float]] = {}
    for _ in progress_bar(range(rounds), desc="rounds"):
        for task, (calls, _, _) in tasks.items():
            for name, call in calls.items():
                times.setdefault((task, name), []).append(seconds(call, 0.2))
    for task, (calls, scale, unit) in tasks.items():
        print(f"\n{task}")
        ours = statistics.median(times[task, "ours, reverse"])
        for name in calls:
            median = statistics.median(times[task, name])
            print(f"  {name:15} {scale * median:9.3f} {unit}   ours, reverse / this: {ours / median:6.3f}")
    print(f"\na chain of 1,000,000 operations: {million()}")


if __name__ == "__main__":
    sys.exit(guarded(main, "autodiff"))
