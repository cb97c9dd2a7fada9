"""``python -m staff marking``: the marking guide as pages, and how far two who mark agree."""

from __future__ import annotations

import argparse
import sys

from coursework.files import atomic_writer
from coursework.homework import homework
from coursework.notebooks.run_pages import render
from coursework.staff.marking.agreement import ENOUGH, compare, read_marks
from coursework.staff.marking.guide import RULES, folder, parts
from coursework.terminal import explain


def main(args: argparse.Namespace) -> int:
    """Write the pages, or compare two files of marks; return 1 if the guide or a file is wrong, or kappa too low."""
    try:
        guide = parts()
        if args.compare:
            first, second = map(read_marks, args.compare)
            rows, kappa = compare(first, second, guide)
            print(*rows, sep="\n")
            print(f"weighted kappa {kappa:.3f} over {len(rows) - 1} answers; at least {ENOUGH} is wanted")
            return int(kappa < ENOUGH)
        rules = folder() / RULES
        values = {"homework": homework(), "rules": rules.read_text(encoding="utf-8") if rules.exists() else ""}
        for number in ("index", *guide):
            shown = [part for part in guide.values() if number in ("index", part.task)]
            page = render("marking.html", **values, parts=shown, index=number == "index")
            with atomic_writer(args.out / f"{number}.html") as stream:
                stream.write(page.encode())
    except (ValueError, OSError) as error:
        print(f"marking: {explain(error) or error}", file=sys.stderr)
        return 1
    print(f"{args.out / 'index.html'}: {sum(part.points for part in guide.values()):g} points in {len(guide)} parts")
    return 0
