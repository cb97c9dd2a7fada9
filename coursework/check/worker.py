"""The process in which a student's code is checked: ``python -m coursework.check.worker TASK SEED FUNCTION ...``.

It prints a line of JSON before and after every case, and after the last one of a function the diagnosis, on the
standard output that it was started with. Whatever the student's code prints goes elsewhere, and is reported with the
case.
"""

from __future__ import annotations

import importlib
import json
import operator
import os
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from coursework.check.case import IMPORT, Case, Outcome, outcomes_of, place_of, run_case
from coursework.check.diagnosis import diagnose
from coursework.homework import homework, path_of
from coursework.submit.names import missing


def main(number: str, seed: int, names: list[str]) -> None:
    """Check some functions of a task, in their order."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with tempfile.TemporaryFile() as printed:
        for descriptor in (1, 2):
            os.dup2(printed.fileno(), descriptor)
        task = homework().task(number)
        for module, name in task.functions:
            if name in names:
                _check(task.cases, module, name, seed, pipe, printed)


def _check(cases: str, module: str, name: str, seed: int, pipe: IO[str], printed: IO[bytes]) -> None:
    def send(**message: Any) -> None:
        print(json.dumps({"function": name, **message}), file=pipe, flush=True)

    send(begins=IMPORT)
    try:
        importlib.import_module(cases)
        function = operator.attrgetter(name)(importlib.import_module(module))
    except (Exception, SystemExit) as error:  # a syntax error, for one
        send(outcome=asdict(Outcome(IMPORT, "wrong", _not_imported(error, module, name))))
        return

    def run(case: Case, predict: bool) -> Outcome:
        send(begins=case.title)
        printed.seek(0)
        printed.truncate()
        outcome = run_case(case, function, seed, predict)
        sys.stdout.flush()
        sys.stderr.flush()
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace").strip()
        outcome = replace(outcome, printed=text[:200])
        send(outcome=asdict(outcome))
        return outcome

    outcomes = outcomes_of(name, run)
    send(outcome=asdict(outcomes[-1]))  # it may say more than that of the case alone
    send(diagnosis=asdict(diagnose(name, outcomes)))


def _not_imported(error: BaseException, module: str, name: str) -> str:
    """Say why a function cannot be imported."""
    file = path_of(module)
    if isinstance(error, SyntaxError):
        line = (error.text or "").strip()
        return f"{file}, line {error.lineno}, is not valid Python: SyntaxError: {error.msg}: {line}"
    if not Path(file).is_file():
        others = {Path(path_of(other)).name for each in homework().tasks for other, _ in each.functions}
        found = missing(Path(file), file, "the file is missing", "Put it back.", others)
        return f"{found.place}: {found.problem}. {found.remedy}"
    if isinstance(error, SystemExit):
        return f"{file} ends the program when it is imported{place_of(error)}"
    if isinstance(error, AttributeError) and module in sys.modules:
        return f"{file} has no {name}"
    return f"{file} cannot be imported: {type(error).__name__}: {error}{place_of(error)}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
    os._exit(0)  # all is said; to take PyTorch down in order takes a third of a second
