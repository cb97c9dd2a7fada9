"""A whole class: many submissions, on one machine or on many, and what came of them all."""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.progress import progress_bar
from coursework.staff.autograder import document
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.intake import wanted
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config
from coursework.staff.autograder.rubric import by_program, judged

Job = tuple[Path, Path, Config, Limits, "Sequence[str] | None"]  # what grade() takes
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
    """Grade a class; what was graded before, into the same folder, is not graded again.

    Args:
        found: the submissions, by name.
        out: gets a folder for each, and the tables.
        config: the seeds, and what the judge needs.
        limits: what a worker may use.
        tasks: the numbers of the tasks to grade; all of them when not given.
        jobs: how many submissions at a time.
        scheduler: the address of a scheduler of Dask, whose workers then do it.

    Returns:
        The number of submissions whose grading did not come to its end.
    """
    waiting = {name: place for name, place in found.items() if not _finished(out / name / RESULTS)}
    work: dict[str, Job] = {
        name: (place.resolve(), (out / name / RESULTS).resolve(), config, limits, tasks)
        for name, place in waiting.items()
    }
    done = _on_dask(work, scheduler) if scheduler else _here(work, jobs)
    bar = progress_bar(total=len(found), initial=len(found) - len(work), desc="grading", unit="submission")
    failed = {}
    for name, fault in done:
        bar.update()
        if fault:
            failed[name] = fault
    bar.close()
    documents = {name: json.loads((out / name / RESULTS).read_text(encoding="utf-8")) for name in found}
    write_grades(documents, out / "grades.csv")
    write_mistakes(documents, out / "mistakes.csv")
    draw_histogram([document.points(each) for each in documents.values()], out / "histogram.png")
    for name, fault in failed.items():
        print(f"{name}: {fault}")
    print(f"{out / 'grades.csv'}: {len(found)} submissions, {len(work)} of them graded now, {len(failed)} failed")
    return len(failed)


def _finished(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text(encoding="utf-8"))["extra_data"]["finished"])
    except (OSError, ValueError, KeyError):
        return False


def grade_one(job: Job) -> str:
    """Grade one submission; return what went wrong with the grading itself, "" if nothing did."""
    found = grade(*job)
    return "" if found["extra_data"]["finished"] else "the grader failed; results.json says why"


def _here(work: dict[str, Job], jobs: int) -> Iterator[tuple[str, str]]:
    """Grade in processes of this machine, which keep what they have imported from one submission to the next."""
    if not work:
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(grade_one, job): name for name, job in work.items()}
        yield from _results(as_completed(futures), lambda future: futures[future])


def _on_dask(work: dict[str, Job], scheduler: str) -> Iterator[tuple[str, str]]:
    """Grade on the workers of a cluster, which see the same folders and have one thread each."""
    from distributed import Client  # an optional extra, and slow to import
    from distributed import as_completed as completed

    with Client(scheduler) as client:
        futures = {client.submit(grade_one, job, pure=False): name for name, job in work.items()}
        yield from _results(completed(list(futures)), lambda future: futures[future])


def _results(done: Iterable[Any], name_of: Callable[[Any], str]) -> Iterator[tuple[str, str]]:
    for future in done:
        try:
            yield name_of(future), future.result()
        except Exception as error:  # the process was ended, or the machine is gone; a second call goes on
            yield name_of(future), f"{type(error).__name__}: {error}"


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
            row = [_cell(name), _cell(extra["person"]), document.points(each), document.most(each)]
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
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    matplotlib.rcdefaults()  # whatever a matplotlibrc says
    figure = Figure(figsize=(7, 3.5))
    axes = figure.add_subplot()
    axes.hist(points, bins=[k - 0.5 for k in range(int(by_program()) + 3)], color=BLUE, edgecolor="white")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    mean = sum(points) / len(points)
    axes.set(
        xlabel="points that a program gives", ylabel="submissions", title=f"{len(points)} submissions, mean {mean:.1f}"
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    with atomic_writer(path) as stream:
        FigureCanvasAgg(figure).print_png(stream)  # type: ignore[no-untyped-call]
