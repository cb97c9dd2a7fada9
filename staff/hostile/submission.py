"""What a hostile or broken submission consists of, and how it is written."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from coursework.root import ROOT
from coursework.staff.autograder.limits import Limits
from coursework.staff.mutants.mutant import Mutant

DESCENT = "cs7643/descent.py"
STRICT = Limits(call=2.0, start=8.0, wait=4.0, task=30.0, total=60.0, memory=150, address=1000, disk=8, cpu=20)


@dataclass(frozen=True)
class Hostile:
    """A submission that should not be given a point that it has not earned.

    Attributes:
        name: what it does, in words.
        make: writes it into a folder, and returns what is handed in: a folder or a zip.
        points: what it earns, of the tasks that are graded; None for a mutant, of which that is worked out.
        says: a pattern of the output; what the student, or the staff, can do something with.
        tasks: the tasks that are graded.
        slow: whether it takes more than a few seconds.
        mutant: the mutant that it is.
        limits: what its worker may use.
    """

    name: str
    make: Callable[[Path], Path]
    points: float | None
    says: str
    tasks: tuple[str, ...] = ("4",)
    slow: bool = False
    mutant: Mutant | None = None
    limits: Limits = STRICT


def solved(path: str) -> str:
    """Return a module of the solved edition."""
    return (ROOT / path).read_text(encoding="utf-8")


def folder(files: Mapping[str, str | bytes]) -> Callable[[Path], Path]:
    """Return what writes these files and hands in the folder."""

    def make(place: Path) -> Path:
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    return make


def top(name: str, code: str, says: str = "", points: float = 1.0) -> Hostile:
    """Return a right descent.py that begins with this code, which runs at its import."""
    first, imports, rest = solved(DESCENT).partition("from __future__ import annotations\n")
    return Hostile(name, folder({DESCENT: f"{first}{imports}{textwrap.dedent(code)}\n{rest}"}), points, says)


def body(
    name: str,
    code: str,
    says: str = "",
    before: str = "",
    points: float = 0.5,
    function: str = "sgd_step(w, term, eta)",
    task: str = "4",
) -> Hostile:
    """Return a right descent.py in which this code replaces the body of a function: by default half of task 4."""
    indented = textwrap.indent(textwrap.dedent(code).strip("\n"), "    ")
    more = f"\n\n{textwrap.dedent(before)}\n\ndef {function}:\n{indented}\n"
    return Hostile(name, folder({DESCENT: solved(DESCENT) + more}), points, says, (task,))
