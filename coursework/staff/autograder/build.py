"""The command `autograder`: dist/autograder.zip, which Gradescope takes as it is.

It holds no solution: its package is that of the student edition, which is all that the cases need. Its secrets are the
seeds, and what the judge of the tasks without cases needs.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import secrets
import sys
from pathlib import Path

from coursework.files import atomic_writer
from coursework.homework import setting
from coursework.root import ROOT
from coursework.staff.autograder import judging, seeds
from coursework.staff.autograder.package import BUILT, Config, clean_package, files_of
from coursework.staff.autograder.rubric import judged
from coursework.staff.marking.guide import items
from coursework.staff.release.contents import normal
from coursework.staff.release.markers import ReleaseError
from coursework.terminal import explain
from coursework.zips import zipped

NAME = "autograder.zip"
PROGRAMS = ("setup.sh", "run_autograder")


def main(args: argparse.Namespace) -> int:
    """Build it and say what it is; return 0, or 1 if it cannot be built."""
    try:
        facts, secret = judging.facts(args), args.seed or secrets.token_hex(16)
        config = Config(secret, seeds.verified(secret), facts, items=items())
        content = zipped(files(config))
        with atomic_writer(args.output / NAME) as stream:
            stream.write(content)
    except (ReleaseError, ValueError, OSError) as error:
        print(f"autograder: {explain(error) or error}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(content).hexdigest()
    print(f"{args.output / NAME}: {len(content) / 1e3:.0f} kB, sha256 {digest}")
    for task in judged():
        if not judging.judge(task.number, {}, config.facts).counts:
            print(f"Task {task.number}: there is nothing to judge it by, so its {task.points} points are given later.")
    return 0


def files(config: Config) -> dict[str, bytes]:
    """Return the files of the zip by their names."""
    here, room = Path(__file__).parent, ROOT / "coursework" / "staff"
    code = [*(room / f"{name}.py" for name in ("__init__", "__main__", "staff_options")), *sorted(here.rglob("*.py"))]
    code += [*files_of(setting("wire")), *files_of(setting("judge"))]
    found = {
        path.relative_to(ROOT).as_posix(): normal(path)
        for path in code
        if not {"build.py", "__pycache__"} & set(path.parts) and not path.name.startswith(".")
    }
    found.update(clean_package())
    found.update({name: normal(here / "gradescope" / name) for name in PROGRAMS})
    found["requirements.txt"] = normal(ROOT / "requirements.txt")  # all that students have
    lines = [f'{name} = "{setting(name)}"' for name in ("homework", "wire", "judge")]
    found["pyproject.toml"] = ("[tool.coursework]\n" + "\n".join(lines) + "\n").encode()
    found[BUILT.name] = (json.dumps(dataclasses.asdict(config)) + "\n").encode()
    return found
