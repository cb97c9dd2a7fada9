"""What is taken from a submission: the files that a student may change, found in a folder or a zip; nothing else.

Nothing is unpacked. A name in a zip is only compared with the names that are looked for, and a file is read up to its
allowed size; so it does not matter where a name would lead, or how large a file would become. All of it is read before
any code of the submission runs, in a process with limits (:mod:`coursework.staff.autograder.confined`).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO, FileIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

from coursework.files import POINTER
from coursework.homework import PERSON, homework
from coursework.staff.autograder import confined
from coursework.staff.autograder.gradescope_results import clean
from coursework.staff.autograder.package import clean_package
from coursework.staff.autograder.rubric import judged
from coursework.submit.names import nearest
from coursework.submit.person import Person, handed_in
from coursework.submit.text import decode

ENTRIES = 20_000  # files of a submission that are looked at
FILE = 1_000_000  # bytes of a file that is taken
TEXT = 10_000_000  # bytes of a notebook or a write-up, outputs included
ZIP = 200_000_000  # bytes of a zip
INNER = 100_000_000  # bytes of a zip in a zip
DIRECTORY = 8_000_000  # bytes of the list of files in a zip
NAME = 1000  # characters of a path; no system takes more than four times that
DEPTH = 3  # folders or zips in each other
OWN = 50  # modules of the student's own
NOTES = 12
LIMITS = f"a submission may have {ENTRIES} files"
MANIFEST = "manifest.json"
LEFT = {"desktop.ini", "thumbs.db", "__macosx", "__pycache__"}  # by systems, besides what begins with a dot


@dataclass
class Submission:
    """What was found.

    Attributes:
        files: the student's modules, by their paths in the repository: those to be completed, and own ones.
        loose: those of its other files that a program grades, by their paths.
        texts: what stands in the cells of notebooks, and in write-ups, by their paths, if it was asked for.
        person: who hands in.
        notes: what the student should know about the files, a sentence each.
        seen: some names of files, for whoever looks for one that is missing.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    loose: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    person: Person = field(default_factory=Person)
    notes: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a note, unless there are too many already."""
        text = clean(text, 300).replace("\n", " ")
        if len(self.notes) < NOTES and text not in self.notes:
            self.notes.append(text)

    @property
    def digest(self) -> str:
        """Return a digest of the files that are graded."""
        parts = [
            f"{path} {hashlib.sha256(content).hexdigest()}" for path, content in {**self.files, **self.loose}.items()
        ]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


@dataclass(frozen=True)
class Found:
    """A file of the submission: its path there, what opens it, and when it was written, as far as that is known."""

    path: PurePosixPath
    open: Callable[[], IO[bytes]]
    written: tuple[float, ...] = ()


@dataclass
class Raw:
    """What the process with limits finds, before it is looked at: contents by path, or the zip that holds them."""

    contents: dict[str, bytes]
    inner: IO[bytes] | None = None
    name: str = ""


def loose() -> tuple[str, ...]:
    """Return the other files that a program looks at: those that it checks, and the logs of what a judge grades."""
    logs = (homework().log_of(task.run) for task in judged() if task.run)
    return (*(file.path for file in homework().loose if file.check), *logs)


def texts() -> tuple[str, ...]:
    """Return the notebooks and write-ups, which a person reads."""
    return (*homework().notebooks, *(file.path for file in homework().loose if file.kind == "extra"))


@functools.cache
def wanted(also: bool = False) -> dict[str, str]:
    """Return the paths of what is looked for, by the names of the files; also notebooks and write-ups."""
    paths = (*modules(), *loose(), PERSON, *(texts() if also else ()))
    return {**{PurePosixPath(path).name: path for path in paths}, MANIFEST: MANIFEST}


def modules() -> tuple[str, ...]:
    """Return the modules in which a student writes."""
    return tuple(path for path in homework().code_files() if path.endswith(".py"))


def take(place: Path, inside: str = "", also: bool = False) -> Submission:
    """Take a submission; whatever it is, one comes back, at worst an empty one.

    Args:
        place: a folder or a zip.
        inside: the file or folder in that zip, which is then an export of a class.
        also: take notebooks and write-ups, too.

    Raises:
        OSError: if the process that reads it does not start.
    """
    try:
        given = sorted(clean_package())
        answer = confined.call(f"{__name__}:opened", os.fspath(place), inside, also, given)
        submission = _checked(answer, given)
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # mostly UnreadableError
        submission = Submission()
        submission.note(
            f"{inside or place.name}: it cannot be read as a submission ({error}): make it with `make submit`"
        )
    for path in modules():
        if path not in submission.files:
            submission.note(f"{path} is not in the submission, so its functions are not graded")
    return submission


def name_of(submission: Submission) -> str:
    """Return the name of who hands in, "" if there is none."""
    return clean(submission.person.name, 100)


def _checked(answer: Any, given: Collection[str]) -> Submission:
    """Return a submission from what the process says: known paths, contents that are not too large, clean texts."""
    kinds: dict[str, Callable[[str], bool]] = {
        "files": lambda path: path in modules() or is_own(path, given),
        "loose": lambda path: path in loose(),
    }
    found = {
        kind: {path: base64.b64decode(answer[kind][path]) for path in sorted(answer[kind]) if known(path)}
        for kind, known in kinds.items()
    }
    read = {path: [str(part) for part in answer["texts"][path]] for path in texts() if path in answer["texts"]}
    person = Person(**{key: str(answer["person"][key]) for key in asdict(Person())})
    seen = [clean(str(name), 100) for name in answer["seen"][:NOTES]]
    submission = Submission(found["files"], found["loose"], read, person, seen=seen)
    for note in answer["notes"]:
        submission.note(str(note))
    return submission


def is_own(path: str, given: Collection[str]) -> bool:
    """Tell whether a path is that of a module of the student's own: in the package, and in the place of none given."""
    parts = PurePosixPath(path).parts
    places = {path, *("/".join(parts[:count]) + ".py" for count in range(1, len(parts)))}
    named = all(part.isidentifier() for part in (*parts[:-1], parts[-1].removesuffix(".py")))
    return parts[0] == homework().package and path.endswith(".py") and named and places.isdisjoint(given)


