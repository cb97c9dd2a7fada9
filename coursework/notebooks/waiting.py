"""An extension of IPython: a blank does not stop a notebook. :mod:`coursework.kernel` loads it.

A cell that meets a blank shows in a sentence which task it waits for, and so does every later cell that needs what it
would have set. All others run, up to the last cell, which lists what is left to do. An error of any other kind stops
the notebook as usual. Only documented hooks of IPython are used, so it is the same in every editor and in nbconvert.
The commands that must find the first blank, such as `run` and `test`, turn it off by the environment variable ``STOP``.
"""

from __future__ import annotations

import ast
import html
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.display import display

from coursework.notebooks.provenance import loaded_code
from coursework.root import ROOT

STOP = "COURSEWORK_STOP_AT_BLANKS"
WAITS = "coursework_waits"  # in the metadata of an output: the number of the task
BLANK = re.compile(r"Task (?P<task>\S+): (?P<name>\w+)")  # what a blank says
GREY = "#808080"


def load_ipython_extension(shell: Any) -> None:
    """Let blanks not stop the notebook of this kernel, unless ``STOP`` is set."""
    if os.environ.get(STOP) != "1":
        waiting = _Waiting(shell)
        shell.set_custom_exc((NotImplementedError, NameError), waiting.show)
        shell.events.register("post_run_cell", waiting.after_cell)


class _Waiting:
    """The names that are not set because their cells wait, each with the number of the task."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.names: dict[str, str] = {}
        self.task = ""  # that the cell which runs now waits for

    def show(self, shell: Any, kind: type, error: BaseException, trace: TracebackType, tb_offset: Any = None) -> None:
        """Show what ended a cell: the task that it waits for, or else the error."""
        file, line, in_cell = _place(trace, shell.user_ns)
        blank = BLANK.fullmatch(str(error)) if kind is NotImplementedError else None
        name = getattr(error, "name", None) if isinstance(error, NameError) and in_cell else None
        if blank:
            self.task = blank["task"]
            where = "here, in this cell" if in_cell else f"in {file}, line {line}"
            said = f"This cell waits for task {self.task}: {blank['name']} is yours to write, {where}."
        elif name in self.names:
            self.task = self.names[name]
            said = f"This cell waits for task {self.task}, as the cell that makes {name} does."
        else:
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return
        link = f'<a href="../{file}">{file}</a>'
        shown = html.escape(said) if in_cell else html.escape(said).replace(file, link)
        bar = f'<div style="border-left: 3px solid {GREY}; padding: 2px 10px">… {shown}</div>'
        metadata = {WAITS: self.task, "coursework_code": loaded_code()}  # so that `submit` sees when it is outdated
        display({"text/plain": f"… {said}", "text/html": bar}, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]

    def after_cell(self, result: Any) -> None:
        """Forget what a cell that waits has set, so that no later cell takes old or half-made values, and go on."""
        if not self.task:
            return
        for name in set_in(self.shell.transform_cell(result.info.raw_cell)):
            self.shell.user_ns.pop(name, None)
            self.names[name] = self.task
        self.task, result.error_in_exec = "", None


def _place(trace: TracebackType, namespace: dict[str, Any]) -> tuple[str, int, bool]:
    """Return the file of the innermost frame, from the root of the repository, its line, and whether it is a cell."""
    while trace.tb_next:
        trace = trace.tb_next
    path = Path(trace.tb_frame.f_code.co_filename).resolve()  # a notebook finds packages by way of ..
    inside = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    return inside, trace.tb_lineno, trace.tb_frame.f_globals is namespace


def set_in(source: str) -> set[str]:
    """Return the variables that a cell sets or changes an item of; not what it imports or defines."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.comprehension)):
            continue  # what is set in them is theirs
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
        nodes += ast.iter_child_nodes(node)
    return found
