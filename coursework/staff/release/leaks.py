"""The proof that nothing leaks: each function looks at an edition in its own way, and returns what it counted.

None of them relies on the parser having been right: canaries go through the whole release, and the text that students
get is compared with the regions as a plain search finds them.
"""

from __future__ import annotations

import ast
import base64
import functools
import hashlib
import io
import json
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import nbformat

from coursework.homework import homework, path_of
from coursework.staff.release.blanks import ANSWER, Cleared, dump
from coursework.staff.release.contents import Contents
from coursework.staff.release.edition import BINARY, NOTEBOOK, Edition, make_edition, restore
from coursework.staff.release.markers import ReleaseError

CANARY = re.compile(rb"(?i)canary[0-9a-f]{16}")
RUN = 8  # tokens
STRETCH, WORDS, FORMULA = 16, 8, 40  # tokens of code; words of prose; tokens of prose, formulas included
SHORTEST = 5  # tokens; less than that is found anywhere
KEY = 3  # tokens by which a search begins
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[^\w\s]")
REGION = re.compile(
    r"^[^\n]*BEGIN SOLUTION (?P<task>\S+) (?P<name>\w+)[^\n]*\n(?P<inside>.*?)\n[^\n]*END SOLUTION[^\n]*$", re.M | re.S
)
HIDDEN = {
    "solution": re.compile(r"(?i)\bsolutions?\b"),
    "staff": re.compile(r"(?i)\b(?:BEGIN|END) STAFF|\bstaff/|-m staff\b|staff's edition|make (?:student|bench)\b"),
}
FOLDERS = "coursework|docs|notebooks|datasets|experiments|writeup|tests|benchmarks|staff"
PATH = re.compile(rf"(?<![\w./:-])((?:{homework().package}|{FOLDERS})/[\w./-]*\w)(?![\w*])")
Archive = Callable[[Mapping[str, bytes]], bytes]


def prove(edition: Edition, source: Mapping[str, bytes], contents: Contents, archive: Archive) -> list[str]:
    """Look for leaks in every way.

    Args:
        edition: what students would get.
        source: the files that it is made of.
        contents: what contents.txt says.
        archive: makes the bytes of the zip file of some files.

    Returns:
        The lines of the report.

    Raises:
        ReleaseError: with all that was found.
    """
    looks: tuple[Callable[[], str], ...] = (
        lambda: equals_source(edition, source),
        lambda: every_solution_has_a_blank(edition, source),
        lambda: no_canary(edition, source, contents, archive),
        lambda: no_shared_run(edition, source),
        lambda: no_shared_stretch(edition, source, contents),
        lambda: clean_notebooks(edition, source),
        lambda: no_hidden_word(edition, source, contents),
        lambda: no_dangling_path(edition, source),
    )
    lines: list[str] = []
    problems: list[str] = []
    for look in looks:
        try:
            lines.append(look())
        except ReleaseError as error:
            problems += error.problems
    if problems:
        raise ReleaseError(problems)
    return lines


def equals_source(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Put the solutions back: the source must come out, byte for byte."""
    restored = restore(edition)
    differ = [path for path in restored if restored[path] != source[path]]
    wrong = [f"{path}:1: the solutions put back do not give the source" for path in differ]
    _complain(wrong)
    return f"{len(restored)} files equal the source outside the regions; with the solutions put back, byte for byte"


def every_solution_has_a_blank(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Compare the blanks with the regions that a plain search finds, and those with the table of the tasks."""
    wrong = []
    solutions = _solutions(edition, source)
    for solution in solutions:
        text = "\n".join(texts(solution.path, edition.files[solution.path]))
        titles = f"Task {solution.task}: {solution.name}", f"Task {solution.task}, {solution.name.replace('_', ' ')}.**"
        if not any(title in text for title in titles):
            wrong.append(f"{solution.path}:1: no blank names {solution}")
    for task in homework().tasks:
        for module, function in task.functions:
            path = path_of(module)
            if path in edition.files and not _has_region(source[path].decode(), function, task.number):
                wrong.append(f"{path}:1: {function} of task {task.number} has no region of that task")
    _complain(wrong)
    return f"{len(solutions)} blanks, and each names its task"


def _has_region(text: str, function: str, task: str) -> bool:
    """Tell whether a function, a class or a method ("Class.method") holds a region of a task."""
    nodes: list[ast.AST] = [ast.parse(text)]
    for name in function.split("."):
        nodes = [child for node in nodes for child in ast.iter_child_nodes(node) if getattr(child, "name", "") == name]
    lines = text.split("\n")
    parts = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in nodes if isinstance(node, _DEFINITIONS)]
    return any(f"BEGIN SOLUTION {task} " in part for part in parts)


