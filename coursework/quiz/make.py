"""Making questions on a function: ``python -m coursework.quiz.make TASK FUNCTION SEED`` prints them as JSON.

It imports and runs a student's code, so it has a process of its own: an ordinary one for `quiz`, and the grader's
sandbox for the staff's `viva`. Whoever calls it makes the questions twice, and drops what was not the same both times.
"""

from __future__ import annotations

import ast
import copy
import importlib
import itertools
import json
import operator
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coursework.check.case import cases_of, run_case
from coursework.homework import homework
from coursework.quiz.describe import SHAPE, argument, describe, numbers
from coursework.quiz.edits import Edit, Source, edits, load

Function = Callable[..., Any]
Call = tuple[tuple[Any, ...], dict[str, Any]]
OPTIONS = 4
EDITS = 16  # of a function that are tried
STEPS = 100_000  # lines that a changed function may run
CALLS = 200  # of a check that are looked at
SHOWN = 30  # lines of code with a question
UNCHANGED, RAISES, NEVER = "the same as before", "it raises an error", "it never ends"
KINDS = {
    "value": "What is in a variable?",
    "output": "What does a change do?",
    "case": "Who would notice?",
    "reason": "Why is it there?",
}
MAKES = ("zeros", "zeros_like", "empty", "empty_like", "copy")
REASONS: tuple[tuple[Callable[[ast.AST], bool], str, str], ...] = (
    (
        lambda node: isinstance(node, (ast.For, ast.While)),
        "What does this loop run over, and what would be lost if it stopped after its first round?",
        "names what one round handles (an image, a window, a step), how many rounds there are for a given input, and "
        "which numbers of the result the later rounds contribute.",
    ),
    (
        lambda node: isinstance(node, ast.keyword) and node.arg in ("axis", "dim", "keepdims", "keepdim"),
        "Why this axis? Say what the shape is before this operation and after it, and what another axis would give.",
        "gives both shapes for a small input, says what the axis counts (images, features, classes), and what goes "
        "wrong with another one: an error, or a wrong result without one.",
    ),
    (
        lambda node: isinstance(node, ast.Call) and _name(node) in MAKES,
        "Why is this array made here, and why with this shape? What would go wrong without it?",
        "says what is collected in it, where its shape comes from, and what would happen without it: an argument that "
        "is changed in place, or values left from before.",
    ),
    (
        lambda node: isinstance(node, ast.AugAssign),
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
        "What does this division do to the result? What would change without it?",
        "says what is divided by what, and how the result would scale with the number of images, or with the step.",
    ),
    (
        lambda node: isinstance(node, ast.Return),
        "Explain what is returned here: what each part is, its shape, and who uses it.",
        "names every part with its shape for a small input, and says what the caller does with it.",
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
    for make in (maker.value, maker.output, maker.case, maker.reason):
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
        self.call = None if isinstance(function, type) else self._smallest()

    def _smallest(self) -> Call | None:
        """Return the arguments of the call of the checks that is the shortest to write, of those with some numbers."""
        calls: list[Call] = []

        def recorded(*args: Any, **kwargs: Any) -> Any:
            if len(calls) < CALLS:
                calls.append(copy.deepcopy((args, kwargs)))
            return self.function(*args, **kwargs)

        for case in cases_of(self.name)[:-1]:
            run_case(case, recorded, predict=False)
        written = [
            (_is_dull(call), len(text), k) for k, call in enumerate(calls) if (text := _written(self.name, call))
        ]
        return calls[min(written)[-1]] if written else None

    def changed(self, edit: Edit) -> Function:
        """Return the function with a change; whatever that raises when it is loaded goes through."""
        function: Function = operator.attrgetter(self.name)(load(edit.file, self.module))
        return function

    def value(self) -> Question | None:
        """Ask what is in a variable after a line."""
        if self.call is None:
            return None
        kept = _assigned(self.function, self.call)
        body = self.source.body()
        places = [place for place in kept if place[0] in body and kept[place][-1]]
        after = list(self._values_after_changes()) if places else []
        for line, variable in (places[k] for k in self.rng.permutation(len(places))[:8]):
            right = kept[line, variable][-1]
            others = [each[line, variable][-1] for each in after if (line, variable) in each]
            shapes = right.startswith(SHAPE)
            for values in (kept[line, variable][:-1], *(kept[place] for place in places)):
                others += [text for text in values if text.startswith(SHAPE) == shapes]
            chosen = self._options(right.removeprefix(SHAPE), [text.removeprefix(SHAPE) for text in others])
            if chosen is None:
                continue
            times = " for the last time" if len(kept[line, variable]) > 1 else ""
            what = "What is the shape of" if shapes else "What is the value of"
            text = f"{self._called()}\n{what} `{variable}` when line {line} has run{times}?"
            return self._question("value", text, line, *chosen, f"It is {right.removeprefix(SHAPE)}.")
        return None

    def _values_after_changes(self) -> Iterator[dict[tuple[int, str], list[str]]]:
        assert self.call is not None
        for edit in self.edits:
            try:
                yield _assigned(self.changed(edit), self.call)
            except Exception:  # an error says nothing of a variable
                continue

    def output(self) -> Question | None:
        """Ask what a call returns after a change."""
        if self.call is None:
            return None
        before = _parts(_run(self.function, self.call))
        results = [(edit, self._result(edit, before)) for edit in self.edits]
        different = [pair for pair in results if pair[1] not in ("", UNCHANGED)]
        for edit, right in (different[k] for k in self.rng.permutation(len(different))):
            chosen = self._options(right, [UNCHANGED, *(text for _, text in results), RAISES])
            if chosen is None:
                continue
            what = "What does it return then?" if len(before) == 1 else "What is then different in the result?"
            text = f"{self._called()}\n{self._with(edit)}\n{what}"
            return self._question("output", text, edit.line, *chosen, f"Run with the changed line: {right}.")
        return None

    def _result(self, edit: Edit, before: dict[str, Any]) -> str:
        """Say what the call returns after a change, or which of its parts are different; "" if that is hard to say."""
        assert self.call is not None
        try:
            after = _parts(_run(self.changed(edit), self.call))
        except EndlessError:
            return NEVER
        except Exception:  # whatever it is
            return RAISES
        if after.keys() != before.keys():
            return ""
        other = []
        for name, value in before.items():
            old, new = numbers(value), numbers(after[name])
            if old is None or new is None:
                return ""
            if not np.array_equal(old, new, equal_nan=True):
                other.append(name)
        if not other:
            return UNCHANGED
        if len(before) == 1:
            text = describe(*after.values())
            return "" if text in ("", describe(*before.values())) else text
        return "all of it" if len(other) == len(before) else f"only {' and '.join(other)}"

    def case(self) -> Question | None:
        """Ask which case of the check would fail after a change."""
        for edit in (self.edits[k] for k in self.rng.permutation(len(self.edits))[:6]):
            try:
                function = _bounded(self.changed(edit))
            except Exception:
                continue
            cases = cases_of(self.name)[:-1]
            right = {case.title: run_case(case, function, predict=False).status == "right" for case in cases}
            failed = [title for title, holds in right.items() if not holds]
            passed = [title for title, holds in right.items() if holds]
            if not failed or len(passed) < 2:
                continue
            chosen = self._options(failed[int(self.rng.integers(len(failed)))], passed)
            if chosen is None:
                continue
            text = f"{self._with(edit)}\nWhich of these cases of `check` would then fail?"
            rest = [title for title in failed if title != chosen[0][chosen[1]]]
            more = f" So would {'; '.join(rest)}." if rest else ""
            return self._question(
                "case", text, edit.line, *chosen, f"That one fails, and the others here still pass.{more}"
            )
        return None

    def reason(self) -> Question | None:
        """Ask why a line is there."""
        body = self.source.body()
        nodes = [node for node in ast.walk(self.source.tree()) if getattr(node, "lineno", 0) in body]
        for fits, text, rubric in REASONS:
            found = [node for node in nodes if fits(node)]
            if found:
                node: Any = found[int(self.rng.integers(len(found)))]
                return self._question("reason", f"Line {node.lineno}. {text}", node.lineno, (), -1, rubric)
        return None

    def _options(self, right: str, others: Sequence[str]) -> tuple[tuple[str, ...], int] | None:
        """Return options in a random order, and which is right; None if there are too few."""
        wrong = [each for each in dict.fromkeys(others) if each and each != right][: OPTIONS - 1]
        if len(wrong) < 2:
            return None
        mixed = [[right, *wrong][k] for k in self.rng.permutation(len(wrong) + 1)]
        return tuple(mixed), mixed.index(right)

    def _called(self) -> str:
        assert self.call is not None
        return f"The call is `{_written(self.name, self.call)}`."

    def _with(self, edit: Edit) -> str:
        return f"Line {edit.line} is changed from\n    {edit.before}\nto\n    {edit.after}"

    def _question(self, kind: str, text: str, line: int, options: tuple[str, ...], key: int, answer: str) -> Question:
        lines, body = self.source.text.splitlines(), self.source.body()
        start = min(max(body.start, line - SHOWN // 2), max(body.start, body.stop - SHOWN))
        rows = [self.source.first, *range(start, min(start + SHOWN, body.stop))]
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


def _is_dull(call: Call) -> bool:
    """Tell whether hardly a line would make a difference: an array has no more than one number, or all are 0 or 1."""
    args, kwargs = call
    arrays = [array for each in (*args, *kwargs.values()) if (array := numbers(each)) is not None]
    plain = all(np.isin(array, (-1, 0, 1)).all() for array in arrays)
    return plain or any(array.size <= 1 for array in arrays if array.ndim)


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
    """Run a call; return by line and name what each variable was given there, one text after another."""
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
                if seen.get(name) != (text := _text(value)):
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
