"""The messages between the grader and the worker: plain values and arrays, and nothing that could run code.

A message is its length and JSON. Numbers, texts and truth values are themselves; whatever else there is, an array, a
tuple, is an object with one key, which names the kind. The reader of a message checks it: size, depth, dtypes.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = frozenset("?bBhHiIlLqQefdFD")  # of arrays: truth values, whole, real and complex numbers of fixed sizes
DEPTH = 12  # of lists in lists
VALUES = 20_000  # in a message
TEXT = 4000  # characters in a text
AXES = 16
FROM_WORKER = 1_000_000  # bytes in a message; what right code returns has some thousands
FROM_GRADER = 64_000_000


class ProtocolError(ValueError):
    """A message that is not as it should be."""


@dataclass(frozen=True)
class Special:
    """A value that is neither plain nor an array, by its kind and what it consists of; both sides know the kinds."""

    kind: str
    parts: tuple[Any, ...] = ()


def pack(value: Any) -> bytes:
    """Return a message; a value of another kind becomes ``Special("opaque", (name of its type,))``."""
    body = json.dumps(_encode(value, DEPTH)).encode()
    return struct.pack("<Q", len(body)) + body


def _encode(value: Any, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float or (kind is int and value.bit_length() <= 64):
        return value
    if kind is str:
        return value[:TEXT].encode("utf-8", "replace").decode()
    if kind is complex:
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value)
    if depth and isinstance(value, (tuple, list)):
        parts = [_encode(part, depth - 1) for part in list(value)]
        return {"tuple" if isinstance(value, tuple) else "list": parts}
    if depth and isinstance(value, dict) and all(type(key) is str for key in value):
        return {"dict": [[_encode(key, 0), _encode(part, depth - 1)] for key, part in dict(value).items()]}
    if kind is Special and value.kind == "opaque":
        return {"opaque": str(value.parts[0])[:100]}
    if depth and kind is Special:
        return {"special": [_encode(part, depth - 1) for part in (value.kind, *value.parts)]}
    return {"opaque": str(kind.__name__)[:100]}


def _encode_array(value: Any) -> Any:
    array = np.array(value, order="A", subok=False)
    if array.dtype.char not in DTYPES or not array.dtype.isnative or array.ndim > AXES:
        return {"opaque": f"array of {array.dtype.name}"[:100]}
    content = base64.b64encode(array.tobytes("A")).decode()
    parts = [array.dtype.char, array.shape, "F" if array.flags.fnc else "C", content]
    return {"scalar" if isinstance(value, np.generic) else "array": parts}


def unpack(body: bytes, specials: frozenset[str] | None = None) -> Any:
    """Return the value in a message, which comes without its length.

    Args:
        body: the message.
        specials: the kinds of special values that it may hold, beside "opaque"; None for any.

    Raises:
        ProtocolError: if anything about it is not as :func:`pack` makes it.
    """
    try:
        if body.count(b",") > VALUES:  # counted before JSON makes objects of them
            raise ProtocolError("a message has too many parts")
        return _decode(json.loads(body), DEPTH + 1, specials)
    except (ValueError, ArithmeticError, RecursionError, LookupError, TypeError) as error:
        raise ProtocolError(f"a message is malformed: {type(error).__name__}: {str(error)[:200]}") from error


def _decode(node: Any, depth: int, specials: frozenset[str] | None) -> Any:
    if isinstance(node, int) and node.bit_length() > 64:
        raise ProtocolError("a number is too large")
    if isinstance(node, str) and len(node) > TEXT:
        raise ProtocolError("a text is too long")
    if node is None or isinstance(node, (bool, int, float, str)):
        return node
    if depth < 0:
        raise ProtocolError("a message is too deep")
    if not isinstance(node, dict):
        raise ProtocolError("a list without its kind")
    ((kind, content),) = node.items()
    if kind in ("array", "scalar"):
        array = _decode_array(*content)
        return array if kind == "array" else array.reshape(())[()]
    if kind == "opaque":
        return Special("opaque", (_decode(str(content), 0, specials),))
    if kind == "complex":
        real, imaginary = content
        return complex(float(real), float(imaginary))
    if not isinstance(content, list):
        raise ProtocolError("a value has no parts")
    if kind == "dict":
        return {_key(key): _decode(part, depth - 1, specials) for key, part in content}
    parts = [_decode(part, depth - 1, specials) for part in content]
    if kind == "list":
        return parts
    if kind == "tuple":
        return tuple(parts)
    if kind == "special" and isinstance(parts[0], str) and (specials is None or parts[0] in specials):
        return Special(parts[0], tuple(parts[1:]))
    raise ProtocolError("a value of a kind that is not expected here")


def _decode_array(char: str, shape: list[int], order: str, content: str) -> np.ndarray[Any, Any]:
    """Return an array, whose size must be the one that its shape claims."""
    if char not in DTYPES or order not in ("C", "F") or len(shape) > AXES:
        raise ProtocolError("an array has a dtype or a shape that is not allowed")
    if not all(type(side) is int and 0 <= side <= FROM_GRADER for side in shape):
        raise ProtocolError("an array has a shape that is not allowed")
    dtype, data = np.dtype(char), base64.b64decode(content, validate=True)
    if math.prod(max(side, 1) for side in shape) * dtype.itemsize > FROM_GRADER:
        raise ProtocolError("an array is too large")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ProtocolError("an array does not have the size that it claims")
    return np.frombuffer(bytearray(data), dtype).reshape(shape, order="F" if order == "F" else "C")


def _key(key: Any) -> str:
    if not isinstance(key, str) or len(key) > 200:
        raise ProtocolError("a key that is not a short text")
    return key
