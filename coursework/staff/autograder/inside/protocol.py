"""The messages between the grader and the worker: plain values and arrays, and nothing that could run code.

A message is a frame: its length, the length of a header, the header, and one ``.npy`` after another. The header is JSON
and holds a value; an array in it is the number of an ``.npy``. Whoever reads a frame checks it: sizes, depth, dtypes.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = frozenset("?bBhHiIlLqQefdFD")  # of arrays: truth values, whole, real and complex numbers of fixed sizes
DEPTH = 12  # of lists in lists
NODES = 20_000  # values in a message
TEXT = 4000  # characters in a text
AXES = 16
NPY_HEADER = re.compile(  # what NumPy writes before the data, letter by letter: nothing in it is evaluated
    rb"\x93NUMPY\x01\x00(..)(\{'descr': '([|<>]\w\d+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \} *\n)",
    re.DOTALL,
)
FROM_WORKER = 1_000_000  # bytes in a message; what right code returns has some thousands
FROM_GRADER = 64_000_000


class ProtocolError(ValueError):
    """A message that is not as it should be."""


class ClosedError(EOFError):
    """The other side is gone."""


@dataclass(frozen=True)
class Special:
    """A value that is neither plain nor an array, by its kind and what it consists of; both sides know the kinds."""

    kind: str
    parts: tuple[Any, ...] = ()


def pack(value: Any) -> bytes:
    """Return a frame; what is no plain value becomes ``Special("opaque", (name of its type,))``."""
    blobs: list[bytes] = []
    header = json.dumps(_encode(value, blobs, DEPTH)).encode()
    body = b"".join([struct.pack("<I", len(header)), header, *blobs])
    return struct.pack("<Q", len(body)) + body


def _encode(value: Any, blobs: list[bytes], depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int and value.bit_length() <= 64:
        return value
    if kind is str:
        return value[:TEXT].encode("utf-8", "replace").decode()
    if kind is complex:
        return {"c": [value.real, value.imag]}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.array(value, order="A", subok=False)
        if array.dtype.char not in DTYPES or not array.dtype.isnative or array.ndim > AXES:
            return {"o": f"array of {array.dtype.name}"[:100]}
        blobs.append(_npy(array))
        return {"s" if isinstance(value, np.generic) else "a": len(blobs) - 1}
    if depth and isinstance(value, (tuple, list)):
        parts = [_encode(part, blobs, depth - 1) for part in list(value)]
        return {"t" if isinstance(value, tuple) else "l": parts}
    if depth and isinstance(value, dict) and all(type(key) is str for key in value):
        return {"d": [[_encode(k, blobs, 0), _encode(part, blobs, depth - 1)] for k, part in dict(value).items()]}
    if depth and kind is Special:
        if value.kind == "opaque":
            return {"o": str(value.parts[0])[:100]}
        return {"k": value.kind, "p": [_encode(part, blobs, depth - 1) for part in value.parts]}
    return {"o": str(kind.__name__)[:100]}


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    content = stream.getvalue()
    return struct.pack("<I", len(content)) + content


def unpack(body: bytes, specials: frozenset[str] | None = None) -> Any:
    """Return the value in a frame, without its first length.

    Args:
        body: the frame.
        specials: the kinds of special values that it may hold, beside "opaque"; None for any.

    Raises:
        ProtocolError: if anything about it is not as :func:`pack` makes it.
    """
    try:
        (size,) = struct.unpack_from("<I", body)
        header = body[4 : 4 + size]
        if len(header) != size:
            raise ProtocolError("the header is cut off")
        arrays, at = [], 4 + size
        while at < len(body):
            (length,) = struct.unpack_from("<I", body, at)
            arrays.append(_array(body[at + 4 : at + 4 + length], length))
            at += 4 + length
        return _Decoder(arrays, specials).value(json.loads(header), DEPTH + 1)
    except (struct.error, ValueError, ArithmeticError, RecursionError, LookupError, TypeError) as error:
        raise ProtocolError(f"a message is malformed: {type(error).__name__}: {str(error)[:200]}") from error


def _array(content: bytes, length: int) -> np.ndarray[Any, Any]:
    """Read an .npy: the size that its header claims must be the size that is there."""
    found = NPY_HEADER.match(content)
    if len(content) != length or not found or struct.unpack("<H", found[1]) != (len(found[2]),):
        raise ProtocolError("an array is cut off, or its header is not one that NumPy writes")
    dtype, fortran = np.dtype(found[3].decode()), found[4] == b"True"
    shape = tuple(int(side) for side in found[5].split(b",") if side.strip())
    if dtype.char not in DTYPES or not dtype.isnative or len(shape) > AXES:
        raise ProtocolError("an array has a dtype or a shape that is not allowed")
    if math.prod(max(side, 1) for side in shape) * dtype.itemsize > FROM_GRADER:
        raise ProtocolError("an array is too large")
    data = content[found.end() :]
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ProtocolError("an array does not have the size that it claims")
    flat = np.frombuffer(bytearray(data), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


class _Decoder:
    """Turns what JSON gave into the value, and counts."""

    def __init__(self, arrays: list[np.ndarray[Any, Any]], specials: frozenset[str] | None) -> None:
        self.arrays, self.specials, self.left = arrays, specials, NODES

    def value(self, node: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth < 0:
            raise ProtocolError("a message has too many parts")
        if isinstance(node, str):
            if len(node) > TEXT:
                raise ProtocolError("a text is too long")
            return node
        if isinstance(node, int) and node.bit_length() > 64:
            raise ProtocolError("a number is too large")
        if node is None or isinstance(node, (bool, int, float)):
            return node
        if not isinstance(node, dict):
            raise ProtocolError("a value of no kind")
        if set(node) == {"k", "p"}:
            kind, parts = str(node["k"]), node["p"]
            if self.specials is not None and kind not in self.specials:
                raise ProtocolError("a special value that is not expected here")
            return Special(kind, tuple(self.value(part, depth - 1) for part in parts))
        ((tag, content),) = node.items()
        if tag == "o":
            return Special("opaque", (self.value(str(content), 0),))
        if tag == "c":
            return complex(float(content[0]), float(content[1]))
        if tag in ("a", "s"):
            array = self.arrays[self._index(content)]
            if tag == "s" and array.ndim:
                raise ProtocolError("a number with axes")
            return array[()] if tag == "s" else array
        if tag == "d":
            return {self._key(k): self.value(part, depth - 1) for k, part in content}
        if tag in ("t", "l") and isinstance(content, list):
            parts = [self.value(part, depth - 1) for part in content]
            return tuple(parts) if tag == "t" else parts
        raise ProtocolError("a value of no kind")

    def _index(self, number: Any) -> int:
        if type(number) is not int or not 0 <= number < len(self.arrays):
            raise ProtocolError("an array that is not there")
        return number

    @staticmethod
    def _key(key: Any) -> str:
        if not isinstance(key, str) or len(key) > 200:
            raise ProtocolError("a key that is no short text")
        return key


def write_all(descriptor: int, content: bytes) -> None:
    """Write a frame to a blocking descriptor.

    Raises:
        ClosedError: if nobody reads.
    """
    view = memoryview(content)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        raise ClosedError from error


def read_exactly(descriptor: int, count: int) -> bytes:
    """Read so many bytes from a blocking descriptor.

    Raises:
        ClosedError: if there are no more.
    """
    parts = bytearray()
    while len(parts) < count:
        part = os.read(descriptor, min(count - len(parts), 1 << 20))
        if not part:
            raise ClosedError
        parts += part
    return bytes(parts)


def receive(descriptor: int) -> bytes:
    """Read a frame, as the worker does: it trusts the grader, and waits as long as it takes."""
    (size,) = struct.unpack("<Q", read_exactly(descriptor, 8))
    return read_exactly(descriptor, size)
