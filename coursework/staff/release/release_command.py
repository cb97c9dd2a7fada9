"""The command `release`: build the student edition and its zip file, or say why not and leave the old ones."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.release.contents import read_source
from coursework.staff.release.edition import make_edition
from coursework.staff.release.leaks import look_through, prove
from coursework.staff.release.markers import ReleaseError
from coursework.staff.release.rehearsal import try_out
from coursework.staff.release.self_learner import extend
from coursework.staff.staff_options import POLICY
from coursework.zips import mode_of, zipped

NAME = f"{homework().name}-student"
ALONE = f"{homework().name}-self-learner"


def main(args: argparse.Namespace) -> int:
    """Build the edition and print the report; return 0, or 1 if it cannot be built or leaks."""
    start = time.monotonic()
    try:
        report = build(ROOT, args.output, args.assistants, args.self_learner)
    except (ReleaseError, OSError) as error:
        print(error, file=sys.stderr)
        print("release: nothing was written", file=sys.stderr)
        return 1
    print("\n".join(report))
    print(f"{time.monotonic() - start:.1f} s")
    return 0


def build(root: Path, output: Path, policy: str = POLICY, alone: bool = False) -> list[str]:
    """Build the edition of a repository, prove it, and put it into the place of the old one.

    Args:
        root: the repository.
        output: gets the folder and the zip file.
        policy: what AI assistants are asked to do.
        alone: make the edition for somebody who learns alone, of the one for a course.

    Returns:
        The lines of the report.

    Raises:
        ReleaseError: if something is wrong or leaks; what was there stays.
    """
    source, output = read_source(root), output.resolve()  # the trial runs elsewhere
    edition = make_edition(source, policy)
    report, name = prove(edition, source), NAME
    if alone:
        edition, name = extend(edition, source), ALONE
        report += look_through(edition, source)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=output) as temporary:
        trial, new = Path(temporary) / "trial", Path(temporary) / name
        write(edition.files, trial)
        report += try_out(trial)
        write(edition.files, new)  # anew, because a trial may leave something
        shutil.rmtree(output / name, ignore_errors=True)
        os.replace(new, output / name)
    content = zipped({f"{name}/{path}": file for path, file in edition.files.items()})
    with atomic_writer(output / f"{name}.zip") as stream:
        stream.write(content)
    size = sum(map(len, edition.files.values()))
    digest = hashlib.sha256(content).hexdigest()
    return [
        *(f"✓ {line}" for line in report),
        f"{output / name}: {len(edition.files)} files, {size / 1e3:.0f} kB",
        f"{output / name}.zip: {len(content) / 1e3:.0f} kB, sha256 {digest}",
    ]


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        with contextlib.suppress(OSError):  # where a file system has no rights
            path.chmod(mode_of(content))
