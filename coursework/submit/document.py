"""The PDF: what the notebooks and training gave, each problem beginning on a page of its own, set by Typst."""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typst
from nbformat import NotebookNode

from coursework.homework import PERSON, Problem, homework
from coursework.notebooks import outline
from coursework.submit import glyphs, pages, prose, text
from coursework.submit.finding import Finding
from coursework.submit.inspection import is_inside, read_inside
from coursework.submit.person import Person
from coursework.submit.pictures import WIDTH, Pictures
from coursework.submit.prose import quoted, raw_text, wrapped

LINES = 120  # of one output that are shown
LOG_LINES = 15  # at the end of a log, where the accuracies are
BLANK = re.compile(r"your answer here", re.I)

STYLE = """\
#set page(paper: "a4", margin: (x: 20mm, top: 25mm, bottom: 22mm), header: context {
  let before = query(heading.where(level: 1)).filter(it => it.location().page() <= here().page())
  set text(9pt)
  grid(columns: (1fr, auto), column-gutter: 1em, if before.len() > 0 { before.last().supplement }, student)
  v(-0.6em)
  line(length: 100%, stroke: 0.4pt)
}, footer: context {
  set text(9pt)
  grid(columns: (1fr, auto), course, [page #counter(page).display() of #counter(page).final().first()])
})
#set par(justify: true, leading: 0.62em, spacing: 1.1em)
#set heading(bookmarked: false)
#show heading.where(level: 1): set heading(bookmarked: true)
#show heading.where(level: 1): set text(16pt)
#show heading.where(level: 1): set block(below: 1.2em)
#show heading.where(level: 2): set text(12.5pt)
#show heading.where(level: 2): set block(above: 1.6em, below: 0.9em)
#show raw.where(block: true): it => block(width: 100%, inset: (left: 7pt, y: 5pt), stroke: (left: 1.5pt + luma(200)),
  above: 0.8em, below: 0.8em, text(7.6pt, it))
#show link: set text(rgb("#0b57a4"))
#show figure: set block(breakable: true)
#set table(stroke: 0.4pt + luma(160))
#show math.equation.where(block: true): it => layout(size => {
  let wide = measure(it).width
  if wide <= size.width { it } else { scale(100% * (size.width / wide), reflow: true, it) }
})
#let absent(what) = box(stroke: 0.6pt + red, inset: 4pt, text(9pt, what))
#let horizontalrule = line(length: 100%, stroke: 0.4pt)
"""


@dataclass(frozen=True)
class Note:
    """Something that is not in the PDF as it is in the notebook."""

    notebook: str
    cell: str
    what: str

    def __str__(self) -> str:
        """Return it as a line."""
        return text.sentence(f"{self.notebook}, cell {self.cell}: {self.what}")


@dataclass(frozen=True)
class WriteUp:
    """The PDF, the pages of each problem, and what is to know about it."""

    content: bytes
    pages: dict[int, tuple[int, int]]
    notes: tuple[Note, ...]


@dataclass
class Piece:
    """What one cell gives to the document."""

    notebook: str
    cell: str
    source: str  # as typed, for the case that its Typst does not compile
    typst: str


@dataclass
class Setting:
    """What is needed to set the document: the temporary folder, and the notebooks that could be read."""

    folder: Path
    root: Path
    notebooks: Mapping[str, NotebookNode]
    notes: list[Note] = field(default_factory=list)
    fonts: dict[str, Path] = field(default_factory=dict)  # beside the shipped ones: family, and file
    undrawable: list[str] = field(default_factory=list)
    shown: dict[str, list[Shown]] = field(default_factory=dict)  # by task

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.folder / "pictures")
        cells = {name: notebook.cells for name, notebook in self.notebooks.items()}
        for name, (tags, lost) in outline.labelled(cells, self.root).items():
            self.notes += [Note(name, "?", f"{entry} is not there any more") for entry in lost]
            for number, (cell, words, task) in enumerate(
                zip(cells[name], tags, outline.own(tags), strict=True), start=1
            ):
                if task:
                    called = str(cell.get("id") or f"number {number}")
                    self.shown.setdefault(task, []).append(Shown(name, called, cell, frozenset(words)))


