"""The edition for somebody who learns alone: the course's, with answers to the exercises and other right functions.

It is made of the course edition after that is proved, so nothing here can get into the one for a course. The answers,
a Markdown file for each notebook in the folder that ``[tool.coursework] answers`` names, are behind a fold under the
exercises; a notebook in that folder becomes a last page. Under each picture that needs the reader's code, a fold has
the one of the solved notebook. The other functions, those of ``second``, are packed, and ``others`` shows them when
one's own is right; so are the answers in words to a task, when its functions are right.
"""

from __future__ import annotations

import ast
import base64
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from coursework.homework import homework, setting
from coursework.notebooks import figures, outline
from coursework.notebooks.waiting import set_in
from coursework.root import ROOT
from coursework.staff.mutants.mutant import second_source
from coursework.staff.release import leaks, others
from coursework.staff.release.blanks import cut_notebook, dump
from coursework.staff.release.edition import NOTEBOOK, Edition
from coursework.staff.release.markers import refuse

EXERCISES = "### Exercises\n"
NUMBERED = re.compile(r"^\d+\. ", re.M)
MAGIC = re.compile(r"(^ *| = )[%!].*$", re.M)  # a line, or a value, that is IPython's
FOLD = "\n\n<details><summary>Answers</summary>\n\n{answers}\n\n</details>"
PICTURE = "<details><summary>What to expect</summary>\n\n![{text}]({url})\n\n</details>"
ATTACHED = "attachment:expected.png"
DRAWN = "image/svg+xml"  # JupyterLab shows no attachment of this kind, but an address that holds the picture
README = """
## Learning alone

Under the exercises that end a notebook, a fold has their answers. Under a picture that your code draws, a fold shows
what to expect, with the data that comes with the notebooks. When a function of yours is right, the first of these lines
shows two other ways to write it, and what each is good for. When all functions of a task are right, the second shows a
proof, or an answer in words, to compare with yours. (Its formulas are set when you paste it into a Markdown cell.)

```sh
.venv/bin/python -m coursework.others {name}
.venv/bin/python -m coursework.others {task}
```

Nobody marks anything, so nothing has to be handed in, and the next two sections are not for you.
"""
BEFORE = b"\n## Handing in"  # what does not concern somebody who learns alone
LAST = """
After the last notebook comes a page without tasks, [{title}]({path}).
"""


def extend(course: Edition, source: Mapping[str, bytes]) -> Edition:
    """Return the edition for somebody who learns alone.

    Raises:
        ReleaseError: if the homework has no answers or no other functions, or the answers do not fit the exercises.
    """
    place, names = setting("answers"), {PurePosixPath(path).stem for path in homework().notebooks}
    refuse([f"pyproject.toml:1: expected [tool.coursework] {key}" for key in ("answers", "second") if not setting(key)])
    own = sorted(PurePosixPath(path) for path in source if path.startswith(f"{place}/"))
    misnamed = [path for path in own if (path.stem in names) == (path.suffix == NOTEBOOK)]
    refuse([f"{path}:1: there is {'a' if path.stem in names else 'no'} notebook of this name" for path in misnamed])
    folder = PurePosixPath(homework().notebooks[0]).parent
    files = dict(course.files)
    notebooks = {}
    for path in homework().notebooks:
        name = PurePosixPath(path)
        answers = source.get(f"{place}/{name.stem}.md", b"").decode().strip()
        files[path] = with_pictures(with_answers(files[path], answers, path), source[path])
        notebooks[name.name] = json.loads(files[path])["cells"]
    files[str(folder / outline.NAME)] = outline.dump(notebooks).encode()
    files["coursework/others.py"] = Path(others.__file__).read_bytes()
    words = in_words(source)
    kept = {name: others.pack(ways(name)) for name in homework().functions}
    kept |= {number: others.pack(answers) for number, answers in words.items()}
    files["coursework/others.json"] = (json.dumps(kept, indent=1) + "\n").encode()
    readme, heading, rest = files["README.md"].replace(b"-student", b"-self-learner").partition(BEFORE)
    section = README.format(name=homework().functions[0], task=min(words)).encode()
    files["README.md"] = readme + section + heading + rest
    for page in (page for page in own if page.suffix == NOTEBOOK):
        files[str(folder / page.name)], _ = cut_notebook(source[str(page)], str(page))
        title = outline.HEADING.findall("".join(json.loads(source[str(page)])["cells"][0]["source"]))[0]
        files["README.md"] += LAST.format(title=title, path=folder / page.name).encode()
    return Edition(files, course.removed, course.policy)


