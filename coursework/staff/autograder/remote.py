"""Functions under test as the cases see them: called in the grader, run in the worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from coursework.staff.autograder.inside.protocol import Special
from coursework.staff.autograder.sandbox import Deadline, Link, WorkerGone
from coursework.staff.autograder.wire import Wire

PLAIN: frozenset[str] = frozenset()
CALLBACKS = 2000  # of one call
ARGUMENT = 10_000  # bytes of an array that the worker passes to a function here, which may keep it


class Opaque:
    """A value that stays in the worker: only the name of its type is known, which is that of a subclass."""


class StudentError(Exception):
    """An error in the worker; its class is a subclass with the name that it has there."""


def named(base: type, name: str) -> type:
    """Return a subclass of this name, without the characters that do not belong into a name."""
    return type(re.sub(r"[^\w .]", "", name)[:60] or "object", (base,), {})


class Remote:
    """The requests to a worker, with a limit on the time of each and of all."""

    def __init__(self, link: Link, until: float, wire: Wire) -> None:
        """Take the connection, until when all must be done, on the clock of time.monotonic, and the wire."""
        self.link, self.until, self.wire, self.who = link, until, wire, ""
        self.number = 0  # of the last request: answers to earlier ones, of a child for one, do not count
        self.altered: tuple[int, ...] = ()  # the arguments that the last call changed in place

    @contextmanager
    def loading(self, module: str, name: str) -> Iterator[None]:
        """Let the worker import a function while the block runs; its errors are raised when the block ends."""
        self.who = name
        limits = self.link.arena.limits
        deadline = self.link.deadline(limits.start, limits.wait, self.until)
        self._send(("load", module, name), deadline)
        yield
        self._answer(deadline, PLAIN, ())

    def ask(self, what: str, *parts: Any, specials: frozenset[str] = PLAIN, functions: tuple[Any, ...] = ()) -> Any:
        """Send a request and return the answer: a value, with ``Special`` for those kinds that are expected.

        Args:
            what: the request.
            parts: what it takes.
            specials: the kinds of special values that the answer may hold.
            functions: what the worker may call meanwhile, by number.

        Raises:
            WorkerGone: if there is no answer.
            StudentError: if the student's code raises an error; NotImplementedError and SystemExit are themselves.
        """
        limits = self.link.arena.limits
        deadline = self.link.deadline(limits.call, limits.wait, self.until)
        self._send((what, *parts), deadline)
        return self._answer(deadline, specials, functions)

    def _send(self, request: tuple[Any, ...], deadline: Deadline) -> None:
        self.number += 1
        self.link.send((self.number, *request), deadline, self.who)

    def _answer(self, deadline: Deadline, specials: frozenset[str], functions: tuple[Any, ...]) -> Any:
        for _ in range(CALLBACKS):
            match self.link.receive(deadline, self.who, specials):
                case (int(number), *_) if number < self.number:
                    continue
                case (self.number, "result", value, tuple(altered)) if all(type(k) is int for k in altered):
                    self.altered = altered
                    return self._inward(value)
                case (self.number, "error", str(kind), str(text)):
                    raise _error(kind, text)
                case (self.number, "callback", int(which), tuple(arguments)) if 0 <= which < len(functions):
                    self.link.send(_called(functions[which], arguments), deadline, self.who)
                case _:
                    raise WorkerGone(f"the answer of {self.who} cannot be read", "unreadable answer")
        raise WorkerGone(f"{self.who} calls the function that it is given too often", "no answer in time")

    def _inward(self, value: Any) -> Any:
        """Replace special values by the objects that the cases know."""
        if isinstance(value, Special):
            if value.kind == "opaque":
                return named(Opaque, value.parts[0])()
            return self.wire.inward(value, self._inward)
        if isinstance(value, (tuple, list)):
            return type(value)(map(self._inward, value))
        if isinstance(value, dict):
            return {key: self._inward(part) for key, part in value.items()}
        return value


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        if any(getattr(argument, "nbytes", 0) > ARGUMENT for argument in arguments):
            raise ValueError(f"an argument has more than {ARGUMENT} bytes")
        return "returns", function(*arguments)
    except Exception as error:  # an argument that the function cannot take
        return "raises", type(error).__name__, str(error)


def _error(kind: str, text: str) -> BaseException:
    if kind == "NotImplementedError":
        return NotImplementedError(text)
    if kind in ("SystemExit", "KeyboardInterrupt", "GeneratorExit"):
        return SystemExit(text)
    error: BaseException = named(StudentError, kind)(text)
    return error


class RemoteFunction:
    """A function of the student's: plain arguments, functions and what the wire knows go in."""

    def __init__(self, remote: Remote, name: str) -> None:
        """Stand for the function that the worker has loaded."""
        self.remote, self.name, self.__name__ = remote, name, name

    @property
    def altered(self) -> tuple[int, ...]:
        """Return the positions of the arguments that the last call changed in place."""
        return self.remote.altered

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        functions: list[Callable[..., Any]] = []
        given = tuple(self._outward(value, functions) for value in args)
        kinds = self.remote.wire.kinds(self.name)
        return self.remote.ask("call", given, kwargs, specials=kinds, functions=tuple(functions))

    def _outward(self, value: Any, functions: list[Callable[..., Any]]) -> Any:
        special = self.remote.wire.outward(self.name, value)
        if special is not None:
            return special
        if callable(value):
            functions.append(value)
            return Special("callback", (len(functions) - 1,))
        return value
