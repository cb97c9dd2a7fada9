"""What is taken from a submission: the files that a student may change, found in a folder or a zip; nothing else.

Nothing is unpacked. A name in a zip is only compared with the names that are looked for, and a file is read up to its
allowed size; so it does not matter where a name would lead, or how large a file would become. All of it is read before
any code of the submission runs.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import IO

from coursework.files import POINTER
from coursework.homework import PERSON, homework
from coursework.staff.autograder.gradescope_results import clean
from coursework.submit.names import nearest
from coursework.submit.person import parse

ENTRIES = 20_000  # files of a submission that are looked at
FILE = 1_000_000  # bytes of a file that is taken
ZIP = 200_000_000  # bytes of a zip
DIRECTORY = 8_000_000  # bytes of the list of files in a zip
NOTES = 12
LIMITS = f"a submission may have {ENTRIES} files"


@dataclass
class Submission:
    """What was found.

    Attributes:
        files: the student's modules, by their paths in the repository.
        loose: those of its other files that a program grades, by their paths.
        person: collaborators.txt, if present.
        notes: what the student should know about the files, a sentence each.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    loose: dict[str, bytes] = field(default_factory=dict)
    person: bytes | None = None
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a note, unless there are too many already."""
        text = clean(text, 300).replace("\n", " ")
        if len(self.notes) < NOTES and text not in self.notes:
            self.notes.append(text)


@dataclass(frozen=True)
class Found:
    """A file of the submission: its path there, and what opens it."""

    path: PurePosixPath
    open: Callable[[], IO[bytes]]


def loose() -> tuple[str, ...]:
    """Return the other files that a program looks at."""
    return tuple(file.path for file in homework().loose if file.check)


@functools.cache
def wanted() -> dict[str, str]:
    """Return the paths of what is looked for, by the names of the files."""
    return {PurePosixPath(path).name: path for path in (*modules(), *loose(), PERSON)}


def modules() -> tuple[str, ...]:
    """Return the modules in which a student writes."""
    return tuple(path for path in homework().code_files() if path.endswith(".py"))


def take(place: Path) -> Submission:
    """Take a submission from a folder or a zip; whatever it is, a submission comes back, at worst an empty one."""
    submission = Submission()
    try:
        if place.is_dir():
            found = list(_in_folder(place, submission))
            names = {each.path.as_posix() for each in found}
            if homework().zip in names and not any(name.endswith(".py") for name in names):
                return take(place / homework().zip)
            _choose(found, submission)
        elif place.is_file():
            _check_directory(place)
            with zipfile.ZipFile(place) as archive:
                _choose(list(_in_zip(archive, submission)), submission)
        else:
            submission.note(f"{place.name}: there is no such file")
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        submission.note(f"{place.name}: it cannot be read as a submission ({error}): make it with `make submit`")
    for path in modules():
        if path not in submission.files:
            submission.note(f"{path} is not in the submission, so its functions are not graded")
    return submission


def name_of(submission: Submission) -> str:
    """Return the name in collaborators.txt, "" if there is none."""
    content = submission.person or b""
    try:
        lines = parse(content)
    except UnicodeDecodeError:  # of an old editor on Windows
        lines = parse(content.decode("cp1252", "replace").encode())
    return clean(lines.get("Name", ""), 100)


def _in_folder(root: Path, submission: Submission) -> Iterator[Found]:
    count = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not _ignored(name))
        for name in sorted(names):
            count += 1
            if count > ENTRIES:
                submission.note(f"{LIMITS}; files beyond that were not looked at")
                return
            place = Path(folder, name)
            relative = PurePosixPath(place.relative_to(root).as_posix())
            if stat.S_ISREG(place.lstat().st_mode):
                yield Found(relative, functools.partial(FileIO, place))
            elif name in wanted():
                submission.note(f"{relative}: it is a link or not a file: put the file itself in its place")


def _check_directory(place: Path) -> None:
    """Look at the end of a zip before its list of files is read.

    Raises:
        ValueError: if it is not a zip, too large, or its list is too long.
    """
    size = place.stat().st_size
    if size > ZIP:
        raise ValueError(f"it has more than {ZIP // 1_000_000} MB")
    with place.open("rb") as stream:
        stream.seek(max(0, size - 66_000))
        before, end, fields = stream.read().rpartition(b"PK\x05\x06")
    if not end or len(fields) < 18:
        raise ValueError("it is not a zip file")
    count, length = struct.unpack("<6xHI", fields[:12])
    if length > DIRECTORY or count > ENTRIES:
        raise ValueError(LIMITS)


def _in_zip(archive: zipfile.ZipFile, submission: Submission) -> Iterator[Found]:
    if len(archive.infolist()) > ENTRIES:
        raise ValueError(LIMITS)
    for info in archive.infolist():
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", str(path)):
            submission.note(f"{path}: a name that leads out of the zip; it was left out")
        elif info.is_dir() or any(map(_ignored, path.parts)):
            continue
        elif stat.S_ISLNK(info.external_attr >> 16):
            submission.note(f"{path}: it is a link: put the file itself in its place")
        else:
            yield Found(path, functools.partial(archive.open, info))


def _ignored(name: str) -> bool:
    """Tell whether a file or a folder of this name is hidden, or one that a Mac adds."""
    return name.startswith(".") or name == "__MACOSX"


def _choose(found: list[Found], submission: Submission) -> None:
    """Take, for each file that is looked for, the one at its place, in whatever folder; else one of its name alone."""
    for name, path in wanted().items():
        same = sorted(
            (each for each in found if each.path.name == name), key=lambda each: (len(each.path.parts), each.path)
        )
        parts = PurePosixPath(path).parts
        placed = [each for each in same if each.path.parts[-len(parts) :] == parts]
        candidates = placed or same
        if not candidates:
            _look_for_renamed(name, found, submission)
            continue
        if len(candidates) > 1:
            submission.note(f"{name} is there {len(candidates)} times; {candidates[0].path} was taken")
        if not placed:
            submission.note(f"{candidates[0].path} was taken for {path}")
        content = _content(candidates[0], submission)
        if content is None:
            continue
        if path in loose():
            submission.loose[path] = content
        elif path == PERSON:
            submission.person = content
        else:
            submission.files[path] = _as_text(path, content, submission)


def _content(chosen: Found, submission: Submission) -> bytes | None:
    try:
        with chosen.open() as stream:
            content = stream.read(FILE + 1)
    except Exception as error:  # a damaged or encrypted member: zipfile and zlib have many errors
        submission.note(f"{chosen.path}: it cannot be read ({type(error).__name__}: {error})")
        return None
    if content.startswith(POINTER):
        submission.note(f"{chosen.path}: it is a pointer of Git LFS instead of the file: fetch it (git lfs pull)")
        return None
    if len(content) > FILE:
        submission.note(f"{chosen.path}: it has more than {FILE // 1000} kB, and was left out")
        return None
    return content


def _look_for_renamed(name: str, found: list[Found], submission: Submission) -> None:
    others = {each.path.name: each.path for each in found if each.path.name not in wanted()}
    near = nearest(name, others)
    if near:
        submission.note(f"{others[near]} looks like {name}: give it that name")


def _as_text(path: str, content: bytes, submission: Submission) -> bytes:
    """Return a module as UTF-8, whatever editor has saved it; if nothing fits, Python will say so at its import."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8"), (b"", "cp1252")):
        if content.startswith(mark):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            if encoding == "utf-8":
                return content
            submission.note(f"{path}: it is not text in UTF-8, and was read as {encoding}: save it as UTF-8")
            return text.encode()
    return content
