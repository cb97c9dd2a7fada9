"""The lock: it fits the requirements on every Python and system, is installed where it can be, and says so."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from small import ROOT, call

from coursework.commands import test as command
from coursework.installation import LOCK
from coursework.staff.lock_command import PYTHONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# Of each system what markers ask for: sys_platform, os_name, platform_system, platform_machine.
SYSTEMS = [
    ("linux", "posix", "Linux", "x86_64"),
    ("linux", "posix", "Linux", "aarch64"),
    ("darwin", "posix", "Darwin", "arm64"),
    ("win32", "nt", "Windows", "AMD64"),
]
LINES = [line for line in (ROOT / LOCK).read_text(encoding="utf-8").splitlines() if line and line[0] not in "#-"]


def wanted():
    """Every requirement of requirements.txt and of the extras."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return [each for each in map(Requirement, [*lines, *extras]) if each.name != project["name"]]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS, ids=" ".join)
def test_every_requirement_has_one_version_which_its_range_allows(python, system):
    names = ("sys_platform", "os_name", "platform_system", "platform_machine")
    here = {**dict(zip(names, system, strict=True)), "python_version": python, "python_full_version": f"{python}.9"}
    here["implementation_name"], here["platform_python_implementation"] = "cpython", "CPython"
    found = [each for each in map(Requirement, LINES) if each.marker is None or each.marker.evaluate(here)]
    versions = {canonicalize_name(each.name): str(each.specifier) for each in found}
    assert len(versions) == len(found)  # no package twice
    for each in wanted():
        version = versions[canonicalize_name(each.name)]
        assert each.specifier.contains(version.removeprefix("=="), prereleases=True), f"{each}: the lock has {version}"


def test_the_lock_names_versions_and_no_host():
    text = (ROOT / LOCK).read_text(encoding="utf-8")
    assert "://" not in text
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*==[0-9a-z.]+( ; .+)?", line) for line in LINES)
    assert {line.split()[0] for line in text.splitlines() if line[0] == "-"} == {"--only-binary", "--no-binary"}


def test_what_is_installed_is_compared_with_the_lock(tmp_path):
    path = tmp_path / LOCK
    numpy, pytest_ = metadata.version("numpy"), metadata.version("pytest")
    path.write_text(
        f"# Tested together on 2026-01-02\n--only-binary :all:\nnumpy=={numpy}\npytest==0.0.1\n"
        "matplotlib==0.1 ; python_version < '3'\nno-such-package==1.0\n",
        encoding="utf-8",
    )
    different = command.differences(path)
    assert different == [f"pytest {pytest_} for 0.0.1"]
    assert command.summary(different, path) == f"not as locked (2026-01-02): pytest {pytest_} for 0.0.1"
    assert command.summary([], path) == "as locked (2026-01-02)"
    assert command.summary([*"abcdefg"], path).endswith(": a, b, c, d, e and 2 more")


def make_wheel(folder, version):
    """Write a wheel of a package "sample" that holds nothing."""
    info = f"sample-{version}.dist-info/"
    with zipfile.ZipFile(folder / f"sample-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: sample\nVersion: {version}\n")
        archive.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(info + "RECORD", "")


@pytest.mark.slow
def test_the_lock_is_installed_where_it_can_be_and_otherwise_the_ranges(repository, tmp_path):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for version in ("1.0", "2.0", "3.0"):
        make_wheel(shelf, version)
    (shelf / "sample-4.0.tar.gz").write_bytes(b"what cannot be built")
    (repository / "requirements.txt").write_text("sample>=2\n", encoding="utf-8")

    def outcome(lock, **variables):
        (repository / LOCK).write_text(f"--only-binary :all:\n{lock}\n", encoding="utf-8")
        done = call(repository, "check", **{"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf), **variables})
        packages = (repository / ".venv").rglob("sample-*.dist-info")
        stamp = json.loads((repository / ".venv" / "stamp.json").read_text(encoding="utf-8"))
        said = [line for line in done.stderr.splitlines() if LOCK in line]
        return done.returncode, [path.name[7:10] for path in packages], stamp["locked"], len(said)

    assert outcome("sample==2.0") == (0, ["2.0"], True, 0)
    assert outcome("sample==3.0") == (0, ["3.0"], True, 0)  # a lock that was renewed
    assert outcome("sample==5.0") == (0, ["3.0"], False, 1)  # there is no such release
    assert outcome("sample==2.0") == (0, ["2.0"], True, 0)
    assert outcome("sample==4.0") == (0, ["2.0"], False, 1)  # nor a wheel
    assert outcome("sample==1.0") == (0, ["2.0"], False, 1)  # which requirements.txt does not allow
    unreachable = {"PIP_NO_INDEX": "0", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    assert outcome("sample==3.0", **unreachable) == (1, ["2.0"], False, 0)  # which is no reason to take others
