"""Emulated processors: the tests again, on arithmetic that rounds in other places.

NumPy, SciPy, PyTorch and the C library each choose their instructions by the processor that they find, and the order of
a sum follows from the width of these. Variables in the environment make them choose as on another processor. Whether
they have obeyed is asked of each library, before the tests run, and said in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from coursework.commands import headless
from coursework.root import ROOT

# What depends on arithmetic: all tests and notebooks but these.
NO_ARITHMETIC = (*("tests/coursework", "tests/test_structure.py", "tests/test_another_homework.py"),)
THREADS = (1, 2)


@dataclass(frozen=True)
class Processor:
    """A processor that can be emulated.

    Attributes:
        variables: what makes the libraries choose as on this processor.
        lacks: how the names of those features of NumPy begin that it does not have.
        pytorch: what PyTorch calls it.
        openblas: what OpenBLAS calls it.
        onednn: what oneDNN calls its instructions, or the beginning of that.
        baseline: whether it is so old that the C library and MKL, too, must compute otherwise than on a newer one.
    """

    variables: Mapping[str, str]
    lacks: tuple[str, ...]
    pytorch: str
    openblas: tuple[str, ...]
    onednn: str
    baseline: bool = False


AVX512 = ("AVX512", "X86_V4")
AVX = ("AVX", "FMA", "F16C", "XOP", "X86_V3", *AVX512)
WITHOUT_FMA = ",".join(f"-{name}{end}" for name in ("AVX512F", "AVX2", "AVX", "FMA", "FMA4") for end in ("", "_Usable"))
PROCESSORS = {
    "sse": Processor(
        {
            "ATEN_CPU_CAPABILITY": "default",
            "OPENBLAS_CORETYPE": "Prescott",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
            "MKL_CBWR": "COMPATIBLE",  # the variable above is for processors of Intel, this one for all
            "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={WITHOUT_FMA}",
        },
        AVX,
        "DEFAULT",
        ("Prescott", "Katmai"),  # the second is the name by which it calls the first
        "Intel SSE4.1",
        baseline=True,
    ),
    "avx2": Processor(
        {
            "ATEN_CPU_CAPABILITY": "avx2",
            "OPENBLAS_CORETYPE": "Haswell",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        },
        AVX512,
        "AVX2",
        ("Haswell",),
        "Intel AVX2",
    ),
    "avx512": Processor(
        {
            "ATEN_CPU_CAPABILITY": "avx512",
            "OPENBLAS_CORETYPE": "SkylakeX",
            "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
            "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        },
        (),
        "AVX512",
        ("SkylakeX",),
        "Intel AVX-512",
    ),
}
ASCENDING = ("DEFAULT", "AVX2", "AVX512")  # PyTorch's names; each has what the one before has
VARIABLES = {"NPY_DISABLE_CPU_FEATURES", *(name for each in PROCESSORS.values() for name in each.variables)}

LOOK = """
import hashlib, json, math, os, struct
os.environ["ONEDNN_VERBOSE"] = "1"
import numpy as np, scipy.linalg, threadpoolctl, torch
try:
    from numpy._core import _multiarray_umath as features
except ImportError:
    from numpy.core import _multiarray_umath as features

def digest(numbers):
    return hashlib.sha256(bytes(numbers)).hexdigest()

