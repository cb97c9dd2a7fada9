"""A whole class: many submissions, graded on one machine or on many, and the tables of the results."""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.progress import progress_bar
from coursework.staff.autograder import student_report
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.intake import wanted
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config
from coursework.staff.autograder.rubric import by_program, judged

RESULTS = "results.json"
BLUE = "#0072B2"


def submissions(place: Path) -> dict[str, Path]:
    """Return the submissions in a folder, by name: its folders and zips; none, if it is itself a submission."""
    if not place.is_dir():
        return {}
    entries = [path for path in sorted(place.iterdir()) if not path.name.startswith((".", "__"))]
    if any(path.name in wanted() or (path.name == homework().package and path.is_dir()) for path in entries):
        return {}
    found = [path for path in entries if path.suffix == ".zip" or (path.is_dir() and not path.is_symlink())]
    if len(found) < 2:
        return {}
    return {path.name.removesuffix(".zip"): path for path in found}


def run(
    found: dict[str, Path],
    out: Path,
    config: Config,
    limits: Limits,
    tasks: Sequence[str] | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
) -> int:
    """Grade a class; a submission that has finished results in the folder is not graded again.

    Args:
        found: the submissions, by name.
        out: gets a folder for each, and the tables.
        config: the seeds, and what the judge needs.
        limits: what a worker may use.
        tasks: the numbers of the tasks to grade; all of them when not given.
        jobs: how many submissions at a time.
        scheduler: the address of a Dask scheduler, whose workers then grade.

    Returns:
        The number of submissions whose grading was not finished.
    """
    places = {name: out / name / RESULTS for name in found}
    waiting = [name for name in found if not _finished(places[name])]
    failed = {}
    bar = {"total": len(found), "initial": len(found) - len(waiting), "desc": "grading", "unit": "submission"}
    with _executor(jobs, scheduler) as pool:
        futures = {
            pool.submit(grade, found[name].resolve(), places[name].resolve(), config, limits, tasks): name
            for name in waiting
        }
        for future in progress_bar(as_completed(futures), **bar):
            try:
                if not future.result()["extra_data"]["finished"]:
                    failed[futures[future]] = "the grader failed; results.json says why"
            except Exception as error:  # the process was ended, or the machine is gone; a second call goes on
                failed[futures[future]] = f"{type(error).__name__}: {error}"
    documents = {name: json.loads(place.read_text(encoding="utf-8")) for name, place in places.items()}
    write_grades(documents, out / "grades.csv")
    write_mistakes(documents, out / "mistakes.csv")
    draw_histogram([student_report.points(each) for each in documents.values()], out / "histogram.png")
    for name, fault in failed.items():
        print(f"{name}: {fault}")
    print(f"{out / 'grades.csv'}: {len(found)} submissions, {len(waiting)} of them graded now, {len(failed)} failed")
    return len(failed)


def _finished(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["extra_data"]["finished"])
    except (OSError, ValueError, KeyError):
        return False


@contextmanager
def _executor(jobs: int, scheduler: str | None) -> Iterator[Executor]:
    """Yield processes of this machine, or the workers of a cluster; both keep what they have imported.

    The workers of a cluster see the same folders and have one thread each.
    """
    if scheduler is None:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool
    else:
        from distributed import Client  # an optional extra, and slow to import

        with Client(scheduler) as client:
            yield client.get_executor(pure=False)


def _cell(text: str) -> str:
    """Return a text as a spreadsheet takes it: nothing that it would compute."""
    return f"'{text}" if text[:1] in "=+-@" and text else text


def write_grades(documents: dict[str, dict[str, Any]], path: Path) -> None:
    """Write a line for each submission: its points, task by task, and what the staff should look at."""
    numbers = [task.number for task in (*homework().tasks, *judged())]
    with atomic_writer(path, "w") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["submission", "name", "points", "of", *numbers, "accuracy", "seconds", "finished", "remarks"])
        for name, each in sorted(documents.items()):
            parts = dict.fromkeys(numbers, 0.0)
            for test in each["tests"]:
                number = test.get("number", "")
                number = number if number in parts else number.rpartition(".")[0]
                if number in parts:
                    parts[number] += test["score"]
            extra = each["extra_data"]
            accuracy = next((entry["value"] for entry in each.get("leaderboard", [])), "")
            remarks = "; ".join(f"{function}: {why}" for function, why in extra["lost"].items())
            row = [_cell(name), _cell(extra["person"]), student_report.points(each), student_report.most(each)]
            row += [*(round(part, 4) for part in parts.values()), accuracy, each["execution_time"]]
            table.writerow([*row, extra["finished"], _cell(remarks)])


def write_mistakes(documents: dict[str, dict[str, Any]], path: Path) -> None:
    """Write how often each mistake was made, the most frequent first."""
    counts = Counter(pair for each in documents.values() for pair in each["extra_data"]["mistakes"].items())
    with atomic_writer(path, "w") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["function", "mistake", "submissions"])
        table.writerows([*pair, count] for pair, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def draw_histogram(points: Sequence[float], path: Path) -> None:
    """Draw how many submissions have how many points."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot(
        xlabel="points that a program gives",
        ylabel="submissions",
        title=f"{len(points)} submissions, mean {sum(points) / len(points):.1f}",
    )
    axes.hist(points, bins=[k - 0.5 for k in range(int(by_program()) + 3)], color=BLUE, edgecolor="white")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    with atomic_writer(path) as stream:
        figure.savefig(stream, format="png")
