"""The edition for somebody who learns alone: the course's, with answers to the exercises and other right functions.

It is made of the course edition after that is proved, so nothing here can get into the one for a course. The answers,
a Markdown file for each notebook in the folder that ``[tool.coursework] answers`` names, are behind a fold under the
exercises. The other functions, those of ``second``, are packed, and ``others`` shows them when one's own is right.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from coursework.homework import homework, setting
from coursework.notebooks import outline
from coursework.root import ROOT
from coursework.staff.mutants.mutant import second_source
from coursework.staff.release import others
from coursework.staff.release.blanks import dump
from coursework.staff.release.edition import Edition
from coursework.staff.release.markers import refuse

EXERCISES = "### Exercises\n"
NUMBERED = re.compile(r"^\d+\. ", re.M)
FOLD = "\n\n<details><summary>Answers</summary>\n\n{answers}\n\n</details>"
README = """
## Learning alone

Under the exercises that end a notebook, a fold has their answers. When a function of yours is right, this shows two
other ways to write it, and what each is good for:

```sh
.venv/bin/python -m coursework.others {name}
```

Nothing is marked, so nothing has to be handed in.
"""


def extend(course: Edition, source: Mapping[str, bytes]) -> Edition:
    """Return the edition for somebody who learns alone.

    Raises:
        ReleaseError: if the homework has no answers or no other functions, or the answers do not fit the exercises.
    """
    place, names = setting("answers"), {PurePosixPath(path).stem for path in homework().notebooks}
    refuse([f"pyproject.toml:1: expected [tool.coursework] {key}" for key in ("answers", "second") if not setting(key)])
    own = [path for path in source if path.startswith(f"{place}/")]
    refuse([f"{path}:1: there is no notebook of this name" for path in own if PurePosixPath(path).stem not in names])
    files = dict(course.files)
    notebooks = {}
    for path in homework().notebooks:
        name = PurePosixPath(path)
        answers = source.get(f"{place}/{name.stem}.md", b"").decode().strip()
        files[path] = with_answers(files[path], answers, path)
        notebooks[name.name] = json.loads(files[path])["cells"]
    files[str(PurePosixPath(homework().notebooks[0]).parent / outline.NAME)] = outline.dump(notebooks).encode()
    files["coursework/others.py"] = Path(others.__file__).read_bytes()
    kept = {name: others.pack(ways(name)) for name in homework().functions}
    files["coursework/others.json"] = (json.dumps(kept, indent=1) + "\n").encode()
    files["README.md"] += README.format(name=homework().functions[0]).encode()
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


def ways(name: str) -> list[tuple[str, str]]:
    """Return the other right ways to write a function, each with what its style is good for."""
    module = {each: module for task in homework().tasks for module, each in task.functions}[name]
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
