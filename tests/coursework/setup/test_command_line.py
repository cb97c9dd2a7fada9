"""The command line on machines of every kind: nothing installed, old Pythons, poor terminals, full disks."""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import textwrap

import pytest
from small import ROOT, call, interpreters

from coursework import cli, options, start, terminal
from coursework.check.case import SEED
from coursework.staff import staff_options
from coursework.terminal import explain

PROGRAMS = {"cs7643": options.COMMANDS, "staff": staff_options.COMMANDS}
CALLS = [(program, name) for program, commands in PROGRAMS.items() for name in commands]
posix = pytest.mark.skipif(os.name == "nt", reason="pipes, terminals, devices and limits of POSIX")


def python(*arguments, cwd=ROOT, **options):
    """Run this Python, which has everything installed, as a child; nothing is set up."""
    variables = {**os.environ, "COURSEWORK_NO_VENV": "1", **options.pop("variables", {})}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=variables, **{"capture_output": True, "encoding": "utf-8", **options}
    )


# Help


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A copy of both packages without an environment."""
    root = tmp_path_factory.mktemp("bare")
    for package in ("coursework", *PROGRAMS):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.mark.parametrize(("program", "name"), CALLS)
def test_help_of_every_command_needs_nothing_and_installs_nothing(bare, program, name):
    def ask(*words):
        command = [sys.executable, "-S", "-E", "-m", program, *words]  # -S: no installed package
        return subprocess.run(command, cwd=bare, capture_output=True, encoding="utf-8", timeout=30)

    parser = argparse.ArgumentParser()
    PROGRAMS[program][name].arguments(parser)
    shown = ask(name, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    for action in parser._actions:
        assert (action.option_strings or [action.metavar or action.dest])[-1] in shown.stdout
    wrong = ask(name, "--nonsense")
    assert wrong.returncode == 2
    assert f"usage: python -m {program} {name}" in wrong.stderr
    assert not list(bare.glob(".venv*"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_alone_lists_its_commands(program):
    result = python("-S", "-m", program, encoding="utf-8")
    assert result.returncode == 2
    assert all(f"\n    {name}" in result.stdout for name in PROGRAMS[program])


def test_what_the_options_repeat_is_what_the_modules_say():
    assert cli.parser_of(["check"], options.COMMANDS, "x").parse_args(["check"]).seed == SEED


# Python itself


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 7), (3, 8), (3, 9)], ids=str)
def test_an_old_python_says_so_or_enters_the_environment(bare, tmp_path, program, version):
    found = interpreters().get(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    root = shutil.copytree(bare, tmp_path / "copy")
    command = [found, "-m", program, "--version"]
    own = ("PYTHON", "CS7643_", "COURSEWORK_")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    options = {"cwd": root, "env": variables, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    result = subprocess.run(command, **options)
    assert result.returncode == 1
    assert result.stderr.decode() == (
        f"{program} needs Python 3.10 or newer, and {found} is Python {version[0]}.{version[1]}: install a newer one "
        f"and name it, as in: make run PYTHON=python3.12\n"
    )
    if os.name == "posix":
        (root / ".venv" / "bin").mkdir(parents=True)
        (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        assert subprocess.run(command, **options).returncode == 0


@pytest.mark.parametrize(
    "path",
    [
        "cs7643/__init__.py",
        "cs7643/__main__.py",
        "coursework/start.py",
        "coursework/staff/__main__.py",
        "staff/__main__.py",
    ],
)
def test_what_an_old_python_reads_is_in_its_language(path):
    text = (ROOT / path).read_text(encoding="ascii")  # Python 2 takes nothing else without a declaration
    tree = ast.parse(text, feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.Starred))]


@pytest.mark.parametrize("folder", [".", "notebooks"])
@pytest.mark.parametrize("name", ["random.py", "argparse.py", "numpy.py", "dataclasses.py", "queue/__init__.py"])
def test_a_file_that_hides_a_module_is_named(repository, folder, name):
    (repository / "requirements.txt").write_text("numpy>=1\n", encoding="utf-8")
    path = repository / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("raise RuntimeError('was imported')\n", encoding="utf-8")
    result = call(repository, "check")
    hiding = (repository / folder / name.split("/")[0]).resolve()
    assert result.stderr == f"{hiding} is imported instead of the module or package of that name: rename it\n"
    assert result.returncode == 1
    assert not (repository / ".venv").exists()


def test_other_files_hide_nothing(repository):
    for name in ("helper.py", "test.py", "random.txt", "json.ipynb", "conftest.py"):
        (repository / name).touch()
    (repository / "logging").mkdir()  # a folder without __init__.py gives way to a module
    assert call(repository, "--version").stderr == ""
    assert start.hiding(str(ROOT)) == start.hiding(str(ROOT / "notebooks")) == []


# What is printed


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "utf-8", None])
@pytest.mark.parametrize("words", [["check", "1"], ["check", "--help"]], ids=" ".join)
def test_no_output_raises(words, encoding):
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    variables = {"PYTHONIOENCODING": encoding} if encoding else poor
    result = python("-m", "cs7643", *words, variables=variables, encoding=None)
    assert (result.returncode, result.stderr) == (0, b"")
    shown = result.stdout.decode(encoding or "ascii")
    if words[-1] == "1":
        mark = "✓" if encoding == "utf-8" else "+"
        assert f"{mark} proximal_step: right in" in shown


def test_a_child_that_prints_itself_does_not_raise_either():
    program = "import subprocess, sys; from coursework.terminal import never_raise; never_raise();"
    program += "sys.exit(subprocess.run([sys.executable, '-c', 'print(chr(0x2713))']).returncode)"
    result = python("-c", program, variables={"PYTHONIOENCODING": "cp1252"}, encoding="cp1252")
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "?", "")


@posix
@pytest.mark.parametrize(
    ("variables", "live", "colours"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_a_terminal_gets_what_it_can_show(variables, live, colours):
    import fcntl
    import pty
    import struct
    import termios

    program = """
        import sys
        from coursework.progress import progress_bar
        from coursework.terminal import has_colours, is_live
        print(is_live(sys.stderr), has_colours(sys.stderr), flush=True)
        for _ in progress_bar(range(3)):
            pass
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    result = python(
        *("-c", textwrap.dedent(program)),
        capture_output=False,
        stdout=subprocess.PIPE,
        stderr=theirs,
        variables={"NO_COLOR": "", "TQDM_DISABLE": "0", **variables},
    )
    os.close(theirs)
    assert result.stdout == f"{live} {colours}\n"
    try:
        drawn = os.read(ours, 100_000)
    except OSError:  # nothing came, and nobody can write any more
        drawn = b""
    os.close(ours)
    assert (b"100%" in drawn) is live
    assert live or drawn == b""


