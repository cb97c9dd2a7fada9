"""What the student edition consists of: the lines of contents.txt, and the files of the repository."""

from __future__ import annotations

import codecs
import re
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.release.markers import ReleaseError
from coursework.submit import names

CONTENTS = "staff/contents.txt"
WORDS = {"staff": (1, 1), "student": (1, 99), "template": (2, 2), "says": (2, 2), "shares": (2, 2)}


@dataclass(frozen=True)
class Entry:
    """A line that decides about files: staff, student or template.

    Attributes:
        kind: its first word.
        pattern: the names that it is about.
        rest: the tasks of a student's file, or the file that a template is in.
        line: where it stands.
    """

    kind: str
    pattern: str
    rest: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Contents:
    """What contents.txt says."""

    entries: tuple[Entry, ...]
    says: tuple[tuple[str, str], ...] = ()
    shares: tuple[tuple[str, str], ...] = ()

    def entry(self, path: str) -> Entry | None:
        """Return the line that decides about a file, if there is one."""
        return next((entry for entry in self.entries if fnmatchcase(path, entry.pattern)), None)

    def tasks(self, path: str) -> frozenset[str]:
        """Return the tasks whose solutions may stand in a file."""
        module = path.removesuffix(".py").replace("/", ".")
        given = {task.number for task in homework().tasks if any(module == name for name, _ in task.functions)}
        entry = self.entry(path)
        return frozenset(given.union(entry.rest if entry and entry.kind == "student" else ()))

    def may_say(self, path: str, word: str) -> bool:
        """Tell whether a file may hold a word that else is not for students."""
        return any(fnmatchcase(path, pattern) and word == allowed for pattern, allowed in self.says)

    def may_share(self, region: str, path: str) -> bool:
        """Tell whether a stretch of a solution may stand in a file."""
        return any(fnmatchcase(region, name) and fnmatchcase(path, pattern) for name, pattern in self.shares)


def read_contents(text: str, path: str = CONTENTS) -> Contents:
    """Read the lines of contents.txt.

    Raises:
        ReleaseError: if a line is none of the five kinds.
    """
    entries, pairs, problems = [], {"says": [], "shares": []}, []  # type: ignore[var-annotated]
    for number, line in enumerate(text.splitlines(), 1):
        kind, *rest = line.partition("#")[0].split() or [""]
        if not kind:
            continue
        least, most = WORDS.get(kind, (1, 0))
        if not least <= len(rest) <= most:
            expected = ", ".join(WORDS)
            problems.append(f"{path}:{number}: expected one of {expected} and what it takes, got {line.strip()!r}")
        elif kind in pairs:
            pairs[kind].append((rest[0], rest[1]))
        else:
            entries.append(Entry(kind, rest[0], tuple(rest[1:]), number))
    if problems:
        raise ReleaseError(problems)
    return Contents(tuple(entries), tuple(pairs["says"]), tuple(pairs["shares"]))


def read_source(root: Path = ROOT) -> dict[str, bytes]:
    """Read the files of a repository that git knows, whatever git or an editor has made of the ends of their lines.

    Raises:
        ReleaseError: if it is no repository, a file that students would get is not known to git, or not every system
            can hold it.
    """
    known = _git(root, "--cached")
    contents = read_contents(normal(root / CONTENTS).decode())
    strays = [path for path in _git(root, "--others", "--exclude-standard") if _is_for_students(contents, path)]
    if strays:
        raise ReleaseError([f"{path}:1: not known to git: add it, or remove it" for path in strays])
    missing = [path for path in known if not (root / path).is_file()]
    links = [path for path in known if (root / path).is_symlink()]
    if missing or links:
        wrong = [f"{path}:1: git knows it, and it is not there" for path in missing]
        raise ReleaseError(wrong + [f"{path}:1: a link; students get files" for path in links])
    given = [path for path in known if _is_for_students(contents, path)]
    odd = [f"{path}:1: its name {reason}" for path in given if (reason := names.unportable(path))]
    odd += [
        f"{twin}:1: on Windows and macOS its name is that of {path} ({names.difference(path, twin)})"
        for path, twin in names.twins(given)
    ]
    if odd:
        raise ReleaseError(odd)
    return {path: normal(root / path) for path in known}


def normal(path: Path) -> bytes:
    """Read a file as git keeps it: a text without a byte order mark, each line ended by a newline alone."""
    content = path.read_bytes()
    if b"\0" in content:  # a picture
        return content
    content = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    if path.suffix == ".ipynb":  # whose cells have ends of lines of their own, as escapes
        content = re.sub(rb"(?<!\\)((?:\\\\)*)\\r\\n", rb"\1\\n", content)
    return content


def _is_for_students(contents: Contents, path: str) -> bool:
    """Tell whether students would get a file; one that begins with a dot only if a line has its name in full."""
    entry = contents.entry(path)
    if names.is_hidden(path) and (entry is None or entry.pattern != path):
        return False
    return entry is None or entry.kind != "staff"


def _git(root: Path, *options: str) -> list[str]:
    command = ["git", "ls-files", "-z", *options]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode("utf-8", "replace").strip() or str(error)
        raise ReleaseError([f"{root}:1: git cannot list the files: {said}"]) from error
    return sorted(filter(None, result.stdout.decode("utf-8", "surrogateescape").split("\0")))
