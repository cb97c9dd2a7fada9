"""Emulated processors: the tests again, with arithmetic that rounds differently.

NumPy, SciPy, PyTorch and the C library each choose their instructions by the processor that they find, and the order of
a sum depends on their width. Environment variables make them choose as on another processor. Before the tests run, each
library is asked whether it obeys.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coursework.commands import headless
from coursework.root import ROOT

# What depends on arithmetic: all tests and notebooks but these.
NO_ARITHMETIC = ("tests/coursework", "tests/test_structure.py", "tests/test_another_homework.py")


@dataclass(frozen=True)
class Processor:
    """A processor that can be emulated: the variables that make libraries choose as on it, and what they then say."""

    variables: Mapping[str, str]
    pytorch: str
    openblas: str  # a pattern
    onednn: str  # how its name for the instructions begins
    lacks: str  # matches the beginning of the names of the features of NumPy that it does not have


def _variables(aten: str, openblas: str, onednn: str, mkl: str) -> dict[str, str]:
    names = ("ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS")
    return dict(zip(names, (aten, openblas, onednn, mkl), strict=True))


WITHOUT_FMA = ",".join(f"-{name}{end}" for name in ("AVX512F", "AVX2", "AVX", "FMA", "FMA4") for end in ("", "_Usable"))
OLD = {  # the variable of MKL is for Intel's processors, this one for all; and the C library has its own
    "MKL_CBWR": "COMPATIBLE",
    "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={WITHOUT_FMA}",
}
PROCESSORS = {  # each has all the instructions of the one before; OpenBLAS has two names for the first
    "sse": Processor(
        {**_variables("default", "Prescott", "SSE41", "SSE4_2"), **OLD},
        *("DEFAULT", "Prescott|Katmai", "Intel SSE4.1", "AVX|FMA|F16C|XOP|X86_V[34]"),
    ),
    "avx2": Processor(_variables("avx2", "Haswell", "AVX2", "AVX2"), "AVX2", "Haswell", "Intel AVX2", "AVX512|X86_V4"),
    "avx512": Processor(
        _variables("avx512", "SkylakeX", "AVX512_CORE", "AVX512"), "AVX512", "SkylakeX", "Intel AVX-512", "nothing"
    ),
}
CHOICES = [f"{name}:{threads}" for name in PROCESSORS for threads in (1, 2)]
VARIABLES = {"NPY_DISABLE_CPU_FEATURES", *(name for each in PROCESSORS.values() for name in each.variables)}

LOOK = """
import hashlib, json, math, os, struct
os.environ["ONEDNN_VERBOSE"] = "1"
import numpy as np, scipy.linalg, threadpoolctl, torch
try:
    from numpy._core import _multiarray_umath as features
except ImportError:
    from numpy.core import _multiarray_umath as features

rng = np.random.default_rng(0)
a = torch.from_numpy(rng.standard_normal((300, 300), np.float32))
images, weights = (torch.from_numpy(rng.standard_normal(shape, np.float32)) for shape in ((2, 3, 9, 9), (4, 3, 3, 3)))
torch.nn.functional.conv2d(images, weights)  # then oneDNN says which instructions it uses
points = rng.uniform(-20, 20, 20_000).tolist()
pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
print(json.dumps({
    "PyTorch": torch.backends.cpu.get_cpu_capability(),
    "OpenBLAS": "/".join(sorted({pool["architecture"] for pool in pools if pool["internal_api"] == "openblas"})),
    "NumPy": " ".join(name for name in features.__cpu_dispatch__ if features.__cpu_features__.get(name)),
    "threads": "/".join(sorted({str(n) for n in (torch.get_num_threads(), *(pool["num_threads"] for pool in pools))})),
    "products": hashlib.sha256((a @ a).numpy()).hexdigest(),
    "functions": hashlib.sha256(struct.pack("40000d", *map(math.exp, points), *map(math.sin, points))).hexdigest(),
}))
"""


def look(environment: Mapping[str, str]) -> dict[str, str]:
    """Ask the libraries, in a process with this environment, which processor they compute for.

    NumPy says which features it uses beyond those that it always needs, and oneDNN may say nothing. Beside them are the
    numbers of threads, and digests of ``products`` by PyTorch and of ``functions`` (exp and sin) of the C library.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, text=True, check=True
    )
    found = re.search("cpu,isa:(.*)", done.stdout)
    return {**json.loads(done.stdout.splitlines()[-1]), "oneDNN": found[1] if found else ""}


