"""The worker: imports the files of a submission and answers calls, in a process that the student's code owns.

The submission can change anything in this process, and gains nothing by it: the grader only takes values from here, and
judges them itself.
"""

from __future__ import annotations

import importlib
import operator
import os
import socket
import struct
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from coursework.staff.autograder.inside.ends import End
from coursework.staff.autograder.inside.protocol import Special, pack, unpack
from coursework.staff.autograder.inside.withheld import withhold

MESSAGE = 600  # characters of an error's text


def text_of(error: BaseException) -> str:
    """Return the text of an error, whatever its own code does."""
    try:
        return str(error)[:MESSAGE]
    except BaseException:  # its __str__ is the student's
        return ""


def failure(error: BaseException) -> tuple[str, str, str]:
    """Return an error as an answer."""
    place = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
    return "error", type(error).__name__, place + text_of(error)


class Worker:
    """Answers requests one after another."""

    def __init__(self, connection: socket.socket, end: End) -> None:
        """Answer on this connection; ``end`` converts the objects of the homework."""
        self.connection, self.stream, self.process = connection, connection.makefile("rb"), os.getpid()
        self.number = 0  # of the request that is being answered: an answer names it
        self.function: Callable[..., Any] | None = None
        self.end = end

    def run(self) -> None:
        """Report that it is ready, and answer until the grader is gone."""
        self.send(("ready",))
        while True:
            try:
                self.number, *request = self.receive()
            except EOFError:
                return
            try:
                answer = self.answer(*request)
            except BaseException as error:  # SystemExit, too
                answer = failure(error)
            self.send(answer)

    def receive(self) -> Any:
        """Return the next message of the grader, which is trusted and waited for as long as it takes.

        Raises:
            EOFError: if the grader is gone.
        """
        head = self.stream.read(8)
        if len(head) < 8:
            raise EOFError
        return unpack(self.stream.read(*struct.unpack("<Q", head)))

    def send(self, answer: Any) -> None:
        """Send an answer; a child process that the student's code has forked ends instead."""
        if os.getpid() != self.process:
            os._exit(1)
        self.connection.sendall(pack((self.number, *answer)))

    def answer(self, what: str, *parts: Any) -> Any:
        """Return the answer to a request."""
        if what == "load":
            return self._load(*parts)
        assert self.function is not None
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # as in a check, whatever was set at the import
            warnings.simplefilter("ignore")
            if what == "call":
                return self._call(*parts)
            return ("result", self.end.answer(self.function, what, *parts), ())

    def _load(self, module: str, name: str) -> Any:
        self.end.prepare(module, name)
        self.function = operator.attrgetter(name)(importlib.import_module(module))
        return ("result", None, ())

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        assert self.function is not None
        given = [self._argument(value) for value in args]
        before = [pack(self.end.outward(value)) for value in given]
        result = self.function(*given, **{name: self._argument(value) for name, value in kwargs.items()})
        changed = [k for k, value in enumerate(given) if pack(self.end.outward(value)) != before[k]]
        return ("result", self.end.outward(result), tuple(changed))

    def _argument(self, value: Any) -> Any:
        """Make an argument of what came: a special value becomes a function, or an object of the student's modules."""
        if not isinstance(value, Special):
            return value
        return self._callback(*value.parts) if value.kind == "callback" else self.end.argument(value)

    def _callback(self, number: int) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.send(("callback", number, tuple(map(self.end.outward, arguments))))
            what, *parts = self.receive()
            if what == "raises":
                raise RuntimeError(f"{parts[0]}: {parts[1]}")
            return parts[0]

        return call


def main() -> None:
    """Serve on the socket that the command line names, with the wire of a package, if any, and without some modules."""
    np.seterr(all="ignore")
    os.chdir(os.environ["TMPDIR"])
    wire = sys.argv[3]
    end: End = importlib.import_module(f"{wire}.worker").Worker() if wire else End()
    withhold(sys.argv[4:])
    Worker(socket.socket(fileno=int(sys.argv[1])), end).run()
