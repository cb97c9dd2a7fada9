"""Making questions on a function: ``python -m coursework.quiz.make TASK FUNCTION SEED`` prints them as JSON.

It imports and runs a student's code, so it has a process of its own: an ordinary one for `quiz`, and the grader's
sandbox for the staff's `viva`. Whoever calls it makes the questions twice, and drops what was not the same both times.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import itertools
import json
import operator
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coursework.check.case import cases_of, run_case
from coursework.homework import homework
from coursework.quiz.describe import SHAPE, argument, describe, is_given, mapped, numbers, simple
from coursework.quiz.edits import Edit, Source, edits, load

Function = Callable[..., Any]
Call = tuple[tuple[Any, ...], dict[str, Any]]
OPTIONS = 4
EDITS = 16  # of a function that are tried
STEPS = 100_000  # lines that a changed function may run
CALLS = 200  # of a check that are looked at
INPUTS = 12  # of them that are tried with a change
SHOWN = 30  # lines of code with a question
UNCHANGED, NOTHING = "the same as before", "nothing"
RAISES, NEVER = "an error, and no result", "no result, because it never ends"
KINDS = {
    "value": "What is in a variable?",
    "output": "What does a change do?",
    "input": "Where does a change matter?",
    "reason": "Why is it there?",
}
MAKES = ("zeros", "zeros_like", "empty", "empty_like", "copy")
REASONS: tuple[tuple[Callable[[ast.AST], bool], str, str], ...] = (
    (
        lambda node: isinstance(node, (ast.For, ast.While)),
        "What does this loop run over, and what would be lost if it stopped after its first iteration?",
        "names what one iteration handles (an image, a window, a step), how many iterations there are for a given "
        "input, and what the later ones contribute to the result.",
    ),
    (
        lambda node: isinstance(node, ast.keyword) and node.arg in ("axis", "dim"),
        "Why this choice? Say what the shape is before this operation and after it, and what another axis would give.",
        "gives both shapes for a small input, says what the axis counts (steps, images, features, classes), and what "
        "goes wrong with another one: an error, or a wrong result without an error.",
    ),
    (
        lambda node: isinstance(node, ast.Call) and _name(node) in MAKES,
        "Why is this array made here, and why with this shape? What would go wrong without it?",
        "says what is collected in it, where its shape comes from, and what would happen without it: an argument that "
        "is changed in place, or values left from before.",
    ),
    (
        lambda node: isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add),
        "Why does this line add to what is there? For which input would it be wrong to replace it?",
        "names an input in which two contributions meet in one place, and what replacing would lose.",
    ),
    (
        lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult),
        "Why do the factors stand in this order? Give the shapes of both, and of the product.",
        "gives three shapes for a small input, and says which index is summed over and why that is the right one.",
    ),
    (
        lambda node: isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div),
        "What is divided here, by what, and why? How does the result change if the divisor doubles?",
        "names both numbers by what they mean, says which formula asks for the division (a mean, a slope, a step), and "
        "follows the factor to the result.",
    ),
    (
        lambda node: isinstance(node, ast.Return),
        "Explain what is returned here: what it means, its shape for a small input, and what it is used for.",
        "does so for each part, if there are several, and says what the caller does with it.",
    ),
)


@dataclass(frozen=True)
class Question:
    """A question on a function.

    Attributes:
        task: the number of its task.
        function: its name.
        kind: a key of ``KINDS``.
        text: what is asked.
        code: lines of the student's file, with their numbers.
        options: what to choose from; none where the answer is in words.
        key: which option is right; -1 where the answer is in words.
        answer: why, or what a full answer does: a clause that begins with a verb.
    """

    task: str
    function: str
    kind: str
    text: str
    code: tuple[str, ...]
    options: tuple[str, ...]
    key: int
    answer: str


class EndlessError(Exception):
    """A changed function runs too many lines."""


def asked(number: str, name: str, seed: int) -> str:
    """Return questions on a function as JSON, at most one of each kind; none if it is not right.

    Args:
        number: that of its task.
        name: the function.
        seed: of the generator that chooses.
    """
    task = homework().task(number)
    module = homework().module_of(name)
    importlib.import_module(task.cases)
    function = operator.attrgetter(name)(importlib.import_module(module))
    if any(run_case(case, function, predict=False).status != "right" for case in cases_of(name)):
        return "[]"
    maker = Maker(number, module, name, function, np.random.default_rng([seed, zlib.crc32(name.encode())]))
    found = []
    for make in (maker.value, maker.output, maker.input, maker.reason):
        with np.errstate(all="ignore"):
            question = make()
        if question is not None:
            found.append(asdict(question))
    return json.dumps(found)


class Maker:
    """Makes questions on one function."""

    def __init__(self, number: str, module: str, name: str, function: Function, rng: np.random.Generator) -> None:
        self.number, self.module, self.name, self.function, self.rng = number, module, name, function, rng
        self.source = Source.of(function)
        found = list(edits(self.source))
        chosen = sorted(rng.permutation(len(found))[:EDITS])
        self.edits = [found[k] for k in chosen]
        self.written = {} if isinstance(function, type) else self._recorded()
        call = min(
            self.written.items(), key=lambda each: (_is_dull(each[1]), _hides(each[1]), len(each[0])), default=None
        )
        self.calls = () if call is None else _both(call[1])

    def _recorded(self) -> dict[str, Call]:
        """Return the calls of the checks that can be written, with simple numbers, by how they are written."""
        calls: list[Call] = []

        def recorded(*args: Any, **kwargs: Any) -> Any:
            if len(calls) < CALLS:
                calls.append(copy.deepcopy((args, kwargs)))
            return self.function(*args, **kwargs)

        for case in cases_of(self.name)[:-1]:
            run_case(case, recorded, predict=False)
        written = {}
        for call in map(simple, calls):
            text = _written(self.name, call) if any(call) else ""
            with contextlib.suppress(Exception):  # a test of the arguments may not like the new numbers
                if text and text not in written:
                    for each in _both(call):
                        _run(self.function, each)
                    written[text] = call
        return written

    def changed(self, edit: Edit) -> Function:
        """Return the function with a change; whatever that raises when it is loaded goes through."""
        function: Function = operator.attrgetter(self.name)(load(edit.file, self.module))
        return function

    def value(self) -> Question | None:
        """Ask what is in a variable after a line."""
        if not self.calls:
            return None
        kept, *others = (_assigned(self.function, call) for call in self.calls)
        lines = self.source.asked()
        places = [(k, name) for (k, name), texts in kept.items() if k in lines and texts[-1] and name[0] != "_"]
        places = [place for place in places if all(each.get(place, [""])[-1] == kept[place][-1] for each in others)]
        after = list(self._values_after_changes()) if places else []
        for line, variable in (places[k] for k in self.rng.permutation(len(places))[:8]):
            right = kept[line, variable][-1]
            if self.source.text.splitlines()[line - self.source.first].endswith(f"= {right}"):  # it can be read off
                continue
            wrong = [each[line, variable][-1] for each in after if (line, variable) in each]
            shapes = right.startswith(SHAPE)
            for values in (kept[line, variable][:-1], *(kept[place] for place in places)):
                wrong += values
            wrong = [text.removeprefix(SHAPE) for text in wrong if _form(text) == _form(right)]
            chosen = self._options(right.removeprefix(SHAPE), wrong)
            if chosen is None:
                continue
            times = " for the last time" if len(kept[line, variable]) > 1 else ""
            what = "What is the shape of" if shapes else "What is the value of"
            text = f"{self._called()}\n{what} `{variable}` when line {line} has run{times}?"
            return self._question("value", text, line, *chosen, f"It is {right.removeprefix(SHAPE)}.")
        return None

    def _values_after_changes(self) -> Iterator[dict[tuple[int, str], list[str]]]:
        for edit in self.edits:
            try:
                yield _assigned(self.changed(edit), self.calls[0])
            except Exception:  # an error says nothing of a variable
                continue

    def output(self) -> Question | None:
        """Ask what a call returns after a change."""
        if not self.calls:
            return None
        before = [_parts(_run(self.function, call)) for call in self.calls]
        single = len(before[0]) == 1
        results = []
        for edit in self.edits:
            found = {self._result(edit, *each) for each in zip(self.calls, before, strict=True)}
            if len(found) == 1:
                results.append((edit, *found))
        clear = [pair for pair in results if pair[1]]
        for edit, right in (clear[k] for k in self.rng.permutation(len(clear))):
            wrong = sorted((text for _, text in clear), key=lambda text: _form(text) != _form(right))
            chosen = self._options(right, [UNCHANGED if single else NOTHING, *wrong, RAISES])
            if chosen is None:
                continue
            what = "What is the result then?" if single else "What changes in the result?"
            text = f"{self._called()}\n{self._with(edit)}\n{what}"
            return self._question("output", text, edit.line, *chosen, f"Run with the changed line: {right}.")
        return None

    def _result(self, edit: Edit, call: Call, before: dict[str, Any]) -> str:
        """Say what the call returns after a change, or which of its parts are different; "" if that is hard to say."""
        try:
            after = _parts(_run(self.changed(edit), call))
        except EndlessError:
            return NEVER
        except Exception:  # whatever it is
            return RAISES
        if after.keys() != before.keys():
            return ""
        alike = {name: _alike(value, after[name]) for name, value in before.items()}
        if None in alike.values():
            return ""
        other = [name for name, same in alike.items() if not same]
        if not other:
            return UNCHANGED if len(before) == 1 else NOTHING
        if len(before) == 1:
            text = describe(*after.values())
            return "" if text in ("", describe(*before.values())) else text
        return "all of it" if len(other) == len(before) else f"only {' and '.join(other)}"

    def input(self) -> Question | None:
        """Ask for which call a change makes a difference; where none can be written, for which case of the check."""
        if not self.written:
            return self._case()
        texts = [list(self.written)[k] for k in self.rng.permutation(len(self.written))[:INPUTS]]
        for edit in (self.edits[k] for k in self.rng.permutation(len(self.edits))[:6]):
            found = {text: {self._differs(edit, call) for call in _both(self.written[text])} for text in texts}
            other = [text for text in texts if found[text] == {True}]
            wrong = [text for text in texts if found[text] == {False}]
            chosen = self._options(other[0], wrong) if other else None
            if chosen is not None:
                text = f"{self._with(edit)}\nFor which of these calls is the result then different?"
                return self._question("input", text, edit.line, *chosen, "The other calls return what they did before.")
        return None

    def _case(self) -> Question | None:
        cases = cases_of(self.name)[:-1]
        for edit in (self.edits[k] for k in self.rng.permutation(len(self.edits))[:6]):
            try:
                function = _bounded(self.changed(edit))
            except Exception:
                continue
            right = {case.title: run_case(case, function, predict=False).status == "right" for case in cases}
            failed = [title for title in right if not right[title]]
            wrong = [title for title in right if right[title]]
            chosen = self._options(failed[int(self.rng.integers(len(failed)))], wrong) if failed else None
            if chosen is not None:
                text = f"{self._with(edit)}\nWhich of these cases of `check` would then fail?"
                return self._question("input", text, edit.line, *chosen, "The other cases here still pass.")
        return None

    def _differs(self, edit: Edit, call: Call) -> bool:
        try:
            return _alike(_run(self.function, call), _run(self.changed(edit), call)) is False
        except Exception:  # whatever it is
            return True

    def reason(self) -> Question | None:
        """Ask why a line is there."""
        lines = self.source.asked()
        nodes = [node for node in ast.walk(self.source.tree()) if getattr(node, "lineno", 0) in lines]
        for fits, text, rubric in REASONS:
            found = [node for node in nodes if fits(node)]
            if found:
                node: Any = found[int(self.rng.integers(len(found)))]
                part = "" if isinstance(node, ast.stmt) else f", `{ast.unparse(node)}`"
                return self._question("reason", f"Line {node.lineno}{part}. {text}", node.lineno, (), -1, rubric)
        return None

    def _options(self, right: str, others: Sequence[str]) -> tuple[tuple[str, ...], int] | None:
        """Return options in a random order, and which is right; None if there are too few."""
        wrong = [each for each in dict.fromkeys(others) if each and each != right][: OPTIONS - 1]
        if len(wrong) < 2:
            return None
        mixed = [[right, *wrong][k] for k in self.rng.permutation(len(wrong) + 1)]
        return tuple(mixed), mixed.index(right)

    def _called(self) -> str:
        return f"The call is `{_written(self.name, self.calls[0])}`."

    def _with(self, edit: Edit) -> str:
        return f"Line {edit.line} is changed from\n    {edit.before}\nto\n    {edit.after}"

    def _question(self, kind: str, text: str, line: int, options: tuple[str, ...], key: int, answer: str) -> Question:
        lines, body = self.source.text.splitlines(), self.source.body()
        start = min(max(body.start, line - SHOWN // 2), max(body.start, body.stop - SHOWN))
        rows = [*self.source.signature(), *range(start, min(start + SHOWN, body.stop))]
        code = tuple(f"{row:4d}  {lines[row - self.source.first]}" for row in rows)
        return Question(self.number, self.name, kind, text, code, options, key, answer)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _written(name: str, call: Call) -> str:
    """Write a call; "" if that is not possible in a line."""
    args, kwargs = call
    parts = [argument(each) for each in args] + [f"{key}={argument(each)}" for key, each in kwargs.items()]
    text = f"{name}({', '.join(parts)})"
    return text if all(parts) and not any(part.endswith("=") for part in parts) and len(text) <= 300 else ""


def _hides(value: Any) -> bool:
    """Tell whether an array of a call is written as a shape."""
    if isinstance(value, (dict, tuple, list)):
        return any(map(_hides, value.values() if isinstance(value, dict) else value))
    array = numbers(value)
    return array is not None and not is_given(array)


def _both(call: Call) -> tuple[Call, ...]:
    """Return a call and, if it does not show all numbers, one with others: what is asked has to hold for both."""
    return (call, mapped(_other, call)) if _hides(call) else (call,)


def _other(value: Any) -> Any:
    """Return other numbers for an array that is written as a shape: reversed, negated, and no zeros."""
    if not isinstance(value, np.ndarray) or not _hides(value):
        return value
    return value.dtype.type(0.25) - np.flip(value) if value.dtype.kind == "f" else np.flip(value)


def _form(text: str) -> str:
    """Return a text without its numbers, to compare what kind of value it stands for."""
    return re.sub(r"-?[\d.]+(e[+-]?\d+)?", "0", text)


def _is_dull(call: Call) -> bool:
    """Tell whether few changes would matter: all numbers are 0 or 1, or an array has only one, or none above 0."""
    args, kwargs = call
    arrays = [array for each in (*args, *kwargs.values()) if (array := numbers(each)) is not None]
    plain = all(np.isin(array, (-1, 0, 1)).all() for array in arrays)
    return plain or any(array.size <= 1 or not (array > 0).any() for array in arrays if array.ndim)


def _alike(old: Any, new: Any) -> bool | None:
    """Tell whether two results hold the same numbers; None if they are too close for paper."""
    if isinstance(old, (dict, tuple, list)):
        if type(old) is not type(new) or len(old) != len(new):
            return False
        pairs = zip(*((each.values() if isinstance(each, dict) else each) for each in (old, new)), strict=True)
        found = [_alike(*pair) for pair in pairs]
        return False if False in found else None if None in found else True
    first, second = numbers(old), numbers(new)
    if first is None or second is None:
        return None if first is second else False
    if np.array_equal(first, second, equal_nan=True):
        return True
    return None if first.shape == second.shape and np.allclose(first, second, equal_nan=True) else False


def _parts(result: Any) -> dict[str, Any]:
    """Return the parts of a result by names that can be said."""
    if isinstance(result, dict):
        return {f"`{key}`": value for key, value in result.items()}
    if isinstance(result, tuple) and len(result) <= 4:
        words = ("the first part", "the second part", "the third part", "the fourth part")
        return dict(zip(words, result, strict=False))
    return {"": result}


def _run(function: Function, call: Call) -> Any:
    args, kwargs = copy.deepcopy(call)
    return _bounded(function)(*args, **kwargs)


def _bounded(function: Function) -> Function:
    """Wrap a function so that it raises an EndlessError rather than run for ever."""
    if isinstance(function, type):
        return function
    file = _code(function).co_filename

    def call(*args: Any, **kwargs: Any) -> Any:
        count = itertools.count()

        def trace(frame: Any, event: str, _: Any) -> Any:
            if frame.f_code.co_filename != file:
                return None
            if event == "line" and next(count) > STEPS:
                raise EndlessError
            return trace

        return _traced(trace, function, args, kwargs)

    return call


def _traced(trace: Any, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return function(*args, **kwargs)
    finally:
        sys.settrace(before)


def _code(function: Any) -> Any:
    return getattr(function, "__func__", function).__code__


def _assigned(function: Function, call: Call) -> dict[tuple[int, str], list[str]]:
    """Run a call; return by line and name what each variable was given there, one text after another.

    A line that has once changed a variable is taken to set it each time, to the same value or another.
    """
    code = _code(function)
    kept: dict[tuple[int, str], list[str]] = {}
    seen: dict[str, str] = {}
    line, count, top = 0, itertools.count(), None

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal line, top
        if frame.f_code is not code or (top is not None and frame is not top):
            return None
        if event == "call":
            top = frame
            seen.update({name: _text(value) for name, value in frame.f_locals.items()})
        elif next(count) > STEPS:
            raise EndlessError
        else:
            for name, value in frame.f_locals.items():
                if seen.get(name) != (text := _text(value)) or (line, name) in kept:
                    seen[name] = text
                    kept.setdefault((line, name), []).append(text)
            line = frame.f_lineno
        return trace

    args, kwargs = copy.deepcopy(call)
    _traced(trace, function, args, kwargs)
    return kept


def _text(value: Any) -> str:
    return describe(value) or describe(value, shape=True)


if __name__ == "__main__":
    made = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the code prints
    made.write(asked(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    made.flush()
    os._exit(0)
