"""A case: one function, one situation, and what the function must return in it."""

from __future__ import annotations

import copy
import functools
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursework.check.comparison import Comparison
from coursework.homework import homework

Function = Callable[..., Any]
Body = Callable[[Function, np.random.Generator], Iterator[Comparison]]
SEED = 0  # of the inputs that a student sees
IMPORT = "the import"  # stands for a case where a file cannot be imported


class CaseFailed(Exception):  # noqa: N818  (not an error of ours: a finding)
    """What is wrong with the function under test, as a sentence, and the mistake's name, where that is known."""

    def __init__(self, finding: str, mistake: str = "") -> None:
        """Take the sentence, and the name."""
        super().__init__(finding)
        self.mistake = mistake


@dataclass(frozen=True)
class Case:
    """One situation in which a function is tried.

    ``body`` takes the function under test and a generator of random numbers, calls the function with inputs that it
    draws, and yields a comparison for each thing that came back. ``advice`` says what to look at when this case fails
    and no known mistake fits. ``changes`` has the positions of the arguments that the function is meant to change.
    """

    function: str
    title: str
    advice: str
    body: Body
    changes: tuple[int, ...] = ()

    def random(self, seed: int) -> np.random.Generator:
        """Return the generator of this case: another seed gives other inputs, and each case has its own."""
        return np.random.default_rng([seed, zlib.crc32(f"{self.function}: {self.title}".encode())])


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        title: that of the case.
        status: "right", "wrong" or "not started".
        message: why it is not right.
        printed: what the function printed meanwhile.
        fits: the mistakes that would have given what came back, each with the name of the comparison.
        misfits: the mistakes that would have given something else, likewise.
        advice: what to look at, when it is not right.
    """

    title: str
    status: str
    message: str = ""
    printed: str = ""
    fits: tuple[tuple[str, str], ...] = ()
    misfits: tuple[tuple[str, str], ...] = ()
    advice: str = ""


CASES: list[Case] = []


def case(function: str, title: str, advice: str, changes: tuple[int, ...] = ()) -> Callable[[Body], Body]:
    """Register the decorated generator as a case of the function of that name."""

    def register(body: Body) -> Body:
        CASES.append(Case(function, title, advice, body, changes))
        return body

    return register


def run_case(case: Case, function: Function, seed: int = SEED) -> Outcome:
    """Try ``function`` in one case, twice. Whatever it does, an outcome comes back."""
    results: list[Any] = []
    comparisons: list[Comparison] = []
    finding, fits = "", list[tuple[str, str]]()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for comparison in case.body(_watched(function, results.append, case.changes), case.random(seed)):
                comparisons.append(comparison)
            if all(comparison.passed for comparison in comparisons):
                again = iter(results)
                watched = _watched(function, lambda result: _require_same(next(again), result), case.changes)
                for _ in case.body(watched, case.random(seed)):
                    pass
    except NotImplementedError:
        return Outcome(case.title, "not started", "not started")
    except CaseFailed as failed:
        finding, fits = str(failed), [(failed.mistake, "")] * bool(failed.mistake)
    except SystemExit:
        finding = f"{case.function} ends the program: it should return"
    except Exception as error:  # whatever a student's code raises is a finding, too
        finding = f"{case.function} raises {type(error).__name__}: {error}"
    fits += [(mistake, comparison.name) for comparison in comparisons for mistake in comparison.fits]
    misfits = tuple((mistake, comparison.name) for comparison in comparisons for mistake in comparison.misfits)
    message = _message(comparisons, finding)
    if not message:
        return Outcome(case.title, "right", misfits=misfits)
    return Outcome(case.title, "wrong", message, fits=tuple(fits), misfits=misfits, advice=case.advice)


def _message(comparisons: list[Comparison], finding: str) -> str:
    """Say what is wrong: the first wrong comparison in full, and of the others which they are."""
    wrong = [comparison for comparison in comparisons if not comparison.passed]
    parts = [wrong[0].message] if wrong else []
    others = list(dict.fromkeys(each.name for each in wrong if each.name != wrong[0].name))
    right = {each.name for each in comparisons} - {each.name for each in wrong}
    if others:
        parts.append(f"{', '.join(others)}: wrong, too")
    if right and wrong and len(right) < 4:
        parts.append(f"right: {', '.join(sorted(right))}")
    return ". ".join([*parts, *([finding] if finding else [])])


def _require_same(first: object, second: object) -> None:
    if not _same(first, second):
        raise CaseFailed("called again with the same arguments, it returns something else: what does it keep?")


def parts(result: object, *names: str) -> tuple[Any, ...]:
    """Take apart a returned tuple that must have one part for each name."""
    if not isinstance(result, (tuple, list)) or len(result) != len(names):
        found = f"{len(result)} values" if isinstance(result, (tuple, list)) else type(result).__name__
        raise CaseFailed(f"it should return ({', '.join(names)}), got {found}")
    return tuple(result)


def _watched(function: Function, returned: Callable[[Any], None], changes: tuple[int, ...]) -> Function:
    """Wrap the function so that changing an argument in place is found out, and each result is handed on."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        kept = [argument for k, argument in enumerate(args) if k not in changes]
        before = copy.deepcopy((kept, kwargs))
        result = function(*args, **kwargs)
        if not _same(before, (kept, kwargs)):
            raise CaseFailed("it changes one of its arguments in place: work on a copy, or make a new array")
        returned(result.detach().clone() if hasattr(result, "detach") else copy.deepcopy(result))
        return result

    return call


def _same(a: Any, b: Any) -> bool:
    """Tell whether two nests of tuples, lists, dictionaries, arrays and our own objects are equal, bit for bit.

    Tensors are compared as arrays, and a model or an optimiser of PyTorch by its state; PyTorch is not imported here.
    """
    if hasattr(a, "detach"):
        return hasattr(b, "detach") and _same(a.detach().numpy(), b.detach().numpy())
    if hasattr(a, "state_dict"):
        return type(a) is type(b) and _same(a.state_dict(), b.state_dict())
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return isinstance(b, (tuple, list)) and len(a) == len(b) and all(map(_same, a, b))
    if type(a) is type(b) and type(a).__module__.partition(".")[0] in ("coursework", homework().package):
        return _same(_state(a), _state(b))
    return bool(a == b)


def _state(thing: object) -> dict[str, Any]:
    """Return the attributes of one of our own objects."""
    slots = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__weakref__")
    return {**getattr(thing, "__dict__", {}), **{name: getattr(thing, name) for name in slots}}