def opened(place: str, inside: str, also: bool, given: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """Open a submission with the rights of whoever grades; return what reads it without them."""
    root, submission = Path(place), Submission()
    if root.is_dir():
        found = list(in_folder(root, submission))
        raw = _choose(found, submission, also, given, 1)
    elif root.is_file():
        raw = Raw({}, root.open("rb"), root.name)
    else:
        raise ValueError("there is no such file")

    def read() -> dict[str, Any]:
        contents = raw.contents if raw.inner is None else _unzipped(raw.inner, submission, also, given, inside, 1)
        _sort(contents, submission)
        said = asdict(submission)
        coded = {
            kind: {path: base64.b64encode(content).decode() for path, content in said[kind].items()}
            for kind in ("files", "loose")
        }
        return {**said, **coded}

    return read


def _unzipped(
    stream: IO[bytes], submission: Submission, also: bool, given: Sequence[str], inside: str, depth: int
) -> dict[str, bytes]:
    """Return the contents of the files that are looked for in a zip, or in the zip that it holds."""
    check_directory(stream, export=bool(inside))
    with zipfile.ZipFile(stream) as archive:
        raw = _choose(list(in_zip(archive, submission, inside)), submission, also, given, depth)
    return raw.contents if raw.inner is None else _unzipped(raw.inner, submission, also, given, "", depth + 1)


def in_folder(root: Path, submission: Submission, most: int = ENTRIES) -> Iterator[Found]:
    """Yield the files of a folder, but no links."""
    count = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not ignored(name))
        for name in sorted(names):
            if ignored(name):
                continue
            count += 1
            if count > most:
                submission.note(f"{LIMITS}; files beyond that were not looked at")
                return
            place = Path(folder, name)
            relative, facts = PurePosixPath(place.relative_to(root).as_posix()), place.lstat()
            if stat.S_ISREG(facts.st_mode):
                yield Found(relative, functools.partial(FileIO, place), (facts.st_mtime,))
            elif name in wanted():
                submission.note(f"{relative}: it is a link or not a file: put the file itself in its place")


