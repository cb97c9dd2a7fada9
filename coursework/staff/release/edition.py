"""The student edition, in memory: from the files of the source to those that students get, and back."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from coursework.homework import homework, hours_of
from coursework.staff.release import assistants
from coursework.staff.release.blanks import Cleared, Cut, Removed, cut, cut_notebook, put_back, put_back_notebook
from coursework.staff.release.contents import CONTENTS, Contents, is_picture, read_contents
from coursework.staff.release.markers import CODE, MARKDOWN, PYTHON, Place, ReleaseError, refuse
from coursework.staff.staff_options import POLICY

SYNTAX = {".py": PYTHON, ".md": MARKDOWN}  # elsewhere a comment begins with #
NOTEBOOK = ".ipynb"


@dataclass(frozen=True)
class Edition:
    """What students get, and what was taken out.

    Attributes:
        files: the content of each file, by its name.
        removed: for each of them that is made of a file of the same name, what was taken out of that.
        policy: what AI assistants are asked to do.
    """

    files: Mapping[str, bytes]
    removed: Mapping[str, Removed]
    policy: str = POLICY

    def solutions(self) -> list[tuple[str, Cut]]:
        """Return every solution with its file."""
        return [
            (path, done)
            for path, removed in self.removed.items()
            for part in (removed.cuts if isinstance(removed, Cleared) else [removed])
            for done in part
            if done.region.kind == "SOLUTION"
        ]


def make_edition(source: Mapping[str, bytes], policy: str = POLICY) -> Edition:
    """Make the student edition of the files of the solved repository, as its contents.txt says.

    Args:
        source: those files, by their names.
        policy: a policy for AI assistants, whose files are added.

    Raises:
        ReleaseError: with all that is wrong with the files, each with its line.
    """
    contents = read_contents(source[CONTENTS].decode())
    files: dict[str, bytes] = {}
    removed: dict[str, Removed] = {}
    problems: list[str] = []
    for path in sorted(source):
        entry = contents.entry(path)
        if entry is None:
            problems.append(f"{path}:1: contents.txt does not say whether students get this file")
        elif entry.kind == "template" and entry.rest[0] not in source:
            problems.append(f"{entry.rest[0]}:1: there is no such file")
        elif entry.kind == "template":
            files[path] = source[entry.rest[0]]
        elif entry.kind == "student":
            try:
                files[path], removed[path] = take_out(source[path], path, contents)
            except ReleaseError as error:
                problems += error.problems
    edition = Edition(files, removed, policy)
    names = Counter((done.region.task, done.region.name) for _, done in edition.solutions())
    for path, done in edition.solutions():
        task, name = done.region.task, done.region.name
        if names[task, name] > 1:
            problems.append(f"{path}:{done.region.start + 1}: two regions are called {task} {name}")
    refuse(problems)
    work = [(path, done.region.task, done.region.name) for path, done in edition.solutions()]
    rules = assistants.files(policy, work)
    refuse([f"{path}:1: release makes this file itself" for path in rules if path in files])
    for path in files.keys() - removed.keys():
        files[path] = fill(files[path].decode(), files).encode()
    files |= rules
    return edition


def take_out(content: bytes, path: str, contents: Contents) -> tuple[bytes, Removed]:
    """Take out of a file what students do not get."""
    suffix, tasks = PurePosixPath(path).suffix, contents.tasks(path)
    if is_picture(content):
        return content, ()
    if suffix == NOTEBOOK:
        return cut_notebook(content, path, tasks)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReleaseError([f"{path}:1: not text in UTF-8: {error}"]) from error
    new, cuts = cut(text, SYNTAX.get(suffix, CODE), Place(path), tasks)
    return new.encode(), cuts


def texts(path: str, content: bytes) -> list[str]:
    """Return the texts that a file holds: the sources of a notebook's cells, else the file; none for a picture."""
    if is_picture(content):
        return []
    if path.endswith(NOTEBOOK):
        return ["".join(cell["source"]) for cell in json.loads(content)["cells"]]
    return [content.decode()]


def restore(edition: Edition) -> dict[str, bytes]:
    """Put the solutions back: return the files of the source that the edition is made of, byte for byte.

    Raises:
        ValueError: if a blank is not where it was left.
    """
    return {path: restore_file(edition.files[path], removed) for path, removed in edition.removed.items()}


def restore_file(content: bytes, removed: Removed) -> bytes:
    """Put back into a file what was taken out."""
    if isinstance(removed, Cleared):
        return put_back_notebook(content, removed)
    return put_back(content.decode(), removed).encode() if removed else content


def fill(template: str, files: Mapping[str, bytes]) -> str:
    """Fill a template: {notebooks} is a table of the notebooks, with titles, points and hours; {hours} their sum."""
    rows = ["| notebook | what it is about | points | hours to plan |", "| --- | --- | --- | --- |"]
    for path in homework().notebooks:
        text = texts(path, files[path])[0]
        title, points = re.search(r"^# +(.+)$", text, re.M), re.search(r"\*\*Points\*\* \| (.+?) *\|", text)
        name = PurePosixPath(path).stem
        rows.append(
            f"| [{name}]({path}) | {title[1] if title else ''} | {points[1] if points else ''} | {hours_of(name)} |"
        )
    return template.replace("{notebooks}", "\n".join(rows)).replace("{hours}", hours_of(*homework().hours))
