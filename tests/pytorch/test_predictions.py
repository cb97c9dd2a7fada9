"""predictions.csv: written whole, read strictly; and the commands around it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cs7643 import data
from cs7643.cli import main
from cs7643.pytorch.pictures import pictures
from cs7643.pytorch.predictions import predict, read_predictions, write_predictions
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
        ("image_id,label\n0,1\n0,1\n", "line 3: image 0 is there twice"),
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
    monkeypatch.setenv("CS7643_NO_VENV", "1")
    monkeypatch.setattr(data, "load", lambda *_, **__: dataset)
    options = ["train", "--amp", "--no-cuda", "--epochs", "1", "--num-training", "64", "--batch-size", "32", "--output"]
    for known in (False, True):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: {"avx2": True, "avx512_bf16": known})
        assert main([*options, str(tmp_path / str(known))]) == 0
        warned = "this CPU has no bfloat16" in capsys.readouterr().err
        assert warned is not known
        assert ("--amp" in (tmp_path / str(known) / "softmax.log").read_text()) is known


def test_the_commands_train_predict_and_plots(tmp_path, monkeypatch, dataset, capsys):
    monkeypatch.setenv("CS7643_NO_VENV", "1")
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
    assert main(["predict", "--check", csv]) == 0
    assert "300 images, each with a label" in capsys.readouterr().out
    assert main(["predict", f"{folder}/none.pt"]) == 1
    assert "there is no such file; `train` makes it" in capsys.readouterr().err
    assert main(["plots", "--output", str(tmp_path / "empty")]) == 1
    assert main(["train", "--lr", "-1", "--output", folder]) == 2
    assert "train: lr must be positive" in capsys.readouterr().err
    assert main(["train", "--epochs", "9", "--resume", "--model", "twolayernn", *options[:4], "--output", folder]) == 1
    assert "the checkpoint belongs to another run" in capsys.readouterr().err
