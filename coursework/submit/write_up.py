"""The PDF: the answers and results of the notebooks and of training, typeset by Typst, each question on a new page."""

from __future__ import annotations

import contextlib
import copy
import itertools
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from pathlib import Path

import typst
from nbformat import NotebookNode

from coursework.homework import PERSON, homework
from coursework.notebooks import outline
from coursework.notebooks.figures import text_of
from coursework.submit import glyphs, pictures, prose, text
from coursework.submit import pdf_pages as pages
from coursework.submit.finding import Finding
from coursework.submit.inspection import is_inside, read_inside
from coursework.submit.person import Person
from coursework.submit.pictures import WIDTH, Pictures
from coursework.submit.prose import Noting, absent, raw_text, wrapped
from coursework.submit.text import quoted

OUTPUT = (80, 40)  # lines, as they are wrapped, that are shown of what a cell prints: at its start and at its end
LOG = (8, 16)  # and of a log: the settings are at its start, the accuracies at its end
LONG = 1000  # characters that are shown of a line
OBJECT = re.compile(r"<[\w.]+(?: object)?(?: at 0x[0-9a-fA-F]+)?>")  # says nothing of what an object looks like
STYLE = Path(__file__).parents[1] / "templates" / "writeup.typ"


@dataclass(frozen=True)
class Note:
    """A difference between the PDF and the notebook."""

    notebook: str
    cell: str
    what: str

    def __str__(self) -> str:
        """Return it as one line."""
        return text.sentence(f"{self.notebook}, cell {self.cell}: {self.what}")


@dataclass(frozen=True)
class WriteUp:
    """The PDF, the pages of each question, and notes on differences from the notebooks."""

    content: bytes
    pages: dict[str, tuple[int, int]]
    notes: tuple[Note, ...]


@dataclass
class Piece:
    """The part of the document that comes from one cell or file, or a heading."""

    notebook: str
    cell: str
    source: str  # as typed; shown if the Typst does not compile
    typst: str


@dataclass
class Setting:
    """The context in which the document is made: a temporary folder, the repository, and what is found out."""

    folder: Path
    root: Path
    notes: list[Note] = field(default_factory=list)
    fonts: list[Path] = field(default_factory=list)  # in addition to the shipped ones
    undrawable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.folder / "pictures")

    def note(self, notebook: str, cell: str, what: str) -> None:
        """Record a difference between the PDF and the notebook."""
        self.notes.append(Note(notebook, cell, what))


def write(notebooks: Mapping[str, NotebookNode], person: Person, root: Path) -> WriteUp:
    """Make the PDF of a person's notebooks, by stem; the same give the same bytes, and a missing one empty sections."""
    with tempfile.TemporaryDirectory(prefix="coursework-", ignore_cleanup_errors=True) as temporary:
        setting = Setting(Path(temporary).resolve(), root)
        pieces = list(_pieces(notebooks, person, setting))
        _name_undrawable(pieces, person, setting)
        try:
            content = _compile_or_mend(pieces, person, setting)
        except typst.TypstError as error:
            raise ValueError(f"{homework().pdf} cannot be set: {text.sentence(str(error))[:300]}") from error
    questions = [name for problem in homework().problems for name in problem.questions]
    carried = {name: f"Problem {name.removeprefix('Problem ')}" for name in questions}
    return WriteUp(content, pages.page_map(content, carried), tuple(dict.fromkeys(setting.notes)))


def _pieces(notebooks: Mapping[str, NotebookNode], person: Person, setting: Setting) -> Iterator[Piece]:
    """Return the document, from its first heading to the extra files."""
    answers = _answers(notebooks, setting)
    names = (quoted(words or "(not filled in)") for words in astuple(person))
    yield _given(f"#cover({', '.join(names)})")
    for problem in homework().problems:
        if problem is not homework().problems[0]:
            yield _given("#pagebreak()")
        yield _given(f"#problem({problem.number}, {quoted(problem.title)}, {problem.points})")
        for task in problem.tasks:
            if problem.apart:
                if task is not problem.tasks[0]:
                    yield _given("#pagebreak()")
                yield _given(f"#question({quoted(task.number)}, {quoted(task.title)})")
            elif len(problem.tasks) > 1:
                yield _heading(f"{task.number} {task.title}")
            yield from answers.get(task.number) or [_given("_Nothing here was executed or answered._")]
            if task.run:
                yield _heading(f"{task.number} The training run")
                yield from list(_run(task.run, setting)) or [_given("_No log and no picture of a run is there._")]
    for file in homework().loose:
        if file.kind == "extra" and (setting.root / file.path).exists():
            yield _heading(file.path)
            yield _file(file.path, "all of it", setting, _markdown)


def _given(typst_of: str) -> Piece:
    return Piece(PERSON, "name", typst_of, typst_of)


def _heading(words: str) -> Piece:
    return _given(f"== #{quoted(words)}")


