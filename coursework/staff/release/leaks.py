"""The proof that nothing leaks: each function tests an edition in its own way, and returns what it counted.

None of them relies on the parser: a plain search finds the solutions in the source, and what students get is compared
with them.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath

import nbformat

from coursework.homework import homework, path_of
from coursework.notebooks.outline import ANSWER
from coursework.staff.release.blanks import dump
from coursework.staff.release.contents import CONTENTS, read_contents
from coursework.staff.release.edition import NOTEBOOK, Edition, make_edition, restore, texts
from coursework.staff.release.markers import refuse, run_all

CANARY = "canary0123456789abcdef"
CODE = re.compile(r"[^\W\d]\w*|\d[\w.]*|[^\w\s]")  # its tokens
PROSE = re.compile(r"\\?\w[\w.]*")  # words, and those of formulas
LENGTH = {CODE: 16, PROSE: 12}  # of what is found nowhere else by chance
SHORTEST = 5  # less than that is found anywhere
REGION = re.compile(r"^.*BEGIN SOLUTION (?P<task>\S+) (?P<name>\w+).*\n(?P<inside>(?s:.*?))\n.*END SOLUTION.*$", re.M)
HIDDEN = re.compile(
    r"(?i)\bsolutions?\b|\b(?:BEGIN|END) STAFF|\bstaff/|-m staff\b|staff's edition|make (?:student|bench)\b"
)
FOLDERS = "coursework|docs|notebooks|datasets|experiments|writeup|tests|benchmarks|staff"
PATH = re.compile(
    rf"(?<![\w./:-])(?P<path>(?:{homework().package}|{FOLDERS})/[\w./-]*\w)(?![\w*])"
    r"|\]\((?!\w+:|#)(?P<link>[^)#\s]+)"
)


def prove(edition: Edition, source: Mapping[str, bytes]) -> list[str]:
    """Look for leaks in every way.

    Args:
        edition: what students would get.
        source: the files that it is made of.

    Returns:
        The lines of the report.

    Raises:
        ReleaseError: with all that was found.
    """
    looks = (equals_source, every_solution_has_a_blank, no_canary, *IN_TEXTS)
    return run_all(partial(look, edition, source) for look in looks)


def look_through(edition: Edition, source: Mapping[str, bytes]) -> list[str]:
    """Look for leaks in the texts alone, also where there are more than those of the source; as :func:`prove`."""
    return run_all(partial(look, edition, source) for look in IN_TEXTS)


def equals_source(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Put the solutions back: the source must come out, byte for byte."""
    restored = restore(edition)
    differ = [path for path, content in restored.items() if content != source[path]]
    refuse([f"{path}:1: the solutions put back do not give the source" for path in differ])
    return f"{len(restored)} files equal the source outside the regions; with the solutions put back, byte for byte"


@dataclass(frozen=True)
class Solution:
    """A solution as a plain search finds it.

    Attributes:
        path: its file.
        task: its task.
        name: the name of its region.
        token: what its tokens are.
        stretches: its runs of ``LENGTH`` tokens; all of it, if it is shorter.
    """

    path: str
    task: str
    name: str
    token: re.Pattern[str]
    stretches: frozenset[tuple[str, ...]]


def solutions(edition: Edition, source: Mapping[str, bytes]) -> list[Solution]:
    """Return the solutions of the files that the edition is made of."""
    found = []
    for path in edition.removed:
        for text in texts(path, source[path]):
            for region in REGION.finditer(text):
                token = PROSE if region[0].startswith("<!--") else CODE
                tokens = token.findall(region["inside"].strip().removeprefix("return"))
                stretches = runs(tokens, max(SHORTEST, min(len(tokens), LENGTH[token])))
                found.append(Solution(path, region["task"], region["name"], token, stretches))
    return found


def runs(tokens: Sequence[str], length: int) -> frozenset[tuple[str, ...]]:
    """Return all runs of tokens that have a certain length."""
    return frozenset(tuple(tokens[k : k + length]) for k in range(len(tokens) - length + 1))