@dataclass(frozen=True)
class Shown:
    """A cell that the document shows: what its tags say it is, nothing for a student's own."""

    notebook: str
    name: str
    cell: NotebookNode
    tags: frozenset[str]


def write(notebooks: Mapping[str, NotebookNode], person: Person, root: Path) -> WriteUp:
    """Make the PDF; the same notebooks give the same bytes.

    Args:
        notebooks: by their names without folder and ending; one that is not there leaves its sections empty.
        person: whose name each page carries.
        root: the repository, for pictures that are files.

    Raises:
        ValueError: if it cannot be compiled, or the compiled document is not as it must be.
    """
    with tempfile.TemporaryDirectory(prefix="coursework-", ignore_cleanup_errors=True) as temporary:
        setting = Setting(Path(temporary).resolve(), root, notebooks)
        parts: list[tuple[str, list[Piece]]] = []
        for problem in homework().problems:
            parts.append((_opening(problem, person), []))
            for task in problem.tasks:
                parts.append((_heading(f"{task.number} {task.title}") if len(problem.tasks) > 1 else "", []))
                parts[-1][1].extend(
                    piece for shown in setting.shown.get(task.number, ()) for piece in _cell(shown, setting)
                )
                if not parts[-1][1]:
                    parts.append(("_Nothing here was executed or answered._\n", []))
                if task.run:
                    parts.append((_heading(f"{task.number} The training run"), list(_run(task.run, setting))))
                    if not parts[-1][1]:
                        parts.append(("_No log and no picture of a run is there._\n", []))
        for file in homework().loose:
            if file.kind == "extra" and (root / file.path).exists():
                pieces = list(_file(file.path, "all of it", setting, lambda content: _markdown(content, setting)))
                parts.append((_heading(file.path), pieces))
        _name_undrawable(parts, person, setting)
        try:
            content = _compile_or_mend(parts, person, setting)
        except typst.TypstError as error:
            raise ValueError(f"{homework().pdf} cannot be set: {text.sentence(str(error))[:300]}") from error
    wanted = {problem.number: f"Problem {problem.number}" for problem in homework().problems}
    return WriteUp(content, pages.page_map(content, wanted), tuple(dict.fromkeys(setting.notes)))


def _opening(problem: Problem, person: Person) -> str:
    first = ""
    if problem is homework().problems[0]:
        lines = (("Name", person.name), ("Collaborators", person.collaborators))
        rows = ", ".join(f"[*{key}*], {quoted(value or '(not filled in)')}" for key, value in lines)
        first = f'#text(20pt, weight: "bold", course)\n\n#grid(columns: (auto, 1fr), gutter: 0.8em, {rows})\n#v(1em)\n'
    break_before = "#pagebreak()\n" if problem is not homework().problems[0] else ""
    points = f"{problem.points} points"
    return (
        f"{break_before}{first}"
        f"#heading(level: 1, supplement: {quoted(f'Problem {problem.number}')})"
        f'[Problem {problem.number}. {_text(problem.title)} #text(11pt, weight: "regular")[({points})]]\n'
    )


def _text(words: str) -> str:
    """Return a plain text as Typst."""
    return f"#{quoted(words)}"


def _heading(words: str) -> str:
    return f"#heading(level: 2)[{_text(words)}]\n"


def _run(model: str, setting: Setting) -> Iterator[Piece]:
    """Return the end of a run's log, and its pictures."""
    folder = setting.root / homework().results
    if not is_inside(folder, setting.root):  # as for the zip: no link is followed
        return
    if (folder / f"{model}.log").exists():
        yield from _file(f"{homework().results}/{model}.log", "its end", setting, _end_of_log)
    for path in sorted(folder.glob(f"{model}_*.png")):
        yield from _file(
            f"{homework().results}/{path.name}", "all of it", setting, lambda content: _picture(content, setting)
        )


Content = tuple[str, str, list[str]]  # of a file: its text as typed, its Typst, and notes


