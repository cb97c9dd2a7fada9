"""What a person may want to look at in right code: where it calls a library for what it was to compute itself.

A check cannot tell a convolution that a student wrote from one that a library computed, so this lists where a file
imports more than the given one does. It costs nothing: most of it is a leftover.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping

REACHING = frozenset({"ctypes", "gc", "importlib", "inspect", "marshal", "pickle", "signal", "socket", "subprocess"})
COMPLEX = "a complex number"  # with one, a function differentiates itself


def unusual(files: Mapping[str, bytes], given: Mapping[str, bytes]) -> list[str]:
    """Return a line for each file that uses what the given one does not: of what, with the numbers of the lines.

    Args:
        files: the student's modules, by their paths.
        given: those of the student edition; a file that is not among them is the student's own.
    """
    lines = []
    for path, content in sorted(files.items()):
        known = {name for name, _ in _uses(given.get(path, b""))}
        known |= {COMPLEX} if b"complex" in given.get(path, b"") else set()  # a task may ask for them
        places: dict[str, list[str]] = {}
        for name, number in _uses(content):
            if name not in known:
                places.setdefault(name, []).append(str(number))
        found = [f"{name} (line {', '.join(numbers[:3])})" for name, numbers in places.items()]
        if found:
            lines.append(f"{path} uses {'; '.join(found[:10])}: is that what the task asks for?")
    return lines


def _uses(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield what a module imports besides NumPy and plain parts of Python, and complex numbers, with their lines."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, complex):
            yield COMPLEX, node.lineno
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            own = [f"{'.' * node.level}{node.module or ''}"] if isinstance(node, ast.ImportFrom) else []
            for name in own or [alias.name for alias in node.names]:
                top = name.partition(".")[0]
                if top != "numpy" and (top not in sys.stdlib_module_names or top in REACHING):
                    yield name, node.lineno
