"""Checking a student's code in a process of its own, where it may raise, hang, or end the interpreter."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from coursework.check.case import IMPORT, SEED, Outcome
from coursework.check.diagnosis import Diagnosis
from coursework.check.verdict import Verdict
from coursework.homework import Task, path_of
from coursework.root import ROOT
from coursework.submit.text import writable

PATIENCE = 10.0  # seconds for one case; right code takes less than one
START = 120.0  # seconds until the process is there, on a busy machine
LOADING = 60.0  # seconds for the import of a file, and of PyTorch with it


def run_apart(
    task: Task,
    names: Sequence[str],
    patience: float = PATIENCE,
    root: Path = ROOT,
    seed: int = SEED,
    loading: float = LOADING,
) -> dict[str, Verdict]:
    """Check functions of a task in another process, and in a new one after each that hangs or ends it.

    The code to be checked is that of the package in ``root``. ``patience`` is for a case, in seconds, and ``loading``
    for the import of a file. The cases in the verdict on a function end with one that hangs or ends the process.
    """
    outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in names}  # by title: the latest counts
    diagnoses = dict.fromkeys(names, Diagnosis())
    modules = {name: module for module, name in task.functions}
    left = list(names)
    while left:
        with _worker(task, left, root, seed) as (process, lines):
            current, title, wait = left[0], "the start", START
            while True:
                try:
                    message = lines.get(timeout=wait)
                except queue.Empty:
                    finding = f"{current} gave no answer within {wait:g} s: is there an endless loop?"
                    if title == IMPORT:
                        file = path_of(modules[current])
                        finding = f"{file} was not imported within {wait:g} s: is there an endless loop in it?"
                    break
                if message is None:
                    code = process.wait()
                    how = f"signal {-code}, as after a crash" if code < 0 else f"exit code {code}"
                    finding = f"{current} ended the interpreter ({how})"
                    break
                current, title = message["function"], message.get("begins", "")
                wait = loading if title == IMPORT else patience
                if said := message.get("diagnosis"):
                    diagnoses[current] = Diagnosis(tuple(said["mistakes"]), said["sentence"])
                elif said := message.get("outcome"):
                    outcomes[current][said["title"]] = _outcome(said)
            if message is None and process.returncode == 0 and not title:
                break
            left = left[left.index(current) :]
            lost = [name for name in left if title == IMPORT and modules[name] == modules[current]] or [current]
            for name in lost:
                outcomes[name][title or "the end"] = Outcome(title or "the end", "wrong", finding)
            left = [name for name in left if name not in lost]
    return {name: Verdict(name, tuple(outcomes[name].values()), diagnoses[name]) for name in names}


def _outcome(fields: dict[str, Any]) -> Outcome:
    pairs = {key: tuple(map(tuple, fields[key])) for key in ("fits", "misfits")}
    return Outcome(**{**fields, **pairs, "notes": tuple(fields["notes"])})


@contextmanager
def _worker(
    task: Task, names: Sequence[str], root: Path, seed: int
) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[Any]]]:
    """Start the process; yield it with its messages, of which the last is None, and end it."""
    command = [sys.executable, "-m", "coursework.check.worker", task.number, str(seed), *names]
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    lines: queue.Queue[Any] = queue.Queue()
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        yield process, lines
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def _read(stream: IO[str], lines: queue.Queue[Any]) -> None:
    for line in stream:
        lines.put(writable(json.loads(line)))
    lines.put(None)
