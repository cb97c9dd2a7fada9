"""Honest code that looks unusual and must keep every point: leftovers, own modules, strict settings, prints."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from coursework.homework import homework
from coursework.staff.autograder.limits import Limits
from staff.hostile.submission import DESCENT, Hostile, folder, solved

LAYERS, MODELS, STEPS = "cs7643/layers.py", "cs7643/pytorch/models.py", "cs7643/pytorch/steps.py"
NETWORK, OPTIM = "cs7643/classifiers/two_layer_net.py", "cs7643/optim.py"
FUTURE = "from __future__ import annotations\n"


def begin(path: str, code: str) -> str:
    """Return a right module with this code after its first import."""
    first, future, rest = solved(path).partition(FUTURE)
    return f"{first}{future}{textwrap.dedent(code)}\n{rest}"


def end(path: str, code: str) -> str:
    """Return a right module with this code at its end."""
    return f"{solved(path)}\n\n{textwrap.dedent(code)}\n"


def honest(name: str, files: Mapping[str, str | bytes], *tasks: str) -> Hostile:
    """Return a submission that earns all points of these tasks; task 4 when none is named."""
    tasks = tasks or ("4",)
    chosen = [homework().task(number) for number in tasks]
    needed = {module.replace(".", "/") + ".py" for task in chosen for module, _ in task.functions}
    whole = {**{path: solved(path) for path in needed}, **files}
    points = sum(task.program_points for task in chosen)
    return Hostile(name, folder(whole), points, "right in", tasks, limits=Limits())


WRAPPED = """
import functools, time
def timed(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        start = time.perf_counter()
        result = function(*args, **kwargs)
        print(f"{function.__name__} took {time.perf_counter() - start:.6f} s")
        return result
    return call
sgd_step = timed(sgd_step)
"""
PARALLEL = """
from concurrent.futures import ThreadPoolExecutor
_step = sgd_step
def sgd_step(w, term, eta):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: _step(w, term, eta), range(8)))[0]
"""
UNUSED = """
import torch.nn.functional as F
from torch import nn, optim
from cs7643.fast_layers import conv_forward_fast
from cs7643.fast.blocks import *
from cs7643.gradient_check import rel_error
import cs7643.cases.convolution
class Later(nn.Module):
    pass