def check_directory(stream: IO[bytes], export: bool = False) -> None:
    """Look at the end of a zip before its list of files is read.

    Args:
        stream: the zip.
        export: whether it holds a class, and may be larger.

    Raises:
        ValueError: if it is not a zip, too large, or its list is too long.
    """
    size = stream.seek(0, os.SEEK_END)
    if size > ZIP and not export:
        raise ValueError(f"it has more than {ZIP // 1_000_000} MB")
    stream.seek(max(0, size - 66_000))
    before, end, fields = stream.read().rpartition(b"PK\x05\x06")
    if not end or len(fields) < 18:
        raise ValueError("it is not a zip file")
    count, length = struct.unpack("<6xHI", fields[:12])
    if before[-20:-16] == b"PK\x06\x07":  # the larger numbers of zip64, which take the place of these
        if before[-76:-72] != b"PK\x06\x06":
            raise ValueError("the end of the zip is damaged")
        count, length = struct.unpack("<QQ", before[-44:-28])
    if not export and (length > DIRECTORY or count > ENTRIES):
        raise ValueError(LIMITS)


def in_zip(archive: zipfile.ZipFile, submission: Submission, inside: str = "") -> Iterator[Found]:
    """Yield the files of a zip that could be taken: no links, and none whose name leads out of it."""
    if len(archive.infolist()) > ENTRIES and not inside:
        raise ValueError(LIMITS)
    for info in archive.infolist():
        name = info.filename.replace("\\", "/")
        if inside and name != inside and not name.startswith(f"{inside}/"):
            continue
        if len(name) > NAME:
            submission.note(f"{name[:40]}...: a name of {len(name)} characters; it was left out")
            continue
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
            submission.note(f"{path}: a name that leads out of the zip; it was left out")
        elif info.is_dir() or any(map(ignored, path.parts)):
            continue
        elif stat.S_ISLNK(info.external_attr >> 16):
            submission.note(f"{path}: it is a link: put the file itself in its place")
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            submission.note(f"{path}: it is compressed in a way that is not taken: make the zip with `make submit`")
        else:
            path = (
                path.relative_to(inside) if inside and name != inside else PurePosixPath(path.name) if inside else path
            )
            yield Found(path, functools.partial(archive.open, info), tuple(map(float, info.date_time)))


def ignored(name: str) -> bool:
    """Tell whether a file or a folder of this name is hidden, or one that a system leaves."""
    return name.startswith(".") or name.lower() in LEFT


def is_zip(name: str) -> bool:
    """Tell whether a file's name is that of a zip."""
    return name.lower().endswith(".zip")


def order(path: PurePosixPath, written: tuple[float, ...] = ()) -> tuple[Any, ...]:
    """Return what sorts the attempts of one student: `hw.zip`, `hw (1).zip`, `attempt 2/hw.zip`, `..._678_hw-2.zip`.

    A name that has that of the homework comes after others; then the numbers in the path decide, then the date.
    """
    name = homework().name.lower()
    numbers = [int(part[:18]) for part in re.findall(r"\d+", str(path).lower().replace(name, ""))]
    return name in path.name.lower(), numbers, written, path


