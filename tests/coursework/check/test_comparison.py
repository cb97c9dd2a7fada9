"""What is said of two arrays that differ: the pattern, where there is one, and silence where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursework.check.comparison import compare

RNG = np.random.default_rng(0)
RIGHT = RNG.standard_normal((4, 5, 6))
SQUARE = RNG.standard_normal((4, 4))
TERM = 0.1 * RNG.standard_normal((4, 5, 6))


def changed(index, value=9.0):
    array = RIGHT.copy()
    array[index] = value
    return array


PATTERNS = {
    "transposed": (SQUARE.T, SQUARE, "it is the transpose of what it should be"),
    "transposed, not square": (RIGHT[0].T, RIGHT[0], "shape (5, 6), got (6, 5); it is the transpose"),
    "axes exchanged": (RNG.permutation(64).reshape(4, 4, 4), None, "its axes are exchanged: (0, 2, 1)"),
    "flat": (RIGHT.ravel(), RIGHT, "the numbers are right, in another shape"),
    "not summed": (RIGHT, RIGHT.sum(axis=0), "its sum over axis 0 is right"),
    "not averaged": (RIGHT, RIGHT.mean(axis=2), "its mean over axis 2 is right"),
    "sign": (-RIGHT, RIGHT, "its sign is reversed"),
    "sign of a number": (np.float64(-3.0), 3.0, "its sign is reversed"),
    "half": (np.float64(1.5), 3.0, "it is 1/2 times what it should be"),
    "factor": (RIGHT * 3.25, RIGHT, "it is 3.25 times what it should be, everywhere"),
    "one over a number": (RIGHT / 7, RIGHT, "it is 1/7 times what it should be, everywhere"),
    "offset": (RIGHT + 0.25, RIGHT, "the difference is 0.25 everywhere"),
    "reversed": (RIGHT[:, ::-1], RIGHT, "its elements are reversed along axis 1"),
    "shifted": (np.roll(RIGHT, 1, axis=2), RIGHT, "its elements are shifted by one along axis 2"),
    "elsewhere": (RNG.permuted(RIGHT), RIGHT, "it holds the right numbers, at other places"),
    "single precision": (
        RIGHT.astype(np.float32).astype(float),
        RIGHT,
        "it is close, as if something were computed in",
    ),
    "zeros": (np.zeros_like(RIGHT), RIGHT, "it is all zeros"),
    "not a number": (changed((1, 2, 3), np.nan), RIGHT, "1 of its elements are not finite"),
    "infinite": (changed((slice(None), 2, 3), np.inf), RIGHT, "4 of its elements are not finite"),
    "one place": (changed((slice(None), 2)), RIGHT, "wrong only at index 2 of axis 1"),
    "the borders": (changed((slice(None), slice(None), [0, -1])), RIGHT, "wrong only at index 0, 5 of axis 2"),
}
PATTERNS["axes exchanged"] = (
    PATTERNS["axes exchanged"][0].transpose(0, 2, 1),
    PATTERNS["axes exchanged"][0],
    PATTERNS["axes exchanged"][2],
)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_seen(name):
    found, expected, words = PATTERNS[name]
    comparison = compare("dx", found, expected, 1e-9)
    assert not comparison.passed
    assert words in comparison.message


def test_nothing_is_said_where_nothing_is_to_be_seen():
    message = compare("dx", RNG.standard_normal((4, 5, 6)), RIGHT).message
    assert message.count(";") == 1  # how many are wrong, and the worst
    assert compare("loss", 2.3, 1.7).message == "loss should be 1.7, got 2.3 (difference 0.6)"


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.sampled_from([np.float32, np.float64, np.int64]))
def test_what_is_right_passes_and_any_change_fails(seed, ndim, dtype):
    rng = np.random.default_rng(seed)
    right = (10 * rng.standard_normal(rng.integers(1, 5, ndim))).astype(dtype)
    assert compare("x", right, right).passed
    wrong = np.array(right, dtype=np.float64)
    wrong[tuple(rng.integers(0, n) for n in wrong.shape)] += 100 * rng.choice([-1, 1])
    comparison = compare("x", wrong, right)
    assert not comparison.passed
    assert ("the worst, x[" if wrong.size > 1 else "x should be") in comparison.message


def test_the_predictions_of_mistakes_are_met_or_not():
    predictions = {
        "twice": 2 * RIGHT,
        "transposed": RIGHT.T,
        "one of two": (RIGHT + 1, 2 * RIGHT),
        "the same": RIGHT.copy(),
        "positive": lambda found: bool((found > 0).all()),
    }
    twice = compare("dx", 2 * RIGHT, RIGHT, mistakes=predictions)
    assert twice.fits == ("twice", "one of two")
    assert twice.misfits == ("transposed", "the same", "positive")  # what makes no difference explains none
    right = compare("dx", RIGHT, RIGHT, mistakes=predictions)
    assert (right.passed, right.fits, right.misfits) == (True, (), ("twice", "transposed", "one of two"))
    assert compare("dx", RIGHT.T, RIGHT, mistakes=predictions).fits == ("transposed",)  # of another shape
    assert compare("dx", None, RIGHT, mistakes=predictions).fits == ()


def test_two_mistakes_at_once_are_seen_where_their_effects_add_up_or_multiply():
    bias, scale = np.ones_like(RIGHT), 3.0
    predictions = {"offset": RIGHT + bias, "term": RIGHT - TERM, "scaled": scale * RIGHT}
    added = RIGHT + bias - TERM
    assert compare("dx", added, RIGHT, mistakes=predictions).fits == ("offset + term",)
    assert compare("dx", scale * (RIGHT + bias), RIGHT, mistakes=predictions).fits == ("offset + scaled",)
    assert compare("dx", RIGHT, RIGHT, mistakes=predictions).fits == ()
    assert compare("dx", RNG.standard_normal(RIGHT.shape), RIGHT, mistakes=predictions).fits == ()


def test_another_dtype_is_a_note_and_nothing_is_not_an_array():
    single = RIGHT.astype(np.float32)
    assert compare("dx", RIGHT, single, 1e-6, dtype=np.float32).passed
    assert (
        compare("dx", RIGHT, single, 1e-6, dtype=np.float32).note == "float64 for float32 inputs, which costs nothing"
    )
    assert not compare("dx", single, single, 1e-6, dtype=np.float32).note
    nothing = compare("dx", None, RIGHT)
    assert (nothing.passed, nothing.missing, nothing.message) == (False, True, "dx is None")
    with pytest.raises(ValueError, match=r"compare: an array is expected in dx, got shape \(0, 3\)"):
        compare("dx", RIGHT, np.zeros((0, 3)))
