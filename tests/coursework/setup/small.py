"""A small repository: the files of the set-up, a package that needs nothing, and a command that says where it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from coursework.root import ROOT

COURSEWORK = (
    "__init__",
    "cli",
    "environment",
    "files",
    "homework",
    "installation",
    "needs",
    "options",
    "root",
    "start",
    "terminal",
)
FILES = (
    *(f"coursework/{name}.py" for name in COURSEWORK),
    *(
        f"cs7643/{name}.py"
        for name in ("__init__", "__main__", "homework", "options", "pytorch/__init__", "pytorch/settings")
    ),
)
PYPROJECT = """
    [build-system]
    requires = []
    build-backend = "backend"
    backend-path = ["."]

    [project]
    name = "cs7643"
    version = "1.0"

    [tool.coursework]
    homework = "cs7643.homework:HOMEWORK"
"""
# Builds the wheel of an editable installation, a .pth file, with nothing but the standard library.
BACKEND = """
    import os, zipfile

    def build_editable(directory, config_settings=None, metadata_directory=None):
        name, info = "cs7643-1.0-py3-none-any.whl", "cs7643-1.0.dist-info/"
        requirements = "".join("Requires-Dist: " + line for line in open("requirements.txt"))
        metadata = "Metadata-Version: 2.1\\nName: cs7643\\nVersion: 1.0\\nProvides-Extra: dev\\n" + requirements
        wheel = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
            archive.writestr("__editable__.cs7643-1.0.pth", os.getcwd())
            archive.writestr(info + "METADATA", metadata)
            archive.writestr(info + "WHEEL", wheel)
            archive.writestr(info + "RECORD", "")
        return name
"""
COMMAND = """
    import os, sys

    def main(args):
        print(os.path.realpath(sys.prefix), args.what)
        return 7 if args.what == ["fail"] else 0
"""


def build(root):
    """Build the repository in a folder."""
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "coursework" / "check").mkdir()
    (root / "coursework" / "check" / "__init__.py").touch()
    for name, text in (
        ("pyproject.toml", PYPROJECT),
        ("backend.py", BACKEND),
        ("coursework/check/check_command.py", COMMAND),
    ):
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")
    (root / "requirements.txt").touch()


def call(root, *arguments, python=sys.executable, **variables):
    """Run a command of the repository as a user would, with no index to reach, and return the finished process."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "COURSEWORK_", "CS7643_"))}
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(
        [str(python), "-m", "cs7643", *arguments],
        cwd=root,
        env={**kept, **offline, "PYTHONUTF8": "1", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def interpreters():
    """Return the Pythons of this machine by their versions, such as (3, 12): those on the PATH, and those of pyenv."""
    versions = [(2, 7), *((3, minor) for minor in range(6, 20))]
    found = {}
    for version in versions:
        name = "python{}.{}".format(*version)
        paths = [*(Path.home() / ".pyenv" / "versions").glob("{}.{}.*/bin/python".format(*version)), shutil.which(name)]
        for path in paths:
            command = [str(path), "-c", "import sys; print(tuple(sys.version_info[:2]))"]
            if path and subprocess.run(command, capture_output=True, text=True).stdout.strip() == str(version):
                found.setdefault(version, str(path))
    return found