def _choose(found: list[Found], submission: Submission, also: bool, given: Sequence[str], depth: int) -> Raw:
    """Read, for each file that is looked for, the one at its place, in whatever folder; else one of its name alone.

    Where there is no module, but a zip, that is opened.
    """
    submission.seen = [str(each.path)[:100] for each in found[:NOTES]]
    looked_for = wanted(also)
    by_name: dict[str, list[Found]] = {}
    for each in found:
        by_name.setdefault(each.path.name, []).append(each)
    if not any(PurePosixPath(path).name in by_name for path in modules()) and depth < DEPTH:
        zips = sorted(
            (each for each in found if is_zip(each.path.name)), key=lambda each: order(each.path, each.written)
        )
        if zips:
            return _inner(zips, submission)
    contents = {}
    for name, path in looked_for.items():
        same = sorted(by_name.get(name, ()), key=lambda each: (len(each.path.parts), each.path))
        parts = PurePosixPath(path).parts
        placed = [each for each in same if each.path.parts[-len(parts) :] == parts]
        candidates = placed or same
        if not candidates:
            if path not in (MANIFEST, *texts()):
                _look_for_renamed(name, by_name, submission)
            continue
        if len(candidates) > 1:
            submission.note(f"{name} is there {len(candidates)} times; {candidates[0].path} was taken")
        if not placed:
            submission.note(f"{candidates[0].path} was taken for {path}")
        content = _content(candidates[0], TEXT if path in texts() else FILE, submission)
        if content is not None:
            contents[path] = content
    own = [(path, each) for each in found if (path := _below_package(each.path)) and is_own(path, given)]
    for path, each in sorted(own, key=lambda pair: (len(pair[1].path.parts), pair[1].path)):
        if path not in contents and len(contents) < len(looked_for) + OWN:
            content = _content(each, FILE, submission)
            if content is not None:
                contents[path] = content
    return Raw(contents)


def _below_package(path: PurePosixPath) -> str:
    """Return the path from the homework's package on; "" if it does not lead through it."""
    _, package, rest = f"/{path}".partition(f"/{homework().package}/")
    return f"{homework().package}/{rest}" if package else ""


def _inner(zips: Sequence[Found], submission: Submission) -> Raw:
    """Open the last of some zips."""
    last = zips[-1]
    if len(zips) > 1:
        submission.note(f"{last.path} was taken, the last of {', '.join(str(each.path) for each in zips)}")
    stream = last.open()
    if isinstance(stream, FileIO):
        return Raw({}, stream, last.path.name)
    content = stream.read(INNER + 1)
    if len(content) > INNER:
        raise ValueError(f"{last.path} has more than {INNER // 1_000_000} MB")
    return Raw({}, BytesIO(content), last.path.name)


def _sort(contents: dict[str, bytes], submission: Submission) -> None:
    """Put what was read where it belongs."""
    for path, content in contents.items():
        if path in loose():
            submission.loose[path] = content
        elif path in texts():
            submission.texts[path] = cells_of(content) if path in homework().notebooks else [_decoded(content)]
        elif path not in (PERSON, MANIFEST):
            submission.files[path] = _as_text(path, content, submission)
    submission.person = handed_in(contents.get(PERSON), contents.get(MANIFEST))


def cells_of(content: bytes) -> list[str]:
    """Return the sources of a notebook's cells; the whole text, if it is none."""
    text = _decoded(content)
    try:
        sources = [cell["source"] for cell in json.loads(text)["cells"]]
        return ["".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [text]


def _decoded(content: bytes) -> str:
    try:
        return decode(content)
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _content(chosen: Found, most: int, submission: Submission) -> bytes | None:
    try:
        with chosen.open() as stream:
            content = stream.read(most + 1)
    except Exception as error:  # a damaged or encrypted member: zipfile and zlib have many errors
        submission.note(f"{chosen.path}: it cannot be read ({type(error).__name__}: {error})")
        return None
    if content.startswith(POINTER):
        submission.note(f"{chosen.path}: it is a pointer of Git LFS instead of the file: fetch it (git lfs pull)")
        return None
    if len(content) > most:
        submission.note(f"{chosen.path}: it has more than {most // 1000} kB, and was left out")
        return None
    return content


def _look_for_renamed(name: str, by_name: dict[str, list[Found]], submission: Submission) -> None:
    others = {other: same[0].path for other, same in by_name.items() if other not in wanted() and len(other) < 255}
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
