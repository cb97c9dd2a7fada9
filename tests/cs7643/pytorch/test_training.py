"""The training program: what it computes, what it leaves, and what happens when it is interrupted."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from tolerances import apart, assert_within
from torch import nn
from torch.nn import functional as F

from coursework.root import ROOT
from cs7643.pytorch import training
from cs7643.pytorch.evaluation import evaluate, logits_of
from cs7643.pytorch.images import DeviceImages, PixelStatistics
from cs7643.pytorch.models import MyModel
from cs7643.pytorch.networks import build_model
from cs7643.pytorch.runfiles import RunFiles, load, read_history, save
from cs7643.pytorch.settings import SCHEDULES, Settings
from cs7643.pytorch.training import train
from cs7643.trainer import BatchOrder, TrainingDivergedError

PATIENCE = 600  # seconds, for what takes a few on a machine with nothing else to do
SMALL = {"num_training": 512, "batch_size": 32, "epochs": 3, "lr": 0.02}


def settings(**changes):
    return Settings(**{**SMALL, **changes})


def same(a, b):
    """Tell whether two results are the same to the bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def essence(run):
    return [run.losses, run.epochs, run.best_epoch, run.test, run.snapshots, dict(run.model.state_dict())]


class InDoublePrecision(nn.Module):
    """A model that computes in float64, whatever its images are."""

    def __init__(self, model):
        super().__init__()
        self.model = model.double()

    def forward(self, x):
        return self.model(x.double())


class Killed(BaseException):
    """What ends a run in a test, at any step."""


@pytest.mark.parametrize("model", ["softmax", "twolayernn", "convnet", "mymodel"])
def test_every_model_learns_and_the_same_seed_gives_the_same_bits(model, dataset):
    options = settings(model=model, hidden_dim=8, kernel_size=3, flip=True, translate=1, schedule="triangle", lr=2e-3)
    run, again = train(dataset, options), train(dataset, options)
    assert same(essence(run), essence(again))
    assert run.epochs[-1]["train_loss"] < run.losses[0]
    assert len(run.losses) == 3 * 16
    assert not same(run.losses, train(dataset, dataclasses.replace(options, seed=1)).losses)


def test_the_loop_is_the_plain_loop_of_pytorch(dataset):
    options = settings(model="convnet", hidden_dim=6, kernel_size=3, momentum=0.9, weight_decay=0.01, schedule="cosine")
    run = train(dataset, options)
    # The same operations in the same order, so the bits are the same on any processor. Were they not, no tolerance
    # would do: every step amplifies what was rounded before. That the images are right is tested elsewhere.
    X, y = dataset.X_train[:512], dataset.y_train[:512]
    images = DeviceImages(X, y, PixelStatistics.of(X), torch.device("cpu"))
    model = build_model(options, (3, 32, 32), 10).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 1.0, 0.9, weight_decay=0.01)
    order, losses = BatchOrder(512, 32, 0), []
    for step in range(48):
        optimizer.param_groups[0]["lr"] = 0.02 * SCHEDULES["cosine"](step / 48)
        x, labels = images.batch(order.indices(step))
        loss = F.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert run.losses == losses


def test_the_best_weights_are_kept_and_tested(dataset, tmp_path):
    files = RunFiles(tmp_path, "convnet")
    run = train(dataset, settings(model="convnet", hidden_dim=6, kernel_size=3, epochs=5, lr=0.05), files=files)
    best = max(run.val_accuracies)
    assert run.val_accuracies[run.best_epoch - 1] == best
    assert run.val_accuracies.index(best) == run.best_epoch - 1
    validation = DeviceImages(dataset.X_train[512:1512], dataset.y_train[512:1512], run.statistics, torch.device("cpu"))
    assert evaluate(run.model, validation).accuracy == best
    test = DeviceImages(dataset.X_test, dataset.y_test, run.statistics, torch.device("cpu"))
    right = (logits_of(run.model, test).argmax(dim=1).numpy() == dataset.y_test).mean()
    assert run.test.accuracy == right
    last_lines = files.log.read_text().splitlines()[-2:]
    assert last_lines[0] == f"best validation accuracy {best:.4f}, after epoch {run.best_epoch}"
    assert last_lines[1].startswith(f"test accuracy {right:.4f}, ")


