"""The command `submit`: look at everything, say what to mend, and write the zip and the PDF."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursework.files import atomic_writer, naming
from coursework.homework import PERSON, homework
from coursework.root import ROOT
from coursework.submit import archive, editors, inspection, notebooks, pdf_pages, running, write_up
from coursework.submit.finding import Finding
from coursework.submit.person import Person, read_person
from coursework.submit.text import sentence
from coursework.terminal import complain, explain

FORCE = "`make submit ARGS=--force` (without make: `submit --force`)"
LOST = ("the picture is missing", "the picture lies outside", "the picture is on the network", "the picture cannot be")


def main(args: argparse.Namespace, *, root: Path = ROOT) -> int:
    """Run the command and return its exit code: 0 written, 1 refused or failed, 2 wrong call, 130 stopped."""
    if args.pdf is not None and not args.pdf.is_file():
        return complain("submit", f"there is no file {args.pdf}", code=2)
    if args.output.exists() and not args.output.is_dir():
        return complain("submit", f"--output expects a folder, and {args.output} is a file", code=2)
    targets = [args.output / name for name in (homework().zip, homework().pdf)]
    try:
        for target in targets:  # before the minute that the checks take
            _require_writable(target)
        return _submit(args, root, *targets)
    except KeyboardInterrupt:
        left = "a notebook that ran to its end has its results, the others are as they were"
        return complain("submit", f"stopped: {left}", 130)
    except (ValueError, OSError) as error:
        return complain("submit", sentence(explain(error) or str(error)))


def _submit(args: argparse.Namespace, root: Path, zip_path: Path, pdf_path: Path) -> int:
    entries, person, found = look(root, args.name, args.pdf)
    failed = running.run_outdated(root, found, args.run, args.force)
    if failed is not None:
        entries, person, found = look(root, args.name, args.pdf)
        found = [each for each in found if not set(failed) & set(running.outdated([each]))] + list(failed.values())
    if found and not args.force:
        return _refuse(found)
    print("The zip is tried in a copy: all checks run once more, which takes a minute or two.", flush=True)
    points, about_copy = archive.try_copy(archive.pack(entries, person), root)
    found += about_copy
    for line in standing(points):
        print(line)
    made = None if args.pdf is not None else _made_pdf(root, person)
    found += _lost_pictures(made) if made else []
    if found and not args.force:
        return _refuse(found)
    zipped = archive.pack(entries, person, points, found)
    if len(zipped) > pdf_pages.LIMIT:
        results = homework().results
        raise ValueError(f"{zip_path.name} would have {size(len(zipped))}: remove large files from {results}")
    pdf, about_pdf = _own_pdf(args.pdf) if made is None else (made.content, _about(made))
    _store({zip_path: zipped, pdf_path: pdf})
    digest = hashlib.sha256(zipped).hexdigest()
    print(f"\n{zip_path}: {size(len(zipped))}, {len(entries)} files and their manifest, sha256 {digest[:16]}")
    if found:
        print("Overridden, which the manifest says:")
    for finding in found:
        print(f"  {finding.place}: {finding.problem}")
    print(f"\n{pdf_path}: {size(len(pdf))}, {about_pdf[0]}")
    for line in about_pdf[1:]:
        print(f"  {line}")
    return 0


def _require_writable(target: Path) -> None:
    """Raise an OSError or a ValueError if a file cannot be written: its folder is locked, or it is open elsewhere."""
    if target.is_dir():
        raise ValueError(f"{target} is a folder: move it away, so that the file can be written")
    try:
        if target.exists():
            target.open("r+b").close()
    except PermissionError as error:
        raise ValueError(f"{target} cannot be replaced: close it where it is open, or remove it") from error
    with naming(target):
        tempfile.TemporaryFile(suffix=".part", dir=next(each for each in target.parents if each.exists())).close()


def look(
    root: Path, name: str | None = None, own_pdf: Path | None = None
) -> tuple[list[inspection.Entry], Person, list[Finding]]:
    """Return the files of the zip, who hands it in (by ``name`` if it is given), and what should be mended first."""
    entries, found = inspection.gather(root)
    person, about_person = read_person(next((entry.content for entry in entries if entry.path == PERSON), None), name)
    found += about_person
    found += editors.inspect(root, list(homework().handed_in()))
    if own_pdf is not None:
        found += pdf_pages.inspect(own_pdf)
    return entries, person, found


def _made_pdf(root: Path, person: Person) -> write_up.WriteUp:
    """Return the write-up that is made of the notebooks."""
    readable = {}
    for name in homework().notebooks:
        with contextlib.suppress(ValueError, OSError):  # named above, where it was a reason to refuse
            readable[Path(name).stem] = notebooks.read(root / name)
    return write_up.write(readable, person, root)


def _lost_pictures(made: write_up.WriteUp) -> list[Finding]:
    """Name the pictures that a student put in and that are not in the PDF: one may be a whole proof."""
    remedy = "Drop the picture into the cell, or save it beside the notebook and name it without a folder."
    lost = (note for note in made.notes if note.what.startswith(LOST))
    return [Finding(f"{note.notebook}, cell {note.cell}", note.what, remedy) for note in lost]


def _about(made: write_up.WriteUp) -> list[str]:
    """Return the lines about a write-up: its pages, which question is on which, and what should be looked at."""
    lines = [f"{max(last for _, last in made.pages.values())} pages"]
    lines.append(f"for the marking of pages: {pdf_pages.described(made.pages)}")
    return [*lines, *(f"look at it: {note}" for note in made.notes)]


def _own_pdf(own: Path) -> tuple[bytes, list[str]]:
    """Return a student's own write-up, and the line about it."""
    content = own.read_bytes()
    with contextlib.suppress(ValueError):  # under --force it may be anything
        return content, [f"your own, {len(pdf_pages.open_pdf(content).pages)} pages"]
    return content, ["your own, which does not open"]


