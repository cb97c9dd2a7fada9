"""What ``pytest --nbval`` needs, without further settings: a kernel, its environment, and readable messages.

The hooks are those of pytest; the conftest.py beside the notebooks takes them from here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from coursework.notebooks import kernels

STOPPED, DONE = pytest.StashKey[str](), pytest.StashKey[int]()
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def pytest_configure(config: pytest.Config) -> None:
    """Fill the caches, if notebooks will be executed."""
    if getattr(config.option, "nbval", False) or getattr(config.option, "nbval_lax", False):
        try:
            kernels.prepare()
        except OSError as error:
            raise pytest.UsageError(f"{error.filename} cannot be written: {error.strerror}") from error


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip the hidden files that systems and editors keep beside notebooks."""
    return True if collection_path.name.startswith(".") else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: Any) -> Generator[None, Any, Any]:
    """Start the kernel of a notebook at its first cell, as `run` does."""
    if STOPPED in item.parent.stash:
        pytest.skip(f"the notebook stopped at {item.parent.stash[STOPPED]}")
    data = kernels.stored_data(item.parent.nb)
    with mock.patch.dict(os.environ, {**kernels.kernel_environment(), **data}, clear=True):
        result = yield
    item.parent.sanitize_patterns.update(kernels.MAY_DIFFER)
    item.parent.skip_compare = {*item.parent.skip_compare, "text/html", "image/svg+xml"}  # so says the text
    item.cell.outputs = [output for output in item.cell.outputs if not kernels.is_progress_bar(output)]
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: Any) -> Generator[None, Any, Any]:
    """Execute any earlier cells that were not selected first; after the last cell, check that all had been run."""
    kernel, cells = item.parent.kernel, [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    for cell in cells[item.parent.stash.get(DONE, 0) : item.cell_num]:
        kernel.await_reply(kernel.execute_cell_input(cell.source), timeout=item.config.option.nbval_cell_timeout)
    item.parent.stash[DONE] = item.cell_num + 1
    result = yield
    waiting = [cell for cell in cells if cell.source.strip() and cell.execution_count is None]
    if waiting and item.cell_num == len(cells) - 1 and not item.config.option.nbval_lax:
        pytest.fail(f"{len(waiting)} of {len(cells)} code cells have not been run: run all and save", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    """Report in one sentence what is wrong; a cell that raises an error ends its notebook."""
    report = yield
    if not report.failed:
        return report
    error, place = call.excinfo.value, f"code cell {item.cell_num + 1} (id {item.cell.get('id', 'none')})"
    reason = str(error)
    if reason == "Cell outputs differ":
        reason = "what comes out differs from what is stored; run the whole notebook and save it"
    elif not isinstance(error, pytest.fail.Exception):
        item.parent.stash[STOPPED] = place
        traceback = COLOURS.sub("", getattr(error, "inner_traceback", None) or "").strip()
        reason = traceback.splitlines()[-1] if traceback else reason
        if task := re.fullmatch("NotImplementedError: (Task .+)", reason):
            report.longrepr = reason = f"{task[1]} is not written yet"
    report.user_properties.append(("notebook", f"{item.path.name}, {place}: {reason}"))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the messages."""
    reports = terminalreporter.getreports("failed")
    said = [text for report in reports for name, text in report.user_properties if name == "notebook"]
    if said:
        terminalreporter.section("notebooks")
        terminalreporter.write_line("\n".join(said))
