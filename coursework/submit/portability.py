"""Whether a student's file runs where it is graded: with the packages that are there, and with that Python."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

import vermin

from coursework import needs
from coursework.homework import homework, path_of
from coursework.submit.finding import Finding


def inspect(path: str, content: bytes) -> list[Finding]:
    """Return what would keep a file of Python, by its path in the zip, from being imported where it is graded."""
    if b"\0" in content:
        return [Finding(path, "it is not text: it holds null bytes", "Take a copy that is text, in UTF-8.")]
    try:
        tree = ast.parse(content, filename=path)
    except SyntaxError as error:
        problem = f"line {error.lineno} is not Python: {error.msg}"
        return [Finding(path, problem, "Mend that line, save, and run the notebooks that use it again.")]
    return [*_packages(path, tree), *_withheld(path, tree), *_version(path, content, homework().python)]


def _imports(nodes: Iterable[ast.AST]) -> list[tuple[int, str]]:
    """Return the line and the whole name of whatever these nodes import, without relative imports."""
    found: dict[tuple[int, str], None] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update({(node.lineno, alias.name): None for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update({(node.lineno, f"{node.module}.{alias.name}"): None for alias in node.names})
    return list(found)


def _packages(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Name the packages that the requirements do not bring along, where an error in their import would be one."""
    tops = dict.fromkeys((line, name.partition(".")[0]) for line, name in _imports(tree.body))
    for line, top in tops:
        if top in (homework().package, "coursework") or top in sys.stdlib_module_names:
            continue
        dists = _installed().get(top, [])
        if dists and not {_plain(dist) for dist in dists} & _required():
            problem = f"line {line} imports {top}, which is not there where the file is graded"
            yield Finding(path, problem, "Do without it: there is what requirements.txt names, and Python itself.")


def _withheld(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Name the imports of what the tasks of this file are to do without."""
    tasks = [task for task in homework().tasks if path in {path_of(module) for module, _ in task.functions}]
    modules = {module: task.number for task in reversed(tasks) for module in task.without}
    named = dict.fromkeys(
        (line, module)
        for line, name in _imports(ast.walk(tree))
        for module in modules
        if f"{name}.".startswith(f"{module}.")
    )
    for line, module in named:
        problem = f"line {line} imports {module}, of which nothing can be called where task {modules[module]} is graded"
        yield Finding(path, problem, "Remove the import: the task is to do without it.")


@functools.cache
def _installed() -> Mapping[str, list[str]]:
    """Return the names of the distributions that bring each package; it takes a look at all that is installed.

    Python 3.10 itself knows only those that name their packages in a file of their own, and later ones all.
    """
    found: dict[str, list[str]] = {}
    for dist in metadata.distributions():
        named = (dist.read_text("top_level.txt") or "").split()
        files = (path for path in dist.files or () if path.suffix == ".py")
        for top in set(named) or {path.parts[0].removesuffix(".py") for path in files}:
            found.setdefault(top, []).append(dist.metadata["Name"])
    return found


@functools.cache
def _required() -> frozenset[str]:
    """Return the names of what requirements.txt names, and of what that requires, and so on."""
    found: set[str] = set()
    lines = list(needs.required())
    for line in lines:  # which grow
        name = _plain(re.split(r"[^\w.-]", line.strip())[0])
        if name not in found and "extra ==" not in line:
            found.add(name)
            with contextlib.suppress(metadata.PackageNotFoundError):
                lines += metadata.requires(name) or []
    return frozenset(found)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@functools.lru_cache(maxsize=256)
def _version(path: str, content: bytes, python: str) -> tuple[Finding, ...]:
    """Name what is newer than the Python that grades."""
    oldest, newer = tuple(map(int, python.split("."))), []
    config = vermin.Config()
    config.set_verbose(3)  # a line for each feature
    try:
        lines = vermin.visit(content.decode("utf-8-sig"), config).output_text().splitlines()
    except (SyntaxError, ValueError):
        return ()
    for line in lines:
        found = re.fullmatch(r"L(\d+)[^:]*: (.*?)(?: member| module)? requires? .*?(\d+)\.(\d+)", line)
        if found and tuple(map(int, found.group(3, 4))) > oldest:
            problem = f"line {found[1]}: {found[2]} needs Python {found[3]}.{found[4]}"
            newer.append(Finding(path, f"{problem}, and it is graded with {python}", "Write it in an older way."))
    return tuple(newer)