def test_the_measurement_does_not_depend_on_the_batch_size(dataset):
    statistics = PixelStatistics.of(dataset.X_train)
    images = DeviceImages(dataset.X_test, dataset.y_test, statistics, torch.device("cpu"))
    torch.manual_seed(0)
    model = InDoublePrecision(MyModel((3, 32, 32), 4, 3, 10))
    logits = logits_of(model, images)
    # In float64 no image is so undecided that the order of a sum, of fewer than 3072 terms in a layer, decides.
    first, second = logits.topk(2, dim=1).values.T
    assert (first - second).min() > apart(5 * 3072) * 100 * logits.abs().max()
    found = [evaluate(model, images, size) for size in (300, 299, 7, 1000)]
    assert len({measurement.accuracy for measurement in found}) == 1
    bound = apart(5 * 3072) * 100 * logits.abs().max().item()  # numbers on the way are up to 100 times as large
    assert_within([measurement.loss for measurement in found], [found[0].loss] * 4, bound)


def test_the_model_trains_in_training_mode_also_after_a_measurement(dataset, monkeypatch):
    modes = []
    step = training.update_step

    def watched(model, *args):
        modes.append(model.training)
        return step(model, *args)

    monkeypatch.setattr(training, "update_step", watched)
    run = train(dataset, settings(model="mymodel", hidden_dim=4, kernel_size=3))
    assert modes == [True] * 48
    statistics = [value for name, value in run.model.state_dict().items() if name.endswith("running_var")]
    assert all((value != 1).all() for value in statistics)  # followed the batches


def killed_after(steps, dataset, options, files, monkeypatch, **how):
    """Run until so many steps have been taken, and no further."""
    step, left = training.update_step, [steps]

    def stops(*args):
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return step(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "update_step", stops)
        with pytest.raises(Killed):
            train(dataset, options, files=files, **how)


@pytest.mark.parametrize("model", ["convnet", "mymodel"])
def test_a_run_that_is_interrupted_anywhere_ends_with_the_same_bits(model, dataset, tmp_path, monkeypatch):
    options = settings(model=model, hidden_dim=4, kernel_size=3, flip=True, translate=2, label_smoothing=0.1)
    how = {"checkpoint_every": 5, "log_interval": 4}
    whole_files = RunFiles(tmp_path / "whole", model)
    whole = train(dataset, options, files=whole_files, **how)
    rng = random.Random(0)
    for point in rng.sample(range(48), 10):  # ten points for each of two models
        files = RunFiles(tmp_path / f"{point}", model)
        killed_after(point, dataset, options, files, monkeypatch, resume=True, **how)
        run = train(dataset, options, files=files, resume=True, **how)
        assert same(essence(run), essence(whole)), f"interrupted at step {point}"
        assert files.log.read_bytes() == whole_files.log.read_bytes()
        assert same(load(files.model), load(whole_files.model))
        records, expected = read_history(files.history), read_history(whole_files.history)
        for record in (records[-1], expected[-1]):
            record.pop("seconds")
        assert records == expected


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_same_bits(dataset, tmp_path):
    names = ("X_train", "y_train", "X_test", "y_test")
    np.savez(tmp_path / "data.npz", **{name: getattr(dataset, name) for name in names})
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from cs7643.data.dataset import Dataset\n"
        "from cs7643.pytorch.runfiles import RunFiles\n"
        "from cs7643.pytorch.training import Settings, train\n"
        "data = Dataset('drawn', **np.load(sys.argv[1]), class_names=tuple('abcdefghij'), is_cifar10=False)\n"
        "settings = Settings(model='convnet', hidden_dim=6, kernel_size=3, num_training=512, batch_size=8, epochs=4,\n"
        "                    flip=True, translate=1)\n"
        "train(data, settings, files=RunFiles(Path(sys.argv[2]), 'run'), resume=True, checkpoint_every=7)\n"
    )

    def start(folder):
        command = [sys.executable, str(program), str(tmp_path / "data.npz"), str(folder)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "TQDM_DISABLE": "1"})

    assert start(tmp_path / "whole").wait(PATIENCE) == 0
    size = (tmp_path / "whole" / "run.jsonl").stat().st_size
    files = RunFiles(tmp_path / "killed", "run")
    rng, kills = random.Random(1), 0
    for part in sorted(rng.uniform(0, 0.9) for _ in range(2)):
        process, deadline = start(files.folder), time.monotonic() + PATIENCE
        while process.poll() is None and not (files.history.exists() and files.history.stat().st_size >= part * size):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        kills += process.poll() is None
        process.kill()
        process.wait(PATIENCE)
    assert start(files.folder).wait(PATIENCE) == 0
    assert kills > 0
    whole, killed = (load(RunFiles(tmp_path / name, "run").model) for name in ("whole", "killed"))
    assert same(whole, killed)
    assert files.log.read_bytes() == (tmp_path / "whole" / "run.log").read_bytes()


