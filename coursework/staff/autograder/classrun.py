"""A whole class: many submissions, graded on one machine or on many, and the tables of the results."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import json
import multiprocessing
import os
import sys
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.progress import progress_bar
from coursework.staff.autograder import student_report
from coursework.staff.autograder.exports import Class, Student, slug
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.gradescope_results import clean
from coursework.staff.autograder.intake import Submission
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config, clean_package
from coursework.staff.autograder.rubric import by_program, judged

FOLDER = "submissions"  # within the results, so that no student's name is that of a table
RESULTS, GRADED = "results.json", "graded.json"
BLUE = "#0072B2"
TRIES = 2  # of a submission whose process is ended


def run(
    found: Class,
    out: Path,
    config: Config,
    limits: Limits,
    tasks: Sequence[str] | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
) -> int:
    """Grade a class; a submission that has finished results in the folder, and is as it was, is not graded again.

    Args:
        found: the students.
        out: gets a folder for each, and the tables.
        config: the seeds, and what the judge needs.
        limits: what a worker may use.
        tasks: the numbers of the tasks to grade; all of them when not given.
        jobs: how many submissions at a time.
        scheduler: the address of a Dask scheduler, whose workers then grade.

    Returns:
        The number of students who have no finished results.
    """
    _introduce(found)
    taken, failed = take_all(found, jobs)
    places = {student.name: out / FOLDER / slug(student.name) / RESULTS for student in found.students}
    keys = {name: _key(submission, config, tasks) for name, submission in taken.items()}
    waiting = [name for name in taken if not _finished(places[name], keys[name])]
    bar = {"total": len(taken), "initial": len(taken) - len(waiting), "desc": "grading", "unit": "submission"}
    with _executor(jobs, scheduler) as submit:
        futures = {
            submit(_grade, found.root, taken[name], places[name].resolve(), keys[name], config, limits, tasks): name
            for name in waiting
        }
        for future in progress_bar(as_completed(futures), **bar):
            try:
                if not future.result():
                    failed[futures[future]] = "the grader failed; results.json says why"
            except BrokenExecutor:
                failed[futures[future]] = f"the process that graded it was ended, {TRIES} times"
            except Exception as error:  # the machine is gone, or the disk is full; a second call goes on
                failed[futures[future]] = f"{type(error).__name__}: {error}"
    done = [name for name in taken if name not in failed]
    documents = {name: document for name in done if (document := _read(places[name]))}
    write_grades(found.students, documents, failed, out / "grades.csv")
    write_mistakes(documents, out / "mistakes.csv")
    if documents:
        draw_histogram([student_report.points(each) for each in documents.values()], out / "histogram.png")
        _write_lecture(list(documents.values()), out / "lecture.html")
    for name in sorted(failed):
        print(f"{name}: {failed[name]}", file=sys.stderr)
    numbers = f"{len(found.students)} students, {len(waiting)} of them graded now, {len(failed)} without results"
    print(f"{out / 'grades.csv'}: {numbers}")
    return len(failed)


def _introduce(found: Class) -> None:
    """Say who was found, what counts of several attempts, and what was not looked at."""
    print(found.heading)
    for student in found.students:
        if student.remark:
            print(f"  {student.name}: {student.remark}")
    if found.strays:
        print(f"  not looked at: {', '.join(found.strays[:10])}{' and more' * (len(found.strays) > 10)}")
    sys.stdout.flush()


def take_all(found: Class, jobs: int = 1, also: bool = False) -> tuple[dict[str, Submission], dict[str, str]]:
    """Take what every student of a class handed in.

    Args:
        found: the students.
        jobs: how many at a time.
        also: take notebooks and write-ups, too.

    Returns:
        The submissions, and why others have none, by the names of the students.
    """
    missing = {student.name: student.problem for student in found.students if student.problem}
    there = [student for student in found.students if not student.problem]
    taken = {}
    clean_package()  # which each thread would make for itself
    with ThreadPoolExecutor(max(1, jobs)) as threads:
        read = threads.map(lambda student: found.take(student, also), there)
        for student, submission in zip(there, progress_bar(read, total=len(there), desc="reading"), strict=True):
            if submission.files or submission.texts:
                taken[student.name] = submission
                if student.remark:
                    submission.notes.insert(0, student.remark)
            else:
                missing[student.name] = why_nothing(submission)
    return taken, missing


def why_nothing(submission: Submission) -> str:
    """Say why nothing was found in a submission."""
    notes = [note for note in submission.notes if not note.endswith("so its functions are not graded")]
    if submission.seen:
        notes.append(f"it holds {', '.join(submission.seen[:5])}")
    return "; ".join(["none of the files that are graded was found", *notes])


def _key(submission: Submission, config: Config, tasks: Sequence[str] | None) -> str:
    """Return a digest of all that results depend on."""
    text = json.dumps([submission.digest, dataclasses.asdict(config), list(tasks) if tasks else None], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _grade(
    root: Path, taken: Submission, output: Path, key: str, config: Config, limits: Limits, tasks: Sequence[str] | None
) -> bool:
    """Grade one submission of a class, in whatever process; return whether that was completed."""
    document = grade(root, output, config, limits, tasks, taken=taken)
    finished = bool(document["extra_data"]["finished"])
    if finished:
        with atomic_writer(output.with_name(GRADED), "w") as stream:
            json.dump(key, stream)
    return finished


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found if "finished" in found["extra_data"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finished(path: Path, key: str) -> bool:
    """Tell whether there are finished results of just this submission, with these seeds and tasks."""
    document = _read(path)
    try:
        same = json.loads(path.with_name(GRADED).read_text(encoding="utf-8")) == key
    except (OSError, ValueError):
        return False
    return same and document is not None and bool(document["extra_data"]["finished"])


@contextmanager
def _executor(jobs: int, scheduler: str | None) -> Iterator[Callable[..., Future[bool]]]:
    """Yield what submits a call: to processes of this machine, or to the workers of a cluster.

    Both keep what they have imported. The workers of a cluster see the same folders and have one thread each.
    """
    if scheduler is None:
        with Apart(jobs) as apart:
            yield apart.submit
    else:
        from distributed import Client  # an optional extra, and slow to import

        with Client(scheduler) as client:
            yield client.get_executor(pure=False).submit


class Apart:
    """Processes that do not share their end: where one is ended, its call is tried again, and no other is touched."""

    def __init__(self, jobs: int) -> None:
        """Take how many processes there are."""
        self._threads = ThreadPoolExecutor(jobs)
        self._own = threading.local()
        self._pools: list[ProcessPoolExecutor] = []
        self._closed = False

    def __enter__(self) -> Apart:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what runs; what waits is not begun."""
        self._closed = True
        self._threads.shutdown(cancel_futures=True)
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Return the future result of a call; BrokenExecutor, if its process is ended ``TRIES`` times."""
        return self._threads.submit(self._call, function, arguments)

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        for left in reversed(range(TRIES)):
            pool = getattr(self._own, "pool", None)
            if pool is None:
                spawn = multiprocessing.get_context("spawn")
                pool = self._own.pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_end_with_parent)
                self._pools.append(pool)
            try:
                return pool.submit(function, *arguments).result()
            except BrokenExecutor:
                self._own.pool = None
                if not left or self._closed:
                    raise
        raise AssertionError("unreachable")


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            connection.wait([parent.sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _cell(text: str) -> str:
    """Return a text as a spreadsheet takes it: on one line, without what separates fields, and nothing to compute."""
    line = " ".join(clean(text, 2000).split()).replace(";", ",")
    computes = unicodedata.normalize("NFKC", line[:1]) in tuple("=+-@|%")
    return f"'{line}" if computes else line


def write_grades(
    students: Sequence[Student], documents: Mapping[str, Mapping[str, Any]], failed: Mapping[str, str], path: Path
) -> None:
    """Write a line for each student: the points, task by task, and what the staff should look at.

    Who has no results has no points either: the cells are empty.
    """
    numbers = [task.number for task in (*homework().tasks, *judged())]
    with atomic_writer(path, "w") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["submission", "name", "points", "of", *numbers, "accuracy", "seconds", "finished", "remarks"])
        for student in sorted(students, key=lambda each: each.name):
            each = documents.get(student.name)
            row: list[Any] = [_cell(student.name)]
            if each is None:
                row += [_cell(student.person), *[""] * (len(numbers) + 4), False, _cell(failed.get(student.name, ""))]
                table.writerow(row)
                continue
            parts = dict.fromkeys(numbers, 0.0)
            for test in each["tests"]:
                number = test.get("number", "")
                number = number if number in parts else number.rpartition(".")[0]
                if number in parts:
                    parts[number] += test.get("score", 0.0)  # none where the staff gives the points later
            extra = each["extra_data"]
            accuracy = next((entry["value"] for entry in each.get("leaderboard", [])), "")
            remarks = [student.remark] * bool(student.remark)
            remarks += [f"{function}: {why}" for function, why in extra["lost"].items()]
            row += [_cell(student.person or extra["person"]), student_report.points(each), student_report.most(each)]
            row += [*(round(part, 4) for part in parts.values()), accuracy, each["execution_time"]]
            table.writerow([*row, extra["finished"], _cell("; ".join(remarks))])


def write_mistakes(documents: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Write how often each mistake was made, the most frequent first."""
    counts = Counter(pair for each in documents.values() for pair in each["extra_data"]["mistakes"].items())
    with atomic_writer(path, "w") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["function", "mistake", "submissions"])
        rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        table.writerows([*map(_cell, pair), count] for pair, count in rows)


def _write_lecture(documents: Sequence[Mapping[str, Any]], path: Path) -> None:
    with contextlib.suppress(ImportError):  # Jinja, where the grader was installed alone
        from coursework.staff.autograder import lecture

        with atomic_writer(path, "w") as stream:
            stream.write(lecture.page(documents))


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
