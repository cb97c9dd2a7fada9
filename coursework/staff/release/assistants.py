"""AGENTS.md: what the course asks of AI assistants, for the policy that the staff chooses.

It is made of the homework's table and of the regions that were taken out, so that it lists all of a student's work and
nothing else. An assistant can ignore it: it is guidance, and the handout says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.staff_options import POLICIES

TEMPLATES = ROOT / "coursework" / "staff" / "templates" / "assistants"


DECLARED = {  # by the policy: what a student names
    "none": "every tool that was used, or `none`",
    "tutor": "the assistant and what it explained",
    "open": "every assistant, and which of the work it wrote or corrected",
}
RULES = "AGENTS.md"
OTHERS = ("CLAUDE.md", "GEMINI.md", ".github/copilot-instructions.md")  # what some tools read instead
POINTER = f"The rules of this course for assistants are in {RULES}, at the top of this folder. Read them first.\n"


def files(policy: str, work: Iterable[tuple[str, str, str]]) -> dict[str, bytes]:
    """Return the files of a policy, by their paths.

    Args:
        policy: a key of ``POLICIES``.
        work: (path, task, name) of every region that a student fills.

    Raises:
        ValueError: if there is no such policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"expected a policy for assistants ({', '.join(POLICIES)}), got {policy!r}")
    places: dict[tuple[str, str], list[str]] = {}
    for path, task, name in work:
        places.setdefault((path, task), []).append(f"`{name}`")
    rows = (f"| [`{path}`]({path}) | {task} | {', '.join(names)} |" for (path, task), names in places.items())
    rules = (TEMPLATES / "rules.md").read_text(encoding="utf-8")
    text = rules.format(
        title=homework().title,
        package=homework().package,
        policy=(TEMPLATES / f"{policy}.md").read_text(encoding="utf-8").strip(),
        work="\n".join(rows),
        loose=", ".join(f"`{each.path}`" for each in homework().loose),
        declares=DECLARED[policy],
    )
    return {RULES: text.encode(), **dict.fromkeys(OTHERS, POINTER.encode())}
