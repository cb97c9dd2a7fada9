"""A case: one function, one situation, and what the function must return in it."""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import linecache
import re
import textwrap
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coursework.check.comparison import Comparison, predicting
from coursework.homework import homework, path_of
from coursework.root import ROOT

Function = Callable[..., Any]
SEED = 0  # of the inputs that a student sees
IMPORT = "the import"  # stands for a case where a file cannot be imported
SIDE_EFFECTS = "no side effects"  # the title of the case that every function has
PURE = "No argument is changed, and the same call returns the same result."
ERROR, FINDING = "the error", "the finding"  # stand for a comparison where there is none
BLANK = "# Your "  # the comment above a blank begins so
AGAIN = "called again with the same arguments, it returns something else"
UNTOUCHED = "not started"
UNDECIDED = "it cannot be told before a case with random inputs is right"
ERRORS = {"a float for an integer": "TypeError: .*float.* object cannot be interpreted as an integer"}


class CaseFailed(Exception):  # noqa: N818  (a finding, not an error of ours)
    """What is wrong with the function under test, as a sentence, and the mistake's name, where that is known."""

    def __init__(self, finding: str, mistake: str = "") -> None:
        super().__init__(finding)
        self.mistake = mistake


class NothingReturned(CaseFailed):
    """The function returns None: either this part is not written yet, or a return statement is missing."""


@dataclass(frozen=True)
class IfRaises:
    """For each mistake, by name, a pattern of the error that it leads to in the calls that follow.

    An error reads "TypeError: its text". A pattern is evidence only if it holds something of this case, such as shapes.
    """

    mistakes: Mapping[str, str]


Attempt = Iterator[Comparison | IfRaises]  # what a case yields
Body = Callable[[Function, np.random.Generator], Attempt]


@dataclass(frozen=True)
class Case:
    """One situation in which a function is tried.

    ``body`` takes the function under test and a generator of random numbers, calls the function with inputs that it
    draws, and yields a comparison for each result. ``rule`` is the sentence that tells students what this case tests;
    it is in the docstring of the function or of its module, or in the notebook. ``changes`` has the positions of
    the arguments that the function is meant to change. ``edge`` says that the case is about a side rule or unusual
    inputs: a function that fails in edge cases alone is right on ordinary inputs, and the report says so. ``leans``
    says that a function which computes something else can be right in it, as where it is compared with itself.
    """

    function: str
    title: str
    rule: str
    body: Body
    changes: tuple[int, ...] = ()
    edge: bool = False
    leans: bool = False

    @property
    def decides(self) -> bool:
        """Whether it earns points by itself: its numbers are drawn, so no table of answers will do, and it never leans.

        The other cases count only beside one that decides. A case that draws nothing has no name for the generator.
        """
        return not self.leans and not list(inspect.signature(self.body).parameters)[1].startswith("_")

    def random(self, seed: int) -> np.random.Generator:
        """Return the generator of this case: another seed gives other inputs, and each case has its own."""
        return np.random.default_rng([seed, zlib.crc32(f"{self.function}: {self.title}".encode())])


@dataclass(frozen=True)
class Outcome:
    """The result of one case.

    ``fits`` has the mistakes that predict a wrong result, each as (mistake, name of the comparison); two that predict
    it only together are one entry, "one + other". ``misfits`` has those that predict another result.
    """

    title: str
    status: str  # "right", "wrong" or "not started"
    message: str = ""  # why it is not right
    printed: str = ""
    notes: tuple[str, ...] = ()  # what could be better, and costs nothing
    fits: tuple[tuple[str, str], ...] = ()
    misfits: tuple[tuple[str, str], ...] = ()
    rule: str = ""  # that this case tests, when it is not right
    edge: bool = False
    raised: bool = False  # an error, where the errors of the usual mistakes are known
    partly: bool = False  # something in it is right


CASES: list[Case] = []


def case(
    function: str, title: str, rule: str, changes: tuple[int, ...] = (), edge: bool = False, leans: bool = False
) -> Callable[[Body], Body]:
    """Register the decorated generator as a case of the function of that name."""

    def register(body: Body) -> Body:
        CASES.append(Case(function, title, rule, body, changes, edge, leans))
        return body

    return register


def cases_of(name: str) -> list[Case]:
    """Return the cases of a function, with the one on side effects at the end; its task's must be registered."""
    cases = [case for case in CASES if case.function == name]
    return [*cases, Case(name, SIDE_EFFECTS, PURE, _side_effects(cases), edge=True, leans=True)] if cases else []


