"""What keeps a submission back, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from coursework.submit.text import sentence


@dataclass(frozen=True)
class Finding:
    """Something to mend before handing in.

    Attributes:
        place: the file, or the file and cell, as a student knows it.
        problem: what is the matter, in a clause.
        remedy: what to do, in a sentence.
    """

    place: str
    problem: str
    remedy: str

    def __post_init__(self) -> None:
        """Keep what can be printed and written anywhere: names and messages come from files and from other programs."""
        for field in fields(self):
            object.__setattr__(self, field.name, sentence(getattr(self, field.name)))

    def __str__(self) -> str:
        """Return it as two lines."""
        return f"{self.place}: {self.problem}\n      {self.remedy}"
