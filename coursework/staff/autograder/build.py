"""``python -m staff autograder``: dist/autograder.zip, which Gradescope takes as it is.

It holds no solution: the package in it is that of the student edition, which is all that the cases need. What is secret
in it are the seeds, and the labels of problem 6.7.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from coursework.files import atomic_writer
from coursework.root import ROOT
from coursework.staff.autograder.package import Config, clean_package, labels_of
from coursework.staff.release import archive as release_archive
from coursework.staff.release.contents import normal
from coursework.staff.release.markers import ReleaseError
from coursework.terminal import explain

NAME = "autograder.zip"
PROGRAMS = ("setup.sh", "run_autograder")


def main(args: argparse.Namespace) -> int:
    """Build it and say what it is; return 0, or 1 if it cannot be built."""
    try:
        if not 0 < args.staff_accuracy < 1:
            raise ValueError(f"--staff-accuracy must be between 0 and 1, got {args.staff_accuracy}")
        config = Config(args.seed or secrets.token_hex(16), labels_of(args.cifar10_dir), args.staff_accuracy)
        content = archive(files(config))
        with atomic_writer(args.output / NAME) as stream:
            stream.write(content)
    except (ReleaseError, ValueError, OSError) as error:
        print(f"autograder: {explain(error) or error}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(content).hexdigest()
    print(f"{args.output / NAME}: {len(content) / 1e3:.0f} kB, sha256 {digest}")
    if not config.labels:
        print("Problem 6.7 has no labels in it: its 10 points are given later. --cifar10-dir DIR adds them.")
    return 0


def files(config: Config) -> dict[str, bytes]:
    """Return the files of the zip by their names."""
    here = Path(__file__).parent
    staff = [ROOT / "staff" / f"{name}.py" for name in ("__init__", "__main__", "challenge_grade", "rubric")]
    room = [ROOT / "coursework" / "staff" / f"{name}.py" for name in ("__init__", "options")]
    code = [*staff, *sorted((ROOT / "staff" / "wire").glob("*.py")), *room, *sorted(here.rglob("*.py"))]
    found = {
        path.relative_to(ROOT).as_posix(): normal(path)
        for path in code
        if not {"build.py", "__pycache__"} & set(path.parts) and not path.name.startswith(".")
    }
    found.update(clean_package())
    found.update({name: normal(here / "gradescope" / name) for name in PROGRAMS})
    found["requirements.txt"] = _requirements(normal(ROOT / "requirements.txt").decode())
    fields = {"secret": config.secret, "staff_accuracy": config.staff_accuracy, "rounds": config.rounds}
    found["autograder.json"] = (json.dumps(fields) + "\n").encode()
    if config.labels:
        found["labels.txt"] = (config.labels + "\n").encode()
    return found


NEEDED = ("numpy", "scipy", "threadpoolctl", "torch", "tqdm")


def _requirements(text: str) -> bytes:
    """Return those requirements that grading needs."""
    lines = [line for line in text.splitlines() if line.split(">")[0].strip() in NEEDED]
    return ("\n".join(lines) + "\n").encode()


def archive(contents: Mapping[str, bytes]) -> bytes:
    """Return the zip: its bytes depend on nothing but the files."""
    return release_archive.archive(contents, folder="", programs=PROGRAMS)