def _run(model: str, setting: Setting) -> Iterator[Piece]:
    """Return the settings and the end of a run's log, and its pictures."""
    results = homework().results
    folder = setting.root / results
    if not is_inside(folder, setting.root):  # as for the zip, links are not followed
        return
    if (setting.root / homework().log_of(model)).exists():
        yield _file(homework().log_of(model), "its start and its end", setting, _log)
    for path in sorted(folder.glob(f"{model}_*.png")):
        yield _file(f"{results}/{path.name}", "all of it", setting, _picture)


def _file(path: str, part: str, setting: Setting, show: Callable[[bytes, Noting, Setting], tuple[str, str]]) -> Piece:
    """Return the piece for a part of a file, as typed and as Typst, or the reason why it cannot be shown."""
    content = read_inside(setting.root, path)
    name = text.sentence(path)
    note = partial(setting.note, name, part)
    try:
        if isinstance(content, Finding):
            raise ValueError(content.problem)
        return Piece(name, part, *show(content, note, setting))
    except ValueError as error:
        note(str(error))
        return Piece(name, part, name, absent(f"{name}: {error}"))


def _text_of(content: bytes) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return text.decode(content)
    return content.decode("utf-8", "replace")


def _markdown(content: bytes, note: Noting, setting: Setting) -> tuple[str, str]:
    source = _text_of(content)
    return source, _set(source, setting, note, folder="")


def _log(content: bytes, note: Noting, _: Setting) -> tuple[str, str]:
    lines = "\n".join(_excerpt(_lines(_text_of(content), note), *LOG))
    return lines, raw_text(lines)


def _picture(content: bytes, _: Noting, setting: Setting) -> tuple[str, str]:
    return "a picture", setting.pictures.place(content, WIDTH * 0.75)


def _set(source: str, setting: Setting, note: Noting, *, folder: str = "notebooks", attachments: object = None) -> str:
    """Convert Markdown, by default of a notebook; show it as typed if the conversion fails."""
    shown = _without_controls(text.source(source), note)
    place = prose.Place(setting.root / folder, setting.root, setting.pictures)
    try:
        return prose.convert(shown, place, note, attachments if isinstance(attachments, Mapping) else None)
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:  # from pandoc or its tree
        note(f"it cannot be set ({text.sentence(str(error))[:200]}) and is shown as typed")
        return raw_text(shown)


def _without_controls(shown: tuple[str, Sequence[str]], note: Noting) -> str:
    if shown[1]:
        note(f"control characters are left out: {' '.join(map(text.named, shown[1]))}")
    return shown[0]


def _answers(notebooks: Mapping[str, NotebookNode], setting: Setting) -> dict[str, list[Piece]]:
    """Return the pieces for the cells of the notebooks, by task."""
    found: dict[str, list[Piece]] = {}
    outlines = outline.read(setting.root / "notebooks")
    for name, notebook in notebooks.items():
        cells, entries = notebook.cells, outlines[f"{name}.ipynb"]
        called = [str(cell.get("id") or f"number {number}") for number, cell in enumerate(cells, start=1)]
        tags, lost = outline.labels(cells, entries)
        sections = {entry.under for entry in entries if re.match(r"\d+\. ", entry.under)}
        for entry in lost:
            setting.note(name, "?", f"{entry} is not there any more")
        for blank in outline.unwritten(cells, entries):
            setting.note(name, called[blank.number], "there is no answer yet")
        for cell, place, words, task in zip(cells, called, tags, outline.own(tags), strict=True):
            source, note = cell.source, partial(setting.note, name, place)
            if not task:
                continue
            if cell.cell_type == "code":
                whole = _ran(cell, words, setting, note)
            else:
                source = _without_numbers(source, sections)
                whole = _set(source, setting, note, attachments=cell.get("attachments"))
            if whole:
                found.setdefault(task, []).append(Piece(name, place, source, whole))
    return found


def _ran(cell: NotebookNode, tags: Sequence[str], setting: Setting, note: Noting) -> str:
    """Return the Typst of a code cell: its outputs, below the code of settings."""
    code = re.sub(r"^[ \t]*# (BEGIN|END)\b.*\n?", "", cell.source, flags=re.M)  # without the marks of regions
    parts = [raw_text(code)] if "settings" in tags and code.strip() else []
    parts += [_output(output, setting, note) for output in _joined(cell.outputs)]
    return "\n\n".join(filter(None, parts))


def _without_numbers(source: str, headings: Collection[str]) -> str:
    """Return Markdown in which given headings do not carry the number of a section of the notebook."""

    def shorter(found: re.Match[str]) -> str:
        return found[1] + (found[2].partition(". ")[2] if found[2] in headings else found[2])

    return re.sub(r"^(#{1,6} +)(.+?)(?= *$)", shorter, source, flags=re.M)


