"""Two processes that train together see what one process sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from coursework.root import ROOT
from cs7643.pytorch.processes import Processes, SharedBatchNorm, processes, share_batch_norm
from cs7643.pytorch.training import Settings, train

VARIABLES = {"PYTHONPATH": str(ROOT), "COURSEWORK_NO_VENV": "1", "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}


def run(count, program, *words):
    """Run a program in one or two processes and return how it ended; ten minutes are enough on any machine."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"] if count > 1 else []
    command = [sys.executable, *launcher, *map(str, (program, *words))]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **VARIABLES}, capture_output=True, text=True, timeout=600
    )


# The command `train` on a small set and in float64, where what each step adds to the rounding stays out of sight.
TRAIN = """
import sys
import torch
from cs7643 import data
from coursework.cli import main
from cs7643.data import shapes
from cs7643.data.dataset import Dataset
from cs7643.pytorch import images, training

X_train, y_train, X_test, y_test = shapes.draw(1700, 300, seed=5)
small = Dataset(shapes.NAME, X_train, y_train, X_test, y_test, shapes.CLASS_NAMES, is_cifar10=False)
data.load = lambda *_, **__: small
build, batch = training.build_model, images.DeviceImages.batch

def in_float64(self, *args, **options):
    X, y = batch(self, *args, **options)
    return X.double(), y

training.build_model = lambda *args: build(*args).double()
images.DeviceImages.batch = in_float64
sys.exit(main(["train", "--no-cuda", *sys.argv[1:]]))
"""


@pytest.fixture
def train_program(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(TRAIN, encoding="utf-8")
    return path


def curves(model, folder, count, train_program):
    options = {"model": model, "num-training": 640, "batch-size": 64, "epochs": 2, "hidden-dim": 8, "kernel-size": 3}
    options |= {"lr": 0.002, "translate": 1, "output": folder, "log-interval": 1}
    result = run(
        count, train_program, "--flip", *(word for name, value in options.items() for word in (f"--{name}", value))
    )
    assert result.returncode == 0, result.stderr[-2000:]
    records = [json.loads(line) for line in (folder / f"{model}.jsonl").read_text().splitlines()]
    epochs = [[r["val_loss"], r["val_accuracy"]] for r in records if r["kind"] == "epoch"]
    losses = [loss for r in records if r["kind"] == "steps" for loss in r["losses"]]
    return losses, epochs, records[-1]["accuracy"], result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("model", ["convnet", "mymodel"])
def test_two_processes_have_the_loss_curve_of_one(model, tmp_path, train_program):
    """An error in the division of the work is as large as a loss; rounding in float64 is 1e-16 and grows little."""
    alone, together = (curves(model, tmp_path / str(count), count, train_program) for count in (1, 2))
    assert len(alone[0]) == len(together[0]) == 20
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-9)
    np.testing.assert_allclose(together[1], alone[1], rtol=1e-9)  # the accuracies, too: no image is on the border
    assert together[2] == alone[2]
    assert together[3] == alone[3].replace(str(tmp_path / "1"), str(tmp_path / "2"))  # one of the two speaks


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
    for count in (1, 2):
        result = run(count, program, tmp_path / f"{count}.pt")
        assert result.returncode == 0, result.stderr[-2000:]
    alone, together = (torch.load(tmp_path / f"{count}.pt", weights_only=True) for count in (1, 2))
    assert alone.keys() == together.keys()
    for name, values in alone.items():  # the losses, the parameters and the running statistics after five steps
        torch.testing.assert_close(together[name], values, rtol=1e-10, atol=1e-12, msg=name)


KEEPER = """
import os, sys
import torch
from torch import distributed as dist, nn
from cs7643.pytorch.processes import processes

class Keeper:
    pass

keeper, fails = Keeper(), sys.argv[2] == "fails"
try:
    with processes("cpu") as where:
        group = keeper.group = dist.group.WORLD
        mine = nn.parallel.DistributedDataParallel(nn.Linear(3, 2))
        ours = where.share(nn.Linear(3, 2))
        (mine(torch.ones(4, 3)) + ours(torch.ones(4, 3))).sum().backward()
        total = torch.ones(2)
        work = dist.all_reduce(total, async_op=True)
        work.wait()
        if fails and where.rank == 1:
            raise ValueError("what went wrong")
        if fails:
            where.wait()
except (ValueError, RuntimeError) as error:
    with open(f"{sys.argv[1]}/error of {where.rank}", "w") as stream:
        stream.write(f"{type(error).__name__}: {error}")
names = [open(f"/proc/self/task/{thread}/comm").read().strip() for thread in os.listdir("/proc/self/task")]
with open(f"{sys.argv[1]}/{where.rank}", "w") as stream:
    stream.write(" ".join(names))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the names of threads in /proc")
@pytest.mark.parametrize("how", ["ends", "fails"])
def test_no_thread_of_the_group_is_left_whatever_the_program_keeps(how, tmp_path):
    """A thread that lets go of a tensor while Python ends aborts the process, once in some ten or hundred runs."""
    program = tmp_path / "program.py"
    program.write_text(KEEPER)
    result = run(2, program, tmp_path, how)
    assert result.returncode == 0, result.stderr[-2000:]
    for rank in (0, 1):
        names = (tmp_path / str(rank)).read_text().split()
        assert "pt_gloo_runloop" not in names
    errors = {path.name: path.read_text() for path in tmp_path.glob("error of *")}
    if how == "ends":
        assert errors == {}
    else:
        assert errors == {
            "error of 0": "OtherProcessError: another process failed first, and says why",
            "error of 1": "ValueError: what went wrong",
        }


@pytest.mark.slow
def test_what_ends_one_process_or_all_is_said_once(tmp_path, train_program):
    """A disk that is full ends the first process, which writes; a loss that is no number ends both."""
    options = ["--num-training", "64", "--batch-size", "32", "--epochs", "9", "--output"]
    (tmp_path / "file").touch()
    for words, message in (
        ([*options, tmp_path / "file"], "train: " + str(tmp_path / "file") + ": Not a directory"),
        ([*options, tmp_path / "new", "--lr", "1e308"], "train: the loss is "),
    ):
        result = run(2, train_program, *words)
        assert result.returncode != 0
        assert [line[: len(message)] for line in result.stderr.splitlines() if line.startswith("train: ")] == [message]


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
