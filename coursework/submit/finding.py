"""What keeps a submission back, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from coursework.submit.text import sentence


@dataclass(frozen=True)
class Finding:
    """Something to mend before handing in.

    Attributes:
        place: the file, or the file and cell, as a student knows it.
        problem: what is the matter, in a clause.
        remedy: what to do, in a sentence.
        stale: whether running the notebook again may mend it.
    """

    place: str
    problem: str
    remedy: str
    stale: bool = False

    def __post_init__(self) -> None:
        """Keep what can be printed and written anywhere: names and messages come from files and from other programs."""
        for name in ("place", "problem", "remedy"):
            object.__setattr__(self, name, sentence(getattr(self, name)))

    def __str__(self) -> str:
        """Return it as two lines."""
        return f"{self.place}: {self.problem}\n      {self.remedy}"
