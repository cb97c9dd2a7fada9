"""Whether a notebook is ready: present, complete, executed from top to bottom without an error, with current code."""

from __future__ import annotations

import copy
import functools
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from coursework.homework import homework
from coursework.notebooks import outline
from coursework.notebooks.provenance import changed_code
from coursework.notebooks.waiting import WAITS
from coursework.submit import text
from coursework.submit.finding import Finding

RUN_ALL = (
    "Run it: make submit ARGS=--run. Or, in JupyterLab, choose Run > Restart Kernel and Run All Cells, wait for the "
    "last cell, and save."
)


def read(path: Path) -> NotebookNode:
    """Read a notebook from a file; errors as for :func:`loads`."""
    return loads(path.read_bytes())


def loads(content: bytes) -> NotebookNode:
    """Read a notebook that any editor wrote, if it can be shown; a ValueError says that it is not a notebook."""
    return copy.deepcopy(_loads(content))


@functools.lru_cache(maxsize=16)  # each is read several times, and validating takes long
def _loads(content: bytes) -> NotebookNode:
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


def inspect(path: Path, name: str, package: Path) -> list[Finding]:
    """Return what must be fixed in a notebook, called ``name``, before it is handed in.

    The package in this folder is compared with the code that the notebook ran with.
    """
    content = path.read_bytes()
    try:
        notebook = loads(content)
    except ValueError as error:
        marks = re.search(rb"^[\"\s]*(<{7}|>{7}|={7})", content, re.M)
        reason = "it holds the marks of a merge" if marks else f"it is not a whole notebook ({error})"
        return [Finding(name, reason, "Take a copy that opens in JupyterLab, and run that.")]
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    texts = _texts(notebook, outline.read(path.parent)[path.name], name)
    return [*_order(cells, name), *_outputs(cells, name), *_age(cells, name, package), *texts]


def _texts(notebook: NotebookNode, entries: Sequence[outline.Entry], name: str) -> Iterator[Finding]:
    """Name each cell that the PDF should show and that is lost, and in one finding the answers that are still empty."""
    remedy = "Put it back from the notebook that you were given, with what you wrote."
    for entry in outline.labels(notebook.cells, entries)[1]:
        yield Finding(name, f"{entry} is not there any more", remedy)
    if found := outline.unwritten(notebook.cells, entries):
        places = ", ".join(f"task {each.task} under {each.under!r}" for each in found)
        problem = f"{len(found)} answers are not written yet" if len(found) > 1 else "an answer is not written yet"
        remedy = (
            "Write it where the notebook says *Your answer here*; a picture can be dropped into the cell. Then save."
        )
        yield Finding(name, f"{problem}: {places}", remedy)


def _order(cells: list[NotebookNode], name: str) -> list[Finding]:
    if not cells:
        return [Finding(name, "it has no code cell any more", "Take a fresh copy of the notebook, and run it.")]
    if not any(cell.execution_count for cell in cells):
        return [Finding(name, "no cell was executed", RUN_ALL, stale=True)]
    for number, cell in enumerate(cells, start=1):
        if cell.execution_count != number:
            problem = (
                f"it was not executed from top to bottom: code cell {number} carries the number {cell.execution_count}"
            )
            if cell.execution_count is None:
                problem = f"{_called(number, cell)} was not executed"
            return [Finding(name, problem, RUN_ALL, stale=True)]
    return []


def _called(number: int, cell: NotebookNode) -> str:
    return f"code cell {number} (id {cell.get('id', 'none')})"


def _outputs(cells: list[NotebookNode], name: str) -> Iterator[Finding]:
    """Name the cells that end in an error, and the tasks that cells wait for."""
    waiting: dict[str, list[str]] = {}
    for number, cell in enumerate(cells, start=1):
        place = f"{name}, {_called(number, cell)}"
        for output in cell.outputs:
            if output.output_type == "error":
                said = f"it ends in {output.get('ename', 'an error')}: {str(output.get('evalue', ''))[:120]}".strip()
                yield Finding(place, said, f"Mend it. {RUN_ALL}", stale=True)
            elif task := output.get("metadata", {}).get(WAITS):
                said = str(output.get("data", {}).get("text/plain", "")).partition(": ")[2].rstrip(".")
                waiting.setdefault(str(task), []).append(said)
    for task, reasons in waiting.items():
        count = f"{len(reasons)} cells wait" if len(reasons) > 1 else "a cell waits"
        why = next(filter(None, reasons), "something in it is not written yet")
        yield Finding(name, f"{count} for task {task}: {why}", f"Write it. {RUN_ALL}")


def _age(cells: list[NotebookNode], name: str, package: Path) -> list[Finding]:
    stored = [output.get("metadata", {}).get("coursework_code") for cell in cells for output in cell.outputs]
    records = [record for record in stored if isinstance(record, dict)]
    changed = sorted({path for record in records for path in changed_code(record, package)})
    if changed:
        return [Finding(name, f"its results are older than {', '.join(changed)}", RUN_ALL, stale=True)]
    imports = re.compile(rf"^\s*(from|import)\s+{homework().package}\b", re.M)
    if not records and any(cell.execution_count and imports.search(cell.source) for cell in cells):
        return [Finding(name, "it does not say which code its results come from", RUN_ALL, stale=True)]
    return []
