"""The worker's end: what came becomes objects of the student's modules, which are imported when they are needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from coursework.staff.autograder.inside.ends import End
from coursework.staff.autograder.inside.protocol import Special
from staff.wire.programs import replay


class Worker(End):
    """The wire of this homework."""

    def __init__(self) -> None:
        """Begin without PyTorch and without the student's modules."""
        self.models: Any = None

    def prepare(self, module: str, name: str) -> None:
        """Import PyTorch for a task that needs it."""
        if module.startswith("cs7643.pytorch."):
            self.models = self.models or importlib.import_module("staff.wire.models").Models()

    def argument(self, special: Special) -> Any:
        """Return a function, a primitive, a dual number or a tape."""
        if special.kind == "program":
            return replay(special)
        primitives = importlib.import_module("cs7643.autodiff.primitives")
        if special.kind == "primitive":
            return getattr(primitives, special.parts[0])
        if special.kind == "dual":
            return importlib.import_module("cs7643.autodiff.forward").Dual(*special.parts)
        if special.kind == "tape":
            tape = importlib.import_module("cs7643.autodiff.reverse").Tape()
            tape.records = [(name and getattr(primitives, name), *rest) for name, *rest in special.parts[0]]
            return tape
        return super().argument(special)

    def outward(self, value: Any) -> Any:
        """Return a dual number and a tape by their parts."""
        if type(value).__name__ == "Dual" and hasattr(value, "tangent"):
            return Special("dual", (value.value, value.tangent, value.level))
        if type(value).__name__ == "Tape" and hasattr(value, "records"):
            return [(arguments, result, parents) for _, result, arguments, parents in value.records]
        return value

    def answer(self, function: Callable[..., Any], what: str, *parts: Any) -> Any:
        """Return the answer to a request about models and optimisers."""
        return self.models.answer(function, what, *parts)