def _file(path: str, part: str, setting: Setting, show: Callable[[bytes], Content]) -> Iterator[Piece]:
    """Return what a file gives, or in its place the reason why there is nothing."""
    content = read_inside(setting.root, path)
    name = text.sentence(path)
    try:
        if isinstance(content, Finding):
            raise ValueError(content.problem)
        source, shown, notes = show(content)
    except ValueError as error:
        source, shown, notes = name, f"#absent({quoted(f'{name}: {error}')})", [str(error)]
    setting.notes += [Note(name, part, note) for note in notes]
    yield Piece(name, part, source, shown)


def _text_of(content: bytes) -> str:
    try:
        return text.decode(content)
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace")


def _markdown(content: bytes, setting: Setting) -> Content:
    source = _text_of(content)
    return source, *_set(source, prose.Place(setting.root, setting.root, setting.pictures))


def _end_of_log(content: bytes) -> Content:
    notes: list[str] = []
    last = "\n".join(_lines(_text_of(content), notes.append)[-LOG_LINES:])
    return last, raw_text(last), notes


def _picture(content: bytes, setting: Setting) -> Content:
    return "a picture", setting.pictures.place(content, WIDTH * 0.75), []


def _set(source: str, place: prose.Place, attachments: Mapping[str, Any] | None = None) -> tuple[str, list[str]]:
    """Convert Markdown; what the converter fails on is shown as typed."""
    shown, left_out = text.source(source)
    try:
        typst, notes = prose.convert(shown, place, attachments)
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:  # of pandoc, or of its document
        typst, notes = raw_text(shown), [f"it cannot be set ({text.sentence(str(error))[:200]}) and is shown as typed"]
    return typst, [*notes, *_about(left_out)]


def _about(left_out: Sequence[str]) -> list[str]:
    numbers = " ".join(map(text.named, left_out))
    return [f"control characters are left out: {numbers}"] if left_out else []


def _cell(shown: Shown, setting: Setting) -> Iterator[Piece]:
    cell = shown.cell
    if cell.cell_type == "code":
        source = _chosen(cell.source) if "settings" in shown.tags else ""
        typst_of_outputs = [_output(output, shown, setting) for output in cell.outputs]
        whole = "\n\n".join(part for part in ([raw_text(source)] if source else []) + typst_of_outputs if part)
        if whole:
            yield Piece(shown.notebook, shown.name, cell.source, whole)
        return
    if "answer" in shown.tags and (BLANK.search(cell.source) or not cell.source.strip()):
        setting.notes.append(Note(shown.notebook, shown.name, "there is no answer yet"))
    place = prose.Place(setting.root / "notebooks", setting.root, setting.pictures)
    whole, notes = _set(cell.source, place, cell.get("attachments"))
    setting.notes += [Note(shown.notebook, shown.name, note) for note in notes]
    yield Piece(shown.notebook, shown.name, cell.source, whole)


def _chosen(source: str) -> str:
    """Return the code of a cell without the comments that only mark a part of it."""
    return "\n".join(line for line in source.splitlines() if not re.match(r"\s*# (BEGIN|END)\b", line))


def _output(output: NotebookNode, of: Shown, setting: Setting) -> str:
    def note(what: str) -> None:
        setting.notes.append(Note(of.notebook, of.name, what))

    if output.output_type == "stream":
        return _printed(output.text, note) if output.name == "stdout" else ""
    if output.output_type == "error":
        return _printed(f"{output.ename}: {output.evalue}", note)
    data = output.data
    for kind in ("image/png", "image/jpeg", "image/svg+xml"):
        if kind in data:
            try:
                svg = kind.endswith("xml")
                content = data[kind].encode() if svg else base64.b64decode(data[kind])
                return setting.pictures.place(content, WIDTH)
            except ValueError as error:
                note(str(error))
                return f"#absent({quoted(str(error))})"
    markdown = data.get("text/markdown") or data.get("text/latex")
    if markdown:
        place = prose.Place(setting.root / "notebooks", setting.root, setting.pictures)
        shown, notes = _set(markdown, place)
        for what in notes:
            note(what)
        return shown
    if "text/plain" in data:
        return _printed(data["text/plain"], note)
    if data:
        note(f"an output of the kind {', '.join(sorted(data))} is not shown")
    return ""


