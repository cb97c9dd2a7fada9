"""The marking guide: for each task that a person marks, a Markdown file with its items, slips and sample answers.

pyproject.toml names the folder, ``[tool.coursework] marking = "staff/marking"``. A file is called by its task::

    Full: what earns all points.
    Half: what earns half of them.
    None: what earns none.

    - the sum, 1: It is computed. "What to tell a student who has none of it."
      - one term lost, 0.5: The last one. "What to tell for this slip."

    ## Loses one term lost

    A sample answer.

    > Why it loses that.

The points of the items are those that a person gives. A slip costs a part of its item. Text before the items is free.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from coursework.homework import homework, setting
from coursework.root import ROOT

LOSS = re.compile(r'(?P<inner>  )?- (?P<name>\w[^,:;"]*), (?P<points>[\d.]+): (?P<what>[^"]+) "(?P<comment>[^"]+)"')
SAMPLE = re.compile(r"^## Loses (.+)$", re.M)
NOTHING = "nothing"
RULES = "rules.md"  # for all parts
LEVELS = ("Full", "Half", "None")


@dataclass(frozen=True)
class Loss:
    """What an answer can lose points for: an item that is missing, or a slip in it.

    Attributes:
        name: in a few words, for the results.
        points: what it costs; for an item, what it is worth.
        what: what earns the item, or what the slip is.
        comment: what to tell the student.
        item: the name of the item that it belongs to.
    """

    name: str
    points: float
    what: str
    comment: str
    item: str


@dataclass(frozen=True)
class Sample:
    """A sample answer in Markdown, the names of what it loses points for, and why."""

    lost: tuple[str, ...]
    text: str
    why: str


@dataclass(frozen=True)
class Part:
    """What a person marks in a task: the introduction, what can be lost, and sample answers."""

    task: str
    intro: str
    losses: tuple[Loss, ...]
    samples: tuple[Sample, ...]

    @property
    def items(self) -> tuple[Loss, ...]:
        """What earns the points."""
        return tuple(loss for loss in self.losses if loss.item == loss.name)

    @property
    def points(self) -> float:
        """The points of all items."""
        return round(sum(item.points for item in self.items), 6)

    def earned(self, lost: Collection[str]) -> float:
        """Return the points of an answer that loses those of these names; no item costs more than it is worth.

        Raises:
            ValueError: if there is no item and no slip of such a name.
        """
        names = [loss.name for loss in self.losses]
        for name in lost:
            if name not in names:
                raise ValueError(f"task {self.task}: expected an item or a slip ({', '.join(names)}), got {name!r}")
        gone = {
            item.name: sum(loss.points for loss in self.losses if loss.item == item.name and loss.name in lost)
            for item in self.items
        }
        return round(sum(max(0.0, item.points - gone[item.name]) for item in self.items), 6)


def names_in(text: str) -> tuple[str, ...]:
    """Return the names in a list such as ``one; another``, which is ``nothing`` if there are none."""
    return () if text.strip() == NOTHING else tuple(name.strip() for name in text.split(";"))


def read(text: str, task: str) -> Part:
    """Read the guide to a task.

    Raises:
        ValueError: with what is wrong: a line, the points, a name, or a level without a sample.
    """
    begin, *rest = SAMPLE.split(text)
    for heading in re.findall(r"^#.*", "\n".join((begin, *rest[1::2])), re.M):
        raise ValueError(f"task {task}: expected headings of the form '## Loses one; another', got {heading!r}")
    intro, losses = [], list[Loss]()
    for line in begin.splitlines():
        found = LOSS.fullmatch(line)
        if found is None and re.match(r"\s*[-*] ", line):
            raise ValueError(f'task {task}: expected "- name, points: what "comment"", got {line!r}')
        if found is None:
            intro.append(line)
        elif found["inner"] and not losses:
            raise ValueError(f"task {task}: expected an item above its slips, got {line!r}")
        else:
            item = losses[-1].item if found["inner"] else found["name"]
            losses.append(Loss(found["name"], float(found["points"]), found["what"], found["comment"], item))
    samples = []
    for lost, answer in zip(rest[::2], rest[1::2], strict=True):
        body, _, why = answer.partition("\n> ")
        samples.append(Sample(names_in(lost), body.strip(), why.strip()))
    part = Part(task, "\n".join(intro).strip(), tuple(losses), tuple(samples))
    _check(part)
    return part


def _check(part: Part) -> None:
    """See to it that a part is complete, and that its points add up."""

    def require(holds: bool, what: str) -> None:
        if not holds:
            raise ValueError(f"task {part.task}: {what}")

    task = homework().task(part.task)
    expected = round(task.points - task.program_points, 6)
    require(part.points == expected, f"expected items of {expected:g} points, got {part.points:g}")
    names = [loss.name for loss in part.losses]
    for loss in part.losses:
        require(names.count(loss.name) == 1, f"expected each name once, got {loss.name!r} twice")
        worth = next(item.points for item in part.items if item.name == loss.item)
        costs = f"expected {loss.name!r} to cost at most the {worth:g} points of {loss.item!r}, got {loss.points:g}"
        require(loss.points <= worth and (loss.points > 0) == (expected > 0), costs)
    for level in LEVELS:
        require(re.search(rf"^{level}: ", part.intro, re.M) is not None, f"expected a line that begins with {level}:")
    reached = [part.earned(sample.lost) for sample in part.samples]
    for level, points in zip(LEVELS, (expected, expected / 2, 0.0), strict=True):
        require(points in reached, f"expected a sample of {points:g} points ({level}), got {reached}")
    require(len(reached) >= len(LEVELS), f"expected at least {len(LEVELS)} samples, got {len(reached)}")


def folder() -> Path:
    """Return where the guide of this homework is; a ValueError says that pyproject.toml names none."""
    if not setting("marking"):
        raise ValueError('expected a folder with the marking guide, [tool.coursework] marking = "...", got none')
    return ROOT / setting("marking")


def parts(place: Path | None = None) -> dict[str, Part]:
    """Return the guide, by the numbers of the tasks, in their order.

    Raises:
        ValueError: if a file is wrong or is of no task, or a task that a person marks has none.
    """
    place = place or folder()
    files = {path.stem: path for path in sorted(place.glob("*.md")) if path.name != RULES}
    for number in files:
        homework().task(number)
    missing = [task.number for task in homework().all_tasks if task.by_person and task.number not in files]
    if missing:
        raise ValueError(
            f"{place}: expected a guide to each task that a person marks, got none to {', '.join(missing)}"
        )
    numbers = [task.number for task in homework().all_tasks if task.number in files]
    return {number: read(files[number].read_text(encoding="utf-8"), number) for number in numbers}


def items() -> dict[str, list[str]]:
    """Return the items of each task that a person marks, with their points, for the results; none without a guide."""
    found = parts().values() if setting("marking") else ()
    return {part.task: [f"{item.name} {item.points:g}" for item in part.items] for part in found if part.points}
