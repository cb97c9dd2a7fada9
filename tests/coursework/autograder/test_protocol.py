"""Messages come back as they went, and whatever else comes is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coursework.check.case import _same
from coursework.staff.autograder.inside.protocol import ProtocolError, Special, pack, unpack
from staff.wire.programs import record, replay

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(allow_nan=False),
    st.text(max_size=20).filter(lambda text: text.isprintable()),
    st.complex_numbers(allow_nan=False),
    arrays.arrays(
        st.sampled_from([np.float32, np.float64, np.int8, np.int64, np.bool_, np.complex128]),
        arrays.array_shapes(min_dims=0, max_side=4),
    ),
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
        st.lists(inner, max_size=2).map(lambda parts: Special("kind", tuple(parts))),
    ),
    max_leaves=8,
)


def plain(value):
    """Return special values as tuples, so that they can be compared."""
    if isinstance(value, Special):
        return ("special", value.kind, plain(value.parts))
    if isinstance(value, (tuple, list)):
        return type(value)(map(plain, value))
    return {key: plain(part) for key, part in value.items()} if isinstance(value, dict) else value


@given(VALUES)
def test_a_value_comes_back_as_it_went(value):
    found = unpack(pack(value)[8:])
    assert _same(plain(found), plain(value))
    assert pack(found) == pack(value)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else_happens(content):
    with pytest.raises(ProtocolError):
        unpack(b"\xff\xff" + content)


@given(VALUES, st.data())
def test_a_frame_with_a_changed_byte_is_a_value_or_refused(value, data):
    frame = bytearray(pack(value)[8:])
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = unpack(bytes(frame))
    except ProtocolError:
        return
    unpack(pack(found)[8:])


DATA = "AAAAAAAA8D8="  # 1.0 in the base64 of its eight bytes


@pytest.mark.parametrize(
    "parts",
    [
        ["O", [1], "C", DATA],
        ["<f8", [1], "C", DATA],
        ["__import__('os')", [1], "C", DATA],
        [["d"], [1], "C", DATA],
        ["d", [2], "C", DATA],
        ["d", [-1], "C", DATA],
        ["d", [True], "C", DATA],
        ["d", [1.0], "C", DATA],
        ["d", 1, "C", DATA],
        ["d", [1] * 17, "C", DATA],
        ["d", [0, 2**40], "C", ""],
        ["d", [2**60], "C", DATA],
        ["d", [1], "A", DATA],
        ["d", [1], "C", DATA[:-1]],
        ["d", [1], "C", "!" + DATA],
        ["d", [1], "C", 8],
        ["d", [1], "C"],
        [0],
    ],
)
def test_an_array_that_is_not_as_it_claims_is_refused(parts):
    assert unpack(message({"array": ["d", [1], "C", DATA]})) == 1
    with pytest.raises(ProtocolError):
        unpack(message({"array": parts}))


def test_an_array_keeps_its_order_in_memory():
    rows = np.arange(6.0).reshape(2, 3)
    for array in (rows, np.asfortranarray(rows), rows[:, ::2], np.zeros((0, 3))):
        found = unpack(pack(array)[8:])
        assert np.array_equal(found, array)
        assert found.flags.fnc == array.flags.fnc


@pytest.mark.parametrize("number", [b"1" + b"0" * 400, b"[]", b"1" + b"0" * 5000])
def test_a_number_that_is_none_is_refused(number):
    with pytest.raises(ProtocolError, match=r"malformed: (Overflow|Type|Value)Error"):
        unpack(b'{"complex": [%b, 0]}' % number)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1: 2},
        {"a": {"b": lambda: 0}}["a"]["b"],
        10**100,
        np.array([None]),
        np.array(["a"]),
        np.zeros(1, "f8,i4"),
        np.ones(1, ">f8"),
        np.longdouble(1),
        {3, 4},
    ],
)
def test_what_is_not_plain_goes_by_the_name_of_its_type(value):
    found = unpack(pack(value)[8:])
    assert isinstance(found, Special)
    assert found.kind == "opaque"


def message(value):
    """Return a message, without its length, that is this JSON."""
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\1",
        b"[",
        b"[" * 100_000,
        b"9" * 5000,
        message({"array": [], "tuple": []}),
        message({"z": 0}),
        message([1, 2]),
        message({}),
        message("x" * 5000),
        message({"dict": [[1, 2]]}),
        message({"dict": {"a": 2}}),
        message({"tuple": "ab"}),
        message({"list": [0] * 30_000}),
        message({"opaque": "x" * 5000}),
        message({"special": []}),
        message({"special": ["tensor"]}),
        message({"special": [7]}),
        b'{"list": [' * 20 + b"0" + b"]}" * 20,
    ],
)
def test_a_message_of_another_form_is_refused(content):
    with pytest.raises(ProtocolError):
        unpack(content, frozenset({"dual"}))


@given(arrays.arrays(np.float64, 3, elements=st.floats(0.5, 2)))
def test_a_recorded_function_does_what_it_did(w):
    A = np.arange(6.0).reshape(2, 3)

    def several(w):
        return np.log(1 + np.exp(np.sin(w[0]) * w[0])), 2 / w[0] - w[1] ** 2, 3.0, -w[2]

    for function in (several, lambda w: A @ w + 1.0, lambda w: np.float64(2) * w[0] * w[1]):
        program = unpack(pack(record(function))[8:])
        assert _same(replay(program)(w), function(w))


def test_what_a_program_cannot_do_is_said():
    with pytest.raises(ValueError, match="arctan is not among the operations"):
        record(lambda w: np.arctan(w[0]))