_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def no_canary(edition: Edition, source: Mapping[str, bytes], contents: Contents, archive: Archive) -> str:
    """Plant a canary in every region, output and attachment: the edition must not change by a byte."""
    planted, count = plant(edition, source)
    other = make_edition(planted, contents)
    changed = [path for path in edition.files if other.files.get(path) != edition.files[path]]
    wrong = [f"{path}:1: what stands in a region changes what students get" for path in changed]
    wrong += [f"{path}:1: holds {found}" for path, content in other.files.items() for found in canaries(content)]
    wrong += [f"{homework().name}-student.zip:1: holds {found}" for found in canaries(archive(other.files))]
    _complain(wrong)
    return f"{count} canaries planted in regions, outputs, metadata and attachments: none in the tree, none in the zip"


def plant(edition: Edition, source: Mapping[str, bytes]) -> tuple[dict[str, bytes], int]:
    """Return the source with a canary in every region, and in every output and attachment, and how many they are."""
    planted, count = dict(source), 0

    def canary() -> str:
        nonlocal count
        count += 1
        return "canary" + hashlib.sha256(str(count).encode()).hexdigest()[:16]

    def grow(text: str, cuts: Sequence[Any], python: bool) -> str:
        lines = text.split("\n")
        for done in reversed(cuts):
            comment = "" if done.lines[0].startswith("<!--") else "# "
            new = [" " * done.region.indent + comment + canary()]
            new += [" " * done.region.indent + repr(canary())] if python else []
            at = done.region.start + 1
            lines[at:at] = new
        return "\n".join(lines)

    for path, removed in edition.removed.items():
        if not isinstance(removed, Cleared):
            if removed:
                planted[path] = grow(source[path].decode(), removed, path.endswith(".py")).encode()
            continue
        notebook = json.loads(source[path])
        for cell in notebook["cells"]:
            code = cell["cell_type"] == "code"
            text = grow("".join(cell["source"]), removed.cuts[cell["id"]], code)
            cell["source"] = text.splitlines(keepends=True)
            cell["metadata"]["note"] = canary()
            picture = {"image/png": base64.b64encode(canary().encode()).decode(), "text/plain": [canary()]}
            if code:
                cell["outputs"].append({"data": picture, "metadata": {"of": canary()}, "output_type": "display_data"})
            else:
                cell["attachments"] = {f"{canary()}.png": picture}
        notebook["metadata"]["authors"] = [{"name": canary()}]
        planted[path] = dump(notebook)
    return planted, count


def canaries(content: bytes) -> set[str]:
    """Return the canaries in some bytes: as they are, as strings of JSON, and behind base64."""
    found = set()
    for view in _views(content):
        found |= {match.decode().lower() for match in CANARY.findall(view)}
    return found


def _views(content: bytes, depth: int = 2) -> Iterator[bytes]:
    """Yield some bytes, and all that is hidden in them behind escapes of JSON and base64."""
    joined = re.sub(rb"\\n|\s|[\"',]", b"", content)  # a list of lines becomes one line
    yield content
    yield joined
    yield re.sub(rb"\\u00([0-7][0-9a-fA-F])", lambda found: bytes([int(found[1], 16)]), content)
    for view in {content, joined} if depth else ():
        for run in re.findall(rb"[A-Za-z0-9+/_-]{16,}", view):
            for start in range(4):  # wherever its groups of four begin
                letters = run[start:].translate(bytes.maketrans(b"-_", b"+/"))
                letters = letters[: -1 if len(letters) % 4 == 1 else None]
                decoded = base64.b64decode(letters + b"=" * (-len(letters) % 4))
                if re.search(rb"[A-Za-z0-9+/_-]{12}", decoded):
                    yield from _views(decoded, depth - 1)


