"""predictions.csv: written whole, read strictly; and the commands around it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from coursework.cli import main
from coursework.root import ROOT
from cs7643 import data
from cs7643.data import shapes
from cs7643.pytorch import training
from cs7643.pytorch.models import Softmax
from cs7643.pytorch.predictions import (
    dataset_of,
    note_dataset,
    predict,
    read_predictions,
    require_cifar10,
    write_predictions,
)
from cs7643.pytorch.run_pictures import pictures
from cs7643.pytorch.runfiles import RunFiles
from cs7643.pytorch.training import Settings, train


def written(tmp_path, text):
    path = tmp_path / "predictions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_what_is_written_is_read(tmp_path):
    labels = np.random.default_rng(0).integers(0, 10, 200)
    path = tmp_path / "predictions.csv"
    write_predictions(path, labels)
    assert path.read_text().splitlines()[:2] == ["image_id,label", f"0,{labels[0]}"]
    assert np.array_equal(read_predictions(path, 200), labels)
    lines = path.read_text().splitlines()
    shuffled = [lines[0], *np.random.default_rng(1).permutation(lines[1:])]
    path.write_bytes(("\r\n".join(shuffled) + "\r\n").encode("utf-8-sig"))  # as a spreadsheet saves it
    assert np.array_equal(read_predictions(path, 200), labels)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected image_id,label, got 'an empty file'"),
        ("id,label\n0,1\n", "line 1: expected image_id,label, got 'id,label'"),
        ("image_id,label\n0,1\n1,10\n2,0\n", "line 3: label must be from 0 to 9, got 10"),
        ("image_id,label\n0,1\n3,1\n", "line 3: image_id must be from 0 to 2, got 3"),
        ("image_id,label\n0,1\n0,1\n", "line 3: image 0 occurs twice"),
        ("image_id,label\n0,1\n2,1\n", "1 of 3 images have no label, the first is 1"),
        ("image_id,label\n0,cat\n", "line 2: expected two whole numbers, got '0,cat'"),
        ("image_id,label\n0,1.0\n", "expected two whole numbers"),
        ("image_id,label\n0,-1\n", "expected two whole numbers"),
        ("image_id,label\n0,1,2\n", "expected two whole numbers"),
        ("image_id,label\n0,²\n", "expected two whole numbers"),
        (b"image_id,label\n\xff\xfe", "it cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_predictions(written(tmp_path, text), 3)


def test_which_images_predictions_are_for_is_noted_and_seen(tmp_path):
    drawn = shapes.draw(0, 10_000)[3]
    rng = np.random.default_rng(0)
    others = rng.integers(0, 10, 10_000)
    path = tmp_path / "predictions.csv"
    write_predictions(path, others)
    assert dataset_of(path) == ""  # nothing is noted, and nothing can be seen
    require_cifar10(path)
    for name in ("CIFAR-10", "CIFAR-10 (unverified copy)", "Shapes-10 (embedded)"):
        write_predictions(path, others)
        note_dataset(path, others, name)
        first, *lines = path.read_text().splitlines()
        path.write_bytes(("\r\n".join([first, *rng.permutation(lines)]) + "\r\n").encode("utf-8-sig"))
        assert dataset_of(path) == name  # also as a spreadsheet saves it
    with pytest.raises(ValueError, match=r"for the drawn images, Shapes-10 \(embedded\), not CIFAR-10"):
        require_cifar10(path)
    write_predictions(path, np.roll(others, 1))  # of another model: the note is not about these
    assert dataset_of(path) == ""
    for right in (0.3, 1.0):  # a poor model that was trained on the drawn images, and a perfect one
        write_predictions(path, np.where(rng.random(10_000) < right, drawn, others))
        assert dataset_of(path) == shapes.NAME
        with pytest.raises(ValueError, match="not CIFAR-10"):
            require_cifar10(path)


@pytest.mark.parametrize("labels", [[0, 10], [-1], [], [0.5], [[1]], ["cat"]])
def test_what_is_no_label_is_not_written(tmp_path, labels):
    with pytest.raises(ValueError, match="predictions: labels must"):
        write_predictions(tmp_path / "predictions.csv", labels)
    assert not list(tmp_path.iterdir())


def test_a_model_from_its_file_predicts_as_it_did(dataset, tmp_path):
    files = RunFiles(tmp_path, "mymodel")
    options = Settings("mymodel", hidden_dim=8, kernel_size=3, num_training=512, epochs=2, batch_size=32, lr=0.05)
    run = train(dataset, options, files=files)
    labels = predict(files.model, dataset.X_test)
    assert (labels == dataset.y_test).mean() == run.test.accuracy  # the same operations in the same order
    with pytest.raises(ValueError, match=r"takes images of size \(3, 32, 32\), got \(3, 16, 32\)"):
        predict(files.model, dataset.X_test[:, :, ::2])


def whole_model(path):
    torch.save(Softmax((3, 32, 32), 10), path)


def weights_alone(path):
    torch.save(Softmax((3, 32, 32), 10).state_dict(), path)


def pointer(path):
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\r\noid sha256:00\r\nsize 3\r\n")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (whole_model, "a model that was saved whole"),
        (weights_alone, "it lacks model, settings, statistics, im_size, n_classes"),
        (pointer, "it is a Git LFS pointer, not the file itself: `git lfs pull` fetches that"),
        (lambda path: path.write_bytes(b"<html>log in</html>"), "it is a web page, perhaps that of a login"),
        (lambda path: path.write_bytes(b""), "it cannot be read"),
        (lambda path: path.mkdir(), "Is a directory"),
    ],
)
def test_what_is_no_trained_model_is_named_by_every_command(make, words, tmp_path, monkeypatch, dataset, capsys):
    monkeypatch.setenv("COURSEWORK_NO_VENV", "1")
    monkeypatch.setattr(data, "load", lambda *_, **__: dataset)
    make(tmp_path / "softmax.pt")
    make(tmp_path / "softmax.checkpoint.pt")
    calls = {
        "predict": [str(tmp_path / "softmax.pt"), "--output", str(tmp_path / "predictions.csv")],
        "plots": ["softmax", "--output", str(tmp_path)],
        "train": ["--resume", "--num-training", "64", "--batch-size", "32", "--output", str(tmp_path)],
    }
    if make is weights_alone:
        del calls["train"]  # which says what a checkpoint lacks
    for command, arguments in calls.items():
        assert main([command, "--no-cuda", *arguments]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{command}: {tmp_path}")
        assert words in line
    assert not (tmp_path / "predictions.csv").exists()


def test_control_c_says_whether_there_is_a_checkpoint_to_go_on_from(tmp_path, monkeypatch, dataset, capsys):
    monkeypatch.setenv("COURSEWORK_NO_VENV", "1")
    call = ["train", "--no-cuda", "--epochs", "1", "--num-training", "64", "--batch-size", "32", "--output"]
    call += [str(tmp_path)]

    def control_c(*_, **__):
        raise KeyboardInterrupt

    def complaint():
        return capsys.readouterr().err.splitlines()

    starts_over = "train: stopped before the first checkpoint: the same command starts over"
    goes_on = "train: stopped; the same command with --resume continues from the last checkpoint"
    monkeypatch.setattr(data, "load", control_c)
    assert (main(call), complaint()) == (130, [starts_over])
    assert (main([*call, "--resume"]), complaint()) == (130, [starts_over])
    monkeypatch.setattr(data, "load", lambda *_, **__: dataset)
    monkeypatch.setattr(training, "update_step", control_c)
    assert (main(call), complaint()) == (130, [goes_on])
    monkeypatch.undo()
    monkeypatch.setenv("COURSEWORK_NO_VENV", "1")
    monkeypatch.setattr(data, "load", control_c)
    assert (main(call), complaint()) == (130, [starts_over])  # the checkpoint that is there belongs to a run before
    assert (main([*call, "--resume"]), complaint()) == (130, [goes_on])
    monkeypatch.setattr(data, "load", lambda *_, **__: dataset)
    assert main([*call, "--resume"]) == 0
    assert capsys.readouterr().out.startswith("continuing from step 0 of 2\n")


COMPILE = """
import sys
from cs7643 import data
from cs7643.data import shapes
from cs7643.data.dataset import Dataset
drawn = Dataset(shapes.NAME, *shapes.draw(1100, 100), shapes.CLASS_NAMES, is_cifar10=False)
data.load = lambda *_, **__: drawn
from coursework.cli import main
sys.exit(main(["train", "--compile", "--no-cuda", "--num-training", "64", "--batch-size", "32", *sys.argv[1:]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="elsewhere a compiler is found without PATH")
def test_compile_without_a_compiler_says_what_is_missing(tmp_path):
    variables = {**os.environ, "PATH": str(tmp_path), "COURSEWORK_NO_VENV": "1", "TQDM_DISABLE": "1"}
    variables |= {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache"), "CXX": str(tmp_path / "no compiler")}
    command = [sys.executable, "-c", COMPILE, "--output", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("train: --compile: the model cannot be compiled here (")
    assert line.endswith("or leave out --compile")


def test_no_picture_cuts_its_title(dataset, tmp_path):
    named = dataclasses.replace(dataset, name="CIFAR-10 (unverified copy)")  # the longest name
    files = RunFiles(tmp_path, "twolayernn")
    train(named, Settings("twolayernn", hidden_dim=9, num_training=256, epochs=2, batch_size=32), files=files)
    drawn = pictures(files, named, torch.device("cpu"))
    for kind, figure in drawn.items():
        inside, canvas = figure.bbox, FigureCanvasAgg(figure)
        canvas.draw()
        titles = [*figure.texts, *(axis.title for axis in figure.axes)]  # a suptitle is among the texts
        for text in titles:
            box = text.get_window_extent(canvas.get_renderer())
            whole = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            assert whole or not text.get_text(), f"{kind}: {text.get_text()!r} is cut"


def test_bfloat16_is_left_out_where_the_device_does_not_know_it(tmp_path, monkeypatch, dataset, capsys):
    monkeypatch.setenv("COURSEWORK_NO_VENV", "1")
    monkeypatch.setattr(data, "load", lambda *_, **__: dataset)
    options = ["train", "--amp", "--no-cuda", "--epochs", "1", "--num-training", "64", "--batch-size", "32", "--output"]
    for known in (False, True):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: {"avx2": True, "avx512_bf16": known})
        assert main([*options, str(tmp_path / str(known))]) == 0
        warned = "this CPU has no bfloat16" in capsys.readouterr().err
        assert warned is not known
        assert ("--amp" in (tmp_path / str(known) / "softmax.log").read_text()) is known


def test_the_commands_train_predict_and_plots(tmp_path, monkeypatch, dataset, capsys):
    monkeypatch.setenv("COURSEWORK_NO_VENV", "1")
    monkeypatch.setattr(data, "load", lambda *_, **__: dataset)
    folder, csv = str(tmp_path / "results"), str(tmp_path / "predictions.csv")
    options = [
        "--num-training",
        "256",
        "--batch-size",
        "32",
        "--epochs",
        "2",
        "--no-cuda",
        "--plots",
        "--hidden-dim",
        "5",
    ]
    assert main(["train", "--model", "twolayernn", *options, "--output", folder]) == 0
    kinds = {"lossvstrain", "valaccuracy", "gridfilt", "confusion", "filters"}
    pictures = {path.name for path in (tmp_path / "results").glob("*.png")}
    assert pictures == {f"twolayernn_{kind}.png" for kind in kinds}
    assert "test accuracy" in capsys.readouterr().out
    assert main(["predict", f"{folder}/twolayernn.pt", "--output", csv, "--no-cuda"]) == 0
    assert "\nNOT CIFAR-10" in capsys.readouterr().out
    assert main(["predict", "--check", csv]) == 0
    said = capsys.readouterr().out
    assert "300 images, each with a label; they are for Shapes-10 (embedded)" in said
    assert "\nNOT CIFAR-10" in said
    assert main(["predict", f"{folder}/none.pt"]) == 1
    assert "there is no such file; `train` makes it" in capsys.readouterr().err
    assert main(["plots", "--output", str(tmp_path / "empty")]) == 1
    assert main(["train", "--lr", "-1", "--output", folder]) == 2
    assert "train: lr must be positive" in capsys.readouterr().err
    assert main(["train", "--epochs", "9", "--resume", "--model", "twolayernn", *options[:4], "--output", folder]) == 1
    assert "the checkpoint belongs to another run" in capsys.readouterr().err
