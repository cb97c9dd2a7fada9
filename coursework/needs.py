"""What the homework needs of a Python, and what of it is missing. Only the standard library, on any Python from 3.8."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from coursework.root import ROOT

OLDEST = (3, 10)  # of the Pythons that run the homework; coursework/start.py says it, too
HOSTS = ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE")  # variables of Colab and of Kaggle
# Of what the commands around notebooks need, what a notebook itself needs, if anything.
IN_A_KERNEL = {"jupyter": "ipywidgets", "latex2mathml": "", "nbval": "", "vermin": ""}
REQUIREMENT = re.compile(r"([\w.-]+)\s*(?:\[[^]]*\])?\s*((?:[<>=!~]=?[^,;#\s]+)?)")


def is_hosted() -> bool:
    """Tell whether this is a machine of Colab or Kaggle, which has its packages and is thrown away after use."""
    return any(name in os.environ for name in HOSTS)


def own_command(words: str) -> str:
    """Return a command of this homework as it is typed in its folder."""
    from coursework.homework import setting

    package = setting("homework").partition(".")[0]
    return f"{'py' if os.name == 'nt' else 'python3'} -m {package} {words}"


def required(extra: str | None = None, kernel: bool = False) -> dict[str, str]:
    """Return what must be installed: by each name the oldest release that fits, such as ">=1.26".

    With ``extra``, the packages of that extra of pyproject.toml count, too; with ``kernel``, what a notebook needs
    counts, rather than what the commands around it need.
    """
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if extra:
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        table = re.search(rf"^{re.escape(extra)} = \[(.*?)^\]", text, re.M | re.S)
        lines += re.findall(r'^\s*"([^"]+)"', table[1], re.M) if table else []
    found = {match[1]: match[2] for match in map(REQUIREMENT.match, lines) if match}
    if kernel:
        found = {IN_A_KERNEL.get(name, name): "" if name in IN_A_KERNEL else oldest for name, oldest in found.items()}
        found.pop("", None)
    return found


def installed(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that this Python has."""
    found = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def missing(names: dict[str, str]) -> list[str]:
    """Return those packages that this Python does not have."""
    return sorted(names.keys() - installed(names).keys())


def too_old(names: dict[str, str]) -> list[str]:
    """Return those packages of this Python that are older than what is required, each with its version."""
    return [f"{name} {has}" for name, has in sorted(installed(names).items()) if not _fits(has, names[name])]


def _fits(has: str, wanted: str) -> bool:
    """Tell whether a version is one that ``wanted`` allows, ">=1.26" or ">2.13"; any other form allows all."""
    known, low = _numbers(has), _numbers(wanted.lstrip("<>=!~"))
    return not (wanted.startswith(">") and low) or known > low or (known == low and wanted.startswith(">="))


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers with which a version begins, without the zeros at their end: 2.0 is 2."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, re.sub(r"(\.0+)+$", "", match[0]).split("."))) if match else ()
