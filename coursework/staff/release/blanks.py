"""Taking regions out of a text, with a blank in the place of each solution, and putting them back."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursework.notebooks.outline import ANSWER, DRAWING
from coursework.staff.release.markers import (
    CODE,
    MARKDOWN,
    PYTHON,
    Place,
    Region,
    ReleaseError,
    Syntax,
    parse,
    refuse,
)

Notebook = dict[str, Any]
CLEARED = ("attachments", "execution_count", "metadata", "outputs")  # fields of a cell that students do not get


@dataclass(frozen=True)
class Cut:
    """A region that was taken out of a text.

    Attributes:
        region: which one.
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
    """What was taken out of a notebook.

    Attributes:
        cuts: for each cell its regions.
        fields: for each cell its ``CLEARED`` fields.
        metadata: the metadata of the notebook.
    """

    cuts: Sequence[Sequence[Cut]]
    fields: Sequence[Mapping[str, Any]]
    metadata: Mapping[str, Any]


Removed = Sequence[Cut] | Cleared


def cut(text: str, syntax: Syntax, place: Place, tasks: Collection[str] | None = None) -> tuple[str, list[Cut]]:
    """Take the regions out of a text.

    Args:
        text: a file, or the source of a notebook's cell.
        syntax: what its comments look like.
        place: where it begins, for messages.
        tasks: the tasks whose solutions may stand in this file; None: any.

    Returns:
        The text with blanks, and what was taken out.

    Raises:
        ReleaseError: if a marker is wrong, or a blank does not fit where its region stood.
    """
    regions = parse(text, syntax, place, tasks)
    if not regions:
        return text, []
    lines = text.split("\n")
    tree = _syntax_tree(text, place) if syntax is PYTHON else None
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)] if tree else []
    hidden = {number for region in regions for number in range(region.start + 1, region.end + 1)}  # counted from 1
    new: list[str] = []
    cuts: list[Cut] = []
    copied = 0
    for region in regions:
        new += lines[copied : region.start]
        names = _names_needed(_around(functions, region) or tree, region, hidden) if tree else ()
        blank = _blank(region, syntax, names) if region.kind == "SOLUTION" else ()
        cuts.append(Cut(region, len(new), blank, tuple(lines[region.start : region.end])))
        new += blank
        copied = region.end
    new += lines[copied:]
    if tree:
        _require_blanks("\n".join(new), tree, functions, cuts, place)
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
    """Return the lines of a blank: what to do, and a statement that stops and names the task."""
    title, indent = f"Task {region.task}: {region.name}", " " * region.indent
    if syntax is MARKDOWN:
        return (f"**Task {region.task}, {region.name.replace('_', ' ')}.** {ANSWER} {DRAWING}",)
    if syntax is CODE:
        stop = [f'echo "Not started. {title}: write your lines into $0" >&2', "exit 1"]
        return tuple(indent + line for line in ("# Your lines here, in place of the next two.", *stop))
    needed = [f"{', '.join(names)} = {', '.join(['...'] * len(names))}"] if names else []
    place = f"in place of the next {'two lines' if names else 'line'}"
    code = [f"# Your code here, {place}.", *needed, f'raise NotImplementedError("{title}")']
    return tuple(indent + line for line in code)


def _syntax_tree(text: str, place: Place) -> ast.Module:
    """Parse Python, or a notebook's cell, in which a line that is IPython's counts as a statement."""
    text = re.sub(r"^( *)[%!].*$", r"\1pass", text, flags=re.M)
    text = re.sub(r"^( *[\w, ]+ = )[%!].*$", r"\1None", text, flags=re.M)
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise ReleaseError([place.says((error.lineno or 1) - 1, f"not Python: {error.msg}")]) from error


def _around(functions: Sequence[ast.FunctionDef], region: Region) -> ast.FunctionDef | None:
    """Return the innermost function that a region stands in; the functions come from the outside inwards."""
    around = [node for node in functions if node.lineno <= region.start < (node.end_lineno or 0)]
    return around[-1] if around else None