def test_a_run_that_begins_anew_forgets_the_checkpoint_of_the_one_before(dataset, tmp_path, monkeypatch):
    whole_files, files = RunFiles(tmp_path / "whole", "run"), RunFiles(tmp_path / "again", "run")
    whole = train(dataset, settings(), files=whole_files)
    train(dataset, settings(), files=files)
    killed_after(2, dataset, settings(), files, monkeypatch)  # before a checkpoint is due
    said = []
    run = train(dataset, settings(), files=files, resume=True, say=said.append)
    assert said[0] == "continuing from step 0 of 48"
    assert same(essence(run), essence(whole))
    assert files.log.read_bytes() == whole_files.log.read_bytes()


def test_going_on_without_a_checkpoint_is_said(dataset, tmp_path):
    said = []
    train(dataset, settings(epochs=1), files=RunFiles(tmp_path, "run"), resume=True, say=said.append)
    assert said[0] == "no checkpoint yet: starting from the beginning"
    assert said[0] not in (tmp_path / "run.log").read_text()


def test_a_log_that_cannot_be_written_ends_the_run_and_its_checkpoint_is_good(dataset, tmp_path):
    resource = pytest.importorskip("resource", reason="limits the size of files")
    whole_files, files = RunFiles(tmp_path / "whole", "run"), RunFiles(tmp_path / "full", "run")
    whole = train(dataset, settings(), files=whole_files)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fills(line):
        if line.startswith("epoch 2, "):  # it comes before the line is written: half of it finds a place
            resource.setrlimit(resource.RLIMIT_FSIZE, (files.log.stat().st_size + 10, before[1]))

    try:
        with pytest.raises(OSError, match="too large") as caught:
            train(dataset, settings(), files=files, say=fills)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(files.log)
    assert same(essence(train(dataset, settings(), files=files, resume=True)), essence(whole))
    assert files.log.read_bytes() == whole_files.log.read_bytes()


def test_a_loss_that_is_no_number_ends_the_run(dataset, tmp_path):
    files = RunFiles(tmp_path, "convnet")
    options = settings(model="convnet", hidden_dim=6, kernel_size=3, lr=1e6, momentum=0.0)
    message = r"the loss is (nan|inf) at step \d+ of 48: try a learning rate ten"
    with pytest.raises(TrainingDivergedError, match=message) as error:
        train(dataset, options, files=files, log_interval=5)
    assert error.value.iteration <= 10
    assert not files.model.exists()
    assert "try a learning rate" in files.log.read_text().splitlines()[-1]


def test_the_logs_say_what_was_done(dataset, tmp_path):
    files, said = RunFiles(tmp_path / "new" / "folder", "two"), []
    run = train(dataset, settings(model="twolayernn", hidden_dim=5), files=files, log_interval=6, say=said.append)
    assert files.log.read_text().splitlines() == said
    assert said[0] == "Shapes-10 (embedded): 512 training, 1000 validation images"
    assert "15425 parameters" in said[2]  # 3072 * 5 + 5 + 5 * 10 + 10
    records = read_history(files.history)
    assert [record["kind"] for record in records if record["kind"] != "steps"] == ["run", *["epoch"] * 3, "test"]
    assert [loss for record in records if record["kind"] == "steps" for loss in record["losses"]] == run.losses
    assert records[0]["settings"] == dataclasses.asdict(run.settings)
    for line in files.history.read_text().splitlines():
        json.loads(line)
    assert {path.name for path in files.folder.iterdir()} == {"two.checkpoint.pt", "two.jsonl", "two.log", "two.pt"}


