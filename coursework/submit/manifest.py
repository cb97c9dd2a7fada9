"""manifest.json: what is in the zip, who hands it in, what made it, and what was overridden."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from coursework.homework import homework
from coursework.notebooks.execute import datasets, versions
from coursework.submit import notebooks
from coursework.submit.finding import Finding
from coursework.submit.inspection import Entry
from coursework.submit.person import Person

NAME = "manifest.json"


def data_of(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Return the data sets that each notebook, each run of training, and each other file says it used."""
    found = {}
    for entry in entries:
        if entry.data:
            found[entry.path] = [entry.data]
        if entry.kind == "notebook":
            try:
                cells = notebooks.loads(entry.content).cells
                names = datasets([cell for cell in cells if cell.cell_type == "code"])
            except ValueError:
                names = ()
            if names:
                found[entry.path] = list(names)
    return found


def build(
    entries: Sequence[Entry], person: Person, points: Sequence[dict[str, Any]], overridden: Sequence[Finding]
) -> bytes:
    """Return manifest.json; the same files give the same bytes.

    Args:
        entries: the files of the zip.
        person: who hands it in.
        points: what the checks say of each task, in the copy made from the zip.
        overridden: what --force ignored.
    """
    document = {
        "assignment": homework().title,
        "edition": homework().version,
        "name": person.name,
        "collaborators": person.collaborators,
        "overridden": [
            {"place": finding.place, "problem": finding.problem, "remedy": finding.remedy} for finding in overridden
        ],
        "points": [{key: task[key] for key in ("task", "points", "for_code", "earned")} for task in points],
        "versions": versions(),
        "data": data_of(entries),
        "files": [
            {
                "path": entry.path,
                "kind": entry.kind,
                "bytes": len(entry.content),
                "sha256": hashlib.sha256(entry.content).hexdigest(),
            }
            for entry in entries
        ],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
