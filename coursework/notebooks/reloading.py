"""An extension of IPython: an edited file takes effect when a cell runs again, as with ``%autoreload 2``.

A file that cannot be loaded again, such as one with a syntax error, is named in a line, where autoreload would print
two tracebacks through its own code. The hooks of IPython run in the order in which they are registered, so what
autoreload prints between the two here can be read before it is shown.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from pathlib import Path
from typing import Any, TextIO

from coursework.root import ROOT

FAILED = re.compile(r"\[autoreload of (?P<module>\S+) failed: (?P<trace>.*?)\]\n(?=\[autoreload of |\Z)", re.S)


def load_ipython_extension(shell: Any) -> None:
    """Let edited files take effect in this kernel."""
    if "autoreload" in shell.extension_manager.loaded:  # a notebook's own, which stays as it is
        return
    listener = _Listener()
    logging.getLogger("autoreload").disabled = True  # of the two tracebacks the one that does not go to sys.stderr
    shell.events.register("pre_run_cell", listener.begin)
    shell.extension_manager.load_extension("autoreload")
    shell.events.register("pre_run_cell", listener.end)
    shell.run_line_magic("autoreload", "2")


class _Listener:
    """What is printed on the error stream from one hook to the other."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self.printed = io.StringIO()

    def begin(self, *_: Any) -> None:
        self.stream, self.printed = sys.stderr, io.StringIO()
        sys.stderr = self.printed

    def end(self, *_: Any) -> None:
        if self.stream is not None:
            sys.stderr, self.stream = self.stream, None
            sys.stderr.write(shorter(self.printed.getvalue()))


def shorter(printed: str) -> str:
    """Return what autoreload printed with a line in the place of each traceback; everything else stays."""
    return FAILED.sub(lambda found: f"{_line(found['module'], found['trace'])}\n", printed)


def _line(module: str, trace: str) -> str:
    places = [(Path(path).resolve(), line) for path, line in re.findall(r'^  File "(.+?)", line (\d+)', trace, re.M)]
    own = [f"{path.relative_to(ROOT).as_posix()}, line {line}" for path, line in places if path.is_relative_to(ROOT)]
    reason = trace.strip().splitlines()[-1]
    return f"{own[-1] if own else module}: {reason}. Until that is mended, the notebook uses the file as it was before."
