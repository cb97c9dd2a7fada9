"""What keeps a submission back, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from coursework.submit.text import sentence


@dataclass(frozen=True)
class Finding:
    """Something to mend before handing in."""

    place: str  # the file, or the file and cell, as a student knows it
    problem: str  # in a clause
    remedy: str  # what to do, in a sentence
    stale: bool = False  # running the notebook again may mend it

    def __post_init__(self) -> None:
        """Keep what can be printed and written anywhere: names and messages come from files and from other programs."""
        for name in ("place", "problem", "remedy"):
            object.__setattr__(self, name, sentence(getattr(self, name)))

    def __str__(self) -> str:
        """Return it as two lines."""
        return f"{self.place}: {self.problem}\n      {self.remedy}"
