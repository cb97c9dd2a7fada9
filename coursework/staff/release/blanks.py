"""Taking regions out of a text, with a blank in the place of each solution, and putting them back."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coursework.staff.release.markers import (
    CODE,
    MARKDOWN,
    PYTHON,
    Place,
    Region,
    ReleaseError,
    Syntax,
    parse,
    plain_python,
)

Notebook = dict[str, Any]
ANSWER = "*Your answer here*"


@dataclass(frozen=True)
class Cut:
    """What was done to a text at one place.

    Attributes:
        region: which region was taken out.
        line: where the blank begins in the new text, counted from 0.
        blank: the lines that stand there now; none for what only the staff has.
        lines: the lines that stood there, markers included.
    """

    region: Region
    line: int
    blank: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Cleared:
    """What was taken out of a notebook, by the ids of its cells.

    Attributes:
        cuts: the regions of each cell.
        fields: what else a cell had that students do not get: outputs, execution count, metadata, attachments.
        metadata: the metadata of the notebook.
    """

    cuts: Mapping[str, Sequence[Cut]]
    fields: Mapping[str, Mapping[str, Any]]
    metadata: Mapping[str, Any] = field(default_factory=dict)


Removed = Sequence[Cut] | Cleared


def cut(text: str, syntax: Syntax, place: Place, tasks: Collection[str] | None = None) -> tuple[str, list[Cut]]:
    """Take the regions out of a text.

    Args:
        text: a file, or the source of a notebook's cell.
        syntax: what its comments look like.
        place: where it begins, for messages.
        tasks: the tasks whose solutions may stand in this file; None: any.

    Returns:
        The text with blanks, and what was done to it.

    Raises:
        ReleaseError: if a marker is wrong, or a blank does not fit where its region stood.
    """
    regions = parse(text, syntax, place, tasks)
    if not regions:
        return text, []
    lines = text.split("\n")
    tree = _syntax_tree(text, place) if syntax is PYTHON else None
    new: list[str] = []
    cuts: list[Cut] = []
    copied = 0
    for region in regions:
        new += lines[copied : region.start]
        names = _names_needed(tree, region, regions) if tree else ()
        blank = _blank(region, syntax, names) if region.kind == "SOLUTION" else ()
        cuts.append(Cut(region, len(new), blank, tuple(lines[region.start : region.end])))
        new += blank
        copied = region.end
    new += lines[copied:]
    if tree:
        _require_blanks("\n".join(new), tree, cuts, place)
    return "\n".join(new), cuts


def put_back(text: str, cuts: Sequence[Cut]) -> str:
    """Undo :func:`cut`.

    Raises:
        ValueError: if a blank is not where it was left.
    """
    lines = text.split("\n")
    for done in reversed(cuts):
        last = done.line + len(done.blank)
        if tuple(lines[done.line : last]) != done.blank:
            raise ValueError(f"put_back: the blank of {done.region.name} must stand at line {done.line + 1}")
        lines[done.line : last] = done.lines
    return "\n".join(lines)


def _blank(region: Region, syntax: Syntax, names: Sequence[str]) -> tuple[str, ...]:
    """Return the lines of a blank: what to do, and a stop that names the task."""
    title, indent = f"Task {region.task}: {region.name}", " " * region.indent
    if syntax is MARKDOWN:
        return (f"**Task {region.task}, {region.name.replace('_', ' ')}.** {ANSWER}",)
    if syntax is CODE:
        stop = [f'echo "Not started. {title}: write your lines into $0" >&2', "exit 1"]
        return tuple(indent + line for line in ("# Your lines here, in place of the next two.", *stop))
    stop = [f'raise NotImplementedError("{title}")']
    if names:
        stop.insert(0, f"{', '.join(names)} = {', '.join(['...'] * len(names))}")
        return tuple(indent + line for line in ("# Your code here, in place of the next two lines.", *stop))
    return tuple(indent + line for line in ("# Your code here, in place of the next line.", *stop))


def _syntax_tree(text: str, place: Place) -> ast.Module:
    try:
        return ast.parse(plain_python(text))
    except SyntaxError as error:
        raise ReleaseError([place.says((error.lineno or 1) - 1, f"no Python: {error.msg}")]) from error


def _names_needed(tree: ast.Module, region: Region, regions: Sequence[Region]) -> tuple[str, ...]:
    """Return the names that a region sets and that are read after it, in the same function, outside all regions."""
    scope = _scope(tree, region)
    hidden = {line for other in regions for line in range(other.start, other.end)}
    loaded = {
        node.id
        for node in ast.walk(scope)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if node.lineno > region.end and node.lineno - 1 not in hidden
    }
    inside = [node for node in _own(scope) if region.start < getattr(node, "lineno", 0) <= region.end]
    stored = [node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    stored += [node.name for node in inside if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return tuple(name for name in dict.fromkeys(stored) if name in loaded)


def _scope(tree: ast.Module, region: Region) -> ast.AST:
    """Return the innermost function that a region stands in, or the module."""
    scope: ast.AST = tree
    for node in ast.walk(tree):  # from the outside to the inside
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= region.start < _end(node):
            scope = node
    return scope


def _end(node: ast.AST) -> int:
    return int(getattr(node, "end_lineno", 0) or 0)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _own(scope: ast.AST) -> list[ast.AST]:
    """Return the nodes of a scope in the order of the text, without what is in a scope of its own."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(scope):
        found.append(child)
        if not isinstance(child, (*_SCOPES, *_COMPREHENSIONS)):
            found += _own(child)
    return found


