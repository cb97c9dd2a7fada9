"""``python -m coursework.others NAME``: two other right ways to write a function, once yours is right.

With the number of a task in the place of NAME: its proofs and answers in words, once the functions of the task are.

They are kept compressed, so that you do not come across them. That is no lock, and is not meant to be one.
"""

from __future__ import annotations

import base64
import difflib
import inspect
import json
import operator
import sys
import zlib
from importlib import import_module
from pathlib import Path

from coursework.check.report import check
from coursework.homework import homework

KEPT = Path(__file__).with_suffix(".json")  # for each function the ways, packed
COUNT = 2


def pack(ways: list[tuple[str, str]]) -> str:
    """Pack ways to write a function, each with what it is good for."""
    return base64.b85encode(zlib.compress(json.dumps(ways).encode())).decode()


def likeness(text: str, other: str) -> float:
    """Return how much two texts have in common, from 0 to 1."""
    return difflib.SequenceMatcher(None, text, other, autojunk=False).ratio()


def main(words: list[str]) -> int:
    """Show two ways, unlike yours and each other, or answers; return 1 before yours is right, 2 for an unknown name."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    if len(words) != 1 or words[0] not in kept:
        print(f"expected one function or task ({', '.join(kept)}), got {' '.join(words)!r}", file=sys.stderr)
        return 2
    (name,) = words
    report, is_task = check(name), name not in homework().functions
    if not report.passed:
        print(report)
        ours, yours = ("Answers to task", "its functions are") if is_task else ("Other ways to write", "yours is")
        print(f"\n{ours} {name} are shown when {yours} right.")
        return 1
    ways = json.loads(zlib.decompress(base64.b85decode(kept[name])))
    if is_task:
        for what, text in ways:
            print(f"--- Task {name}, {what}\n\n{text}\n")
        return 0
    seen = [inspect.getsource(operator.attrgetter(name)(import_module(homework().module_of(name))))]
    while len(seen) <= min(COUNT, len(ways)):
        good_for, source = min(ways, key=lambda way: max(likeness(way[1], text) for text in seen))
        print(f"--- {good_for}\n\n{source}\n")
        seen.append(source)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
