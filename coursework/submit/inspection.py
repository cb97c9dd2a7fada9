"""Which files of the repository go into the zip, and what is the matter with those that do not."""

from __future__ import annotations

import ast
import codecs
import contextlib
import json
import os
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coursework.files import POINTER
from coursework.homework import PERSON, homework, hook
from coursework.notebooks.execute import datasets
from coursework.submit import names, notebooks, portability
from coursework.submit.finding import Finding

RESULT_KINDS = {  # what training leaves: the log of a run, and its pictures; never weights
    **dict.fromkeys((".csv", ".json", ".jsonl", ".log", ".txt"), "log"),
    **dict.fromkeys((".png", ".svg", ".pdf"), "plot"),
}
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".tif", ".tiff", ".heic")
SOURCE = re.compile(  # of a picture, in Markdown
    r"!\[[^\]]*\]\(\s*(?:<([^>\n]+)>|([^\s)]+))"  # ![words](file.png)
    r"|<img\b[^>]*?\bsrc\s*=\s*[\"']([^\"'>]+)"  # <img src="file.png">
    r"|^ *\[[^\]]+\]: *<?([^\s>]+)",  # [name]: file.png
    re.M | re.I,
)


@dataclass(frozen=True)
class Entry:
    """A file of the zip: its path, relative and with slashes, what it is, its bytes, and the data it says it is for."""

    path: str
    kind: str
    content: bytes
    data: tuple[str, ...] = ()


def gather(root: Path) -> tuple[list[Entry], list[Finding]]:
    """Return the files to hand in, in the order of their paths, and what keeps others out or should be mended."""
    entries: dict[str, Entry] = {}
    found: list[Finding] = []

    def take(path: str, kind: str) -> None:
        content = read_inside(root, path)
        if isinstance(content, Finding):
            found.extend([content] if content not in found else [])  # it may be imported as well
        elif path not in entries:
            content = content.removeprefix(codecs.BOM_UTF8) if kind == "notebook" else content  # JupyterLab refuses it
            entries[path] = Entry(path, kind, content, _data_of(root, path, content))
            found.extend(_inspect(root, entries[path]))

    for path, kind in [*homework().handed_in().items(), *_results(root)]:
        take(path, kind)
    for path in _imported(root, [entry for entry in entries.values() if entry.kind == "student"]):
        if path not in entries:
            take(path, "imported")
    for entry in [entry for entry in entries.values() if entry.kind in ("notebook", "extra")]:
        for path in _pictures(root, entry):
            take(path, "picture")
    for path, twin in names.twins(entries):
        found.append(Finding(twin, names.same_as(path), "Rename one of them, or remove it."))
        del entries[twin]
    return [entries[path] for path in sorted(entries)], found