"""
PADS = "import numpy as np\n\ndef pad(x, amount):\n    return np.pad(x, amount)\n"
SUBMISSIONS = [
    honest("leaves an import of matplotlib", {LAYERS: begin(LAYERS, "import matplotlib.pyplot as plt")}, "6.2"),
    honest("leaves an import of torchvision", {MODELS: begin(MODELS, "import torchvision")}, "6.4", "6.5"),
    honest(
        "leaves imports of all that is large",
        {MODELS: begin(MODELS, "import torchvision, scipy.signal, sympy\nimport matplotlib.pyplot as plt, IPython")},
        "6.4",
    ),
    honest(
        "leaves an import of PyTorch in layers.py", {LAYERS: begin(LAYERS, "import torch\nfrom torch import nn")}, "6.2"
    ),
    honest(
        "leaves imports of tqdm and IPython",
        {DESCENT: begin(DESCENT, "from tqdm import tqdm\nfrom IPython.display import display")},
    ),
    honest(
        "leaves imports of what the task does without",
        {LAYERS: begin(LAYERS, UNUSED)},
        "6.2",
    ),
    honest("leaves an import of scipy", {LAYERS: begin(LAYERS, "import scipy.signal")}, "6.2"),
    honest(
        "leaves an import of pandas, which no grader has",
        {DESCENT: begin(DESCENT, "try:\n    import pandas as pd\nexcept ImportError:\n    pd = None")},
    ),
    honest("imports the checks", {DESCENT: begin(DESCENT, "from cs7643.checks import check, hint")}),
    honest(
        "has a module of its own, imported by its whole name",
        {LAYERS: begin(LAYERS, "from cs7643.my_padding import pad"), "cs7643/my_padding.py": PADS},
        "6.2",
    ),
    honest(
        "has a module of its own, imported relatively",
        {LAYERS: begin(LAYERS, "from .my_padding import pad"), "cs7643/my_padding.py": PADS},
        "6.2",
    ),
    honest(
        "has a package of its own",
        {
            LAYERS: begin(LAYERS, "from cs7643.mine.padding import pad"),
            "cs7643/mine/__init__.py": "",
            "cs7643/mine/padding.py": PADS,
        },
        "6.2",
    ),
    honest(
        "uses its layers in the network",
        {NETWORK: begin(NETWORK, "from cs7643.layers import affine_forward, relu_forward")},
        "6.1",
    ),
    honest("makes warnings errors", {DESCENT: begin(DESCENT, "import warnings; warnings.simplefilter('error')")}),
    honest(
        "makes warnings errors, in the layers",
        {LAYERS: begin(LAYERS, "import warnings; warnings.simplefilter('error')")},
        "6.2",
    ),
    honest("makes NumPy raise", {NETWORK: begin(NETWORK, "import numpy; numpy.seterr(all='raise')")}, "6.1"),
    honest(
        "makes NumPy raise, in the layers", {LAYERS: begin(LAYERS, "import numpy; numpy.seterr(all='raise')")}, "6.2"
    ),
    honest(
        "computes in longdouble",
        {
            DESCENT: end(
                DESCENT,
                """
        _own = sgd_step
        def sgd_step(w, term, eta):
            return _own(np.asarray(w, dtype=np.longdouble), term, np.longdouble(eta))
        """,
            )
        },
    ),
    honest(
        "computes in float32",
        {
            LAYERS: end(
                LAYERS,
                """
        _own_relu = relu_forward
        def relu_forward(x):
            out, cache = _own_relu(x)
            return out.astype(x.dtype), cache
        """,
            )
        },
        "6.2",
    ),
    honest(
        "prints a lot",
        {
            DESCENT: end(
                DESCENT,
                """
        _own = sgd_step
        def sgd_step(w, term, eta):
            for k in range(2000):
                print("step", k, w, eta)
            return _own(w, term, eta)
        """,
            )
        },
    ),
    honest("prints what no console can show", {DESCENT: begin(DESCENT, "print('\\udc80 \\x1b[31m ∂')")}),
    honest(
        "logs to standard error",
        {DESCENT: begin(DESCENT, "import logging; logging.basicConfig(level=10); logging.warning('here')")},
    ),
    honest("warns", {DESCENT: begin(DESCENT, "import warnings; warnings.warn('mind this')")}),
    honest("times its functions with a decorator", {DESCENT: end(DESCENT, WRAPPED)}),
    honest("computes in threads", {DESCENT: end(DESCENT, PARALLEL)}),
    honest(
        "starts a thread that lives on",
        {
            DESCENT: begin(
                DESCENT, "import threading, time; threading.Thread(target=time.sleep, args=(5,), daemon=True).start()"
            )
        },
    ),
    honest(
        "is an object that is called",
        {
            DESCENT: end(
                DESCENT,
                """
        class _Step:
            def __init__(self, function):
                self.function = function
            def __call__(self, w, term, eta):
                return self.function(w, term, eta)
        sgd_step = _Step(sgd_step)
        """,
            )
        },
    ),
    honest(
        "seeds and draws at its import",
        {
            DESCENT: begin(
                DESCENT,
                "import random, numpy; random.seed(0); numpy.random.seed(0); _noise = numpy.random.rand(1000, 1000)",
            )
        },
    ),
    honest("takes memory at its import", {DESCENT: begin(DESCENT, "import numpy; _buffer = numpy.ones(8_000_000)")}),
    honest(
        "reads its own file",
        {DESCENT: begin(DESCENT, "import pathlib; _text = pathlib.Path(__file__).read_text(encoding='utf-8')")},
    ),
    honest(
        "writes a log where it runs",
        {
            DESCENT: begin(
                DESCENT, "open('debug.log', 'w').write('here'); import tempfile; tempfile.TemporaryFile().write(b'x')"
            )
        },
    ),
    honest(
        "has a part for the command line",
        {DESCENT: end(DESCENT, "if __name__ == '__main__':\n    import sys\n    print(sys.argv[1])")},
    ),
    honest(
        "registers what happens at the end and at a signal",
        {
            DESCENT: begin(
                DESCENT,
                "import atexit, signal; atexit.register(print, 'bye'); signal.signal(signal.SIGTERM, signal.SIG_DFL)",
            )
        },
    ),
    honest(
        "raises the limit of recursion, and uses it",
        {
            DESCENT: begin(
                DESCENT,
                "import sys; sys.setrecursionlimit(20_000)\ndef _deep(k):\n    return k and _deep(k - 1)\n_deep(5_000)",
            )
        },
    ),
    honest(
        "sets PyTorch up",
        {
            MODELS: begin(
                MODELS,
                "import torch as _t; _t.manual_seed(0); _t.set_num_threads(2); _t.autograd.set_detect_anomaly(True)",
            )
        },
        "6.4",
        "6.5",
        "6.6",
    ),
    honest(
        "begins with a byte order mark, ends lines as Windows does",
        {DESCENT: b"\xef\xbb\xbf" + solved(DESCENT).replace("\n", "\r\n").encode()},
    ),
    honest(
        "is written in Latin-1, and says so",
        {DESCENT: b"# -*- coding: latin-1 -*-\n# \xe4\xf6\xfc\n" + solved(DESCENT).encode("ascii", "replace")},
    ),
    honest("indents with tabs", {DESCENT: end(DESCENT, "def _unused(x):\n\tif x:\n\t\treturn 1\n\treturn 2")}),
    honest("has a broken layers.py beside right tasks", {LAYERS: "def broken(:\n"}, "4", "6.1", "6.4", "6.5", "6.6"),
    honest(
        "has a descent.py that raises beside right tasks",
        {DESCENT: "raise RuntimeError('half done')\n"},
        "5a",
        "6.1",
        "6.2",
    ),
    honest(
        "has a models.py that needs a package that is not there, beside right tasks",
        {MODELS: "import lightning\n"},
        "4",
        "6.2",
    ),
    honest(
        "keeps older versions of its functions",
        {
            LAYERS: solved(LAYERS)
            + "\n\n_backup = '''"
            + solved(LAYERS).replace("'''", '"""').replace("\\", "").replace('"""', "")
            + "'''\n"
        },
        "6.2",
    ),
]