# What the system refuses


@posix
@pytest.mark.parametrize(
    ("words", "unbuffered"),
    [("hint f2", ""), ("hint f2", "1"), ("status", "1"), ("--help", ""), ("train --help", "")],
)
def test_a_reader_that_goes_away_leaves_no_traceback(words, unbuffered):
    variables = {**os.environ, "COURSEWORK_NO_VENV": "1", "PYTHONUNBUFFERED": unbuffered}
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "cs7643", *words.split()]
    result = subprocess.run(command, cwd=ROOT, env=variables, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (result.returncode, result.stderr) == (terminal.CUT_OFF, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is always full")
@pytest.mark.parametrize("words", [["hint", "f2"], ["hint", "--help"]], ids=" ".join)
def test_an_output_on_a_full_disk_is_a_line(words):
    with open("/dev/full", "w") as full:
        streams = {"capture_output": False, "stdout": full, "stderr": subprocess.PIPE}
        result = python("-m", "cs7643", *words, **streams, variables={"PYTHONUNBUFFERED": ""})
    assert result.returncode == 1
    assert result.stderr == "hint: No space left on device; the disk is full: free some space and call again\n"


def limit(name, value):
    """Return what sets a limit of the system in a child."""
    import resource

    return lambda: resource.setrlimit(getattr(resource, name), (value, value))


SYSTEM_ERRORS = {
    "file size": (["site", "--output", "{}/site"], "RLIMIT_FSIZE", 1000, "File too large"),
    "long name": (["site", "--output", "{}/" + 300 * "x"], None, 0, "File name too long"),
    "a file in the way": (["site", "--output", "{}/file/site"], None, 0, "Not a directory"),
    "open files": (["check", "1"], "RLIMIT_NOFILE", 7, "Too many open files"),
    "no model": (["predict", "{}/none.pt"], None, 0, "none.pt"),
    "a model that is a folder": (["predict", "{}"], None, 0, "{}"),
}


@posix
@pytest.mark.parametrize("kind", SYSTEM_ERRORS)
def test_an_error_of_the_system_is_a_line(tmp_path, kind):
    words, name, value, said = SYSTEM_ERRORS[kind]
    (tmp_path / "file").touch()
    words = [word.replace("{}", str(tmp_path)) for word in words]
    result = python("-B", "-m", "cs7643", *words, preexec_fn=limit(name, value) if name else None)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert result.stderr.startswith(f"{words[0]}: ")
    assert said.replace("{}", str(tmp_path)) in result.stderr
    assert "\x1b" not in result.stderr


ENDINGS = """
    import os, sys
    from coursework.terminal import guarded

    def program():
        {}

    sys.exit(guarded(program, "name"))
"""


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("return 7", 7, ""),
        ("pass", 0, ""),
        ("sys.exit(5)", 5, ""),
        ("bytes(1 << 60)", 1, "name: there is not enough memory: close other programs and call again\n"),
        ("import numpy; numpy.zeros(1 << 58)", 1, "name: there is not enough memory (Unable to allocate"),
        ("import torch; torch.zeros(1 << 55)", 1, "name: there is not enough memory ("),
        ("open('no such file')", 1, "name: no such file: No such file or directory; check the name\n"),
        ("raise OSError('a sentence of its own')", 1, "name: a sentence of its own\n"),
        ("raise KeyboardInterrupt", 130, "\nstopped\n"),
    ],
)
def test_how_a_program_ends(ending, code, said):
    result = python("-c", textwrap.dedent(ENDINGS.format(ending)))
    assert result.returncode == code
    assert result.stderr.startswith(said) if said else result.stderr == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == bool(said)