def _joined(outputs: Sequence[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield the outputs of a cell; what it prints in turns with messages on the error stream is one text."""
    shown = [output for output in outputs if output.output_type != "stream" or output.name == "stdout"]
    for is_text, group in itertools.groupby(shown, lambda output: output.output_type == "stream"):
        first, *others = group
        if is_text and others:
            first = copy.copy(first)
            first.text = "".join(output.text for output in (first, *others))
        yield from [first] if is_text else [first, *others]


def _output(output: NotebookNode, setting: Setting, note: Noting) -> str:
    if output.output_type == "stream":
        return _printed(output.text, note)
    if output.output_type == "error":
        return _printed(f"{output.ename}: {output.evalue}", note)
    data = output.data
    for kind in sorted((kind for kind in data if kind.startswith("image/")), key=lambda kind: "svg" in kind):
        try:
            content = data[kind].encode() if "svg" in kind else pictures.decode(data[kind])
            return setting.pictures.place(content, WIDTH, text_of(output))
        except ValueError as error:
            note(str(error))
            return absent(str(error))
    said, others = data.get("text/plain", ""), sorted(set(data) - {"text/plain"})
    if others and OBJECT.fullmatch(said):
        said = ""
    if markup := data.get("text/markdown") or data.get("text/latex") or ("" if said else data.get("text/html")):
        return _set(markup, setting, note)
    if others and not said:
        note(f"an output of the kind {', '.join(others)} is not shown")
    return _printed(said, note)


def _lines(printed: str, note: Noting) -> list[str]:
    """Return the lines that a terminal would show, cut where they are very long, and wrapped to fit the page."""
    lines = _without_controls(text.screen(printed), note).rstrip().splitlines()
    if over := sum(len(line) > LONG for line in lines):
        each, plural = "each of " * (over > 1), "s" * (over > 1)
        note(f"only {LONG} characters are shown of {each}{over} line{plural} that is longer")
    rest = [f" [{len(line) - LONG} characters are left out]" if len(line) > LONG else "" for line in lines]
    return wrapped("\n".join(line[:LONG] + more for line, more in zip(lines, rest, strict=True)))


def _excerpt(lines: Sequence[str], start: int, end: int) -> list[str]:
    """Return the first and the last lines, with a line between them that says how many are left out."""
    if len(lines) <= start + end + 1:
        return list(lines)
    return [*lines[:start], f"[{len(lines) - start - end} lines are left out]", *lines[-end:]]


def _printed(printed: str, note: Noting) -> str:
    lines = _lines(printed, note)
    shown = _excerpt(lines, *OUTPUT)
    if len(shown) < len(lines):
        note(f"only {sum(OUTPUT)} of the {len(lines)} lines that it prints are shown")
    return raw_text("\n".join(shown)) if shown else ""


def _name_undrawable(pieces: Sequence[Piece], person: Person, setting: Setting) -> None:
    """Find fonts for characters that the shipped fonts lack, and note the characters that no font has."""
    missing = glyphs.missing(person.name + "".join(piece.typst for piece in pieces))
    setting.fonts, setting.undrawable = glyphs.find_fonts(missing)
    for piece in pieces:
        gone = [char for char in setting.undrawable if char in piece.typst][:8]
        if gone:
            what = f"no font here draws {' '.join(gone)}, written as {' '.join(map(glyphs.named, gone))}"
            setting.note(piece.notebook, piece.cell, f"{what}; install one that does, such as Noto, and call again")
        halves = dict.fromkeys(text.NAMED_HALF.findall(piece.typst))
        if halves:
            setting.note(piece.notebook, piece.cell, f"half a character is written as {' '.join(halves)}")


def _compile_or_mend(pieces: Sequence[Piece], person: Person, setting: Setting) -> bytes:
    """Compile the document; show as typed, with a note, each cell whose Typst does not compile."""
    try:
        return _compile(pieces, person, setting)
    except typst.TypstError:
        for piece in pieces:
            try:
                _compile([piece], person, setting)
            except typst.TypstError as error:
                what = f"it cannot be set ({str(error).splitlines()[0]}) and is shown as typed"
                setting.note(piece.notebook, piece.cell, what)
                piece.typst = raw_text(piece.source)
        return _compile(pieces, person, setting)


def _compile(pieces: Sequence[Piece], person: Person, setting: Setting) -> bytes:
    names = {ord(char): f"{glyphs.named(char)}\u200b" for char in setting.undrawable}  # lines may break after them
    body = "\n\n".join([STYLE.read_text(encoding="utf-8"), *(piece.typst for piece in pieces)])
    (setting.folder / "main.typ").write_text(body.translate(names), encoding="utf-8")
    content: bytes = typst.compile(
        setting.folder / "main.typ",
        root=setting.folder,
        font_paths=[glyphs.SHIPPED, *dict.fromkeys(path.parent for path in setting.fonts)],
        ignore_system_fonts=True,
        timestamp=0,
        sys_inputs={"course": homework().title, "student": (person.name or "(no name)").translate(names)},
    )
    return content