def every_solution_has_a_blank(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Compare the blanks with the regions that a plain search finds, and those with the table of the tasks."""
    wrong = []
    found = solutions(edition, source)
    for solution in found:
        text = "\n".join(texts(solution.path, edition.files[solution.path]))
        titles = f"Task {solution.task}: {solution.name}", f"Task {solution.task}, {solution.name.replace('_', ' ')}.**"
        if not any(title in text for title in titles):
            wrong.append(f"{solution.path}:1: no blank names {solution.task} {solution.name}")
    for task in homework().tasks:
        for module, function in task.functions:
            path = path_of(module)
            if path in edition.files and f"BEGIN SOLUTION {task.number} " not in _definition(source[path], function):
                wrong.append(f"{path}:1: {function} of task {task.number} has no region of that task")
    refuse(wrong)
    return f"{len(found)} blanks, and each names its task"


def _definition(module: bytes, name: str) -> str:
    """Return the text of a function, a class or a method ("Class.method") of a module."""
    text = module.decode()
    nodes: list[ast.AST] = [ast.parse(text)]
    for part in name.split("."):  # there may be overloads
        nodes = [child for node in nodes for child in ast.iter_child_nodes(node) if getattr(child, "name", "") == part]
    return "\n".join(ast.get_source_segment(text, node) or "" for node in nodes)


def no_canary(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Plant a canary in every region, output and attachment, and change the counts: the edition must stay the same."""
    planted = {path: plant(path, content) if path in edition.removed else content for path, content in source.items()}
    count = sum(content.count(CANARY.encode()) for content in planted.values())
    other = make_edition(planted, edition.policy)
    changed = [path for path in edition.files if other.files.get(path) != edition.files[path]]
    refuse([f"{path}:1: a canary in a region, an output or metadata changes what students get" for path in changed])
    return (
        f"{count} canaries planted in regions, outputs, metadata and attachments: none comes through, nor does a count"
    )


def plant(path: str, content: bytes) -> bytes:
    """Return a file of the source with a canary in every region, and in every output and attachment."""
    begin, line = r"(?m)^(.*BEGIN (?:SOLUTION|STAFF).*\n)", rf"\1# {CANARY}\n"
    if not path.endswith(NOTEBOOK):
        return "".join(re.sub(begin, line, text) for text in texts(path, content)).encode() or content
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        cell["source"] = re.sub(begin, line, "".join(cell["source"])).splitlines(keepends=True)
        cell["metadata"]["note"] = CANARY
        picture = {"image/png": CANARY, "text/plain": [CANARY]}
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1000
            cell["outputs"].append({"data": picture, "metadata": {"of": CANARY}, "output_type": "display_data"})
        else:
            cell["attachments"] = {f"{CANARY}.png": picture}
    notebook["metadata"]["authors"] = [{"name": CANARY}]
    return dump(notebook)


def no_shared_stretch(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Look for a stretch of a solution in what students get. What is given on purpose, contents.txt says."""
    contents = read_contents(source[CONTENTS].decode())
    found = solutions(edition, source)
    sizes = {(solution.token, len(stretch)) for solution in found for stretch in solution.stretches}
    starts = {stretch[:2] for solution in found for stretch in solution.stretches}  # only what begins so is compared
    wrong, allowed = [], 0
    for path, content in edition.files.items():
        for text in texts(path, content):
            tokens = {token: token.findall(text) for token in LENGTH}
            places = {token: [k for k, two in enumerate(pairwise(tokens[token])) if two in starts] for token in LENGTH}
            given = {tuple(tokens[token][k : k + size]) for token, size in sizes for k in places[token]}
            for solution in found:
                shared = solution.stretches & given
                if shared and contents.may_share(solution.name, path):
                    allowed += 1
                elif shared:
                    place = re.search(r"\W*?".join(map(re.escape, min(shared))), text)
                    line = text[place.start() :].partition("\n")[0] if place else ""
                    owner = f"{solution.task} {solution.name} of {solution.path}"
                    wrong.append(f"{_place(path, line, source)}: holds a part of {owner}: {line.strip()!r}")
    refuse(wrong)
    count = sum(len(solution.stretches) for solution in found)
    return f"{count} stretches of the solutions looked for in public text: {allowed} places, all given on purpose"


def _place(path: str, part: str, source: Mapping[str, bytes]) -> str:
    """Return the file and the line of the source where a part of a line of the edition stands."""
    quoted = json.dumps(part, ensure_ascii=False)[1:-1] if path.endswith(NOTEBOOK) else part
    before, found, _ = source.get(path, b"").partition(quoted.encode())
    number = before.count(b"\n") + 1 if found else 1
    return f"{path}:{number}"


def valid_notebooks(edition: Edition, source: Mapping[str, bytes]) -> str:
    """See to it that the notebooks are valid."""
    wrong, sources = [], []
    for path in (path for path in edition.files if path.endswith(NOTEBOOK)):
        sources += texts(path, edition.files[path])
        try:
            nbformat.validate(json.loads(edition.files[path]))
        except nbformat.ValidationError as error:
            wrong.append(f"{path}:1: not a valid notebook: {error}")
    refuse(wrong)
    return f"{len(sources)} cells of valid notebooks, {sum(ANSWER in text for text in sources)} to be answered in words"


def no_hidden_word(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Look for words that speak of what students do not have."""
    refuse(
        [
            f"{_place(path, line, source)}: speaks of what students do not have: {line.strip()[:100]!r}"
            for path, content in edition.files.items()
            for text in texts(path, content)
            for line in text.split("\n")
            if HIDDEN.search(line)
        ]
    )
    return "no file speaks of solutions or of what only the staff has"


def no_dangling_path(edition: Edition, source: Mapping[str, bytes]) -> str:
    """Look for files that a text names and that students do not have."""
    known = {*edition.files, *(str(folder) for path in edition.files for folder in PurePosixPath(path).parents)}
    wrong, count = [], 0
    for path in (path for path in edition.files if path.endswith((".md", NOTEBOOK, "Makefile", ".toml"))):
        for text in texts(path, edition.files[path]):
            for found in PATH.finditer(text):
                count += 1
                named = found["path"] or found["link"]
                beside = posixpath.normpath(PurePosixPath(path).parent / named)
                if not {named, beside} & known and not named.startswith("datasets/cifar"):
                    wrong.append(f"{_place(path, named, source)}: names {named}, which students do not have")
    refuse(wrong)
    return f"{count} names of files in texts: all there"


IN_TEXTS = (no_shared_stretch, valid_notebooks, no_hidden_word, no_dangling_path)
