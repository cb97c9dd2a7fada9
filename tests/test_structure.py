"""The walls of the package, and what every public function owes its reader."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.release.contents import CONTENTS, read_contents
from coursework.staff.release.markers import PYTHON, Place, parse

WRITTEN_AS_STUDENTS_WRITE = re.compile(r"staff/second/\w+/(?!mutants|__init__)")
EVERY = sorted(
    path
    for package in ("coursework", "cs7643", "staff")
    for path in (ROOT / package).rglob("*.py")
    if not WRITTEN_AS_STUDENTS_WRITE.match(path.relative_to(ROOT).as_posix())
)
FOR_STAFF = ("coursework/staff/", "staff/")
STAFF = [path for path in EVERY if path.relative_to(ROOT).as_posix().startswith(FOR_STAFF)]
MODULES = [path for path in EVERY if path not in STAFF]
# Read alone: NumPy, and of this repository nothing but the types.
ALONE = (
    "coursework.check.comparison",
    *(f"cs7643.{name}" for name in ("arrays", "descent", "layers", "optim", "gradient_check")),
)
# Run before anything is installed.
STANDARD_LIBRARY_ONLY = (
    *("cli", "commands.doctor", "environment", "files", "installation", "kernel", "needs", "options", "root", "start"),
    *("submit.names", "terminal"),
    "pytorch.settings",
)
OURS = {"coursework", "cs7643"}
THEIRS = {"cs7643", "staff"}
# What the lesson's own long jobs take: files that are written whole, progress bars, sentences for errors; and pictures.
LENT = tuple(
    f"coursework.{name}" for name in ("files", "progress", "terminal", "root", "notebooks.figures", "explorable")
)
ORDINARY = {"apply", "follow", "sweep", "layers", "steps", "models", "functions", "reverse", "forward", "numerical"}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def public_definitions(path: Path) -> list[ast.AST]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    nodes = [*tree.body, *(child for node in classes if not node.name.startswith("_") for child in node.body)]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in nodes if isinstance(node, kinds) and not node.name.startswith("_")]


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_every_module_and_public_definition_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "the module has no docstring"
    silent = [node for node in public_definitions(path) if not ast.get_docstring(node)]
    assert not [node.name for node in silent if "overload" not in map(ast.unparse, node.decorator_list)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_walls_stand(path):
    name, found = name_of(path), imports(path)
    own = {module for module in found if module.split(".")[0] in OURS}
    outside = {module.split(".")[0] for module in found} - OURS - set(sys.stdlib_module_names)
    if name in ALONE:
        assert all(module.startswith("cs7643.arrays") for module in own)
        assert outside == {"numpy"}
    if name.startswith("cs7643.autodiff"):  # NumPy, its own modules, and Matplotlib for the drawing
        assert all(module.startswith("cs7643.autodiff") for module in own)
        assert outside <= ({"numpy", "matplotlib"} if name.endswith("drawing") else {"numpy"})
    if name.partition(".")[2] in STANDARD_LIBRARY_ONLY:
        assert not outside
    if not name.startswith(("cs7643.pytorch", "cs7643.cases")):
        assert "torch" not in outside


def test_nothing_that_a_student_gets_imports_what_is_the_staffs():
    for path in [*MODULES, *(ROOT / "benchmarks").rglob("*.py")]:
        assert not {module for module in imports(path) if re.match(r"(coursework\.)?staff\b", module)}, path.name
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert not re.search(r"(from|import) (coursework\.)?staff\b", path.read_text(encoding="utf-8")), path.name


def test_the_machinery_knows_no_homework():
    """It imports nothing of this one, and names none of its packages, functions and files."""
    names = {name for task in homework().tasks for _, function in task.functions for name in function.split(".")}
    names |= {Path(path).stem for path in (*homework().code_files(), *homework().notebooks)}
    names |= {homework().package, homework().name, *(each.path for each in homework().loose)}
    words = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(names - ORDINARY)))})(?![\w-])", re.I)
    for path in (ROOT / "coursework").rglob("*"):
        if path.is_file() and path.suffix not in (".pyc",):
            text = path.read_text(encoding="utf-8")
            assert not words.findall(text), path
            assert path.suffix != ".py" or {module.split(".")[0] for module in imports(path)}.isdisjoint(THEIRS), path


def test_of_the_homework_little_knows_the_machinery():
    for path in (ROOT / "cs7643").rglob("*.py"):
        found = {module for module in imports(path) if module.startswith("coursework.")}
        if not name_of(path).startswith(("cs7643.cases", "cs7643.homework", "cs7643.options", "cs7643.checks")):
            assert all(module.startswith(LENT) for module in found) or path.name == "__main__.py", (path.name, found)


def test_no_two_test_files_have_one_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), "pytest imports them by their names alone"


def test_no_circle_of_imports():
    graph = {name_of(path): set() for path in EVERY}
    for path in EVERY:
        for module in imports(path):
            target = next((name for name in (module, module.rpartition(".")[0]) if name in graph), None)
            if target and target != name_of(path) and target not in OURS:
                graph[name_of(path)].add(target)
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, " -> ".join((*above, module))
        if module not in done:
            for target in graph[module]:
                visit(target, (*above, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_marks_of_solutions_are_right(path):
    name = path.relative_to(ROOT).as_posix()
    contents = read_contents((ROOT / CONTENTS).read_text(encoding="utf-8"))
    parse(path.read_text(encoding="utf-8"), PYTHON, Place(name), contents.tasks(name))


def test_help_needs_nothing_installed():
    result = subprocess.run(
        [sys.executable, "-S", "-m", "cs7643", "--help"], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    for command in ("run", "test", "lab", "data", "check", "status", "hint", "submit", "site", "bench", "clean"):
        assert command in result.stdout
