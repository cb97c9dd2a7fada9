"""The import of PyTorch's compiler is put off, and takes place when something needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, torch
from cs7643.cases.compiler import import_later

import_later()
w = torch.nn.Parameter(torch.tensor([2.0]))
optimizer = torch.optim.SGD([w], lr=0.25, momentum=0.9)
(w**2).sum().backward()
optimizer.step()
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
print(w.item(), "torch._dynamo.eval_frame" in sys.modules)
"""


@pytest.mark.parametrize(
    "needs_it",
    [
        "print(torch.compile(lambda x: 2 * x, backend='eager')(w).item())",
        "import torch._dynamo.config as config; print(2.0 * (not config.disable))",
        "print(2.0 * callable(torch._dynamo.optimize))",
    ],
)
def test_the_compiler_is_imported_when_something_needs_it(needs_it):
    program = f"{PROGRAM}\n{needs_it}\nprint('torch._dynamo.eval_frame' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8")
    assert done.stdout.split() == ["1.0", "False", "2.0", "True"], done.stderr
