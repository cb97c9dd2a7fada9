"""Running notebooks in place before they are handed in: with a copy of what was there, and only if they run to the end.

The executed notebook takes over nothing but outputs and the numbers of the cells: text, ids and metadata stay.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.notebooks import minutes
from coursework.notebooks.execute import Execution, blank, each_run, normalise
from coursework.notebooks.waiting import STOP
from coursework.submit import editors, notebooks, text
from coursework.submit.finding import Finding

BUILD = "build"
BEFORE = "before-submit"  # in the folder above: the notebooks as they were


def outdated(found: Sequence[Finding]) -> list[str]:
    """Return the paths of the notebooks that running may mend, in their order."""
    stale = {finding.place.partition(", ")[0] for finding in found if finding.stale}
    return [name for name in homework().notebooks if name in stale]


def obstacles(root: Path, found: Sequence[Finding]) -> list[Finding]:
    """Return the findings that must be mended before notebooks run: unsaved changes, and code that cannot run."""
    unsaved = editors.inspect(root, list(homework().handed_in()))
    return [finding for finding in found if finding in unsaved or finding.place in homework().code_files()]


def run_outdated(root: Path, found: Sequence[Finding], wanted: bool, forced: bool) -> dict[str, Finding] | None:
    """Run the notebooks that are not executed as they are, if nothing stands against it and the student wants that.

    Return for each that did not run to its end why; None if nothing ran.
    """
    names = outdated(found)
    can_ask = not forced and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    first = obstacles(root, found)
    if wanted and names and first:
        reasons = "".join(dict.fromkeys(f"\n  {finding.place}: {finding.problem}" for finding in first))
        print(f"No notebook was run, since something else comes first:{reasons}", file=sys.stderr)
    if not names or first or not (wanted or can_ask):
        return None
    others = [finding for finding in found if not finding.stale]
    if others:
        print("To be mended besides:" + "".join(f"\n  {finding.place}: {finding.problem}" for finding in others))
    variables, stems = homework().data.variables(), [PurePosixPath(name).stem for name in names]
    print(f"Not run from top to bottom with the code as it is: {', '.join(stems)}.")
    print(minutes.announcement(stems, root / BUILD, variables))
    print(f"The results are written into the notebooks; what was there is kept in {BUILD}/{BEFORE}.", flush=True)
    return run(root, names, variables) if wanted or _agreed() else None


def _agreed() -> bool:
    try:
        return input("Run them now? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def run(root: Path, names: Sequence[str], variables: Mapping[str, str]) -> dict[str, Finding]:
    """Run notebooks of the repository, and write the results of each into it as soon as it has run to its end.

    Return for each notebook whose results were not written into it why.
    """
    paths = {root / name: name for name in names}
    before = {path: path.read_bytes() for path in paths}
    found = {}
    executions = [Execution(path, blank(notebooks.loads(content))) for path, content in before.items()]
    goes_on = {**variables, STOP: "0"}  # past a blank, as in an editor: unfinished work can be handed in
    for execution in each_run(executions, root / BUILD, goes_on):
        name = paths[execution.path]
        if execution.problem:
            place, _, reason = execution.problem.partition(": ")
            place = f"{PurePosixPath(name).parent}/{place}"
            remedy = (
                f"Mend it, and call again. The notebook with the error is in {BUILD}/notebooks; yours is as it was."
            )
            found[name] = Finding(place, f"it does not run to its end: {reason}", remedy)
        elif execution.path.read_bytes() != before[execution.path]:
            problem = "it was changed while it ran, so the results were not written into it"
            found[name] = Finding(name, problem, f"Call again. What ran is in {BUILD}/notebooks.")
        else:
            keep(before[execution.path], root / BUILD / BEFORE / execution.path.name)
            with atomic_writer(execution.path.resolve(), "w") as stream:
                stream.write(merged(before[execution.path], execution))
    print("If a notebook is open in JupyterLab, load it again: File > Reload Notebook from Disk.", flush=True)
    return found


def keep(content: bytes, place: Path) -> None:
    """Write a copy under this name, or with a number if another is there: no copy is ever replaced."""
    for number in itertools.count(1):
        path = place if number == 1 else place.with_stem(f"{place.stem} ({number})")
        if not path.exists():
            with atomic_writer(path) as stream:
                stream.write(content)
            return
        if path.read_bytes() == content:
            return


def merged(content: bytes, execution: Execution) -> str:
    """Return the text of a notebook with the outputs of its execution, and with everything else as it was."""
    document: dict[str, Any] = json.loads(text.decode(content))
    written: str = nbformat.writes(normalise(execution.notebook))  # type: ignore[no-untyped-call]
    cells = zip(document["cells"], json.loads(written)["cells"], execution.notebook.cells, strict=True)
    for cell, executed, ran in cells:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = executed["outputs"], ran.execution_count
            for output in cell["outputs"]:
                if output["output_type"] == "execute_result":
                    output["execution_count"] = ran.execution_count
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
