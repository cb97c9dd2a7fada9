"""What was tried before, as JSON lines in build/mutation/, each under a digest of what decides its result."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TextIO

from coursework.root import ROOT

FOLDER = ROOT / "build" / "mutation"


def digest(*texts: str) -> str:
    """Return what stands for these texts, one after another."""
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def read(name: str) -> list[dict[str, Any]]:
    """Return the records of a file; none, if there is no such file yet."""
    path = FOLDER / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def open_to_add(name: str) -> TextIO:
    """Open a file, to add records to it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return (FOLDER / name).open("a", encoding="utf-8")


def add(stream: TextIO, record: dict[str, Any]) -> None:
    """Add a record, so that it is there whatever comes next."""
    stream.write(json.dumps(record) + "\n")
    stream.flush()