def native() -> dict[str, str]:
    """Return the environment of tests without any emulation."""
    return {name: value for name, value in headless().items() if name not in VARIABLES}


def emulation(processor: Processor, threads: int, machine: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of tests on an emulated processor, with this many threads for each library.

    ``machine`` is what was seen without emulation: NumPy refuses to disable what it does not have.
    """
    lacks = " ".join(name for name in machine["NumPy"].split() if re.match(processor.lacks, name))
    disabled = {"NPY_DISABLE_CPU_FEATURES": lacks} if lacks else {}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return {**native(), **processor.variables, **disabled, **counts}


def failures(processor: Processor, threads: int, machine: Mapping[str, str], seen: Mapping[str, str]) -> list[str]:
    """Return which of the things seen do not fit the emulated processor; none if all libraries obey."""
    fits = {
        "PyTorch": seen["PyTorch"] == processor.pytorch,
        "OpenBLAS": re.fullmatch(rf"(({processor.openblas})/?)*", seen["OpenBLAS"]),
        "NumPy": not any(re.match(processor.lacks, name) for name in seen["NumPy"].split()),
        "oneDNN": not seen["oneDNN"] or seen["oneDNN"].startswith(processor.onednn),
        "threads": seen["threads"] == str(threads),
    }
    if processor.pytorch == "DEFAULT" != machine["PyTorch"]:  # so old that MKL and the C library compute differently
        fits["products"] = seen["products"] != machine["products"]
        if platform.libc_ver()[0] == "glibc":  # others ignore the processor, or the variable
            fits["functions"] = seen["functions"] != machine["functions"]
    return [name for name, fit in fits.items() if not fit]


def missing(machine: Mapping[str, str]) -> dict[str, str]:
    """Say of each processor that this machine cannot emulate why."""
    names = [each.pytorch for each in PROCESSORS.values()]
    if platform.machine().lower() not in ("x86_64", "amd64") or machine["PyTorch"] not in names:
        return dict.fromkeys(PROCESSORS, f"this machine is {platform.machine()} ({machine['PyTorch']}), not x86")
    newer = list(PROCESSORS)[names.index(machine["PyTorch"]) + 1 :]
    return dict.fromkeys(newer, f"this processor has {machine['PyTorch']} at most")


def run(choices: Sequence[str], pytest: Sequence[str]) -> int:
    """Run the tests that depend on arithmetic on each of ``choices``, or all CHOICES, and print a line for each.

    ``pytest`` is the command without the number of processes. Return 0 if all passed on what this machine can emulate.
    """
    machine = look(native())
    absent = missing(machine)
    results = {}
    for choice in choices or CHOICES:
        name, _, threads = choice.partition(":")
        results[choice] = f"left out: {absent[name]}" if name in absent else _run(name, int(threads), machine, pytest)
    print("\n".join(f"{choice:8s}  {result}" for choice, result in results.items()), flush=True)
    return 0 if all(result.startswith(("passed", "left out")) for result in results.values()) else 1


def _run(name: str, threads: int, machine: Mapping[str, str], pytest: Sequence[str]) -> str:
    """Run the tests on one processor and return the result, which begins with "passed" if they passed."""
    environment = emulation(PROCESSORS[name], threads, machine)
    seen = look(environment)
    described = ", ".join(f"{key} {seen[key] or 'unknown'}" for key in ("PyTorch", "OpenBLAS", "NumPy", "oneDNN"))
    print(f"--- {name}, threads: {threads}: {described}", flush=True)
    if wrong := failures(PROCESSORS[name], threads, machine, seen):
        return f"not emulated: {', '.join(f'{key} {seen[key]}' for key in wrong)}"
    workers = max(1, (os.cpu_count() or 1) // threads)
    ignored = [f"--ignore={path}" for path in NO_ARITHMETIC]
    start = time.monotonic()
    code = subprocess.run([*pytest, f"-n{workers}", "--dist=loadfile", *ignored], cwd=ROOT, env=environment).returncode
    return f"{'failed' if code else 'passed'} in {time.monotonic() - start:.0f} s: {described}"