rng = np.random.default_rng(0)
a = torch.from_numpy(rng.standard_normal((300, 300), np.float32))
images, weights = (torch.from_numpy(rng.standard_normal(shape, np.float32)) for shape in ((2, 3, 9, 9), (4, 3, 3, 3)))
torch.nn.functional.conv2d(images, weights)  # then oneDNN says which instructions it uses
points = rng.uniform(-20, 20, 20_000).tolist()
pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
print(json.dumps({
    "pytorch": torch.backends.cpu.get_cpu_capability(),
    "openblas": sorted({pool["architecture"] for pool in pools if pool["internal_api"] == "openblas"}),
    "numpy": [name for name in features.__cpu_dispatch__ if features.__cpu_features__.get(name)],
    "threads": sorted({torch.get_num_threads(), *(pool["num_threads"] for pool in pools)}),
    "products": digest((a @ a).numpy()),
    "functions": digest(struct.pack("40000d", *map(math.exp, points), *map(math.sin, points))),
}))
"""


@dataclass(frozen=True)
class Seen:
    """What the libraries say of the processor that they compute for.

    Attributes:
        pytorch: its capability.
        openblas: the architectures that the copies of OpenBLAS have chosen.
        numpy: the features that NumPy makes use of, beyond those that it always needs.
        threads: how many threads each library uses, every number once.
        products: a digest of a product of matrices, by PyTorch.
        functions: a digest of values of the C library's exp and sin.
        onednn: the instructions of oneDNN; "" if it does not say.
    """

    pytorch: str
    openblas: tuple[str, ...]
    numpy: tuple[str, ...]
    threads: tuple[int, ...]
    products: str
    functions: str
    onednn: str = ""

    def __str__(self) -> str:
        return (
            f"PyTorch {self.pytorch}, OpenBLAS {'/'.join(self.openblas) or 'none'}, "
            f"NumPy {self.numpy[-1] if self.numpy else 'baseline'}, oneDNN {self.onednn.removeprefix('Intel ') or '?'}"
        )


def look(environment: Mapping[str, str]) -> Seen:
    """Ask the libraries, in a process with this environment.

    Raises:
        ValueError: if they cannot be asked.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=dict(environment), capture_output=True, encoding="utf-8"
    )
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        last = (done.stderr.splitlines() or ["nothing was printed"])[-1]
        raise ValueError(f"processors: the libraries could not be asked for theirs: {last}")
    isa = next((line.rpartition("cpu,isa:")[2] for line in lines if "cpu,isa:" in line), "")
    found: dict[str, Any] = json.loads(lines[-1])
    lists = {key: tuple(value) for key, value in found.items() if isinstance(value, list)}
    return Seen(**{**found, **lists}, onednn=isa)


def native() -> dict[str, str]:
    """Return the environment of tests without any emulation."""
    return {name: value for name, value in headless().items() if name not in VARIABLES}


def emulation(processor: Processor, threads: int, machine: Seen) -> dict[str, str]:
    """Return the environment of tests on an emulated processor.

    Args:
        processor: the one to emulate.
        threads: how many threads each library may use.
        machine: what was seen without emulation: NumPy refuses to go without what it does not have.
    """
    lacks = [name for name in machine.numpy if name.startswith(processor.lacks)] if processor.lacks else []
    disabled = {"NPY_DISABLE_CPU_FEATURES": " ".join(lacks)} if lacks else {}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return {**native(), **processor.variables, **disabled, **counts}


def failures(processor: Processor, threads: int, machine: Seen, seen: Seen) -> list[str]:
    """Say in which respects the emulation did not take effect; nothing if all is as it should be."""
    checks = {
        f"PyTorch {seen.pytorch}": seen.pytorch == processor.pytorch,
        f"OpenBLAS {'/'.join(seen.openblas)}": set(seen.openblas) <= set(processor.openblas),
        f"NumPy {' '.join(seen.numpy)}": not (
            processor.lacks and any(f.startswith(processor.lacks) for f in seen.numpy)
        ),
        f"oneDNN {seen.onednn}": not seen.onednn or seen.onednn.startswith(processor.onednn),
        f"threads {'/'.join(map(str, seen.threads))}": set(seen.threads) == {threads},
    }
    if processor.baseline and machine.pytorch != processor.pytorch:  # else the machine itself is no better
        checks["products in PyTorch as before"] = seen.products != machine.products
        if platform.libc_ver()[0] == "glibc":  # others do not look at the processor, or cannot be told to look away
            checks["exp and sin of the C library as before"] = seen.functions != machine.functions
    return [what for what, holds in checks.items() if not holds]


