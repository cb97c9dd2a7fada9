"""A repository that is ready to be handed in, made in a temporary folder from this one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from coursework.homework import PERSON, homework
from coursework.notebooks.provenance import digest
from coursework.root import ROOT

PREDICTIONS = "image_id,label\n" + "".join(f"{image},{image % 10}\n" for image in range(10_000))
FOREIGN = shutil.ignore_patterns("__pycache__", ".*", "results")


def make(place: Path) -> Path:
    """Copy what a student has, fill in the lines, and let the notebooks be of the code of today."""
    for name in ("coursework", "cs7643", "docs", "notebooks", "experiments"):
        shutil.copytree(ROOT / name, place / name, ignore=FOREIGN)
    shutil.copy(ROOT / "pyproject.toml", place)
    person = (ROOT / PERSON).read_text(encoding="utf-8")
    (place / PERSON).write_text(
        person.replace("Name:", "Name: Ada Lovelace")
        .replace("\nCollaborators:", "\nCollaborators: none")
        .replace("\nTools:", "\nTools: none"),
        encoding="utf-8",
    )
    (place / "predictions.csv").write_text(PREDICTIONS, encoding="utf-8")
    (place / "extra.md").write_text("# What I did for problem 6.7\n\nMore filters.\n", encoding="utf-8")
    results = place / homework().results
    results.mkdir(parents=True)
    (results / "softmax.csv").write_text("epoch,loss\n1,2.3\n", encoding="utf-8")
    shutil.copy(ROOT / "datasets" / "shapes.png", results / "filters.png")
    for path in (place / "notebooks").glob("*.ipynb"):
        edit(path, lambda notebook: refresh(notebook, place))
    return place


def edit(path: Path, change) -> None:
    """Change a notebook as JSON."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def code_cells(notebook) -> list:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def records(notebook) -> list[dict[str, str]]:
    """Return which code each output says it comes from."""
    outputs = [output for cell in code_cells(notebook) for output in cell["outputs"]]
    return [
        output["metadata"]["coursework_code"] for output in outputs if "coursework_code" in output.get("metadata", {})
    ]


def refresh(notebook, place: Path) -> None:
    """Let a notebook say that it ran with the code that lies there, as running it again would."""
    assert records(notebook), "the notebook does not record its code: run it in place"
    for record in records(notebook):
        for name in record:
            folder = place / "cs7643" / name.replace(".", "/")
            record[name] = digest(folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py"))
