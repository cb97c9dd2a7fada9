"""The command `run`: execute the notebooks, each in its own kernel, and write a report of their outputs."""

from __future__ import annotations

import argparse
import asyncio
import copy
import difflib
import json
import logging
import platform
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters.ansi import strip_ansi
from nbformat import NotebookNode

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.needs import installed
from coursework.notebooks import figures, minutes, outline, run_pages
from coursework.notebooks.kernels import KERNELS, NOTEBOOKS, kernel_environment, prepare
from coursework.notebooks.kernels import find as find_notebooks
from coursework.options import TIMEOUT
from coursework.progress import progress_bar
from coursework.terminal import complain, explain, has_colours

BAR = "{desc} |{bar:12}| {n_fmt}/{total_fmt} cells, {elapsed}{postfix}"
EVERY = 30  # seconds between two lines about a cell, where no bar is drawn
WIDTH = 60  # characters of what a cell printed


@dataclass
class Execution:
    """A notebook, as far as it ran."""

    path: Path
    notebook: NotebookNode  # gets the outputs
    done: int = 0  # code cells that ran to their end
    seconds: float = 0.0
    reason: str = ""  # why it ended early

    @property
    def title(self) -> str:
        """Its first heading, or its name."""
        return run_pages.title_of(self.notebook) or self.path.stem

    @property
    def cells(self) -> list[NotebookNode]:
        """Its code cells."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    @property
    def culprit(self) -> NotebookNode | None:
        """The cell that ended it early: the first that is not done."""
        return next(iter(self.cells[self.done :]), None) if self.reason else None

    @property
    def problem(self) -> str:
        """Where it ended early, and why; empty if it did not. Code cells count from 1, as a notebook shows them."""
        if self.culprit is None:
            return self.reason and f"{self.path.name}: {self.reason}"
        place = f"code cell {self.done + 1} of {len(self.cells)} (id {self.culprit.get('id', 'none')})"
        return f"{self.path.name}, {place}: {self.reason}"

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets that its cells said they use."""
        return datasets(self.cells)

    @property
    def figures(self) -> list[dict[str, Any]]:
        """What :func:`coursework.notebooks.results.record` left in the outputs."""
        found = (output.get("metadata", {}).get("coursework") for cell in self.cells for output in cell.outputs)
        return [figure for figure in found if figure]


def main(args: argparse.Namespace, *, notebooks: Path = NOTEBOOKS) -> int:
    """Run the command; return 0, 1 when a cell or the data failed, 2 for a wrong call, 130 when it was stopped."""
    try:
        paths = choose(args.notebooks, notebooks)
        data = homework().data
        if args.in_place and any(getattr(args, name) != default for name, default in vars(data.options()).items()):
            raise ValueError("--in-place uses what the repository itself holds: leave out what chooses other data")
    except ValueError as error:
        return complain("run", str(error), code=2)
    try:
        chosen = data.default if args.in_place else data.variables(args)
        print(minutes.announcement([path.stem for path in paths], args.output, chosen), flush=True)
        executions = run(paths, args.output, variables=chosen, timeout=args.timeout)
        if executions[-1].problem:
            return _explain(executions[-1])
        if args.in_place:
            for execution in executions:
                store(normalise(execution.notebook), execution.path)
            everything = {path.name: json.loads(path.read_text("utf-8"))["cells"] for path in find_notebooks(notebooks)}
            _write(notebooks / outline.NAME, outline.dump(everything))
    except (ValueError, OSError) as error:
        return complain("run", explain(error) or str(error))
    except KeyboardInterrupt:
        return complain("run", f"stopped; what has run is in {args.output}", code=130)
    print(f"Report: {args.output / 'index.html'}")
    if not args.in_place:
        kept = f"The executed copies are in {args.output / 'notebooks'}; the notebooks themselves are as they were."
        print(f"{kept} `submit --run` writes the results into them.")
    return 0