def texts(path: str, content: bytes) -> list[str]:
    """Return the texts that a file holds: the sources of a notebook's cells, else the file."""
    suffix = PurePosixPath(path).suffix
    if suffix in BINARY:
        return []
    if suffix == NOTEBOOK:
        return ["".join(cell["source"]) for cell in json.loads(content)["cells"]]
    return [content.decode()]


def _place(path: str, line: str, source: Mapping[str, bytes]) -> str:
    """Return the file and the line of the source at which a line of the edition stands."""
    quoted = json.dumps(line, ensure_ascii=False)[1:-1] if path.endswith(NOTEBOOK) else line
    lines = source.get(path, b"").decode("utf-8", "replace").split("\n")
    return f"{path}:{next((number for number, other in enumerate(lines, 1) if quoted in other), 1)}"


@dataclass(frozen=True)
class _Solution:
    """A solution as a plain search finds it."""

    path: str
    task: str
    name: str
    inside: str
    prose: bool

    def __str__(self) -> str:
        return f"{self.task} {self.name} of {self.path}"


def _solutions(edition: Edition, source: Mapping[str, bytes]) -> list[_Solution]:
    """Return the solutions of the files that the edition is made of."""
    return [
        _Solution(path, found["task"], found["name"], found["inside"], found[0].startswith("<!--"))
        for path in edition.removed
        for text in texts(path, source[path])
        for found in REGION.finditer(text)
    ]


