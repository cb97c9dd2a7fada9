"""A class as it arrives: who handed in, in a folder or a zip, as Moodle, Canvas and Gradescope export it, or by hand.

Only names are looked at, and Gradescope's list of names. A student is found, or named with what is the matter: nobody
is left out without a word.

    Moodle      Ada Lovelace_123456_assignsubmission_file_/hw.zip   or, flat, ..._assignsubmission_file_hw.zip
    Canvas      lovelaceada_LATE_12345_678901_hw-2.zip              the number of the attachment tells the last
    Gradescope  assignment_123_export/submission_456/...             submission_metadata.yml tells the names
    by hand     ada/..., bob.zip, bob (1).zip, eve/attempt 2/...
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from coursework.homework import homework
from coursework.staff.autograder import confined, intake
from coursework.staff.autograder.intake import ignored, is_zip, order, wanted
from coursework.submit.names import nearest, unportable
from coursework.submit.text import sentence

FILE, FOLDER, LINK = "file", "folder", "link"
METADATA = "submission_metadata.yml"
MOODLE = re.compile(r"(?P<person>.+)_(?P<number>\d+)_assignsubmission_(?P<part>[a-z]+)(?:_.*)?", re.S)
CANVAS = re.compile(r"(?P<person>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_.+", re.S)
GRADESCOPE = re.compile(r"submission_\d+")
AGAIN = re.compile(r"(?P<person>.+?)(?: \(\d+\)|[ _-]+(?:late|attempt[ _-]*[\d-]+(?:_.*)?))", re.I | re.S)
ATTEMPT = re.compile(r"(?:attempt|try|version|v|late|first|second|third|resubmission)?[\s_.()\d-]*", re.I)
WRAPPER = re.compile(r"assignment_\d+_export|submissions?", re.I)
OTHER = {".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".py", ".ipynb"}  # handed in, and no zip
MOST = 1_000_000  # files of a class
SHOWN = 5  # names in a sentence
SAFE = re.compile(r"[^\w .,()+-]")
DIGEST = re.compile(r"-[0-9a-f]{12}$")

Tree = dict[str, Any]  # of a folder: its folders as trees, its files and links as the word for them


@dataclass(frozen=True)
class Student:
    """One student, or one group, of a class.

    Attributes:
        name: as the export has it; no two have the same.
        person: who that is, where the export says so.
        entry: the file or folder that counts, from the root of the export; "" if there is none.
        remark: what was chosen from, if it was more than one attempt.
        problem: why there is none.
    """

    name: str
    person: str = ""
    entry: str = ""
    remark: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Class:
    """A class: where it is, what exported it, the students, and what else lies there."""

    root: Path
    kind: str
    students: tuple[Student, ...]
    strays: tuple[str, ...] = field(default=())

    @property
    def heading(self) -> str:
        """Where it is, how many students there are, and what exported it, as one line."""
        return f"{self.root}: {len(self.students)} student{'s' * (len(self.students) != 1)} ({self.kind})"

    def take(self, student: Student, also: bool = False) -> intake.Submission:
        """Take a student's submission (:func:`coursework.staff.autograder.intake.take`)."""
        if self.root.is_dir():
            return intake.take(self.root / student.entry, also=also)
        return intake.take(self.root, student.entry, also)


def find(place: Path) -> Class | None:
    """Find the students of a class in a folder or a zip; None if it is one submission, or nothing that can be read.

    Raises:
        OSError: if the process that reads it does not start.
        ValueError: if it is a folder that cannot be listed.
    """
    try:
        answer = confined.call(f"{__name__}:opened", os.fspath(place), seconds=300, memory=4000)
    except confined.UnreadableError as error:
        if place.is_dir():
            raise ValueError(f"{place}: {error}") from error
        return None  # a file that is no zip, which is said of it as a submission
    if answer is None:
        return None
    students = tuple(Student(**each) for each in answer["students"])
    return Class(place, answer["kind"], students, tuple(answer["strays"]))