def run_case(case: Case, function: Function, seed: int = SEED, predict: bool = True) -> Outcome:
    """Try ``function`` in one case. Whatever it does, an outcome is returned.

    Without ``predict`` it is quicker, and the outcome has no evidence of mistakes: right code needs none.
    """
    comparisons: list[Comparison] = []
    expected: Mapping[str, str] = {}
    finding, mistakes, unwritten, raised = "", list[str](), False, False
    token = predicting.set(predict and case.title != SIDE_EFFECTS)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            tried = function if case.title == SIDE_EFFECTS else _protected(function, case.changes)
            for each in case.body(tried, case.random(seed)):
                if isinstance(each, IfRaises):
                    expected = each.mistakes
                else:
                    comparisons.append(each)
        if not comparisons:
            finding = "nothing was compared, so this case says nothing"
    except NotImplementedError as error:
        finding = _forgotten(error)
        unwritten = not finding
        if unwritten and not comparisons:
            return Outcome(case.title, "not started", UNTOUCHED + place_of(error))
        finding = finding or "The rest is not started"
    except CaseFailed as failed:
        finding, mistakes = str(failed), [failed.mistake] * bool(failed.mistake)
        unwritten = isinstance(failed, NothingReturned) and not mistakes
    except SystemExit:
        finding = f"{case.function} ends the program: it should return"
    except Exception as error:  # whatever a student's code raises is a finding
        raised, text = bool(expected), f"{type(error).__name__}: {error}"
        finding = f"{case.function} raises {text}{place_of(error)}"
        mistakes = [name for name, pattern in {**expected, **ERRORS}.items() if re.search(pattern, text)]
    finally:
        predicting.reset(token)
    wrong = [comparison for comparison in comparisons if not comparison.passed]
    notes = tuple(dict.fromkeys(comparison.note for comparison in comparisons if comparison.note))
    misfits = tuple((mistake, comparison.name) for comparison in comparisons for mistake in comparison.misfits)
    if not wrong and not finding:
        return Outcome(case.title, "right", notes=notes, misfits=misfits)
    fits = [(mistake, ERROR if raised else FINDING) for mistake in mistakes]
    fits += [(mistake, comparison.name) for comparison in comparisons for mistake in comparison.fits]
    unwritten = (unwritten or not finding) and all(comparison.missing for comparison in wrong)
    status, message = "not started" if unwritten else "wrong", _message(comparisons, finding)
    misfits += tuple(("", comparison.name) for comparison in wrong)  # against every pair that does not explain it
    found = tuple(fits), misfits, case.rule, case.edge, raised, len(wrong) < len(comparisons)
    return Outcome(case.title, status, message, "", notes, *found)


def outcomes_of(name: str, run: Callable[[Case, bool], Outcome]) -> list[Outcome]:
    """Run all cases of a function, and those of a wrong one again, with an eye on the usual mistakes.

    ``run`` tries it in one case, with or without ``predict``, as :func:`run_case` does. If the second run has other
    results than the first, the last outcome says so.
    """
    cases = cases_of(name)
    first = [run(case, False) for case in cases]
    if all(outcome.status != "wrong" for outcome in first):
        return first
    second = [run(case, True) for case in cases]
    if [(each.status, each.message) for each in first] != [(each.status, each.message) for each in second]:
        second[-1] = replace(second[-1], status="wrong", message=AGAIN, fits=(("keeps something", FINDING),))
    return second


def _message(comparisons: list[Comparison], finding: str) -> str:
    """Say what is wrong: the first wrong comparison in full, and of the others which they are."""
    wrong = [comparison for comparison in comparisons if not comparison.passed]
    parts = [wrong[0].message] if wrong else []
    others = list(dict.fromkeys(each.name for each in wrong if each.name != wrong[0].name))
    right = {each.name for each in comparisons} - {each.name for each in wrong}
    if others:
        parts.append(f"Also wrong: {', '.join(others)}")
    if right and len(right) < 4:
        parts.append(f"Right: {', '.join(sorted(right))}")
    return ". ".join([*parts, *([finding] if finding else [])])


def parts(result: object, *names: str) -> tuple[Any, ...]:
    """Take apart a returned tuple that must have one part for each name."""
    listed = f"it should return ({', '.join(names)})"
    if result is None:
        raise NothingReturned(f"{listed}, and returns None")
    if not isinstance(result, (tuple, list)) or len(result) != len(names):
        got = f"{len(result)} values" if isinstance(result, (tuple, list)) else type(result).__name__
        raise CaseFailed(f"{listed}, got {got}")
    if all(part is None for part in result):
        raise NothingReturned(f"{listed}, and each of these is None")
    return tuple(result)


