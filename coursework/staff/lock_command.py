"""The command `lock`: write requirements.lock, for every Python and system that the homework runs on.

uv computes it, because pip resolves for the Python and the system it runs on alone. What installs is pip.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from itertools import product
from pathlib import Path

from coursework.files import atomic_writer
from coursework.homework import setting
from coursework.installation import LOCK, VERSION
from coursework.root import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
SYSTEMS = {
    "x86_64-manylinux_2_28": "Linux (x86-64)",
    "aarch64-manylinux_2_28": "Linux (ARM)",
    "aarch64-apple-darwin": "macOS (ARM)",
    "x86_64-pc-windows-msvc": "Windows (x86-64)",
}
HEADER = """\
# Tested together on {date} with Python {here}; for other Pythons from {first} to {last} as near to that as they allow.
# Every package has a wheel for each of them on {systems}.
# pip installs these versions where it can, and otherwise what requirements.txt allows.
"""


def main(args: argparse.Namespace) -> int:
    """Write the lock and return 0, or say what uv says and return 1."""
    wheels = ["--only-binary :all:", *(f"--no-binary {name}" for name in setting("unbuilt").split())]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, LOCK)
        # uv keeps the versions of a file that is there, as far as each Python allows.
        installed = {f"{each.metadata['Name']}=={each.version}\n" for each in metadata.distributions()}
        path.write_text("" if args.newest else "".join(sorted(installed)), encoding="utf-8")
        try:
            options = ("--universal", "--python-version", PYTHONS[0], "--all-extras", "--output-file", str(path))
            _compile("pyproject.toml", *options)
            for python, system in product(PYTHONS, SYSTEMS):  # is there a wheel of everything?
                where = ("--python-version", python, "--python-platform", system)
                _compile(str(path), *where, *" ".join(wheels).split())
        except subprocess.CalledProcessError as error:
            print(f"lock: {error.stderr.strip()}\nlock: nothing was written", file=sys.stderr)
            return 1
        lines = path.read_text(encoding="utf-8")
    header = HEADER.format(
        date=datetime.date.today(),
        here=VERSION,
        first=PYTHONS[0],
        last=PYTHONS[-1],
        systems=", ".join(SYSTEMS.values()),
    )
    with atomic_writer(ROOT / LOCK, "w") as stream:
        stream.write(header + "\n".join(wheels) + "\n" + lines)
    print(f"{LOCK}: {len(lines.splitlines())} lines; each Python and system has a wheel of every package")
    return 0


def _compile(*options: str) -> None:
    """Let uv choose a version of every package; it raises CalledProcessError if there is no choice."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    # macOS 14 is the oldest that PyTorch's wheels are for; uv assumes 13.
    environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    subprocess.run(
        [*command, "--no-emit-index-url", *options],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