def test_a_checkpoint_of_another_run_is_refused(dataset, tmp_path):
    files = RunFiles(tmp_path, "softmax")
    train(dataset, settings(epochs=1), files=files)
    with pytest.raises(ValueError, match=r"belongs to another run \(lr was 0.02, is 0.5; epochs was 1, is 3\)"):
        train(dataset, settings(lr=0.5), files=files, resume=True)
    changed = dataclasses.replace(dataset, X_train=dataset.X_train[::-1].copy())
    with pytest.raises(ValueError, match=r"belongs to another run .images was"):
        train(changed, settings(epochs=1), files=files, resume=True)
    train(dataset, settings(lr=0.5, epochs=1), files=files)  # without resume it begins anew
    for damage in (b"", b"nonsense", files.checkpoint.read_bytes()[:3000]):
        files.checkpoint.write_bytes(damage)
        with pytest.raises(ValueError, match=r"checkpoint.pt: it cannot be read, so it is damaged or not a model"):
            train(dataset, settings(epochs=1), files=files, resume=True)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Bomb:
        def __reduce__(self):
            return print, ("this code ran",)

    torch.save({"model": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(ValueError, match="cannot be read: that could run code"):
        load(tmp_path / "bomb.pt")
    torch.save(MyModel((3, 32, 32), 4, 3, 10), tmp_path / "whole.pt")
    with pytest.raises(ValueError, match=r"a model that was saved whole, .* `train` writes a file that can"):
        load(tmp_path / "whole.pt")
    (tmp_path / "pointer.pt").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n")
    with pytest.raises(ValueError, match=r"it is a Git LFS pointer, not the file itself: `git lfs pull` fetches that"):
        load(tmp_path / "pointer.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ValueError, match=r"expected a dictionary .* got list"):
        load(tmp_path / "list.pt")
    with pytest.raises(ValueError, match="there is no such file; `train` makes it"):
        load(tmp_path / "none.pt")
    save(tmp_path / "good.pt", {"a": torch.ones(2), "b": [1.5, "x"]})
    assert same(load(tmp_path / "good.pt"), {"a": torch.ones(2), "b": [1.5, "x"]})


def test_a_history_with_a_torn_last_line_is_read(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text('{"kind": "run"}\n{"kind": "ste')
    assert read_history(path) == [{"kind": "run"}]
    path.write_text('{"kind": \n{"kind": "run"}\n')
    with pytest.raises(ValueError, match="line 1 is not JSON"):
        read_history(path)
    with pytest.raises(ValueError, match="there is no such file"):
        read_history(tmp_path / "none.jsonl")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not text in UTF-8"):
        read_history(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "resnet"}, "model must be one of softmax, twolayernn, convnet, mymodel, got 'resnet'"),
        ({"schedule": "linear"}, "schedule must be one of"),
        ({"lr": 0.0}, "lr must be positive, got 0.0"),
        ({"lr": math.nan}, "lr must be positive, got nan"),
        ({"momentum": 1.0}, "momentum must be from 0 to below 1, got 1.0"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"batch_size": 513}, "batch_size must be at most 512 images, got 513"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"translate": -1}, "translate must be from 0 to 16"),
        ({"label_smoothing": 1.0}, "label_smoothing must be"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_settings_that_make_no_sense_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        settings(**changes)


def test_more_images_than_there_are_and_intervals_of_zero_are_named(dataset):
    with pytest.raises(ValueError, match="num_training must be at most 600, got 700"):
        train(dataset, settings(num_training=700))
    for name in ("log_interval", "checkpoint_every", "test_batch_size"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            train(dataset, settings(), **{name: 0})


def test_schedules():
    for rate in SCHEDULES.values():
        values = [rate(done) for done in np.linspace(0, 1, 101)]
        assert max(values) == pytest.approx(1)
        assert min(values) >= 0
    assert [SCHEDULES["triangle"](done) for done in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert [SCHEDULES["cosine"](done) for done in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    assert Settings(lr=0.4, schedule="triangle").rate(0.1) == pytest.approx(0.2)


def test_settings_read_as_options():
    text = str(Settings(model="convnet", flip=True, seed=0))
    assert "--model convnet" in text
    assert "--flip" in text.split()
    assert "--amp" not in text


def test_mixed_precision_is_close_to_full_precision(dataset):
    full, mixed = (
        train(dataset, settings(model="convnet", hidden_dim=6, kernel_size=3, amp=amp)) for amp in (False, True)
    )
    # The first loss starts from the same weights, and bfloat16 has 8 bits: a relative error of 2^-8 for each of image,
    # weights and result of two layers. The logits are sums of numbers up to twice as large as they are themselves; the
    # loss moves by at most twice as much as a logit. Later losses differ more, as every step blows up what was before.
    X, y = dataset.X_train[:512], dataset.y_train[:512]
    batch, _ = DeviceImages(X, y, PixelStatistics.of(X), torch.device("cpu")).batch(BatchOrder(512, 32, 0).indices(0))
    size = build_model(full.settings, (3, 32, 32), 10)(batch).abs().max().item()
    assert 0 < abs(mixed.losses[0] - full.losses[0]) <= 2 * 6 * 2.0**-8 * 2 * size
    assert mixed.epochs[-1]["train_loss"] < mixed.losses[0]
    assert all(value.dtype == torch.float32 for value in mixed.model.state_dict().values())


def test_the_random_numbers_of_others_are_left_alone(dataset):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(dataset, settings(epochs=1))
    assert torch.equal(torch.rand(3), expected)