def opened(place: str) -> Callable[[], dict[str, Any] | None]:
    """List a class with the rights of whoever grades; return what makes sense of the list without them."""
    try:
        import yaml  # comes with Jupyter
    except ImportError:
        yaml = None  # and the names of Gradescope's folders stay unknown
    root = Path(place)
    stream: IO[bytes] | None = None
    metadata_of_folder: IO[bytes] | None = None
    if root.is_dir():
        listed = list(_in_folder(root))
        known = [root / path for path, _ in listed if PurePosixPath(path).name == METADATA and path.count("/") < 2]
        metadata_of_folder = known[0].open("rb") if known else None
    else:
        listed, stream = [], root.open("rb")

    def read() -> dict[str, Any] | None:
        found, names = listed, metadata_of_folder
        if stream is not None:
            intake.check_directory(stream, export=True)
            archive = zipfile.ZipFile(stream)
            found = list(_in_zip(archive))
            paths = [path for path, _ in found if PurePosixPath(path).name == METADATA and path.count("/") < 2]
            names = archive.open(paths[0]) if paths else None
        made = layout(found, zipped=stream is not None)
        if made is None:
            return None
        kind, students, strays = made
        people = submitters(names.read(intake.ZIP).decode("utf-8", "replace"), yaml) if names and yaml else {}
        named = [asdict(each) | {"person": people.get(each.name, each.person)} for each in students]
        return {"kind": kind, "students": named, "strays": strays}

    return read


def _in_folder(root: Path) -> Iterable[tuple[str, str]]:
    count = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        folders[:] = sorted(name for name in folders if not ignored(name))
        for name in [*folders, *sorted(names)]:
            count += 1
            if count > MOST:
                raise ValueError(f"a class may have {MOST} files")
            place = Path(folder, name)
            kind = LINK if place.is_symlink() else FOLDER if name in folders else FILE
            yield str(relative / name), kind


def _in_zip(archive: zipfile.ZipFile) -> Iterable[tuple[str, str]]:
    if len(archive.infolist()) > MOST:
        raise ValueError(f"a class may have {MOST} files")
    for info in archive.infolist():
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if len(info.filename) <= intake.NAME and not path.is_absolute() and ".." not in path.parts:
            yield str(path), FOLDER if info.is_dir() else FILE


def layout(listed: Iterable[tuple[str, str]], zipped: bool = False) -> tuple[str, list[Student], list[str]] | None:
    """Make out who handed in, from the paths of a class.

    Args:
        listed: paths from the root, each with the word for what it is.
        zipped: whether the root is a zip: one folder in a zip is a submission, one folder in a folder is a student.

    Returns:
        What exported it, the students, and what lies there besides; None if it is one submission.
    """
    root: Tree = {}
    for path, kind in listed:
        parts = PurePosixPath(path).parts
        if parts and not any(map(ignored, parts)):
            _put(root, parts, kind)
    base = PurePosixPath()
    while (name := _wrapper(root)) is not None:
        base, root = base / name, root[name]
    if _is_submission(root) or (zipped and _is_one(root)):
        return None
    groups: dict[tuple[str, str, str], list[str]] = {}
    strays = []
    for name, (kind, key, person) in _keys(root).items():
        if key:
            groups.setdefault((kind, key, person), []).append(name)
        elif name != METADATA:
            strays.append(sentence(str(base / name)))
    if not groups:
        return None
    students = [_student(key, person, names, root, base) for (_, key, person), names in groups.items()]
    kinds = Counter(kind for kind, _, _ in groups)
    return kinds.most_common(1)[0][0], _apart(students), strays


def _put(tree: Tree, parts: tuple[str, ...], kind: str) -> None:
    for part in parts[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):  # a zip may hold a file and a folder of one name
            inner = tree[part] = {}
        tree = inner
    if kind == FOLDER:
        tree.setdefault(parts[-1], {})
    elif not isinstance(tree.get(parts[-1]), dict):
        tree[parts[-1]] = kind