def with_answers(notebook: bytes, answers: str, path: str) -> bytes:
    """Put answers behind a fold, below the exercises of a notebook.

    Raises:
        ReleaseError: if there is not one for each of them.
    """
    content = json.loads(notebook)
    cells = [cell for cell in content["cells"] if EXERCISES in "".join(cell["source"])]
    asked = [len(NUMBERED.findall("".join(cell["source"]).partition(EXERCISES)[2])) for cell in cells]
    found = len(NUMBERED.findall(answers))
    if sum(asked) != found or len(cells) > 1:
        refuse([f"{path}:1: expected an answer to each of {sum(asked)} exercises in one cell, got {found}"])
    for cell in cells:
        text = "".join(cell["source"]) + FOLD.format(answers=answers)
        cell["source"] = text.splitlines(keepends=True)
    return dump(content)


def with_pictures(notebook: bytes, solved: bytes) -> bytes:
    """Put the pictures of a solved notebook behind folds, each below the cell of the reader's that will draw it."""
    content = json.loads(notebook)
    expected = pictures(json.loads(solved)["cells"])
    cells = []
    for cell in content["cells"]:
        cells.append(cell)
        for text, data in expected.get(cell["id"], ()):
            url, attached = ATTACHED, {"attachments": {"expected.png": data}}
            if DRAWN in data:
                svg = "".join(data[DRAWN]).replace("<svg", '<svg style="background:#fff"', 1)  # on a dark page, too
                url, attached = f"data:{DRAWN};base64,{base64.b64encode(svg.encode()).decode()}", {}
            fold = PICTURE.format(text=re.sub(r"[\[\]\\]", "", text), url=url)
            cells.append(
                {
                    **attached,
                    "cell_type": "markdown",
                    "id": f"{cell['id']}-expected",
                    "metadata": {"tags": [outline.GIVEN]},
                    "source": fold.splitlines(keepends=True),
                }
            )
    return dump({**content, "cells": cells})


def pictures(cells: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return the pictures, after what they show in words, of each cell that needs what the reader writes, by its id.

    These are the cells that show a task's result, and those with a blank, or with a task's function, or with what such
    a cell has set.
    """
    written = {name.partition(".")[0] for name in homework().functions}
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        source = MAGIC.sub(r"\1None", "".join(cell["source"]))
        used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        needs = used & written or outline.REGION.search(source)
        if needs:
            written |= set_in(source)
        if needs or "result" in outline.known(cell):
            for output in cell["outputs"]:
                kept = {kind: data for kind, data in output.get("data", {}).items() if kind in ("image/png", DRAWN)}
                if kept:
                    found.setdefault(cell["id"], []).append((figures.text_of(output), kept))
    return found


def in_words(source: Mapping[str, bytes]) -> dict[str, list[tuple[str, str]]]:
    """Return the answers in words of each task with functions, by its number: of each its name, and the text."""
    found: dict[str, list[tuple[str, str]]] = {task.number: [] for task in homework().tasks}
    for path in homework().notebooks:
        for cell in json.loads(source[path])["cells"]:
            text = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
            for region in leaks.REGION.finditer(text):
                if region["task"] in found:
                    found[region["task"]].append((region["name"], region["inside"]))
    return {number: answers for number, answers in found.items() if answers}


def ways(name: str) -> list[tuple[str, str]]:
    """Return the other right ways to write a function, each with what its style is good for."""
    module = homework().module_of(name)
    found = []
    for style in sorted(ROOT.joinpath(*setting("second").split(".")).glob("*/__init__.py")):
        good_for = ast.get_docstring(ast.parse(style.read_text(encoding="utf-8"))) or ""
        found.append((good_for, with_helpers(second_source(style.parent.name, module), name.rpartition(".")[2])))
    return found


def with_helpers(source: str, name: str) -> str:
    """Return a definition of a module and those that it uses, but no other function that a reader has to write."""
    tasks = {each.rpartition(".")[2] for each in homework().functions} - {name}
    defined = {getattr(node, "name", ""): node for node in ast.parse(source).body}
    wanted, left = set[str](), [name]
    while left:
        each = left.pop()
        if each in defined and each not in wanted | tasks:
            wanted.add(each)
            left += [node.id for node in ast.walk(defined[each]) if isinstance(node, ast.Name)]
    return "\n\n\n".join(ast.get_source_segment(source, defined[each]) or "" for each in defined if each in wanted)