def _names_needed(scope: ast.AST, region: Region, hidden: Collection[int]) -> list[str]:
    """Return the names that a region sets and that are read after it, in the same function, outside all regions."""
    nodes = [node for node in ast.walk(scope) if isinstance(node, (ast.Name, ast.FunctionDef, ast.ClassDef))]
    read = {
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        if node.lineno > region.end and node.lineno not in hidden
    }
    inside = sorted(
        (node.lineno, node.col_offset, node.id if isinstance(node, ast.Name) else node.name)
        for node in nodes
        if region.start < node.lineno <= region.end
        if not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    )
    return [name for name in dict.fromkeys(name for _, _, name in inside) if name in read]


def _require_blanks(
    text: str, tree: ast.Module, functions: Sequence[ast.FunctionDef], cuts: Sequence[Cut], place: Place
) -> None:
    """See to it that each solution is whole statements, inside a function, and that its blank is one."""
    new = _syntax_tree(text, place)
    stops = {node.lineno: node.col_offset for node in ast.walk(new) if isinstance(node, ast.Raise)}
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    for done in cuts:
        region = done.region
        if region.kind == "STAFF":  # may be part of a table
            continue
        columns = [node.col_offset for node in statements if region.start < node.lineno <= region.end]
        if min(columns, default=-1) != region.indent or stops.get(done.line + len(done.blank)) != region.indent:
            message = "the region must be whole statements, indented as its markers are"
            raise ReleaseError([place.says(region.start, message)])
        if place.path.endswith(".py") and _around(functions, region) is None:
            message = "the region must be inside a function: a blank would stop the import"
            raise ReleaseError([place.says(region.start, message)])


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
        ids = [cell["id"] for cell in notebook["cells"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ReleaseError([f"{path}:1: not a notebook whose cells have ids: {error!r}"]) from error
    if dump(notebook) != content or len(set(ids)) < len(ids):
        raise ReleaseError([f"{path}:1: not in the form of `run --in-place`, or two cells have one id"])
    begins = [line + 1 for line, text in enumerate(content.split(b"\n"), 1) if text.startswith(b'   "source": [')]
    cuts: list[list[Cut]] = []
    fields: list[dict[str, Any]] = []
    problems: list[str] = []
    for cell, line in zip(notebook["cells"], begins, strict=True):
        source, syntax = "".join(cell["source"]), PYTHON if cell["cell_type"] == "code" else MARKDOWN
        try:
            source, done = cut(source, syntax, Place(path, line), tasks)
            cuts.append(done)
        except ReleaseError as error:
            problems += error.problems
        if "(attachment:" in source:
            problems.append(f"{path}:{line}: cell {cell['id']} shows an attachment, and students get none: use a file")
        fields.append({key: cell.pop(key) for key in CLEARED if key in cell})
        tags = [tag for tag in fields[-1]["metadata"].get("tags", ()) if not tag.startswith("nbval")]
        cell.update(source=source.splitlines(keepends=True), metadata={"tags": tags} if tags else {})
        if syntax is PYTHON:
            cell.update(outputs=[], execution_count=None)
    refuse(problems)
    metadata = notebook["metadata"]
    notebook["metadata"] = {key: metadata[key] for key in ("kernelspec", "language_info") if key in metadata}
    return dump(notebook), Cleared(cuts, fields, metadata)


def put_back_notebook(content: bytes, cleared: Cleared) -> bytes:
    """Undo :func:`cut_notebook`."""
    notebook: Notebook = json.loads(content)
    for cell, cuts, fields in zip(notebook["cells"], cleared.cuts, cleared.fields, strict=True):
        cell.update(fields, source=put_back("".join(cell["source"]), cuts).splitlines(keepends=True))
    notebook["metadata"] = cleared.metadata
    return dump(notebook)
