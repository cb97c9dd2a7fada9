"""Broken and hostile files: names, encodings, folders, zips."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from staff.hostile.submission import DESCENT, Hostile, body, folder, solved, top

RIGHT = solved(DESCENT)


def compressed(files: Mapping[Any, str | bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return stream.getvalue()


def _raw(content: bytes) -> Callable[[Path], Path]:
    def make(place: Path) -> Path:
        (place / "hw1.zip").write_bytes(content)
        return place / "hw1.zip"

    return make


def zipped(files: Mapping[Any, str | bytes]) -> Callable[[Path], Path]:
    """Return what writes these files, by their names or ZipInfo, into a zip and hands it in."""
    return lambda place: _raw(compressed(files))(place)


def _with_zip64(count: int, length: int) -> bytes:
    """Return a zip whose usual end says little of its list of files, and whose larger end says this."""
    content = compressed({DESCENT: RIGHT})
    at = content.rindex(b"PK\5\6")
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, 0)
    return content[:at] + record + struct.pack("<4sIQI", b"PK\6\7", 0, at, 1) + content[at:]


def _nested(content: bytes, depth: int) -> bytes:
    """Return a zip in a zip, and so on."""
    for _ in range(depth):
        content = compressed({"hw1.zip": content})
    return content


def _spoilt(at: int, patch: bytes) -> Callable[[Path], Path]:
    """Return what hands in a zip with these bytes in place of its own."""

    def make(place: Path) -> Path:
        path = zipped({DESCENT: RIGHT})(place)
        content = bytearray(path.read_bytes())
        content[at : at + len(patch)] = patch
        return _raw(bytes(content))(place)

    return make


def _link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(DESCENT)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def _link_in_folder(place: Path) -> Path:
    (place / "cs7643").mkdir()
    (place / DESCENT).symlink_to("/etc/passwd")
    (place / "predictions.csv").symlink_to("/proc/self/environ")
    return place


def _link_to_folder(place: Path) -> Path:
    (place / "all").symlink_to("/")
    return folder({DESCENT: RIGHT})(place)


def _pipe(place: Path) -> Path:
    (place / "cs7643").mkdir()
    os.mkfifo(place / DESCENT)
    return place


def empty(count: int) -> dict[str, bytes]:
    """Return so many empty files, by their names."""
    return {f"a/{k}": b"" for k in range(count)}


def alone(name: str, content: str | bytes, points: float, says: str) -> Hostile:
    """Return a submission whose one file is a descent.py with this content."""
    return Hostile(name, folder({DESCENT: content}), points, says)


BOMB = b"\0" * 50_000_000  # 50 kB in a zip
LONG = "/".join(["x" * 200] * 40)
LIST = "Name: Ada\n" + "x\n" * 30_000 + "\x1b[" * 10_000  # collaborators.txt, 90 kB
CHECKS = "def run_case(*_): return 'right'\nSEED, CASES = 0, []\n"

SUBMISSIONS = [
    alone("a folder as it should be", RIGHT, 1.0, "sgd_step: right"),
    Hostile("a zip as it should be", zipped({DESCENT: RIGHT}), 1.0, "sgd_step: right"),
    Hostile("nothing", folder({}), 0.0, "descent.py is not in the submission"),
    alone("an empty file", "", 0.0, "AttributeError"),
    top("a syntax error", "def f(:", "SyntaxError", 0.0),
    top("an error of indentation", "def f():\nx = 1", "IndentationError", 0.0),
    top("tabs and blanks mixed", "if True:\n        x = 1\n\tx = 2", "TabError", 0.0),
    top("imports what is not there", "import pandas_or_so", "ModuleNotFoundError", 0.0),
    top("imports the grader", "import coursework.staff.autograder.grade", "ModuleNotFoundError", 0.0),
    top("reads from the keyboard", "input('name? ')", "EOFError", 0.0),
    Hostile(
        "a missing file", folder({"cs7643/layers.py": solved("cs7643/layers.py")}), 0.0, "is not in the submission"
    ),
    Hostile("a renamed file", folder({"cs7643/descent (1).py": RIGHT}), 0.0, "looks like descent.py"),
    Hostile("a text file", folder({"cs7643/descent.py.txt": RIGHT}), 0.0, "looks like descent.py"),
    Hostile("files without folders", folder({"descent.py": RIGHT}), 1.0, "was taken for cs7643/descent.py"),
    Hostile("a nested folder", folder({f"hw1/my homework/{DESCENT}": RIGHT}), 1.0, "sgd_step: right"),
    Hostile("two copies", folder({DESCENT: RIGHT, f"old/{DESCENT}": "x = 1"}), 1.0, "is there 2 times"),
    Hostile(
        "what a Mac adds",
        zipped({f"hw1/{DESCENT}": RIGHT, f"__MACOSX/hw1/{DESCENT}": b"\0\5\26\7", "hw1/cs7643/._descent.py": b"\0"}),
        1.0,
        "sgd_step: right",
    ),
    alone("Windows line ends", RIGHT.replace("\n", "\r\n"), 1.0, "sgd_step: right"),
    alone("old Mac line ends", RIGHT.replace("\n", "\r"), 1.0, "sgd_step: right"),
    alone("a byte order mark", b"\xef\xbb\xbf" + RIGHT.encode(), 1.0, "sgd_step: right"),
    alone("UTF-16", RIGHT.encode("utf-16"), 1.0, "was read as utf-16"),
    alone("Latin-1", RIGHT.encode() + "\n# für Gauß\n".encode("latin-1"), 1.0, "was read as cp1252"),
    alone("null bytes", RIGHT.encode() + b"\0\0", 0.0, "null bytes"),
    alone("a program for the machine", b"\x7fELF\x02\x01\x01" + bytes(range(256)), 0.0, "Error"),
    alone("parentheses without an end", "(" * 100_000, 0.0, "Error|ended"),
    alone("sums without an end", "x = " + "-" * 400_000 + "1", 0.0, "Error|ended|memory|in time"),
    alone("a file of 2 MB", RIGHT + "#" * 2_000_000, 0.0, "more than 1000 kB"),
    Hostile("a folder of the file's name", folder({f"{DESCENT}/x": "x"}), 0.0, "is not in the submission"),
    Hostile("numpy.py beside the code", folder({DESCENT: RIGHT, "numpy.py": "1/0", "cs7643/numpy.py": "1/0"}), 1.0, ""),
    Hostile(
        "files that Python runs by itself",
        folder(
            {DESCENT: RIGHT, "sitecustomize.py": "1/0", "usercustomize.py": "1/0", "x.pth": "import os; os._exit(1)"}
        ),
        1.0,
        "sgd_step: right",
    ),
    Hostile(
        "checks of its own",
        folder({DESCENT: "", "coursework/check/case.py": CHECKS, "coursework/check/comparison.py": CHECKS}),
        0.0,
        "AttributeError",
    ),
    Hostile(
        "a file of another task that cannot be imported",
        folder(
            {
                "cs7643/autodiff/functions.py": "def f(:",
                "cs7643/autodiff/numerical.py": solved("cs7643/autodiff/numerical.py"),
            }
        ),
        1.0,
        "cannot be imported: SyntaxError",
        ("5a", "5b"),
    ),
    Hostile("a link in a folder", _link_in_folder, 0.0, "it is a link"),
    Hostile("a link to the whole disk", _link_to_folder, 1.0, "sgd_step: right"),
    Hostile("a pipe", _pipe, 0.0, "it is a link or not a file"),
    Hostile("a link in a zip", zipped({_link(): "/etc/passwd"}), 0.0, "it is a link"),
    Hostile("no zip", _raw(b"Rar!\x1a\x07\x00"), 0.0, "not a zip file"),
    Hostile("an empty zip", zipped({}), 0.0, "is not in the submission"),
    Hostile("half a zip", _raw(b"PK\x03\x04" + bytes(200)), 0.0, "not a zip file"),
    Hostile("a zip with a damaged file", _spoilt(200, bytes(60)), 0.0, "cannot be read|Error"),
    Hostile("a zip that claims gigabytes of names", _spoilt(-10, b"\xf0\xff\xff\xff"), 0.0, "may have 20000 files"),
    Hostile("a zip in the folder", lambda place: zipped({DESCENT: RIGHT})(place).parent, 1.0, "sgd_step: right"),
    Hostile(
        "names that lead out of the zip",
        zipped(
            {"../../../../tmp/cs7643-slip.py": "x", "/etc/cs7643-slip": "x", "..\\..\\slip.py": "x", DESCENT: RIGHT}
        ),
        1.0,
        "leads out of the zip",
    ),
    Hostile("only names that lead out", zipped({f"../{DESCENT}": RIGHT}), 0.0, "leads out of the zip"),
    Hostile("a zip bomb", zipped({DESCENT: BOMB, "predictions.csv": BOMB}), 0.0, "more than 1000 kB"),
    Hostile(
        "100,000 files in a zip", zipped({**empty(100_000), DESCENT: RIGHT}), 0.0, "may have 20000 files", slow=True
    ),
    Hostile(
        "25,000 files in a folder", folder({**empty(25_000), DESCENT: RIGHT}), 0.0, "may have 20000 files", slow=True
    ),
    Hostile("huge names in a zip", zipped({LONG: "x", DESCENT: RIGHT, f"{LONG}/descent.py": "x"}), 1.0, "right"),
    Hostile(
        "a bomb of bzip2",
        _raw(compressed({DESCENT: BOMB}, zipfile.ZIP_BZIP2)),
        0.0,
        "compressed in a way that is not taken",
    ),
    Hostile(
        "a bomb of LZMA",
        _raw(compressed({DESCENT: BOMB}, zipfile.ZIP_LZMA)),
        0.0,
        "compressed in a way that is not taken",
    ),
    Hostile("a zip64 with a million files", _raw(_with_zip64(10**6, 5 * 10**7)), 0.0, "may have 20000 files"),
    Hostile("a zip64 whose end is cut off", _raw(_with_zip64(1, 60).replace(b"PK\6\6", b"PK\0\0")), 0.0, "is damaged"),
    Hostile(
        "names of 65,000 characters",
        zipped({**{f"{'- ' * 32_000}{k} descent": "x" for k in range(3)}, DESCENT: RIGHT}),
        1.0,
        "a name of 64009 characters",
    ),
    Hostile("a zip in a zip", _raw(_nested(compressed({DESCENT: RIGHT}), 1)), 1.0, "sgd_step: right"),
    Hostile("a zip in a zip, ten times", _raw(_nested(compressed({DESCENT: RIGHT}), 10)), 0.0, "not in the submission"),
    Hostile(
        "a bomb in a zip in a zip",
        _raw(_nested(compressed({"hw1.zip": bytes(110_000_000)}), 0)),
        0.0,
        "more than 100 MB",
    ),
    Hostile("a long list in collaborators.txt", folder({DESCENT: RIGHT, "collaborators.txt": LIST}), 1.0, "right"),
    Hostile("a manifest without an end", folder({DESCENT: RIGHT, "manifest.json": "[" * 900_000}), 1.0, "right"),
    Hostile("control characters in names", zipped({"\x1b[2J\u202e/descent.py": RIGHT}), 1.0, "was taken for"),
    body("a docstring of a megabyte", f'"""{"x" * 900_000}"""\nreturn w', "wrong in"),
]