def _lines(printed: str, note: Callable[[str], None]) -> list[str]:
    """Return the lines that a terminal would show, as they fit a page."""
    shown, left_out = text.screen(printed)
    for what in _about(left_out):
        note(what)
    return wrapped(shown.rstrip())


def _printed(printed: str, note: Callable[[str], None]) -> str:
    lines = _lines(printed, note)
    if len(lines) > LINES:
        note(f"only {LINES} of the {len(lines)} lines that it prints are shown")
        lines = [*lines[:LINES], f"... and {len(lines) - LINES} lines more, in the notebook"]
    return raw_text("\n".join(lines)) if lines else ""


def _name_undrawable(parts: list[tuple[str, list[Piece]]], person: Person, setting: Setting) -> None:
    """Look for fonts for what the shipped ones do not draw, and note the characters that no font here draws."""
    everything = person.name + "".join(head + "".join(piece.typst for piece in pieces) for head, pieces in parts)
    absent = glyphs.missing(everything)
    setting.fonts = glyphs.find_fonts(absent)
    drawn = glyphs.drawable(absent, setting.fonts.values())
    setting.undrawable = [char for char in absent if char not in drawn]
    for head, pieces in parts:
        for typst_of, notebook, cell in [(head, PERSON, "name"), *((p.typst, p.notebook, p.cell) for p in pieces)]:
            gone = [char for char in setting.undrawable if char in typst_of]
            if gone:
                what = f"no font here draws {' '.join(gone[:8])}; written as {' '.join(map(glyphs.named, gone[:8]))}"
                setting.notes.append(Note(notebook, cell, what))
            halves = dict.fromkeys(text.NAMED_HALF.findall(typst_of))
            if halves:
                setting.notes.append(Note(notebook, cell, f"half a character is written as {' '.join(halves)}"))


def _compile_or_mend(parts: list[tuple[str, list[Piece]]], person: Person, setting: Setting) -> bytes:
    """Compile; where a cell's Typst is at fault, show that cell as it was typed, and say so."""
    try:
        return _compile(parts, person, setting)
    except typst.TypstError:
        for _, pieces in parts:
            for piece in pieces:
                try:
                    _compile([("", [piece])], person, setting)
                except typst.TypstError as error:
                    what = f"it cannot be set ({str(error).splitlines()[0]}) and is shown as typed"
                    setting.notes.append(Note(piece.notebook, piece.cell, what))
                    piece.typst = raw_text(piece.source)
        return _compile(parts, person, setting)


def _compile(parts: list[tuple[str, list[Piece]]], person: Person, setting: Setting) -> bytes:
    body = "\n\n".join(head + "\n\n".join(piece.typst for piece in pieces) for head, pieces in parts)
    families = ", ".join(quoted(name) for name in ("Libertinus Serif", *glyphs.FAMILIES, *setting.fonts))
    mono = ", ".join(quoted(name) for name in ("DejaVu Sans Mono", *setting.fonts))
    head = (
        f"#let course = {quoted(homework().title)}\n#let student = {quoted(person.name or '(no name)')}\n"
        f"#set document(title: course, author: student, date: none)\n"
        f'#set text(10.5pt, font: ({families}), lang: "en")\n#show raw: set text(font: ({mono}))\n'
    )
    source = f"{head}{STYLE}\n{body}\n"
    for char in setting.undrawable:
        source = source.replace(char, glyphs.named(char))
    (setting.folder / "main.typ").write_text(source, encoding="utf-8")
    content: bytes = typst.compile(
        setting.folder / "main.typ",
        root=setting.folder,
        font_paths=[glyphs.SHIPPED, *dict.fromkeys(path.parent for path in setting.fonts.values())],
        ignore_system_fonts=True,
        timestamp=0,
    )
    return content