def _protected(function: Function, changes: tuple[int, ...]) -> Function:
    """Wrap the function so that it gets copies of its arguments: the comparison that follows needs them unchanged."""

    def call(*args: Any, **kwargs: Any) -> Any:
        given = (argument if k in changes else _copied(argument) for k, argument in enumerate(args))
        result = function(*given, **{name: _copied(value) for name, value in kwargs.items()})
        if result is None and _never_returns(function):
            raise NothingReturned("it returns None", "returns nothing")
        return result

    return call


def _copied(thing: Any) -> Any:
    """Copy arrays, and containers of arrays; other objects are handed over as they are."""
    if isinstance(thing, np.ndarray):
        return copy.deepcopy(thing)
    if isinstance(thing, dict):
        return {key: _copied(value) for key, value in thing.items()}
    if type(thing) in (tuple, list):
        return type(thing)(map(_copied, thing))
    return thing


def _never_returns(function: Function) -> bool:
    """Tell whether the source of a function has no statement that returns a value."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    return not any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(tree))


def _student_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return where in the files that students write an error was raised; None if that is not known."""
    files = {str(ROOT / path_of(module)) for task in homework().tasks for module, _ in task.functions}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return frames[-1] if frames else None


def place_of(error: BaseException) -> str:
    """Say in which file and line an error was raised, and show the line."""
    frame = _student_frame(error)
    return f" ({Path(frame.filename).name}, line {frame.lineno}: {frame.line})" if frame else ""


def _forgotten(error: BaseException) -> str:
    """Say that a blank was forgotten below code; "" if the blank is untouched, or nothing is known of it."""
    frame = _student_frame(error)
    if frame is None or frame.lineno is None or not str(error).startswith("Task "):
        return ""
    lines = (linecache.getline(frame.filename, number).strip() for number in range(frame.lineno - 1, 0, -1))
    above = next((line for line in lines if line), "")
    if not above or above.startswith((BLANK, "# BEGIN")) or above.endswith(('"""', ":")):
        return ""
    return f"a blank is left below your code: remove the line with NotImplementedError{place_of(error)}"


def _side_effects(cases: list[Case]) -> Body:
    """Make the case that looks at nothing but side effects: the others run again, under watch."""

    def body(function: Function, rng: np.random.Generator) -> Attempt:
        seed = int(rng.integers(2**31))
        changed: list[str] = []
        ends: list[list[Any]] = []
        blank, right = True, False
        deciding = [case for case in cases if case.decides] or cases
        for case in (*cases, cases[0]):
            results: list[Any] = []
            try:
                found = case.body(_watched(function, case.changes, results, changed), case.random(seed))
                made = [each for each in found if isinstance(each, Comparison)]  # to the end
                right |= case in deciding and bool(made) and all(each.passed for each in made)
                blank &= any(each.missing for each in made)
            except Exception as error:  # what it means is said in the case itself
                blank &= isinstance(error, (NotImplementedError, NothingReturned))
            ends.append(results)
        if blank:
            raise NotImplementedError
        if changed:
            names = " and ".join(dict.fromkeys(changed))
            raise CaseFailed(f"it changes {names} in place: work on a copy, or make a new array", "changes an argument")
        if not all(map(_same, ends[0], ends[-1])):
            raise CaseFailed(AGAIN, "keeps something")
        if not right:
            raise CaseFailed(UNDECIDED)
        yield Comparison("the second result", True, "")

    return body


def _watched(function: Function, changes: tuple[int, ...], results: list[Any], changed: list[str]) -> Function:
    """Wrap the function so that its results are kept, and the names of arguments that it changes in place.

    A function that runs elsewhere has an attribute ``altered``, which tells the positions of those arguments.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        kept = [k for k in range(len(args)) if k not in changes]
        before = copy.deepcopy([args[k] for k in kept])
        result = function(*args, **kwargs)
        altered = getattr(function, "altered", None)
        if altered is None:
            altered = [k for k, old in zip(kept, before, strict=True) if not _same(old, args[k])]
        changed.extend(_argument(function, k) for k in altered)
        results.append(result.detach().clone() if hasattr(result, "detach") else copy.deepcopy(result))
        return result

    return call


def _argument(function: Function, position: int) -> str:
    with contextlib.suppress(ValueError, TypeError, IndexError):
        return list(inspect.signature(function).parameters)[position]
    return f"argument {position + 1}"


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
