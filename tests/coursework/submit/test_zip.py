"""hw1.zip: what is in it, that the same files give the same bytes, and that a copy of it was tried."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from repository import ROOT, edit

from coursework.homework import homework
from coursework.options import COMMANDS
from coursework.submit import archive, inspection, submit_command
from coursework.submit.person import Person
from cs7643.pytorch import predictions


def submit(root, output, *words):
    parser = argparse.ArgumentParser()
    COMMANDS["submit"].arguments(parser)
    return submit_command.main(parser.parse_args([*words, "--output", str(output)]), root=root)


def read(path):
    with zipfile.ZipFile(path) as zipped:
        return {info.filename: zipped.read(info) for info in zipped.infolist()}


def pack(root):
    entries, _ = inspection.gather(root)
    return archive.pack(entries, Person("Ada", "none"))


def test_a_picture_beside_a_notebook_travels_with_it(root):
    (root / "notebooks" / "my drawing.png").write_bytes((root / homework().results / "filters.png").read_bytes())
    (root / "photo.jpg").write_bytes(b"a photo")
    (root / "notebooks" / "unused.png").write_bytes(b"no text shows it")
    (root.parent / "secret.png").write_bytes(b"outside")
    path = root / homework().notebooks[0]
    text = "![a](my%20drawing.png) ![b](../../secret.png) ![c](missing.png) <img src='../photo.jpg' width=50%>"
    cell = {"cell_type": "markdown", "id": "b0a1", "metadata": {}, "source": text}
    edit(path, lambda notebook: notebook["cells"].append(cell))
    held = {entry.path for entry in inspection.gather(root)[0] if entry.kind == "picture"}
    assert held == {"notebooks/my drawing.png", "photo.jpg"}


def test_a_complete_submission_gives_both_files(ready, tmp_path, capsys):
    output = tmp_path / "Abgabe é"
    assert submit(ready, output) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "points that checks give, tried in a copy" in said.out
    assert re.search(r"Problem 1: pages? 1.*; Problem 2: pages? \d.*; 6.7: pages? \d", said.out)
    held = read(output / "hw1.zip")
    document = json.loads(held.pop("manifest.json"))
    assert {file["path"]: file["sha256"] for file in document["files"]} == {
        path: hashlib.sha256(content).hexdigest() for path, content in held.items()
    }
    assert (document["name"], document["collaborators"], document["overridden"]) == ("Ada Lovelace", "none", [])
    assert (
        sum(task["earned"] for task in document["points"]) == sum(task["for_code"] for task in document["points"]) > 0
    )
    assert document["versions"]["NumPy"]
    assert document["data"]["notebooks/5_convnet.ipynb"] == ["Shapes-10 (embedded)"]
    assert {"softmax.csv", "filters.png"} <= {path.split("/")[-1] for path in held}
    for path in (*homework().code_files(), *homework().notebooks, "extra.md", "predictions.csv"):
        assert held[path] == (ready / path).read_bytes()
    assert sorted(path.name for path in output.iterdir()) == ["hw1.pdf", "hw1.zip"]  # nothing half-written


def test_the_same_files_give_the_same_bytes_elsewhere_and_later(ready, root):
    for path in root.rglob("*"):
        os.utime(path, (1e9, 1e9))
        path.chmod(0o700)
    assert pack(ready) == pack(root)


def test_nothing_else_goes_in(root):
    before = pack(root)
    others = (
        ".venv/lib/a.py",
        "cs7643/__pycache__/layers.cpython-311.pyc",
        "cs7643/layers.py~",
        "cs7643/#layers.py#",
        "datasets/cifar-10-batches-py/data_batch_1",
        "notebooks/.ipynb_checkpoints/4_layers-checkpoint.ipynb",
        "notebooks/4_layers (copy).ipynb",
        "experiments/results/.hidden.csv",
        "experiments/results/softmax.csv~",
        "experiments/results/#softmax.csv#",
        "experiments/results/~$softmax.csv",
        "experiments/results/__pycache__/a.txt",
        "experiments/results/.cache/a.txt",
        "experiments/results/model.pt",
        "experiments/results/model.npz",
        "build/index.html",
        ".DS_Store",
        "hw1.zip",
        "secret.txt",
    )
    for name in others:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1", encoding="utf-8")
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "log.txt").write_text("a secret", encoding="utf-8")
    (root / "experiments" / "results" / "linked").symlink_to(outside, target_is_directory=True)
    assert pack(root) == before


def test_a_folder_of_results_that_is_a_link_is_not_followed(root):
    outside = root.parent / "outside"
    shutil.move(root / homework().results, outside)
    (root / homework().results).symlink_to(outside, target_is_directory=True)
    entries, found = inspection.gather(root)
    assert not [entry.path for entry in entries if entry.path.startswith(homework().results)]
    assert any("leads out of the repository" in finding.problem for finding in found)


def test_results_with_names_of_all_kinds_come_back(root, tmp_path):
    names = ["Läufe/erster Lauf.csv", "日本.txt", "a'b & c.png"]
    for name in names:
        (root / homework().results / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / homework().results / "softmax.csv", root / homework().results / name)
    zipfile.ZipFile(io.BytesIO(pack(root))).extractall(tmp_path / "copy")
    for name in names:
        assert (tmp_path / "copy" / homework().results / name).read_bytes().startswith(b"epoch")


@pytest.mark.parametrize(
    ("by", "statement", "inside", "own"),
    [
        ("layers.py", "from cs7643 import mine", "from cs7643.mine_too import X", ["mine.py", "mine_too.py"]),
        ("layers.py", "from . import mine", "from .mine_too import X", ["mine.py", "mine_too.py"]),
        ("layers.py", "from .mine import X", "from . import mine_too\nX = mine_too.X", ["mine.py", "mine_too.py"]),
        ("autodiff/forward.py", "from ..mine import X", "from .mine_too import X", ["mine.py", "mine_too.py"]),
        (
            "layers.py",
            "import cs7643.own.mine",
            "from .deep.too import X",
            ["own/__init__.py", "own/mine.py", "own/deep/__init__.py", "own/deep/too.py"],
        ),
        ("pytorch/models.py", "from .own.mine import X", "X = 1", ["pytorch/own/__init__.py", "pytorch/own/mine.py"]),
    ],
)
def test_code_that_the_students_files_import_goes_along(root, by, statement, inside, own):
    for path in own:
        place = root / "cs7643" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        content = "NAME = 'mine'\n" if place.name == "__init__.py" else "X = 1\n"
        place.write_text(inside + "\n" if place.name == "mine.py" else content, encoding="utf-8")
    with open(root / "cs7643" / by, "a", encoding="utf-8") as stream:
        stream.write(f"\n{statement}\n")
    kinds = {entry.path: entry.kind for entry in inspection.gather(root)[0]}
    assert {kinds.get(f"cs7643/{path}") for path in own} == {"imported"}
    copy = root.parent / "alone"
    shutil.copytree(root, copy)
    for path in own:  # so that the copy has them from the zip alone
        (copy / "cs7643" / path).unlink()
    zipfile.ZipFile(io.BytesIO(pack(root))).extractall(copy)
    module = f"cs7643.{by.removesuffix('.py').replace('/', '.')}"
    assert archive.run_in(copy, "-c", f"import {module}").stderr == ""


def test_a_module_that_is_not_handed_in_is_found_in_the_copy(root):
    (root / "elsewhere.py").write_text("X = 1\n", encoding="utf-8")
    with open(root / "cs7643" / "layers.py", "a", encoding="utf-8") as stream:
        stream.write("\nimport elsewhere\n")
    points, found = archive.try_copy(pack(root), root)
    (problem,) = [finding.problem for finding in found if finding.place == "cs7643/layers.py"]
    assert "cannot be imported: ModuleNotFoundError: No module named 'elsewhere'" in problem
    assert next(task["earned"] for task in points if task["task"] == "6.2") == 0


def test_what_is_not_done_is_a_warning(root, tmp_path, capsys):
    path = root / "cs7643" / "optim.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text + "\n\ndef momentum(*arguments, **settings):\n    raise NotImplementedError\n", encoding="utf-8"
    )
    assert submit(root, tmp_path / "out") == 1  # notebook 3 ran with other code
    said = capsys.readouterr()
    assert "notebooks/3_two_layer_net.ipynb: its results are older than cs7643/optim.py" in said.err
    assert said.out == ""  # what is to be mended is said at once, before all checks run
    assert submit(root, tmp_path / "out", "--force") == 0
    assert "warning: task 6.1 earns 0 of 2 points for its code: momentum not started" in capsys.readouterr().out


def data_of(entries):
    return {entry.path: entry.data for entry in entries if entry.data}


def test_the_data_of_predictions_and_runs_is_looked_at_and_recorded(root):
    results = root / homework().results
    (results / "mymodel.jsonl").write_text('{"kind": "run", "dataset": "CIFAR-10"}\n{"kind"', encoding="utf-8")
    (results / "other.jsonl").write_text("[1]\n", encoding="utf-8")
    entries, found = inspection.gather(root)
    assert found == []
    data = data_of(entries)
    assert {path: names for path, names in data.items() if not path.startswith("notebooks/")} == {
        "experiments/results/mymodel.jsonl": ("CIFAR-10",)
    }
    labels = predictions.read_predictions(root / "predictions.csv")
    predictions.note_dataset(root / "predictions.csv", labels, "CIFAR-10")
    entries, found = inspection.gather(root)
    assert found == []
    assert data_of(entries)["predictions.csv"] == ("CIFAR-10",)
    predictions.note_dataset(root / "predictions.csv", labels, "Shapes-10 (embedded)")
    entries, (finding,) = inspection.gather(root)
    assert data_of(entries)["predictions.csv"] == ("Shapes-10 (embedded)",)
    assert finding.place == "predictions.csv"
    assert finding.problem.startswith("it is for the drawn images, Shapes-10 (embedded), not CIFAR-10.")


def test_empty_answers_are_named_in_one_finding_a_notebook(root):
    path = root / "notebooks" / "3_two_layer_net.ipynb"

    def without_answers(notebook):
        for cell in notebook["cells"]:
            if "answer" in cell["metadata"]["tags"]:
                cell["source"] = "*Your answer here*"

    edit(path, without_answers)
    (finding,) = inspection.gather(root)[1]
    assert finding.problem.startswith("2 answers are not written yet: task 6.1 under")
    assert finding.problem.count("task 6.1 under") == 2


def test_a_refusal_writes_nothing_and_lists_everything(root, tmp_path, capsys):
    (root / "extra.md").unlink()
    for name in ("4_layers", "5_convnet"):
        (root / "notebooks" / f"{name}.ipynb").unlink()
    assert submit(root, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "3 things must be fixed first" in said
    once = "Put it back under that name: from your own copy, or from the files you were given, and run it."
    assert (
        "  1. notebooks/4_layers.ipynb: the notebook is missing\n"
        f"  2. notebooks/5_convnet.ipynb: the notebook is missing\n      {once}\n"
        "  3. extra.md: the file is missing\n"
    ) in said
    assert not (tmp_path / "out").exists()


def test_force_writes_and_marks_what_was_overridden(root, tmp_path, capsys):
    (root / "notebooks" / "4_layers.ipynb").unlink()
    (root / "collaborators.txt").write_text("Name: Ada\nCollaborators:\n", encoding="utf-8")
    assert submit(root, tmp_path / "out", "--force") == 0
    held = read(tmp_path / "out" / "hw1.zip")
    overridden = json.loads(held["manifest.json"])["overridden"]
    assert [(entry["place"], entry["problem"]) for entry in overridden] == [
        ("notebooks/4_layers.ipynb", "the notebook is missing"),
        ("collaborators.txt", "the collaborators' line is not filled in"),
    ]
    assert "notebooks/4_layers.ipynb" not in held
    said = capsys.readouterr().out
    listed = said.partition("Overridden, which the manifest says:\n")[2].partition("\n\n")[0].splitlines()
    assert listed == [
        "  notebooks/4_layers.ipynb: the notebook is missing",
        "  collaborators.txt: the collaborators' line is not filled in",
    ]


def test_a_zip_that_is_too_large_is_not_written(ready, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(submit_command.pdf_pages, "LIMIT", 1000)
    assert submit(ready, tmp_path / "out") == 1
    assert "remove large files from experiments/results" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_wrong_calls(ready, tmp_path, capsys):
    assert submit(ready, tmp_path, "--pdf", str(tmp_path / "none.pdf")) == 2
    assert "there is no file" in capsys.readouterr().err
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert submit(ready, tmp_path / "file") == 2
    assert "--output expects a folder" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        submit(ready, tmp_path, "--nonsense")


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_shell_script_works_from_anywhere(tmp_path):
    environment = {**os.environ, "COURSEWORK_NO_VENV": "1", "PYTHON": sys.executable}
    script = ROOT / "collect_submission.sh"
    for arguments, code, words in (
        (["--help"], 0, "--force"),
        (["--pdf", "none.pdf"], 2, "there is no file none.pdf"),
    ):
        result = subprocess.run(
            ["sh", str(script), *arguments], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
        )
        assert result.returncode == code, result.stderr
        assert words in result.stdout + result.stderr


def test_every_file_with_a_blank_is_handed_in():
    paths = [*(ROOT / "cs7643").rglob("*.py"), *(ROOT / "experiments").glob("*.sh"), *ROOT.glob("notebooks/*.ipynb")]
    blanks = {
        path.relative_to(ROOT).as_posix() for path in paths if "BEGIN SOLUTION" in path.read_text(encoding="utf-8")
    }
    assert blanks <= {*homework().code_files(), *homework().notebooks}
