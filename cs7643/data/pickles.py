"""Reading a pickle without running it.

A pickle is a program for a small stack machine. Python's own machine lets it call any function, so loading a pickle
means trusting its author. The machine here knows only the instructions that build plain data, and calls nothing. Where
a pickle asks for a NumPy array, the machine collects the bytes of the array, and makes the array itself after checking
them. ``pickletools``, in the standard library, decodes the instructions, and documents each of them.
"""

from __future__ import annotations

import pickletools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class PickleError(ValueError):
    """A pickle that is damaged, or asks for more than plain data and arrays of bytes."""


class _Name(NamedTuple):
    """A function or class that a pickle names; it is compared, never imported."""

    module: str
    name: str


class _Array:
    """An array, which a pickle makes in two steps: first empty, then filled."""

    values: NDArray[np.uint8] | None = None


_RECONSTRUCT = {_Name("numpy.core.multiarray", "_reconstruct"), _Name("numpy._core.multiarray", "_reconstruct")}
_NDARRAY = _Name("numpy", "ndarray")
_DTYPE = _Name("numpy", "dtype")
_ENCODE = _Name("_codecs", "encode")  # how Python 3 writes bytes for Python 2 to read
_KNOWN = {*_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE}
_UINT8 = object()  # dtype("u1"), the only one

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_pickle(data: bytes, max_instructions: int) -> dict[str, Any]:
    """Return the dictionary that a pickle holds, made of lists, tuples, str, int, None and an array of uint8.

    Strings of bytes are returned as str, decoded as Latin-1. The length of ``data`` and ``max_instructions`` limit
    memory and time, whatever the pickle contains.

    Raises:
        PickleError: if the pickle is damaged, too long, or asks for anything else.
    """
    machine = _Machine()
    end = 0
    try:
        for count, (instruction, argument, position) in enumerate(pickletools.genops(data), start=1):
            if count > max_instructions:
                raise PickleError(f"it has more than {max_instructions:,} instructions")
            machine.step(instruction.name, argument)
            end = (position or 0) + 1
    except PickleError:
        raise
    except (IndexError, KeyError, ValueError) as error:  # from the data, the stack or the memory
        raise PickleError("it is cut off or damaged") from error
    _expect(end == len(data), f"{len(data) - end:,} bytes follow its end")
    return machine.result()


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []  # heights of the stack
        self.memory: dict[int, Any] = {}
        self.array: _Array | None = None

    def step(self, instruction: str, argument: Any) -> None:
        match instruction:
            case "BININT1" | "BININT2" | "BININT" | "LONG1" | "BINUNICODE" | "SHORT_BINUNICODE":
                self.stack.append(argument)
            case "SHORT_BINSTRING" | "BINSTRING" | "SHORT_BINBYTES" | "BINBYTES":
                self.stack.append(argument if isinstance(argument, str) else argument.decode("latin-1"))
            case "BINPUT" | "LONG_BINPUT":
                self.memory[argument] = self.stack[-1]
            case "MEMOIZE":
                self.memory[len(self.memory)] = self.stack[-1]
            case "BINGET" | "LONG_BINGET":
                self.stack.append(self.memory[argument])
            case "MARK":
                self.marks.append(len(self.stack))
            case "NONE" | "NEWTRUE" | "NEWFALSE":
                self.stack.append(_CONSTANTS[instruction])
            case "EMPTY_LIST":
                self.stack.append([])
            case "APPEND" | "APPENDS":
                items = self.pop(1) if instruction == "APPEND" else self.pop_to_mark()
                _expect(isinstance(self.stack[-1], list), "it appends to something that is not a list")
                self.stack[-1].extend(items)
            case "EMPTY_TUPLE" | "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.stack.append(tuple(self.pop(_TUPLES[instruction])))
            case "TUPLE":
                self.stack.append(tuple(self.pop_to_mark()))
            case "EMPTY_DICT":
                self.stack.append({})
            case "SETITEM" | "SETITEMS":
                items = self.pop(2) if instruction == "SETITEM" else self.pop_to_mark()
                _set_items(self.stack[-1], items)
            case "GLOBAL":
                self.stack.append(_known(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                self.stack.append(_known(*self.pop(2)))
            case "REDUCE":
                self.stack.append(self.call(*self.pop(2)))
            case "BUILD":
                (state,) = self.pop(1)
                _fill(self.stack[-1], state)
            case "PROTO" | "FRAME" | "STOP":
                pass
            case _:
                raise PickleError(f"it holds the instruction {instruction}, which plain data does not need")

    def call(self, function: object, arguments: object) -> object:
        """Return the result of a call without making it: an empty array, the type uint8, or bytes as their text."""
        match function, arguments:
            case _Name() as name, (_Name() as kind, *_) if name in _RECONSTRUCT and kind == _NDARRAY:
                _expect(self.array is None, "it makes more than one array")
                self.array = _Array()
                return self.array
            case _Name() as name, ("u1", *_) if name == _DTYPE:
                return _UINT8
            case _Name() as name, (str() as text, "latin1") if name == _ENCODE:
                return text
        raise PickleError("it makes something other than an array of uint8; nothing was run")

    def pop(self, count: int) -> list[Any]:
        return self._cut(len(self.stack) - count)

    def pop_to_mark(self) -> list[Any]:
        return self._cut(self.marks.pop())

    def _cut(self, height: int) -> list[Any]:
        _expect(0 <= height <= len(self.stack), "it takes more from the stack than there is")
        items = self.stack[height:]
        del self.stack[height:]
        return items

    def result(self) -> dict[str, Any]:
        _expect(len(self.stack) == 1 and isinstance(self.stack[0], dict), "it does not hold one dictionary")
        return {key: value.values if isinstance(value, _Array) else value for key, value in self.stack[0].items()}


def _set_items(target: object, items: list[Any]) -> None:
    if not isinstance(target, dict) or len(items) % 2:
        raise PickleError("it sets items of something that is not a dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        _expect(isinstance(key, str), "a key of a dictionary is not a string")
        target[key] = value


def _known(module: object, name: object) -> _Name:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise PickleError("it asks for something by a name that is not a string")
    if (module, name) not in _KNOWN:
        raise PickleError(f"it asks for {module + '.' + name!r:.100}, which no images need; nothing was run")
    return _Name(module, name)


def _fill(target: object, state: object) -> None:
    """Give an array its shape and bytes; the state of a type is irrelevant for single bytes."""
    match target, state:
        case _Array(), (1, (int() as rows, int() as columns), kind, int() as by_columns, str() as raw):
            _expect(kind is _UINT8, "it holds an array of something other than uint8")
            _expect(target.values is None, "it fills an array twice")
            _expect(min(rows, columns) >= 0 and rows * columns == len(raw), "an array's shape does not fit its bytes")
            pixels = np.frombuffer(raw.encode("latin-1"), np.uint8)
            target.values = pixels.reshape((rows, columns), order="F" if by_columns else "C")
        case _:
            _expect(target is _UINT8, "it fills something other than a two-dimensional array; nothing was run")


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise PickleError(otherwise)
