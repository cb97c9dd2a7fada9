"""Two processes that train together see what one process sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cs7643.pytorch.processes import Processes, SharedBatchNorm, processes, share_batch_norm
from cs7643.pytorch.training import Settings, train

ROOT = Path(__file__).resolve().parents[2]


def command(model, folder, count):
    """Return the command of a short run; its steps are small, for large ones blow rounding up."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"] if count > 1 else []
    options = {"model": model, "num-training": 640, "batch-size": 64, "epochs": 2, "hidden-dim": 8, "kernel-size": 3}
    options |= {"lr": 0.002, "translate": 1, "output": folder, "cifar10-dir": "embedded", "log-interval": 1}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [sys.executable, *launcher, "-m", "cs7643", "train", *words, "--flip", "--no-cuda"]


def losses(model, folder, count):
    variables = {**os.environ, "CS7643_NO_VENV": "1", "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command(model, folder, count), cwd=ROOT, env=variables, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    records = [json.loads(line) for line in (folder / f"{model}.jsonl").read_text().splitlines()]
    epochs = [[r["val_loss"], r["val_accuracy"]] for r in records if r["kind"] == "epoch"]
    return [loss for r in records if r["kind"] == "steps" for loss in r["losses"]], epochs, records[-1]["accuracy"]


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    alone, together = (losses("convnet", tmp_path / str(count), count) for count in (1, 2))
    assert len(alone[0]) == len(together[0]) == 20
    np.testing.assert_allclose(together[0], alone[0], atol=1e-5)
    np.testing.assert_allclose(together[1], alone[1], atol=2e-3)  # 2 of 1,000 images may fall to the other side
    assert together[2] == pytest.approx(alone[2], abs=2e-3)


PROGRAM = """
import sys, torch
from torch import nn
from cs7643.pytorch.processes import processes, share_batch_norm

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.GELU(), nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4, affine=False), nn.GELU(),
    nn.Flatten(), nn.Linear(16, 3),
).double()
x, y = torch.randn(8, 2, 6, 6, dtype=torch.float64), torch.arange(8) % 3
with processes("cpu") as where:
    network = where.share(share_batch_norm(model) if where.count > 1 else model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(5):
        loss = nn.functional.cross_entropy(network(where.part(x)), where.part(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(where.mean(loss.detach()))
    if where.is_first:
        torch.save({"losses": torch.stack(losses), **model.state_dict()}, sys.argv[1])
"""


@pytest.mark.slow
def test_batch_normalisation_sees_the_whole_batch(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for count in (1, 2):
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"] if count > 1 else []
        command = [sys.executable, *launcher, str(program), str(tmp_path / f"{count}.pt")]
        result = subprocess.run(command, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr[-2000:]
    alone, together = (torch.load(tmp_path / f"{count}.pt", weights_only=True) for count in (1, 2))
    assert alone.keys() == together.keys()
    for name, values in alone.items():  # the losses, the parameters and the running statistics after five steps
        torch.testing.assert_close(together[name], values, rtol=1e-10, atol=1e-12, msg=name)


def test_a_batch_must_divide_among_the_processes(dataset):
    with pytest.raises(ValueError, match="batch_size must be a multiple of the number of processes, 3, got 64"):
        train(dataset, Settings(batch_size=64, num_training=128), where=Processes(0, 3))


def test_the_parts_of_a_batch_make_up_the_batch():
    batch = np.arange(12)
    parts = [Processes(rank, 3).part(batch) for rank in range(3)]
    assert np.array_equal(np.concatenate(parts), batch)
    assert Processes(1, 3).part(None) is None
    assert torch.equal(Processes().mean(torch.ones(2)), torch.ones(2))


def test_without_torchrun_there_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes("cpu") as where:
        assert (where.rank, where.count, where.is_first) == (0, 1, True)


def test_every_batch_normalisation_is_shared_and_keeps_its_parameters():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4, affine=False)))
    nn.init.normal_(model[1].weight)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    shared = share_batch_norm(model)
    assert [type(layer) for layer in (shared[1], shared[2][0])] == [SharedBatchNorm] * 2
    assert all(torch.equal(before[name], value) for name, value in shared.state_dict().items())
    x = torch.randn(5, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(shared.eval()(x)).all()  # in evaluation no process is asked
