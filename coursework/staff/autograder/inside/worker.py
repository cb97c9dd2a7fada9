"""The worker: imports the files of a submission and answers calls, in a process that the student's code owns.

Whatever happens in here is the submission's business: it can change this code as it likes, and gains nothing by it. The
grader takes values from it, and judges them.
"""

from __future__ import annotations

import importlib
import operator
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from coursework.staff.autograder.inside import protocol
from coursework.staff.autograder.inside.protocol import Special, pack, unpack
from staff.wire.programs import replay

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

    def __init__(self, descriptor: int) -> None:
        """Answer on this descriptor."""
        self.descriptor, self.process = descriptor, os.getpid()
        self.number = 0  # of the request that is being answered: an answer names it
        self.function: Callable[..., Any] | None = None
        self.primitives: Any = None
        self.models: Any = None

    def run(self) -> None:
        """Say that it is there, and answer until the grader is gone."""
        self.send(("ready",))
        while True:
            try:
                self.number, *request = unpack(protocol.receive(self.descriptor))
            except protocol.ClosedError:
                return
            try:
                answer = self.answer(*request)
            except BaseException as error:  # SystemExit, too
                answer = failure(error)
            self.send(answer)

    def send(self, answer: Any) -> None:
        """Send an answer; a child that the student's code has left in here ends instead."""
        if os.getpid() != self.process:
            os._exit(1)
        protocol.write_all(self.descriptor, pack((self.number, *answer)))

    def answer(self, what: str, *parts: Any) -> Any:
        """Return the answer to a request."""
        if what == "load":
            return self._load(*parts)
        assert self.function is not None
        if what == "call":
            return self._call(*parts)
        return ("result", self.models.answer(self.function, what, *parts), ())

    def _load(self, module: str, name: str, torch: bool) -> Any:
        if torch:
            models = importlib.import_module("staff.wire.models")
            self.models = self.models or models.Models()
            models.prepare(name)
        self.function = operator.attrgetter(name)(importlib.import_module(module))
        return ("result", None, ())

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        assert self.function is not None
        given = [self._argument(value) for value in args]
        before = [pack(self._outward(value)) for value in given]
        result = self.function(*given, **{name: self._argument(value) for name, value in kwargs.items()})
        changed = [k for k, value in enumerate(given) if pack(self._outward(value)) != before[k]]
        return ("result", self._outward(result), tuple(changed))

    def _argument(self, value: Any) -> Any:
        """Make an argument of what came: special values become objects of the student's modules."""
        if not isinstance(value, Special):
            return value
        if value.kind == "program":
            return replay(value)
        if value.kind == "callback":
            return self._callback(*value.parts)
        if self.primitives is None:
            self.primitives = importlib.import_module("cs7643.autodiff.primitives")
        if value.kind == "primitive":
            return getattr(self.primitives, value.parts[0])
        if value.kind == "dual":
            return importlib.import_module("cs7643.autodiff.forward").Dual(*value.parts)
        if value.kind == "tape":
            tape = importlib.import_module("cs7643.autodiff.reverse").Tape()
            tape.records = [(name and getattr(self.primitives, name), *rest) for name, *rest in value.parts[0]]
            return tape
        raise ValueError(f"worker: an argument of no kind, {value.kind}")

    def _callback(self, number: int) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.send(("callback", number, tuple(map(self._outward, arguments))))
            what, *parts = unpack(protocol.receive(self.descriptor))
            if what == "raises":
                raise RuntimeError(f"{parts[0]}: {parts[1]}")
            return parts[0]

        return call

    def _outward(self, value: Any) -> Any:
        """Return a value as it is sent: a dual number and a tape by their parts."""
        if type(value).__name__ == "Dual" and hasattr(value, "tangent"):
            return Special("dual", (value.value, value.tangent, value.level))
        if type(value).__name__ == "Tape" and hasattr(value, "records"):
            return [(arguments, result, parents) for _, result, arguments, parents in value.records]
        return value


def main() -> None:
    """Serve on the descriptor that the command line names."""
    np.seterr(all="ignore")
    os.chdir(os.environ["TMPDIR"])
    Worker(int(sys.argv[1])).run()
