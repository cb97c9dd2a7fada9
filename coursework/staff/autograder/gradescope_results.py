"""results.json, as the platform specifies it: always there, always valid, always complete.

https://gradescope-autograders.readthedocs.io/en/latest/specs/ names the fields. :func:`problems` checks them, and a
document with a problem is not written.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
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


def _object(value: Any) -> bool:
    return isinstance(value, dict)


# A rule is a test of the value, a tuple of all values, a dictionary of an object's fields, or a list whose one element
# is the rule of each item.
TEST = {
    "score": _number,
    "max_score": _number,
    "status": ("passed", "failed"),
    "name": _text,
    "name_format": FORMATS,
    "number": _text,
    "output": _text,
    "output_format": FORMATS,
    "tags": [_text],
    "visibility": VISIBILITIES,
    "extra_data": _object,
}
ENTRY = {"name": _text, "value": lambda value: _number(value) or _text(value), "order": ("asc", "desc")}
DOCUMENT = {
    "score": _number,
    "execution_time": _number,
    "output": _text,
    "output_format": FORMATS,
    "test_output_format": FORMATS,
    "test_name_format": FORMATS,
    "visibility": VISIBILITIES,
    "stdout_visibility": VISIBILITIES,
    "extra_data": _object,
    "tests": [TEST],
    "leaderboard": [ENTRY],
}


def problems(document: Any) -> list[str]:
    """Return what is wrong with a document, a sentence each; nothing, if it is as the platform wants it."""
    found = list(_problems("results", document, DOCUMENT))
    if found:
        return found
    tests = document.get("tests", [])
    for k, test in enumerate(tests):
        if not 0 <= test.get("score", 0) <= test.get("max_score", math.inf):
            found.append(f"results.tests[{k}].score: {test['score']} is not from 0 to max_score")
    for k, entry in enumerate(document.get("leaderboard", [])):
        if not {"name", "value"} <= set(entry):
            found.append(f"results.leaderboard[{k}]: it has no name or no value")
    if not any("score" in each for each in (document, *tests)):
        found.append("there is no score, neither of the whole nor of a test")
    return found


def _problems(where: str, value: Any, rule: Any) -> Iterator[str]:
    """Yield each place in a value that does not follow its rule."""
    if isinstance(rule, dict) and isinstance(value, dict):
        for name, part in value.items():
            if name in rule:
                yield from _problems(f"{where}.{name}", part, rule[name])
            else:
                yield f"{where}.{name}: no field of the specification"
    elif isinstance(rule, list) and isinstance(value, list):
        for k, part in enumerate(value):
            yield from _problems(f"{where}[{k}]", part, rule[0])
    elif isinstance(rule, (dict, list)) or not (value in rule if isinstance(rule, tuple) else rule(value)):
        yield f"{where}: {str(value)[:40]!r} is not a value that it may have"


def clean(text: str, limit: int = TEXT) -> str:
    """Return a text without control characters, and not too long: a part of it may come from a student's code."""
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
