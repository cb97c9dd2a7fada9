"""results.json, as the platform specifies it: always there, always valid, never half of it.

https://gradescope-autograders.readthedocs.io/en/latest/specs/ names the fields; :func:`problems` knows them, and no
document is written that it finds something wrong with.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer

FORMATS = ("text", "html", "simple_format", "md", "ansi")
VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
LINE, TEXT = 600, 6000  # characters of a line, and of a text, at most


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


TOP: Mapping[str, Any] = {
    "score": _number,
    "execution_time": _number,
    "output": _text,
    "output_format": FORMATS,
    "test_output_format": FORMATS,
    "test_name_format": FORMATS,
    "visibility": VISIBILITIES,
    "stdout_visibility": VISIBILITIES,
    "extra_data": lambda value: isinstance(value, dict),
    "tests": lambda value: isinstance(value, list),
    "leaderboard": lambda value: isinstance(value, list),
}
TEST: Mapping[str, Any] = {
    "score": _number,
    "max_score": _number,
    "status": ("passed", "failed"),
    "name": _text,
    "name_format": FORMATS,
    "number": _text,
    "output": _text,
    "output_format": FORMATS,
    "tags": lambda value: isinstance(value, list) and all(map(_text, value)),
    "visibility": VISIBILITIES,
    "extra_data": lambda value: isinstance(value, dict),
}
ENTRY: Mapping[str, Any] = {
    "name": _text,
    "value": lambda value: _number(value) or _text(value),
    "order": ("asc", "desc"),
}


def problems(document: Any) -> list[str]:
    """Return what is wrong with a document, a sentence each; nothing, if it is as the platform wants it."""
    if not isinstance(document, dict):
        return [f"it should be an object, got {type(document).__name__}"]
    found = _fields("", document, TOP)
    tests, entries = document.get("tests", []), document.get("leaderboard", [])
    for k, test in enumerate(tests if isinstance(tests, list) else []):
        found += _fields(f"tests[{k}].", test, TEST)
        scored = isinstance(test, dict) and not found and "score" in test
        if scored and not 0 <= test["score"] <= test.get("max_score", math.inf):
            found.append(f"tests[{k}].score: {test['score']} is not from 0 to max_score")
    for k, entry in enumerate(entries if isinstance(entries, list) else []):
        found += _fields(f"leaderboard[{k}].", entry, ENTRY)
        if isinstance(entry, dict) and not {"name", "value"} <= set(entry):
            found.append(f"leaderboard[{k}]: it has no name or no value")
    if "score" not in document and not any(isinstance(t, dict) and "score" in t for t in tests or []):
        found.append("there is no score, neither of the whole nor of a test")
    return found


def _fields(where: str, thing: Any, known: Mapping[str, Any]) -> list[str]:
    if not isinstance(thing, dict):
        return [f"{where}: it should be an object, got {type(thing).__name__}"]
    found = [f"{where}{name}: no field of the specification" for name in thing if name not in known]
    for name, rule in known.items():
        if name in thing:
            fits = thing[name] in rule if isinstance(rule, tuple) else rule(thing[name])
            if not fits:
                found.append(f"{where}{name}: {str(thing[name])[:40]!r} is not a value that it may have")
    return found


def clean(text: str, limit: int = TEXT) -> str:
    """Return a text without control characters, and not too long: a student's code may have made a part of it."""
    lines = []
    for line in text[: 4 * limit].replace("\t", "    ").split("\n"):
        kept = "".join(c for c in line if not unicodedata.category(c).startswith("C"))
        lines.append(kept if len(kept) <= LINE else kept[:LINE] + " ...")
    whole = "\n".join(lines)
    return whole if len(whole) <= limit else whole[:limit] + "\n..."


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document, whole or not at all.

    Raises:
        ValueError: if something is wrong with it; what was there stays.
    """
    wrong = problems(document)
    if wrong:
        raise ValueError(f"results: {'; '.join(wrong)}")
    with atomic_writer(path, "w") as stream:
        json.dump(document, stream, indent=1, allow_nan=False)
        stream.write("\n")
