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

from cs7643.checks.case import Outcome
from cs7643.checks.tasks import Task

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0  # seconds for one case; right code takes less than one
START = 120.0  # seconds until the process is there, on a machine that is busy


def run_apart(
    task: Task, names: Sequence[str], patience: float = PATIENCE, root: Path = ROOT
) -> dict[str, tuple[Outcome, ...]]:
    """Check functions of a task in another process, and in a new one after each that hangs or ends it.

    Args:
        task: the task.
        names: its functions, in their order.
        patience: the seconds that a case may take.
        root: the folder that holds the package with the code to be checked.

    Returns:
        The outcomes of each function, case by case, up to one that hangs or ends the process.
    """
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    left = list(names)
    while left:
        with _worker(task, left, root) as (process, lines):
            current, title, wait = left[0], "the start", START
            while True:
                try:
                    message = lines.get(timeout=wait)
                except queue.Empty:
                    finding = f"{current} gave no answer within {patience:g} s: does a loop never end?"
                    break
                if message is None:
                    process.wait()
                    finding = _end(current, process.returncode)
                    break
                current, wait = message["function"], patience if message.get("begins") != "the import" else START
                if "begins" in message:
                    title = message["begins"]
                else:
                    outcomes[current].append(
                        Outcome(message["title"], message["status"], message["message"], message["printed"])
                    )
                    title = ""
            if message is None and process.returncode == 0 and not title:
                break
            outcomes[current].append(Outcome(title or "the end", "wrong", finding))
            left = left[left.index(current) + 1 :]
    return {name: tuple(found) for name, found in outcomes.items()}


def _end(name: str, code: int) -> str:
    how = f"signal {-code}, as after a crash" if code < 0 else f"exit code {code}"
    return f"{name} ended the interpreter ({how})"


@contextmanager
def _worker(task: Task, names: Sequence[str], root: Path) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[Any]]]:
    """Start the process; yield it with its messages, of which the last is None, and end it."""
    command = [sys.executable, "-m", "cs7643.checks.worker", task.number, *names]
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
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
        lines.put(json.loads(line))
    lines.put(None)