@dataclass(frozen=True)
class Choice:
    """A processor by name, and its number of threads."""

    name: str
    threads: int

    @classmethod
    def parse(cls, text: str) -> list[Choice]:
        """Read ``avx2:2``, or ``avx2`` for each number of threads.

        Raises:
            argparse.ArgumentTypeError: if there is no such processor, or the number is none.
        """
        name, colon, count = text.lower().partition(":")
        if name not in PROCESSORS or (colon and not (count.isascii() and count.isdigit() and int(count) > 0)):
            known = ", ".join(PROCESSORS)
            raise argparse.ArgumentTypeError(f"expected one of {known}, as in sse or avx2:2, got {text!r}")
        return [cls(name, n) for n in ((int(count),) if colon else THREADS)]


def missing(machine: Seen) -> dict[str, str]:
    """Say of each processor that this machine cannot emulate why that is so."""
    if platform.machine().lower() not in ("x86_64", "amd64") or machine.pytorch not in ASCENDING:
        return dict.fromkeys(PROCESSORS, f"this machine is {platform.machine()} ({machine.pytorch}), not x86")
    has = ASCENDING.index(machine.pytorch)
    return {
        name: f"this processor has {machine.pytorch} at most"
        for name, each in PROCESSORS.items()
        if ASCENDING.index(each.pytorch) > has
    }


@dataclass(frozen=True)
class Row:
    """What came of one processor."""

    choice: Choice
    what: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0


def run(choices: Sequence[Choice], pytest: Sequence[str]) -> int:
    """Run the tests that depend on arithmetic on each processor, and print one table.

    Args:
        choices: the processors; none for all of them.
        pytest: the command that runs the tests, without the number of processes.

    Returns:
        0 if all passed on every processor that this machine can emulate.
    """
    machine = look(native())
    absent = missing(machine)
    choices = list(choices) or [Choice(name, n) for name in PROCESSORS for n in THREADS]
    rows = [_row(choice, pytest, machine) for choice in choices if choice.name not in absent]
    print(table(rows), flush=True)
    for name in dict.fromkeys(choice.name for choice in choices):
        if name in absent:
            print(f"{name} is left out: {absent[name]}")
    return 1 if any(row.failed for row in rows) else 0


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table with aligned columns."""
    cells: list[tuple[str, ...]] = [("processor", "threads", "passed", "failed", "skipped", "seconds", "seen")]
    for row in rows:
        numbers = (row.choice.threads, row.passed, row.failed, row.skipped, round(row.seconds))
        cells.append((row.choice.name, *map(str, numbers), row.what))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k in (0, len(widths) - 1) else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _row(choice: Choice, pytest: Sequence[str], machine: Seen) -> Row:
    processor = PROCESSORS[choice.name]
    environment = emulation(processor, choice.threads, machine)
    seen = look(environment)
    wrong = failures(processor, choice.threads, machine, seen)
    print(f"--- {choice.name}, threads: {choice.threads}: {seen}", flush=True)
    if wrong:
        return Row(choice, f"not emulated: {', '.join(wrong)}", failed=1)
    workers = max(1, (os.cpu_count() or 1) // choice.threads)
    ignored = [f"--ignore={path}" for path in NO_ARITHMETIC]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [*pytest, f"-n{workers}", "--dist=loadfile", *ignored, f"--junitxml={report}"]
        start = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, env=environment).returncode
        seconds = time.monotonic() - start
        if not report.exists():
            return Row(choice, f"pytest broke off with exit code {code}", failed=1, seconds=seconds)
        passed, failed, skipped = _counts(report)
    return Row(choice, str(seen), passed, max(failed, code != 0), skipped, seconds)


def _counts(report: Path) -> tuple[int, int, int]:
    """Return how many passed, failed and were skipped, from pytest's report."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, failed, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return total - failed - errors - skipped, failed + errors, skipped