def _results(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the logs and plots that training left: no hidden file, none of an editor, and no folder behind a link."""
    folder = root / homework().results
    for path in sorted(folder.rglob("*")) if homework().results else ():
        hidden = any(part.startswith((".", "#", "~", "__")) for part in path.relative_to(folder).parts)
        kind = RESULT_KINDS.get(path.suffix.lower())
        if kind and not hidden and not path.is_dir():
            yield path.relative_to(root).as_posix(), kind


def _pictures(root: Path, entry: Entry) -> Iterator[str]:
    """Yield the paths of the files in the repository that the text of a notebook, or Markdown, shows as pictures."""
    texts = [entry.content.decode("utf-8", "replace")]
    if entry.kind == "notebook":
        try:
            texts = [cell.source for cell in notebooks.loads(entry.content).cells if cell.cell_type == "markdown"]
        except ValueError:  # no notebook, which is said elsewhere
            return
    for found in SOURCE.finditer("\n\n".join(texts)):
        name = urllib.parse.unquote(next(filter(None, found.groups())).split("?")[0])
        place = root / PurePosixPath(entry.path).parent / name
        if place.suffix.lower() in PICTURES and ":" not in name:
            with contextlib.suppress(ValueError, OSError):  # it lies outside of the repository, which the PDF says
                if place.is_file():
                    yield place.resolve().relative_to(root.resolve()).as_posix()


def is_inside(place: Path, root: Path) -> bool:
    """Tell whether a path leads to something in a folder, wherever its links lead."""
    return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(root))


def read_inside(root: Path, path: str) -> bytes | Finding:
    """Read a file, unless it is missing, no file, or not whole, or a link leads out of the repository."""
    place = root / path
    if reason := names.unportable(path):
        return Finding(path, f"its name {reason}", "Rename it: letters, digits, - and _ are right everywhere.")
    try:
        if not place.exists():
            what = "notebook" if path in homework().notebooks else "file"
            if place.is_symlink() and what == "file":
                return Finding(path, "it is a link to a file that is not there", "Put the file itself in its place.")
            others = {PurePosixPath(other).name for other in homework().handed_in()}
            return names.missing(place, path, f"the {what} is missing", _where_from(path), others)
        if not is_inside(place, root):
            problem = f"it is a link that leads out of the repository, to {Path(os.path.realpath(place)).name}"
            return Finding(path, problem, "Put the file itself in its place.")
        if not place.is_file():
            return Finding(path, "it is not a file", "Put the file in its place.")
        content = place.read_bytes()
    except OSError as error:
        return Finding(path, f"it cannot be read ({error.strerror})", "See to its rights, or take a copy.")
    if content.startswith(POINTER):
        problem = "it is a pointer of Git LFS, and not the file that this stands for"
        return Finding(path, problem, "Fetch the file: git lfs pull.")
    return content


def _where_from(path: str) -> str:
    again = "from your own copy, or from the files you were given"
    remedies = {
        **dict.fromkeys(homework().notebooks, f"Put it back under that name: {again}, and run it."),
        PERSON: 'Make it, with the lines "Name: ..." and "Collaborators: ...".',
        **{file.path: file.remedy for file in homework().loose},
    }
    return remedies.get(path, f"Put it back: {again}.")


def _data_of(root: Path, path: str, content: bytes) -> tuple[str, ...]:
    """Return the names of the data that a file is for, or that a notebook or a run used, as far as it says."""
    with contextlib.suppress(ValueError, AttributeError):
        said = [hook(file.data)(root / path) for file in homework().loose if file.path == path and file.data]
        if path.endswith(".ipynb"):
            said += datasets([cell for cell in notebooks.loads(content).cells if cell.cell_type == "code"])
        if path.endswith(".jsonl"):
            said.append(json.loads(content.split(b"\n", 1)[0]).get("dataset", ""))
        return tuple(str(each) for each in said if each)
    return ()


def _inspect(root: Path, entry: Entry) -> list[Finding]:
    path = root / entry.path
    if entry.kind == "notebook":
        return notebooks.inspect(path, entry.path, root / homework().package)
    if not entry.content.strip() and entry.kind in ("student", "extra", "log", "plot"):
        remedy = _where_from(entry.path) if entry.kind == "student" else "Write it, or remove it."
        return [Finding(entry.path, "the file is empty", remedy)]
    if entry.kind in ("student", "imported") and path.suffix == ".py":
        return portability.inspect(entry.path, entry.content)
    for file in homework().loose:
        if file.path == entry.path and file.check:
            try:
                hook(file.check)(path)
            except ValueError as error:
                return [Finding(file.path, str(error).removeprefix(str(path)).lstrip(",: "), file.remedy)]
    return []


def _imported(root: Path, files: list[Entry]) -> list[str]:
    """Return the modules of the packages that the given files import, and those that these import, and so on."""
    found: set[str] = set()
    sources: list[tuple[str, bytes | Finding]] = [(entry.path, entry.content) for entry in files]
    for importer, content in sources:  # which grows
        new = set(_imports(root, importer, content)) - found if isinstance(content, bytes) else set()
        found |= new
        sources += [(path, read_inside(root, path)) for path in new]
    return sorted(found)


def _imports(root: Path, importer: str, content: bytes) -> Iterator[str]:
    """Yield the files that a file imports from the packages, whether by their full names or by relative ones."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError):
        return
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    above = PurePosixPath(importer).parts[:-1]
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            start = above[: max(len(above) - node.level + 1, 0)] if node.level else ()  # one dot: the folder itself
            parent = ".".join((*start, *filter(None, [node.module])))
            modules |= {parent, *(f"{parent}.{alias.name}" for alias in node.names)}
    for module in sorted(modules):
        parts = module.split(".")
        if parts[0] in ("coursework", homework().package):
            folders = ["/".join(parts[:count]) for count in range(min(2, len(parts)), len(parts) + 1)]
            places = (f"{folders[-1]}.py", *(f"{folder}/__init__.py" for folder in folders))
            yield from (path for path in places if (root / path).is_file())
