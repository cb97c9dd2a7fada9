"""What must hold before anything else is imported; this file runs on any Python, to say when it is too old.

Python looks for modules beside README.md first, and a notebook beside itself. A file there that has the name of a
module is therefore imported in its place, by Python itself and by every package.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HARMLESS = ("test", "this", "antigravity")  # nobody imports these
OURS = ("benchmarks", "coursework", "staff", "tests")


def check(program):
    # type: (str) -> None
    """Say in a line why Python cannot run the program, and end; with an old Python, go on in .venv if it is there."""
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
    for name in sorted(os.listdir(folder) if os.path.isdir(folder) else ()):
        module, ending = os.path.splitext(name)
        path = os.path.join(folder, name)
        is_module = ending == ".py" or (not ending and os.path.exists(os.path.join(path, "__init__.py")))
        if is_module and module not in HARMLESS + OURS + (_homework(),):
            found.append((module, path))
    taken = _modules() if found else ()
    return [path for module, path in found if module in taken]


def _homework():
    # type: () -> str
    """Return the name of the homework's package, as pyproject.toml has it."""
    place = os.path.join(ROOT, "pyproject.toml")
    if not os.path.exists(place):
        return ""
    with open(place, "rb") as stream:
        found = re.search(r'^homework = "(\w+)', stream.read().decode("ascii", "replace"), re.M)
    return str(found.group(1)) if found else ""


def _modules():
    # type: () -> set[str]
    """Return the names of Python's own modules, of what is required, and of what is installed."""
    names = set(sys.stdlib_module_names)
    with open(os.path.join(ROOT, "requirements.txt"), "rb") as stream:
        names.update(line.decode("ascii", "replace").split(">")[0].strip() for line in stream)
    libraries = os.path.join(ROOT, ".venv", "lib")
    pythons = [os.path.join(libraries, name) for name in os.listdir(libraries)] if os.path.isdir(libraries) else []
    for folder in [os.path.join(ROOT, ".venv", "Lib")] + pythons:
        packages = os.path.join(folder, "site-packages")
        names.update(name.split(".")[0] for name in (os.listdir(packages) if os.path.isdir(packages) else ()))
    return names


def _end(sentence):
    # type: (str) -> None
    sys.stderr.write(sentence + "\n")
    sys.exit(1)
