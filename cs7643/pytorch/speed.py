"""How fast this machine computes what is compiled by torch.compile, and what is rounded to bfloat16."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cs7643.pytorch.networks import MixedPrecision, knows_bfloat16

SIDE = 1000  # of the matrix that goes through the chain


def chain(x: Tensor) -> Tensor:
    """Return an elementwise function of x: ten operations, each of which alone reads and writes all of the memory."""
    inside = 0.8 * (x + 0.04 * x * x * x)
    return (0.5 * x * (1 + torch.tanh(inside))).sigmoid()


@dataclass(frozen=True)
class Compiled:
    """Seconds of :func:`chain` as it is written, compiled, and of the first call, in which it is compiled.

    ``problem`` says why it could not be compiled; the last two times are then not numbers.
    """

    eager: float
    compiled: float
    first: float
    problem: str = ""

    def __str__(self) -> str:
        """Return what follows, in a sentence or two."""
        if self.problem:
            return f"torch.compile does not work on this machine: {self.problem}"
        said = f"The first call took {self.first:.1f} s. A call takes {1e3 * self.eager:.2g} ms as written, "
        said += f"{1e3 * self.compiled:.2g} ms compiled."
        saved = self.eager - self.compiled
        return f"{said} Compiling pays after {self.first / saved:.0f} calls." if saved > 0 else f"{said} It never pays."


def compare_compiled() -> Compiled:
    """Measure the chain before and after torch.compile, on one thread."""
    with _one_thread(), _without_warnings("torch.utils.cpp_extension"):  # it warns that there is no GPU
        x = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
        eager = seconds(lambda: chain(x))
        start = time.perf_counter()
        try:
            import torch._inductor.config as settings

            with settings.patch(compile_threads=1):  # a pool of compilers takes longer to start than this to compile
                compiled = torch.compile(chain)
                same = torch.allclose(compiled(x), chain(x), atol=1e-5)
        except Exception as error:  # no C++ compiler, or one that PyTorch cannot use: it raises many kinds
            last = (str(error).strip().splitlines() or [type(error).__name__])[0]
            return Compiled(eager, float("nan"), float("nan"), last)
        first = time.perf_counter() - start
        return Compiled(eager, seconds(lambda: compiled(x)), first, "" if same else "the results differ")


@dataclass(frozen=True)
class Rounded:
    """Seconds of a training step of a convolution in float32 and in bfloat16, and how much the outputs differ.

    ``native`` tells whether the processor has instructions for bfloat16; without them it is emulated.
    """

    float32: float
    bfloat16: float
    difference: float
    native: bool

    def __str__(self) -> str:
        """Return what follows, in a sentence or two."""
        has = "has" if self.native else "has no"
        said = f"A step takes {1e3 * self.float32:.2g} ms in float32, {1e3 * self.bfloat16:.2g} ms in bfloat16. "
        return f"{said}The outputs differ by {self.difference:.1%}. This processor {has} instructions for bfloat16."


def compare_bfloat16() -> Rounded:
    """Measure forward and backward passes of a convolution with 16 filters of 7x7 on 50 images, on one thread."""
    with _one_thread():
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(50, 3, 32, 32, generator=generator)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = nn.Conv2d(3, 16, 7, padding=3)
        rounded = MixedPrecision(net, "cpu")

        def step(model: nn.Module) -> None:
            F.relu(model(images)).mean().backward()  # type: ignore[no-untyped-call]

        with torch.no_grad():
            exact, near = net(images), rounded(images)
        difference = float((near - exact).norm() / exact.norm())
        full, half = seconds(lambda: step(net)), seconds(lambda: step(rounded))
        return Rounded(full, half, difference, knows_bfloat16(torch.device("cpu")))


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _without_warnings(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def seconds(function: Callable[[], object], repeats: int = 10) -> float:
    """Return the shortest of several times, which other programs disturb least."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)