def _require_blanks(text: str, tree: ast.Module, cuts: Sequence[Cut], place: Place) -> None:
    """See to it that each region is whole statements of one block, and its blank one, so that nothing goes past it."""
    new = _syntax_tree(text, place)
    stops = {node.lineno: node.col_offset for node in ast.walk(new) if isinstance(node, ast.Raise)}
    for done in cuts:
        region = done.region
        if region.kind == "STAFF":  # may be a part of a table
            continue
        if _columns(tree.body, region) != {region.indent}:
            message = "the region must be whole statements, indented as its markers"
            raise ReleaseError([place.says(region.start, message)])
        if stops.get(done.line + len(done.blank)) != region.indent:
            raise ReleaseError([place.says(region.start, "a blank does not fit here")])
        if place.path.endswith(".py") and _scope(tree, region) is tree:
            message = "the region must be inside a function: a blank would stop the import"
            raise ReleaseError([place.says(region.start, message)])


def _columns(body: Sequence[ast.AST], region: Region) -> set[int]:
    """Return where the outermost statements of a region begin; -1 for one that is only partly in it."""
    found: set[int] = set()
    for node in body:
        if isinstance(node, ast.stmt):
            first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))]) - 1
            last = _end(node)
            if region.start <= first and last <= region.end:
                found.add(node.col_offset)
                continue
            if last <= region.start or region.end <= first:
                continue
            if not hasattr(node, "body") and not hasattr(node, "cases"):
                found.add(-1)
        found |= _columns(list(ast.iter_child_nodes(node)), region)
    return found


def dump(notebook: Notebook) -> bytes:
    """Return the bytes of a notebook: those that Jupyter and ``run --in-place`` write."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def cut_notebook(content: bytes, path: str, tasks: Collection[str] | None = None) -> tuple[bytes, Cleared]:
    """Take regions, outputs, counts, attachments and needless metadata out of a notebook; the ids of the cells stay.

    Raises:
        ReleaseError: if a marker is wrong, a blank does not fit, or the file is not as :func:`dump` would write it.
    """
    try:
        notebook: Notebook = json.loads(content)
        cells = notebook["cells"]
        ids = [cell["id"] for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError([f"{path}:1: this is no notebook with ids of cells: {error!r}"]) from error
    if dump(notebook) != content or len(set(ids)) < len(ids):
        raise ReleaseError([f"{path}:1: not in the form of `run --in-place`, or two cells have one id"])
    new = copy.deepcopy(notebook)
    cuts: dict[str, list[Cut]] = {}
    fields: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for cell, line in zip(new["cells"], _first_lines(content.decode()), strict=True):
        source, syntax = "".join(cell["source"]), PYTHON if cell["cell_type"] == "code" else MARKDOWN
        try:
            source, cuts[cell["id"]] = cut(source, syntax, Place(path, line), tasks)
        except ReleaseError as error:
            problems += error.problems
        if "(attachment:" in source:
            problems.append(f"{path}:{line}: cell {cell['id']} shows an attachment, and students get none: use a file")
        cell["source"] = source.splitlines(keepends=True)
        fields[cell["id"]] = {key: cell[key] for key in _CLEARED if key in cell}
        cell.pop("attachments", None)
        tags = [tag for tag in cell["metadata"].get("tags", ()) if not tag.startswith("nbval")]
        cell["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    new["metadata"] = {key: new["metadata"][key] for key in ("kernelspec", "language_info") if key in new["metadata"]}
    if problems:
        raise ReleaseError(problems)
    return dump(new), Cleared(cuts, fields, notebook["metadata"])


_CLEARED = ("attachments", "execution_count", "metadata", "outputs")


def _first_lines(text: str) -> list[int]:
    """Return for each cell the line of the file at which its source begins."""
    return [number + 1 for number, line in enumerate(text.split("\n"), 1) if line.startswith('   "source": [')]


def put_back_notebook(content: bytes, cleared: Cleared) -> bytes:
    """Undo :func:`cut_notebook`."""
    notebook: Notebook = json.loads(content)
    for cell in notebook["cells"]:
        source = put_back("".join(cell["source"]), cleared.cuts[cell["id"]])
        cell["source"] = source.splitlines(keepends=True)
        cell.update(copy.deepcopy(dict(cleared.fields[cell["id"]])))
    notebook["metadata"] = copy.deepcopy(dict(cleared.metadata))
    return dump(notebook)