def choose(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the notebooks of a folder that are chosen by name or number ("3" means 3_*.ipynb), by default all."""
    known = find_notebooks(folder)
    if not known:
        raise ValueError(f"there are no notebooks in {folder}")
    chosen = set() if names else set(known)
    for name in names:
        stem = PureWindowsPath(name).stem  # either slash separates
        found = [path for path in known if stem == path.stem or path.stem.startswith(f"{stem}_")]
        if not found:
            there = [path.stem for path in known]
            near = difflib.get_close_matches(stem, there, n=1)
            meant = f"did you mean {near[0]}? There are" if near else "there are"
            raise ValueError(f"there is no notebook {name}; {meant}: {', '.join(there)}")
        chosen.update(found)
    return [path for path in known if path in chosen]


def run(
    paths: Sequence[Path], output: Path, *, variables: Mapping[str, str] | None = None, timeout: int = TIMEOUT
) -> list[Execution]:
    """Execute notebooks one after the other, up to the first cell that fails, and return what ran.

    Each runs in its own folder, and its file stays as it is. The report replaces that of an earlier run: in ``output``
    are notebooks/*.ipynb, a page for each, and index.html. At Ctrl-C it holds what has run. The kernels' variables are
    by default those for the repository's own data; the time-out is that of a cell, in seconds.
    """
    started = []
    variables = homework().data.default if variables is None else variables
    for execution in each_run([Execution(path, blank(_read(path))) for path in paths], output, variables, timeout):
        started.append(execution)
        if execution.problem:
            break
    return started


def each_run(
    executions: Sequence[Execution], output: Path, variables: Mapping[str, str], timeout: int = TIMEOUT
) -> Iterator[Execution]:
    """Execute notebooks as :func:`run` does, also after one that fails, and yield each as far as it ran."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=output):  # fail now rather than after the first notebook
        prepare()
    for path in (execution.path for execution in executions):
        for old in (output / "notebooks" / path.name, output / f"{path.stem}.html"):
            old.unlink(missing_ok=True)
    total = sum(len(execution.cells) for execution in executions)
    started: list[Execution] = []
    with progress_bar(total=total, unit="cell", bar_format=BAR) as bar:
        for execution in executions:
            started.append(execution)
            try:
                _execute(execution, variables, timeout, bar)
            finally:
                _write_report(started, [waiting.path.stem for waiting in executions[len(started) :]], output)
            if not execution.problem:
                minutes.note(output, execution.path.stem, execution.datasets, execution.seconds)
                _say(bar, f"{execution.path.stem}: {execution.done} cells, {execution.seconds:.1f} s")
            yield execution


def _say(bar: Any, line: str) -> None:
    """Print a line above the bar, at once, so that a run whose output goes into a file can be followed."""
    bar.write(line)
    sys.stdout.flush()


def _read(path: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (ValueError, nbformat.ValidationError) as error:
        raise OSError(f"{path} is not a notebook ({str(error).splitlines()[0]})") from error
    return notebook


def blank(notebook: NotebookNode) -> NotebookNode:
    """Take the outputs out of a notebook, so that no old output is mistaken for a new one, and return it."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _execute(execution: Execution, variables: Mapping[str, str], timeout: int, bar: Any) -> None:
    """Execute a notebook in a fresh kernel, and count its cells on the bar."""
    start = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="coursework-", ignore_cleanup_errors=True) as folder,
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", "Proactor event loop")  # on Windows ZeroMQ adds a thread to it
            asyncio.run(_execute_cells(execution, variables, timeout, bar, Path(folder)))
    except KeyboardInterrupt:
        execution.reason = "stopped by Ctrl-C"
        raise
    except CellExecutionError as error:
        execution.reason = strip_ansi(f"{error.ename}: {error.evalue}")  # type: ignore[no-untyped-call]
    except CellTimeoutError:
        execution.reason = f"it took longer than {timeout} s and was stopped; --timeout allows more"
    except DeadKernelError:
        execution.reason = "the kernel died while it ran; it may have run out of memory, or called os._exit"
    except RuntimeError as error:
        execution.reason = f"the kernel did not start ({error})"
    finally:
        execution.seconds = time.monotonic() - start
        for cell in execution.cells:
            cell.outputs = _joined(cell.outputs)


async def _execute_cells(
    execution: Execution, variables: Mapping[str, str], timeout: int, bar: Any, folder: Path
) -> None:
    silent = logging.Logger("kernel", logging.CRITICAL + 1)  # our own messages say what the libraries log
    manager = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(KERNELS)]),
        connection_file=str(folder / "kernel.json"),
        log=silent,
    )
    client = NotebookClient(execution.notebook, km=manager, timeout=timeout, record_timing=False, log=silent)
    environment = {**kernel_environment(folder), **variables}
    try:
        await client.async_start_new_kernel(cwd=str(execution.path.parent), env=environment)
        await client.async_start_new_kernel_client()
        for position, cell in enumerate(execution.notebook.cells):
            if cell.cell_type == "code":
                pulse = asyncio.ensure_future(_show_life(execution, cell, bar))
                try:
                    await client.async_execute_cell(cell, position)
                finally:
                    pulse.cancel()
                execution.done += 1
                bar.update()
    except DeadKernelError as error:
        if await manager.is_alive():  # nbclient also raises this where its task is cancelled, as Ctrl-C does
            raise asyncio.CancelledError from error
        raise
    finally:
        if manager.has_kernel:
            await manager.shutdown_kernel(now=execution.done < len(execution.cells))
        if client.kc is not None:
            client.kc.stop_channels()


async def _show_life(execution: Execution, cell: NotebookNode, bar: Any) -> None:
    """Show which cell runs, since when, and the end of what it printed: on the bar, or a line now and then."""
    place = f"{execution.path.stem}, cell {execution.done + 1} of {len(execution.cells)}"
    start, told = time.monotonic(), 0
    while True:
        seconds = int(time.monotonic() - start)
        printed = _last_line(cell)
        if not bar.disable:
            bar.set_description_str(f"{place}, {seconds} s", refresh=False)
            bar.set_postfix_str(printed)
        elif seconds // EVERY > told:
            told = seconds // EVERY
            _say(bar, f"{place}: {seconds} s so far" + (f"; it printed: {printed}" if printed else ""))
        await asyncio.sleep(1)


def _last_line(cell: NotebookNode) -> str:
    """Return the end of the last line that a cell printed, without what moves a cursor or changes colours."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    lines = re.split(r"[\r\n]+", strip_ansi(printed).rstrip())  # type: ignore[no-untyped-call]
    return "".join(char for char in lines[-1] if char.isprintable())[-WIDTH:].strip()


def _explain(execution: Execution) -> int:
    """Say on standard error which cell ended the run, and how."""
    parts = [execution.problem]
    if cell := execution.culprit:
        parts += ["", *(f"    {line}" for line in cell.source.splitlines())]
        traceback = "\n".join(line for output in cell.outputs for line in output.get("traceback", []))
        if traceback:
            plain = strip_ansi(traceback)  # type: ignore[no-untyped-call]
            parts += ["", traceback if has_colours(sys.stderr) else plain]
    return complain("run", "\n".join(parts))


def _write_report(started: Sequence[Execution], waiting: Sequence[str], output: Path) -> None:
    """Write the last notebook that ran, its page, and the index of all notebooks."""
    last = started[-1]
    store(last.notebook, output / "notebooks" / last.path.name)
    facts = [*last.datasets, f"{last.done} of {len(last.cells)} cells", f"{last.seconds:.1f} s"]
    page = run_pages.page(
        last.notebook,
        last.path.parent,
        home="All notebooks",
        facts=facts,
        problem=last.problem,
        culprit=last.culprit,
    )
    _write(output / f"{last.path.stem}.html", page)
    title = homework().title
    values = {"executions": started, "waiting": waiting, "versions": versions()}
    _write(output / "index.html", run_pages.render("report.html", title=f"{title}, executed", homework=title, **values))


def _write(path: Path, text: str) -> None:
    with atomic_writer(path, "w") as stream:
        stream.write(text)


def store(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook."""
    _write(path, nbformat.writes(notebook).rstrip("\n") + "\n")  # type: ignore[no-untyped-call]


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without what depends on when and where it ran: equal outputs then give equal bytes.

    The outputs stay, with their metadata, and code cells count from 1.
    """
    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata.language_info = {"name": "python"}
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.metadata.pop("execution", None)
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)  # needs a kernel
            if "image/png" in output.get("data", {}) and not figures.moves(output):
                output.data.pop("text/html", None)  # the same picture once more, with its text alternative
    return notebook


def _joined(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Join consecutive outputs of one stream: the number of pieces in which they arrive is random."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and "name" in output and output.name == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def datasets(cells: Sequence[NotebookNode]) -> tuple[str, ...]:
    """Return the names of the data sets that cells printed when they read them."""
    printed = "".join(output.text for cell in cells for output in cell.outputs if output.get("name") == "stdout")
    return tuple(dict.fromkeys(re.findall(r"^Data: (.+)$", printed, re.M)))


def versions() -> dict[str, str]:
    """Return the versions of the software that the figures depend on."""
    libraries = homework().libraries
    has = installed(libraries.values())
    found = {title: has[package] for title, package in libraries.items() if package in has}
    return {"Python": platform.python_version(), **found}
