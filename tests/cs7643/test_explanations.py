"""What a notebook explains before a task does not need the task: it runs while everything is still to be written."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from coursework.homework import homework
from coursework.notebooks import kernels
from coursework.staff.release import rehearsal
from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition
from coursework.staff.release.release_command import write

FUNCTIONS = {name for task in homework().tasks for _, name in task.functions}
BLANK = """
import json, sys
from pathlib import Path
from coursework.notebooks import execute, waiting
(run,) = execute.run([Path(sys.argv[2])], Path(sys.argv[1]), variables={waiting.STOP: "0"})
found = {"problem": run.problem, "shown": [], "waiting": []}
for cell in run.cells:
    for output in cell.get("outputs", []):
        if output.get("metadata", {}).get(waiting.WAITS):
            found["waiting"].append(cell.id)
        elif "data" in output:
            found["shown"].append(cell.id)
Path(sys.argv[1], "found.json").write_text(json.dumps(found), encoding="utf-8")
"""


def used(cell):
    """Return the names that a cell uses."""
    nodes = ast.walk(ast.parse(TransformerManager().transform_cell(cell.source)))
    return {getattr(node, "attr", getattr(node, "id", "")) for node in nodes}


@pytest.mark.parametrize("path", kernels.find(), ids=Path.name.fget)
def test_no_given_cell_before_a_task_uses_its_function(path):
    cells = nbformat.read(path, as_version=4).cells
    ahead = set().union(*(FUNCTIONS & set(cell.metadata.tags) for cell in cells if "statement" in cell.metadata.tags))
    for cell in cells:
        tags = set(cell.metadata.tags)
        if "statement" in tags:
            ahead -= tags
        elif cell.cell_type == "code" and "given" in tags:
            assert not used(cell) & ahead, cell.id


def run_blank(name, tmp_path):
    """Run a notebook of the edition with all blanks: the cells that wait, and the pictures, all and those not shown."""
    folder, path = tmp_path / "edition", f"notebooks/{name}.ipynb"
    write(make_edition(read_source()).files, folder)
    result = rehearsal.run(folder, "-c", BLANK, str(tmp_path / "report"), path)
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "report/found.json").read_text(encoding="utf-8"))
    assert not found["problem"]
    cells = nbformat.read(folder / path, as_version=4).cells
    pictures = {cell.id for cell in cells if cell.source.startswith("plots.") or "\nplots." in cell.source}
    return found["waiting"], pictures, pictures - set(found["shown"])


@pytest.mark.slow
def test_in_notebook_4_only_what_compares_with_the_loops_waits_for_them(tmp_path):
    waiting, pictures, lost = run_blank("4_layers", tmp_path)
    assert waiting == ["same-results", "timing-loops"]
    assert len(pictures) == 9
    assert lost == {"timing-loops"}


@pytest.mark.slow
def test_in_notebook_6_only_what_replicates_and_trains_waits(tmp_path):
    waiting, pictures, lost = run_blank("6_pytorch", tmp_path)
    assert waiting == [
        *("replication", "train-softmax", "replication-two-layers", "replication-curves", "eps", "train-two-layer"),
        *("train-cnn", "curves", "softmax-filters", "cnn-filters", "side-run", "side-by-side"),
    ]
    assert lost == {"replication-curves", "curves", "softmax-filters", "cnn-filters", "side-by-side"}
    assert len(pictures - lost) == 8
