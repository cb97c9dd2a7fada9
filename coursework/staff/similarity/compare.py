"""Winnowed fingerprints (copydetect, after Schleimer, Wilkerson and Aiken, 2003), in a process with limits.

Names of variables make no difference in code, nor do comments. What the student edition holds does not count, nor what
so many students write that it says nothing.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from coursework.staff.autograder import confined
from coursework.staff.similarity.material import BREAK, CODE, KINDS, Document

GRAM = {CODE: 25}  # characters that must agree, in code after names were shortened
WINDOW = 8  # of that many fingerprints in a row, one is kept
PROSE = 40  # characters that must agree in a text
COMMON = 0.3  # the part of a class that may write the same before it says nothing
FEW = 5  # that may, whatever the size of the class
LEAST = 60  # characters that a pair must share to be listed


@dataclass(frozen=True)
class Pair:
    """Two documents that share something.

    Attributes:
        kind: what is compared.
        left: the number of the first document.
        right: that of the second.
        shared: characters that agree, as fingerprints count them.
        parts: the part of what each has written itself, from 0 to 1.
        spans: for each, where it agrees: starts and ends in its text.
    """

    kind: str
    left: int
    right: int
    shared: int
    parts: tuple[float, float]
    spans: tuple[list[tuple[int, int]], list[tuple[int, int]]]


def pairs(found: Sequence[Document], given: dict[str, str], most: int) -> list[Pair]:
    """Return the pairs that share most, of each kind: two of this year, or one of this year and one of another.

    Args:
        found: the documents.
        given: the student edition, by kind.
        most: how many pairs of a kind.

    Raises:
        ModuleNotFoundError: if copydetect is not installed.
        coursework.staff.autograder.confined.UnreadableError: if it takes too much time or memory.
    """
    importlib.import_module("copydetect")  # an optional extra, looked for here to say so

    rows = [[each.earlier, each.kind, each.text] for each in found]
    answer = confined.call(f"{__name__}:opened", rows, given, most, seconds=3600, memory=8000)
    spans = [tuple([(int(a), int(b)) for a, b in side] for side in each["spans"]) for each in answer]
    return [
        Pair(**{**each, "parts": tuple(each["parts"]), "spans": own}) for each, own in zip(answer, spans, strict=True)
    ]


def opened(rows: list[list[str]], given: dict[str, str], most: int) -> Callable[[], list[dict[str, Any]]]:
    """Import what compares; return what does it."""
    copydetect = importlib.import_module("copydetect")
    copydetect.utils.hash = _hash  # that of Python differs from run to run, and with it which fingerprints are kept
    importlib.import_module("pygments.lexers").get_lexer_by_name("python")  # later nothing may be readable
    return lambda: [pair for kind in KINDS for pair in _of_kind(kind, rows, given[kind], most, copydetect)]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=7).digest(), "big")


def _of_kind(kind: str, rows: list[list[str]], given: str, most: int, copydetect: Any) -> list[dict[str, Any]]:
    """Return the pairs of one kind, those that share most first."""
    gram = GRAM.get(kind, PROSE)

    def fingerprint(text: str, window: int) -> Any:
        made = copydetect.CodeFingerprint(
            "text", gram, window, filter=kind == CODE, language="python", fp=io.StringIO(text)
        )
        if len(made.offsets):  # the release of 2024 counts too little after the name of a class
            made.offsets[:, 1] = copydetect.detector.np.maximum.accumulate(made.offsets[:, 1])
        across = {k for k, char in enumerate(made.filtered_code) if char == BREAK}
        across = {start for k in across for start in range(k - gram + 1, k + 1)}
        own = {value: [k for k in places if k not in across] for value, places in made.hash_idx.items()}
        made.hash_idx = {value: places for value, places in own.items() if places}
        made.hashes = set(made.hash_idx)
        return made

    explained = fingerprint(given, 1).hashes if len(given) > gram else set()
    prints = {
        number: fingerprint(row[2], WINDOW) for number, row in enumerate(rows) if row[1] == kind and len(row[2]) > gram
    }
    counts = Counter(
        value for number, each in prints.items() if not rows[number][0] for value in each.hashes - explained
    )
    own = sum(not rows[number][0] for number in prints)
    explained |= {value for value, count in counts.items() if count > max(FEW, COMMON * own)}
    where: dict[int, list[int]] = defaultdict(list)
    for number, each in prints.items():
        each.hashes = each.hashes - explained
        each.hash_idx = {value: places for value, places in each.hash_idx.items() if value in each.hashes}
        each.token_coverage = copydetect.utils.get_token_coverage(each.hash_idx, gram, len(each.filtered_code))
        for value in each.hashes:
            where[value].append(number)
    together = Counter[tuple[int, int]]()
    for numbers in where.values():
        together.update(
            pair for pair in itertools.combinations(numbers, 2) if not all(rows[number][0] for number in pair)
        )
    found: list[dict[str, Any]] = []
    for (left, right), _ in together.most_common(10 * most):
        shared, parts, spans = copydetect.compare_files(prints[left], prints[right])
        if shared >= LEAST:
            pair = {
                **{"kind": kind, "left": left, "right": right, "shared": int(shared)},
                "parts": [min(1.0, float(part)) for part in parts],
                "spans": [[[int(a), int(b)] for a, b in each.T] for each in spans],
            }
            found.append(pair)
    found.sort(key=lambda pair: (-pair["shared"] * max(pair["parts"]), pair["left"], pair["right"]))
    return found[:most]