def _wrapper(tree: Tree) -> str | None:
    """Return the one folder around the students, if there is one."""
    folders = [name for name, inner in tree.items() if isinstance(inner, dict)]
    if len(folders) != 1 or any(is_zip(name) for name in tree) or _is_submission(tree):
        return None
    name, inner = folders[0], tree[folders[0]]
    if MOODLE.fullmatch(name) or GRADESCOPE.fullmatch(name) or _is_submission(inner):
        return None
    exported = METADATA in inner or any(p.fullmatch(each) for p in (MOODLE, CANVAS, GRADESCOPE) for each in inner)
    several = [each for each, below in inner.items() if is_zip(each) or (isinstance(below, dict) and _holds(below))]
    people = [each for each in several if not _is_attempt(each)]
    wrapped = exported or len(people) > 1 or (WRAPPER.fullmatch(name) and people)
    return name if wrapped else None


def _is_attempt(name: str) -> bool:
    """Tell whether a file or folder has the name of an attempt, not of a student."""
    stem = re.sub(r"\.zip$", "", name, flags=re.I)
    return bool(ATTEMPT.fullmatch(stem.lower().replace(homework().name.lower(), ""))) or _is_ours(name)


def _is_ours(name: str) -> bool:
    """Tell whether a zip has the name of what is handed in, or one that a browser makes of it."""
    return is_zip(name) and len(name) < 100 and nearest(homework().zip, [name]) is not None


def _is_submission(tree: Tree) -> bool:
    """Tell whether a folder is itself a submission: it holds what is looked for, or only zips of the right name."""
    package = tree.get(homework().package)
    if any(name in wanted() for name in tree) or (
        isinstance(package, dict) and any(name in wanted() for name in package)
    ):
        return True
    zips = [name for name in tree if is_zip(name)]
    return bool(zips) and all(map(_is_ours, zips)) and not any(isinstance(inner, dict) for inner in tree.values())


def _is_one(tree: Tree) -> bool:
    """Tell whether the folder at the top of a zip is a submission in it."""
    folders = [inner for inner in tree.values() if isinstance(inner, dict)]
    return len(folders) == 1 and not any(is_zip(name) for name in tree) and _is_submission(folders[0])


def _holds(tree: Tree) -> list[str]:
    """Return the modules and zips in a folder, however deep: what there is to grade."""
    found = []
    trees = [(PurePosixPath(), tree)]
    modules = {PurePosixPath(path).name for path in intake.modules()}
    for base, each in trees:  # which grows
        for name, inner in each.items():
            if isinstance(inner, dict):
                trees.append((base / name, inner))
            elif name in modules or is_zip(name):
                found.append(str(base / name))
    return found


def _keys(root: Tree) -> dict[str, tuple[str, str, str]]:
    """Return, for each entry, what exported it, whose it is, and that person's name; "" for a stray file."""
    keys = {}
    by_hand = []
    for name, inner in sorted(root.items()):
        folder = isinstance(inner, dict)
        if found := MOODLE.fullmatch(name):
            keys[name] = "Moodle", f"{found['person']}_{found['number']}", found["person"]
        elif not folder and (found := CANVAS.fullmatch(name)):
            keys[name] = "Canvas", f"{found['person']}_{found['number']}", found["person"]
        elif folder and GRADESCOPE.fullmatch(name):
            keys[name] = "Gradescope", name, ""
        elif folder or inner == LINK or is_zip(name) or PurePosixPath(name).suffix.lower() in OTHER:
            by_hand.append(name)
        else:
            keys[name] = "", "", ""
    stems = {name: re.sub(r"\.zip$", "", name, flags=re.I) if root[name] == FILE else name for name in by_hand}
    whose = {name: stem if stem == name or stem not in root else name for name, stem in stems.items()}  # ada, ada.zip
    first = dict(whose)
    for name, stem in stems.items():
        if again := AGAIN.fullmatch(stem):
            person = again["person"]
            same = [other for other in by_hand if stems[other] == person]
            same.sort(key=lambda other: isinstance(root[other], dict) != isinstance(root[name], dict))
            others = sum(
                bool((each := AGAIN.fullmatch(other)) and each["person"] == person) for other in stems.values()
            )
            whose[name] = first[same[0]] if same else person if others > 1 else whose[name]
    return {**keys, **{name: ("folders and zips", key, "") for name, key in whose.items()}}


