"""A case: one function, one situation, and what the function must return in it."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cs7643.comparison import Comparison

Function = Callable[..., Any]
Body = Callable[[Function], Iterator[Comparison]]


class CaseFailed(Exception):  # noqa: N818  (not an error of ours: a finding)
    """What is wrong with the function under test, as a sentence."""


@dataclass(frozen=True)
class Case:
    """One situation in which a function is tried.

    ``body`` takes the function under test, calls it with inputs of its own, and yields a comparison for each thing
    that it returned. ``suspect`` names the mistake that shows in this case.
    """

    function: str
    title: str
    suspect: str
    body: Body


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        title: that of the case.
        status: "right", "wrong" or "not started".
        message: why it is not right.
        printed: what the function printed meanwhile.
    """

    title: str
    status: str
    message: str = ""
    printed: str = ""


CASES: list[Case] = []


def case(function: str, title: str, suspect: str = "") -> Callable[[Body], Body]:
    """Register the decorated generator as a case of the function of that name."""

    def register(body: Body) -> Body:
        CASES.append(Case(function, title, suspect, body))
        return body

    return register


def run_case(case: Case, function: Function) -> Outcome:
    """Try ``function`` in one case, twice. Whatever it does, an outcome comes back."""
    first: list[Any] = []
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            watched = _watched(function, first.append)
            failed = [comparison.message for comparison in case.body(watched) if not comparison.passed]
            if not failed:
                again = iter(first)
                for _ in case.body(_watched(function, lambda result: _require_same(next(again), result))):
                    pass
    except NotImplementedError:
        return Outcome(case.title, "not started", "not started")
    except CaseFailed as finding:
        failed = [str(finding)]
    except SystemExit:
        failed = [f"{case.function} ends the program: it should return"]
    except Exception as error:  # whatever a student's code raises is a finding, too
        failed = [f"{case.function} raises {type(error).__name__}: {error}"]
    if not failed:
        return Outcome(case.title, "right")
    suspicion = [f"Likely: {case.suspect}"] if case.suspect else []
    return Outcome(case.title, "wrong", ". ".join([*failed, *suspicion]))


def _require_same(first: object, second: object) -> None:
    if not _same(first, second):
        raise CaseFailed("called again with the same arguments, it returns something else: what does it keep?")


def parts(result: object, *names: str) -> tuple[Any, ...]:
    """Take apart a returned tuple that must have one part for each name."""
    if not isinstance(result, (tuple, list)) or len(result) != len(names):
        found = f"{len(result)} values" if isinstance(result, (tuple, list)) else type(result).__name__
        raise CaseFailed(f"it should return ({', '.join(names)}), got {found}")
    return tuple(result)


def _watched(function: Function, returned: Callable[[Any], None]) -> Function:
    """Wrap the function so that changing an argument in place is found out, and each result is handed on."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        before = copy.deepcopy((args, kwargs))
        result = function(*args, **kwargs)
        if not _same(before, (args, kwargs)):
            raise CaseFailed("it changes one of its arguments in place: work on a copy, or make a new array")
        returned(copy.deepcopy(result))
        return result

    return call


def _same(a: Any, b: Any) -> bool:
    """Tell whether two nests of tuples, lists, dictionaries, arrays and our own objects are equal, bit for bit."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return isinstance(b, (tuple, list)) and len(a) == len(b) and all(map(_same, a, b))
    if type(a).__module__.startswith("cs7643.") and type(a) is type(b):
        return _same(_state(a), _state(b))
    return bool(a == b)


def _state(thing: object) -> dict[str, Any]:
    """Return the attributes of one of our own objects."""
    slots = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__weakref__")
    return {**getattr(thing, "__dict__", {}), **{name: getattr(thing, name) for name in slots}}