def test_a_fault_of_the_program_keeps_its_traceback_and_others_have_one_on_demand():
    fault = python("-c", textwrap.dedent(ENDINGS.format("1 + ''")))
    assert fault.returncode == 1
    assert fault.stderr.startswith("Traceback")
    assert "TypeError" in fault.stderr.splitlines()[-1]
    shown = python("-c", textwrap.dedent(ENDINGS.format("open('none')")), variables={"COURSEWORK_DEBUG": "1"})
    assert shown.stderr.startswith("Traceback")
    assert shown.stderr.splitlines()[-1].startswith("name: none: ")


def test_every_error_of_the_system_is_one_line():
    for number in range(1, 200):
        sentence = explain(OSError(number, os.strerror(number), "a file\nof two lines"))
        assert sentence
        assert "\n" not in sentence


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hint", "f\0"], "NUL"),
        (["train", "--name", "a/b"], "a file name"),
        (["train", "--name", ".."], "a file name"),
        (["plots", "a\\b"], "a file name"),
        (["train", "--name", "con"], "on Windows"),
        (["run", "--timeout", "0"], "above 0"),
    ],
)
def test_a_word_that_cannot_be_right_is_refused_before_anything_is_done(words, said, capsys, monkeypatch):
    monkeypatch.setattr(cli.environment, "prepare", lambda *_, **__: pytest.fail("the environment was asked for"))
    assert cli.main(words) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


# Scripts

WHERE = "import os, sys\n\ndef main(args):\n    print(os.path.realpath(sys.prefix), args.command)\n    return 0\n"
SCRIPTS = ("experiments/run_softmax.sh", "experiments/run_mymodel.sh", "collect_submission.sh")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="there is no bash here")
def test_the_scripts_use_the_environment_of_the_repository(repository, tmp_path):
    for room in ("cs7643/pytorch/train_command.py", "coursework/submit/submit_command.py"):
        path = repository / room
        path.parent.mkdir(exist_ok=True)
        path.write_text(WHERE, encoding="utf-8")
    for name in (*SCRIPTS, "experiments/python.sh"):
        (repository / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, repository / name)
    (repository / "coursework" / "submit" / "__init__.py").touch()
    assert call(repository, "submit").returncode == 0
    other = tmp_path / "bin" / "python3"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho another Python\nexit 9\n", encoding="utf-8")
    other.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CS7643_", "PYTHON"))}
    for name, command in zip(SCRIPTS, ("train", "train", "submit"), strict=True):
        result = subprocess.run(
            [shutil.which("bash"), str(repository / name)],
            cwd=tmp_path,
            env={**kept, "PATH": f"{other.parent}:{os.environ['PATH']}"},
            capture_output=True,
            encoding="utf-8",
        )
        assert (result.stdout, result.stderr) == (f"{os.path.realpath(repository / '.venv')} {command}\n", "")


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_line_ends_are_those_of_unix_in_a_clone_that_wants_others(tmp_path):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode != 0:
        pytest.skip("this is not a clone")
    original, clone = tmp_path / "original", tmp_path / "clone"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (original / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, original / name)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=original, check=True, capture_output=True)
    subprocess.run([*git, "clone", "-q", "-c", "core.autocrlf=true", str(original), str(clone)], check=True)
    files = [path for path in clone.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert len(files) > 100
    for path in files:
        assert path.read_bytes() == (original / path.relative_to(clone)).read_bytes()
        assert path.suffix == ".png" or b"\r\n" not in path.read_bytes()