def _student(key: str, person: str, names: list[str], root: Tree, base: PurePosixPath) -> Student:
    """Choose the last of what somebody handed in."""
    key = sentence(key)
    usable = [name for name in names if is_zip(name) and root[name] == FILE]
    usable += [name for name in names if isinstance(root[name], dict) and _holds(root[name])]
    if not usable:
        return Student(key, sentence(person), problem=_problem(names, root))
    last = max(usable, key=lambda name: order(PurePosixPath(name)))
    entry, remark = base / last, f"{last} counts, the last of {_listed(usable)}" if len(usable) > 1 else ""
    while isinstance(inner := root[last], dict):
        again = [name for name, below in inner.items() if isinstance(below, dict) and _holds(below)]
        if len(again) < 2 or _is_submission(inner) or not all(map(_is_attempt, again)):
            break
        root, last = inner, max(again, key=lambda name: order(PurePosixPath(name)))
        entry, remark = entry / last, f"{entry / last} counts, the last of {_listed(again)}"
    return Student(key, sentence(person), str(entry), sentence(remark))


def _problem(names: list[str], root: Tree) -> str:
    """Say why there is nothing to grade in what somebody handed in."""
    if any(root[name] == LINK for name in names):
        return "it is a link: put the folder or the zip itself in its place"
    files = []
    for name in names:
        trees = [(name, root[name])]
        for path, inner in trees:  # which grows
            if isinstance(inner, dict):
                trees += [(f"{path}/{below}", each) for below, each in inner.items()]
            else:
                files.append(path)
    if not files:
        return "the folder is empty"
    return sentence(f"there is no zip, and none of the files that are graded, but {_listed(files)}")


def _listed(names: list[str]) -> str:
    shown = sorted(names, key=lambda name: order(PurePosixPath(name)))
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else "")


def _apart(students: list[Student]) -> list[Student]:
    """Give students of one name two names."""
    seen = Counter[str]()
    found = []
    for each in students:
        seen[each.name] += 1
        again = f" [{seen[each.name]}]" if seen[each.name] > 1 else ""
        found.append(replace(each, name=each.name + again))
    return found


def submitters(text: str, yaml: Any) -> dict[str, str]:
    """Return the names in Gradescope's submission_metadata.yml, by folder; only what belongs to them is parsed."""
    kept, inside = [], False
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = False
        elif line.startswith("  :"):
            inside = line.startswith("  :submitters:")
        if inside or not line.startswith(" "):
            kept.append(line)
    try:
        found = yaml.load("\n".join(kept), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        people = {
            folder: [str(each[":name"]) for each in facts[":submitters"]]
            for folder, facts in (found or {}).items()
            if isinstance(facts, dict) and isinstance(facts.get(":submitters"), list)
        }
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {str(folder): sentence(", ".join(names))[:200] for folder, names in people.items()}


def slug(name: str) -> str:
    """Return the name of a folder for a student: every system can hold it, and no two names have the same anywhere."""
    plain = name.isascii() and name == name.casefold() and not SAFE.search(name) and not unportable(name)
    if plain and len(name) < 100 and not DIGEST.search(name):
        return name
    kept = unicodedata.normalize("NFC", SAFE.sub("_", name))[:50].strip(" .")
    return f"{kept or '_'}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
