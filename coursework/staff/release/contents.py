"""What the student edition consists of: the lines of contents.txt, and the files of the repository."""

from __future__ import annotations

import codecs
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from coursework.homework import homework, path_of
from coursework.root import ROOT
from coursework.staff.release.markers import ReleaseError, refuse
from coursework.submit import names

CONTENTS = "staff/contents.txt"
WORDS = {"staff": (1, 1), "student": (1, 99), "template": (2, 2), "shares": (2, 2)}  # least and most that follow


@dataclass(frozen=True)
class Entry:
    """A line of contents.txt.

    Attributes:
        kind: its first word.
        pattern: the names of files that it is about; in a line that shares, of regions.
        rest: the tasks of a student's file, the file that a template is in, or the files that share a region.
    """

    kind: str
    pattern: str
    rest: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What contents.txt says: for files, the first line that fits."""

    entries: tuple[Entry, ...]

    def entry(self, path: str) -> Entry | None:
        """Return the line that decides about a file, if there is one."""
        return next((each for each in self.entries if each.kind != "shares" and fnmatchcase(path, each.pattern)), None)

    def tasks(self, path: str) -> frozenset[str]:
        """Return the tasks whose solutions may stand in a file."""
        given = {task.number for task in homework().tasks if any(path_of(name) == path for name, _ in task.functions)}
        entry = self.entry(path)
        return frozenset(given.union(entry.rest if entry and entry.kind == "student" else ()))

    def may_share(self, region: str, path: str) -> bool:
        """Tell whether a stretch of a solution may stand in a file."""
        return any(
            each.kind == "shares" and fnmatchcase(region, each.pattern) and fnmatchcase(path, each.rest[0])
            for each in self.entries
        )


def read_contents(text: str) -> Contents:
    """Read the lines of contents.txt.

    Raises:
        ReleaseError: if a line is none of the four kinds.
    """
    entries, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        kind, *rest = line.partition("#")[0].split() or [""]
        least, most = WORDS.get(kind, (1, 0))
        if least <= len(rest) <= most:
            entries.append(Entry(kind, rest[0], tuple(rest[1:])))
        elif kind:
            expected = ", ".join(WORDS)
            problems.append(f"{CONTENTS}:{number}: expected one of {expected} and what it takes, got {line.strip()!r}")
    refuse(problems)
    return Contents(tuple(entries))


def read_source(root: Path = ROOT) -> dict[str, bytes]:
    """Read the files of a repository that git knows, whatever git or an editor has made of the ends of their lines.

    Raises:
        ReleaseError: if it is no repository, a file that students would get is not known to git, or not every system
            can hold it.
    """
    contents = read_contents(normal(root / CONTENTS).decode())

    def given(paths: list[str]) -> list[str]:
        entries = [(path, contents.entry(path)) for path in paths]
        return [path for path, entry in entries if entry is None or entry.kind != "staff"]

    known = _git(root, "--cached")
    problems = [f"{path}:1: not known to git: add it, or remove it" for path in given(_git(root, "--others"))]
    for path in known:
        if (root / path).is_symlink() or not (root / path).is_file():
            problems.append(f"{path}:1: git knows it, but there is no file, or only a link")
    for path in given(known):
        if reason := names.unportable(path):
            problems.append(f"{path}:1: its name {reason}")
    problems += [f"{twin}:1: {names.same_as(path)}" for path, twin in names.twins(given(known))]
    refuse(problems)
    return {path: normal(root / path) for path in known}


def is_picture(content: bytes) -> bool:
    """Tell whether a file is not text."""
    return b"\0" in content


def normal(path: Path) -> bytes:
    """Read a file as git keeps it: a text without a byte order mark, each line ended by a newline alone."""
    content = path.read_bytes()
    if is_picture(content):
        return content
    content = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    if path.suffix == ".ipynb":  # whose cells have ends of lines of their own, as escapes
        content = re.sub(rb"(?<!\\)((?:\\\\)*)\\r\\n", rb"\1\\n", content)
    return content


def _git(root: Path, *options: str) -> list[str]:
    command = ["git", "ls-files", "-z", "--exclude-standard", *options]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode("utf-8", "replace").strip() or str(error)
        raise ReleaseError([f"{root}:1: git cannot list the files: {said}"]) from error
    return sorted(filter(None, result.stdout.decode("utf-8", "surrogateescape").split("\0")))
