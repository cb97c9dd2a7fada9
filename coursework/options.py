"""The options of each command. Only the standard library, so that ``--help`` and wrong calls need nothing installed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from coursework.homework import Command, homework
from coursework.root import ROOT

TIMEOUT = 3600  # seconds for a cell of a notebook


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="a name, or its number: 3; default: all")
    homework().data.arguments(parser)
    parser.add_argument("--output", type=Path, default=ROOT / "build", metavar="DIR", help="default: build")
    limit = f"for each cell; default: {TIMEOUT}"
    parser.add_argument("--timeout", type=_seconds, default=TIMEOUT, metavar="SECONDS", help=limit)
    in_place = "for maintainers: use the embedded default, and store the outputs in the notebooks themselves"
    parser.add_argument("--in-place", action="store_true", help=in_place)


def _seconds(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number of seconds above 0, got {text!r}")


def _passed_on(program: str, example: str) -> Callable[[argparse.ArgumentParser], object]:
    text = f"for {program}, after --: its own arguments, as in: -- {example}"
    return lambda parser: parser.add_argument("arguments", nargs="*", help=text)


# BEGIN STAFF
def _test(parser: argparse.ArgumentParser) -> None:
    from coursework.commands import test

    test.add_arguments(parser)


def _bench(parser: argparse.ArgumentParser) -> None:
    from coursework.commands.bench import PROGRAMS

    parser.add_argument("programs", nargs="*", help=f"which of {', '.join(PROGRAMS)} (default: all)")


# END STAFF
def _check(parser: argparse.ArgumentParser) -> None:
    what = "problems, tasks or functions, as `status` lists them; all tasks when not given"
    parser.add_argument("what", nargs="*", help=what)
    parser.add_argument("--all", action="store_true", help="all tasks, which is the default")
    seed = "seed of the inputs: the same cases on other numbers and shapes"
    parser.add_argument("--seed", type=int, default=0, help=seed)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of text")


def _hint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="the function; without it, the functions that have hints are listed")
    steps = "1: the idea, 2: the formula, 3: the shapes (default: 1)"
    parser.add_argument("--step", type=int, choices=(1, 2, 3), default=1, help=steps)


def _quiz(parser: argparse.ArgumentParser) -> None:
    parser.description = "Three questions on functions of yours that are right. Keys come from running your code."
    parser.add_argument("what", nargs="*", help="tasks or functions; default: any")
    parser.add_argument("--seed", type=int, help="asks the same questions again (default: chosen anew)")
    parser.add_argument("--answers", action="store_true", help="print the answers at once, and ask nothing")


def file_name(text: str) -> str:
    """Return a word of the command line that is a file name on every system; errors are those of argparse."""
    from coursework.submit import names

    if not text or "/" in text or names.is_hidden(text):
        raise argparse.ArgumentTypeError(f"expected a file name, without / and not beginning with a dot, got {text!r}")
    if reason := names.unportable(text):
        raise argparse.ArgumentTypeError(f"expected a file name that every system allows; {text!r} {reason}")
    return text


def _submit(parser: argparse.ArgumentParser) -> None:
    force = "write the files despite errors; the manifest says what was overridden"
    parser.add_argument("--force", action="store_true", help=force)
    run = "run the notebooks that are not executed as they are, and write the results into them, without asking"
    parser.add_argument("--run", action="store_true", help=run)
    own = "hand in your own PDF, from LaTeX or a scan, as the write-up"
    parser.add_argument("--pdf", type=Path, metavar="FILE", help=own)
    parser.add_argument("--name", help="your name; default: what collaborators.txt says")
    output = "where the zip and the PDF go; default: beside README.md"
    parser.add_argument("--output", type=Path, default=ROOT, metavar="DIR", help=output)


def _site(parser: argparse.ArgumentParser) -> None:
    place = ROOT / "build" / "site"
    parser.add_argument("--output", type=Path, default=place, metavar="DIR", help="default: build/site")


def _clean(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="the environment .venv, too")


COMMANDS = {
    "doctor": Command("say what is missing here, and what to type", "coursework.commands.doctor", bare=True),
    "run": Command("execute every notebook and leave a report in build/", "coursework.notebooks.execute", _run),
    # BEGIN STAFF
    "test": Command("run the tests and compare the notebooks", "coursework.commands.test", _test, "dev"),
    # END STAFF
    "lab": Command(
        "open the homework in JupyterLab", "coursework.commands.lab", _passed_on("JupyterLab", "--no-browser")
    ),
    "check": Command("check what you have written, task by task", "coursework.check.check_command", _check),
    "status": Command("show all tasks, their points, and what is left", "coursework.check.status"),
    "hint": Command("give a hint for a function", "coursework.check.hints", _hint),
    "quiz": Command("ask about your own code, for practice", "coursework.quiz.quiz_command", _quiz),
    "verify": Command(
        "execute the notebooks again and compare what comes out",
        "coursework.notebooks.kernels",
        _passed_on("pytest", "-k NOTEBOOK"),
    ),
    "submit": Command(
        "write the zip and the PDF, ready to hand in", "coursework.submit.submit_command", _submit, "pdf"
    ),
    "site": Command("write the instructions as pages: build/site", "coursework.site_pages", _site),
    # BEGIN STAFF
    "bench": Command("measure speed, as ratios", "coursework.commands.bench", _bench, "bench"),
    # END STAFF
    "clean": Command("remove what runs have created", "coursework.commands.clean", _clean, bare=True),
}
# Where nothing else is tested.
COMMANDS.setdefault("test", replace(COMMANDS["verify"], help="the same as verify"))
