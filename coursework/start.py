"""Checks before anything else is imported. This file runs on any Python, to say when it is too old.

Python looks for modules first in the folder of README.md, and a notebook in its own folder. A file there with the name
of a module is therefore imported instead of it, by Python itself and by every package.
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HARMLESS = ("test", "this", "antigravity")  # modules of Python that nobody imports
OURS = ("benchmarks", "coursework", "staff", "tests")


def check(program):
    # type: (str) -> None
    """If Python cannot run the program, say why in a line and exit; with an old Python, go on in .venv if it exists."""
    if sys.version_info < (3, 10):
        python = os.path.join(ROOT, ".venv", "bin", "python")
        if os.access(python, os.X_OK) and os.environ.get("COURSEWORK_NO_VENV") != "1":
            os.execv(python, [python, "-m", program] + sys.argv[1:])
        _end(
            "%s needs Python 3.10 or newer, and %s is Python %d.%d: install a newer one and name it, "
            "as in: make run PYTHON=python3.12" % ((program, sys.executable) + tuple(sys.version_info[:2]))
        )
    for folder in (ROOT, os.path.join(ROOT, "notebooks")):
        for path in hiding(folder):
            _end("%s is imported instead of the module or package of that name: rename it" % path)


def hiding(folder):
    # type: (str) -> list[str]
    """Return the files and folders that hide a module of Python or an installed package, by their paths."""
    found = []
    for name in _listed(folder):
        module, ending = os.path.splitext(name)
        path = os.path.join(folder, name)
        is_module = ending == ".py" or (not ending and os.path.exists(os.path.join(path, "__init__.py")))
        if is_module and module not in HARMLESS + OURS:
            found.append((module, path))
    taken = _modules() if found else ()
    return [path for module, path in found if module in taken]


def _modules():
    # type: () -> set[str]
    """Return the names of Python's own modules, of what is required, and of what is installed."""
    names = set(sys.stdlib_module_names)
    required = os.path.join(ROOT, "requirements.txt")
    if os.path.isfile(required):
        with open(required, "rb") as stream:
            names.update(line.decode("ascii", "replace").split(">")[0].strip() for line in stream)
    for library in ["Lib"] + [os.path.join("lib", name) for name in _listed(os.path.join(ROOT, ".venv", "lib"))]:
        installed = _listed(os.path.join(ROOT, ".venv", library, "site-packages"))
        names.update(name.split(".")[0] for name in installed if not name.endswith(".pth"))
    return names


def _listed(folder):
    # type: (str) -> list[str]
    """Return the names in a folder; none if it does not exist."""
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def _end(sentence):
    # type: (str) -> None
    sys.stderr.write(sentence + "\n")
    sys.exit(1)