def _tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def _runs(tokens: Sequence[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(tokens[k : k + length]) for k in range(len(tokens) - length + 1)}


def no_shared_run(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Compare runs of eight tokens: one of a solution may be in the edition only if it is public in the source, too."""
    public = set()
    for path in edition.removed:
        for text in texts(path, source[path]):
            public |= _runs(_tokens(REGION.sub("", text)), RUN)
    given = {
        path: set().union(*(_runs(_tokens(text), RUN) for text in texts(path, content)))
        for path, content in edition.files.items()
    }
    wrong, count = [], 0
    for solution in _solutions(edition, source):
        runs = _runs(_tokens(solution.inside), RUN) - public
        count += len(runs)
        wrong += [
            f"{path}:1: holds a part of {solution}: {' '.join(min(runs & found))}"
            for path, found in given.items()
            if runs & found
        ]
    _complain(wrong)
    return f"{count} runs of {RUN} tokens that only the solutions have: none in the edition"


def no_shared_stretch(edition: Edition, source: Mapping[str, bytes], contents: Contents) -> str:
    """Look for a solution that was pasted beside its region: longer runs, in what students get.

    Of code a stretch is 16 tokens, or all of a shorter solution; of prose 8 words, or 40 tokens with the formulas.
    What is given on purpose, contents.txt says with its file.
    """
    needles: dict[str, dict[tuple[str, ...], list[tuple[tuple[str, ...], _Solution]]]] = {}
    count = 0
    for solution in _solutions(edition, source):
        for sieve, length in (("words", WORDS), ("all", FORMULA)) if solution.prose else (("code", STRETCH),):
            tokens = _sieved(solution.inside, sieve).tokens
            if not solution.prose:
                tokens = tokens[1:] if tokens[0] == "return" else tokens
                length = min(length, len(tokens))
            for run in _runs(tokens, length) if length >= SHORTEST else ():
                needles.setdefault(sieve, {}).setdefault(run[:KEY], []).append((run, solution))
                count += 1
    wrong, allowed, seen = [], set(), set()
    for path, content in edition.files.items():
        for text in texts(path, content):
            for sieve, table in needles.items():
                for solution, line in _sieved(text, sieve).search(table):
                    if contents.may_share(solution.name, path):
                        allowed.add((solution.name, path))
                    elif (solution, path) not in seen:
                        seen.add((solution, path))
                        wrong.append(f"{_place(path, line, source)}: holds a part of {solution}: {line.strip()!r}")
    _complain(wrong)
    return f"{count} stretches of the solutions looked for in public text: {len(allowed)} places, all given on purpose"


@dataclass(frozen=True)
class _Sieved:
    """The tokens of a text that count, and the line of each."""

    tokens: list[str]
    lines: list[str]

    def search(
        self, needles: Mapping[tuple[str, ...], Sequence[tuple[tuple[str, ...], _Solution]]]
    ) -> Iterator[tuple[_Solution, str]]:
        """Yield each solution of which a run is found, with the line at which that begins."""
        for k in range(len(self.tokens) - KEY + 1):
            for run, solution in needles.get(tuple(self.tokens[k : k + KEY]), ()):
                if tuple(self.tokens[k : k + len(run)]) == run:
                    yield solution, self.lines[k]


@functools.lru_cache(maxsize=4096)
def _sieved(text: str, sieve: str) -> _Sieved:
    """Return the tokens of code without comments, words of prose, or all tokens."""
    lines, pattern = text.split("\n"), TOKEN
    if sieve == "code":
        text = _without_comments(text)
    elif sieve == "words":
        formulas = r"\$\$.*?\$\$|\$[^$]*\$|\\\w+"
        text = re.sub(formulas, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S).lower()
        pattern = re.compile(r"[a-z]{2,}")
    found = [(token, lines[number]) for number, line in enumerate(text.split("\n")) for token in pattern.findall(line)]
    return _Sieved([token for token, _ in found], [line for _, line in found])


def _without_comments(text: str) -> str:
    """Return code without its comments; what cannot be read as Python loses what follows a #."""
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError, IndexError):
        return re.sub(r"#.*", "", text)
    return "\n".join(lines)


def clean_notebooks(edition: Edition, source: Mapping[str, bytes]) -> str:
    """See to it that the notebooks are valid, with the cells of the source, and nothing that a run leaves."""
    wrong, cells, answers = [], 0, 0
    for path, content in edition.files.items():
        if not path.endswith(NOTEBOOK):
            continue
        notebook, before = json.loads(content), json.loads(source[path])
        try:
            nbformat.validate(nbformat.from_dict(notebook))  # type: ignore[no-untyped-call]
        except nbformat.ValidationError as error:
            wrong.append(f"{path}:1: no valid notebook: {error}")
        if [cell["id"] for cell in notebook["cells"]] != [cell["id"] for cell in before["cells"]]:
            wrong.append(f"{path}:1: the cells are not those of the source")
        for cell in notebook["cells"]:
            cells += 1
            answers += ANSWER in "".join(cell["source"])
            if cell.get("outputs") or cell.get("attachments") or cell.get("execution_count") is not None:
                wrong.append(f"{path}:1: cell {cell['id']} is not clean")
    _complain(wrong)
    return f"{cells} cells without outputs, counts and attachments, {answers} of them to be answered in words"


def no_hidden_word(edition: Edition, source: Mapping[str, bytes], contents: Contents) -> str:
    """Look for words that speak of what students do not have."""
    wrong = [
        f"{_place(path, line, source)}: speaks of what students do not have: {line.strip()[:100]!r}"
        for path, content in edition.files.items()
        for text in texts(path, content)
        for line in text.split("\n")
        for word, pattern in HIDDEN.items()
        if pattern.search(line) and not contents.may_say(path, word)
    ]
    _complain(wrong)
    return "no file speaks of solutions or of what only the staff has"


def no_dangling_path(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Look for files that a text names and that students do not have."""
    known = {*edition.files, *(str(folder) for path in edition.files for folder in PurePosixPath(path).parents)}
    wrong, count = [], 0
    for path, content in edition.files.items():
        if not path.endswith((".md", NOTEBOOK, "Makefile", ".toml")):
            continue
        for text in texts(path, content):
            for named in (*PATH.findall(text), *re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)):
                beside = str(PurePosixPath(path).parent / named)
                count += 1
                if not {named, beside} & known and not named.startswith("datasets/cifar"):
                    wrong.append(f"{_place(path, named, source)}: names {named}, which students do not have")
    _complain(wrong)
    return f"{count} names of files in texts: all there"


def _complain(problems: Sequence[str]) -> None:
    if problems:
        raise ReleaseError(list(problems))
