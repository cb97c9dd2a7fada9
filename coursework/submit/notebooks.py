"""Whether a notebook is ready: present, complete, executed from top to bottom without an error, with current code."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursework.homework import homework
from coursework.notebooks import outline
from coursework.notebooks.provenance import changed_code
from coursework.notebooks.waiting import WAITS
from coursework.submit import names, text
from coursework.submit.finding import Finding

RUN_ALL = (
    "Run it: make submit ARGS=--run. Or, in JupyterLab, choose Run > Restart Kernel and Run All Cells, wait for the "
    "last cell, and save."
)


def read(path: Path) -> NotebookNode:
    """Read a notebook from a file.

    Raises:
        ValueError: if the file is not a notebook.
    """
    return loads(path.read_bytes())


def loads(content: bytes) -> NotebookNode:
    """Read a notebook that any editor wrote, if it can be shown.

    Raises:
        ValueError: if it is not a notebook.
    """
    try:
        document = text.writable(json.loads(text.decode(content)))
        _mend(document)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is repaired
            notebook: NotebookNode = nbformat.reads(json.dumps(document), as_version=4)  # type: ignore[no-untyped-call]
            _, notebook = nbformat.validator.normalize(notebook, strip_invalid_metadata=True)
            nbformat.validate(notebook)
    except Exception as error:  # for invalid files nbformat raises any error, such as UnboundLocalError
        raise ValueError(text.sentence(str(error).partition("\n")[0]) or type(error).__name__) from error
    return notebook


def _mend(document: Any) -> None:
    """Fill in what some editors leave out, and change invalid ids; JupyterLab accepts such notebooks, too."""
    for cell in document.get("cells", ()):
        if not isinstance(cell.setdefault("metadata", {}), dict):
            cell["metadata"] = {}
        if "id" in cell:
            cell["id"] = re.sub(r"[^A-Za-z0-9_-]", "_", str(cell["id"]))[:64]
        if cell["cell_type"] != "code":
            continue
        cell.setdefault("execution_count", None)
        for output in cell.setdefault("outputs", []):
            if output["output_type"] == "execute_result":
                output.setdefault("execution_count", cell["execution_count"])
            shown = output["output_type"] in ("execute_result", "display_data")
            if shown and not isinstance(output.setdefault("metadata", {}), dict):
                output["metadata"] = {}


def inspect(path: Path, name: str, package: Path) -> tuple[NotebookNode | None, list[Finding]]:
    """Read a notebook and say what must be fixed before it is handed in.

    Args:
        path: the file.
        name: its path in messages, relative to the repository.
        package: the folder of the package, for the comparison with the code that the notebook ran with.

    Returns:
        The notebook, or None if it cannot be read; and what must be fixed.
    """
    if not path.is_file():
        remedy = "Put it back under that name: from your own copy, or from the files you were given, and run it."
        others = {Path(other).name for other in homework().notebooks}
        return None, [names.missing(path, name, "the notebook is missing", remedy, others)]
    try:
        notebook = read(path)
    except (ValueError, OSError) as error:
        marks = re.search(rb"^[\"\s]*(<{7}|>{7}|={7})", path.read_bytes(), re.M) if path.is_file() else None
        reason = "it holds the marks of a merge" if marks else f"it is not a whole notebook ({error})"
        return None, [Finding(name, reason, "Take a copy that opens in JupyterLab, and run that.")]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    entries = outline.read(path.parent)[path.name]
    texts = [*_lost(notebook, entries, name), *_unwritten(notebook, entries, name)]
    return notebook, [*_order(cells, name), *_errors(cells, name), *_age(cells, name, package), *texts]


def _lost(notebook: NotebookNode, entries: Sequence[outline.Entry], name: str) -> list[Finding]:
    """Name the cells that the PDF should show and that cannot be found by tag, text or place."""
    remedy = "Put it back from the notebook that you were given, with what you wrote."
    return [
        Finding(name, f"{entry} is not there any more", remedy) for entry in outline.labels(notebook.cells, entries)[1]
    ]


def _unwritten(notebook: NotebookNode, entries: Sequence[outline.Entry], name: str) -> list[Finding]:
    """Name the answers that are still empty, all those of the notebook in one finding."""
    found = outline.unwritten(notebook.cells, entries)
    if not found:
        return []
    places = ", ".join(f"task {each.task} under {each.under!r}" for each in found)
    problem = f"{len(found)} answers are not written yet" if len(found) > 1 else "an answer is not written yet"
    remedy = "Write it where the notebook says *Your answer here*; a picture can be dropped into the cell. Then save."
    return [Finding(name, f"{problem}: {places}", remedy)]


def _order(cells: list[NotebookNode], name: str) -> list[Finding]:
    if not cells:
        return [Finding(name, "it has no code cell any more", "Take a fresh copy of the notebook, and run it.")]
    if not any(cell.execution_count for cell in cells):
        return [Finding(name, "no cell was executed", RUN_ALL, stale=True)]
    for number, cell in enumerate(cells, start=1):
        count = cell.execution_count
        if count is None:
            return [
                Finding(name, f"code cell {number} (id {cell.get('id', 'none')}) was not executed", RUN_ALL, stale=True)
            ]
        if count != number:
            problem = f"it was not executed from top to bottom: code cell {number} carries the number {count}"
            return [Finding(name, problem, RUN_ALL, stale=True)]
    return []


def _errors(cells: list[NotebookNode], name: str) -> list[Finding]:
    return [
        Finding(
            f"{name}, code cell {number} (id {cell.get('id', 'none')})",
            f"it ends in {output.get('ename', 'an error')}: {str(output.get('evalue', ''))[:120]}".strip(),
            f"Mend it. {RUN_ALL}",
            stale=True,
        )
        for number, cell in enumerate(cells, start=1)
        for output in cell.outputs
        if output.output_type == "error"
    ] + [
        Finding(
            f"{name}, code cell {number} (id {cell.get('id', 'none')})",
            f"it waits for task {output.metadata[WAITS]}, in which something is not written yet",
            f"Write it. {RUN_ALL}",
        )
        for number, cell in enumerate(cells, start=1)
        for output in cell.outputs
        if WAITS in output.get("metadata", {})
    ]


def _age(cells: list[NotebookNode], name: str, package: Path) -> list[Finding]:
    records = [
        output.metadata["coursework_code"]
        for cell in cells
        for output in cell.outputs
        if isinstance(output.get("metadata", {}).get("coursework_code"), dict)
    ]
    changed = sorted({path for record in records for path in changed_code(record, package)})
    if changed:
        return [Finding(name, f"its results are older than {', '.join(changed)}", RUN_ALL, stale=True)]
    imports = re.compile(rf"^\s*(from|import)\s+{homework().package}\b", re.M)
    if not records and any(cell.execution_count and imports.search(cell.source) for cell in cells):
        return [Finding(name, "it does not say which code its results come from", RUN_ALL, stale=True)]
    return []