def _store(contents_of: Mapping[Path, bytes]) -> None:
    """Write files, all of them or none: nothing takes its place before everything is on the disk."""
    with contextlib.ExitStack() as stack:
        for path, content in contents_of.items():
            stream = stack.enter_context(atomic_writer(path))
            stream.write(content)
            stream.flush()


def standing(points: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the checks say of the copy, with a warning for each task that is not done."""
    lines = []
    for task in points:
        left = [f"{each['name']} {each['status']}" for each in task["functions"] if each["status"] != "right"]
        if left:
            head = f"warning: task {task['task']} earns {task['earned']:g} of {task['for_code']:g} points for its code"
            lines.append(f"{head}: {', '.join(left)}")
    if points:
        earned, whole = (sum(task[key] for task in points) for key in ("earned", "for_code"))
        rest = homework().points - whole
        lines.append(f"The code in the zip earns {earned:g} of the {whole:g} points that checks give, tried in a copy.")
        lines.append(f"The other {rest:g} points are for what a person reads and for the files of your runs.")
    return lines


def size(count: int) -> str:
    """Return a number of bytes as it is read."""
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _refuse(found: Sequence[Finding]) -> int:
    number = "One thing must be fixed" if len(found) == 1 else f"{len(found)} things must be fixed"
    print(f"\n{homework().zip} and {homework().pdf} were not written. {number} first:\n", file=sys.stderr)
    remedies = [finding.remedy for finding in found]
    ordered = sorted(found, key=lambda finding: remedies.index(finding.remedy))  # what is mended alike stands together
    count = itertools.count(1)
    for remedy, alike in itertools.groupby(ordered, key=lambda finding: finding.remedy):
        for finding in alike:
            print(f"  {next(count)}. {finding.place}: {finding.problem}", file=sys.stderr)
        print(f"      {remedy}", file=sys.stderr)
    print(f"\nThen call again. {FORCE} writes the files all the same, and says so in the manifest.", file=sys.stderr)
    return 1
