"""The student edition of this very repository: what is in it, that nothing leaks, and that each leak would be found."""

from __future__ import annotations

import functools
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from coursework.check.run import run_apart
from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.release import edition, leaks, rehearsal
from coursework.staff.release import release_command as command
from coursework.staff.release.blanks import cut_notebook, dump
from coursework.staff.release.contents import CONTENTS, read_contents, read_source
from coursework.staff.release.edition import make_edition, restore, restore_file
from coursework.staff.release.markers import ReleaseError
from coursework.zips import zipped

LAYERS, NOTEBOOK = "cs7643/layers.py", "notebooks/1_gradient_descent.ipynb"


@functools.cache
def source():
    return read_source(ROOT)


@functools.cache
def student():
    return make_edition(source())


def prove(files):
    """Release some files and look for leaks; return the report."""
    return leaks.prove(make_edition(files), files)


def changed(path, right, wrong):
    """Return the source with one place of a file changed."""
    text = source()[path].decode()
    assert right in text
    return {**source(), path: text.replace(right, wrong, 1).encode()}


def appended(path, text):
    """Return the source with some text more at the end of a file."""
    return {**source(), path: source()[path] + text.encode()}


def with_cell(path, text, kind="markdown"):
    """Return the source with a cell more at the end of a notebook."""
    notebook = json.loads(source()[path])
    cell = {"cell_type": kind, "id": "extra", "metadata": {}, "source": text.splitlines(keepends=True)}
    notebook["cells"].append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    return {**source(), path: dump(notebook)}


def inside(path, name):
    """Return what stands in a region of the source."""
    done = next(done for where, done in student().solutions() if (where, done.region.name) == (path, name))
    return "\n".join(done.lines[1:-1]) + "\n"


def test_nothing_leaks_and_the_report_says_what_was_looked_at():
    report = "\n".join(prove(source()))
    assert "byte for byte" in report
    assert f"{len(student().solutions())} blanks" in report
    assert len(student().solutions()) >= 43


def test_the_solutions_put_back_give_the_source():
    restored = restore(student())
    assert len(restored) > 80
    for path, content in restored.items():
        assert content == source()[path], path


def test_every_task_with_code_has_a_blank_for_each_of_its_functions():
    files = {module.replace(".", "/") + ".py" for task in homework().tasks for module, _ in task.functions}
    blanks = {path: student().files[path].decode().count("raise NotImplementedError") for path in files}
    for path, count in blanks.items():
        functions = {
            name
            for task in homework().tasks
            for module, name in task.functions
            if module.replace(".", "/") + ".py" == path
        }
        assert count >= len(functions), path


def test_what_students_do_not_get_is_not_there():
    names = set(student().files)
    assert not [name for name in names if name.startswith(("staff/", "tests/", "benchmarks/", ".ci", ".github/w"))]
    assert {"README.md", "LICENSE", "Makefile", "pyproject.toml", "requirements.txt", "cs7643/__main__.py"} <= names
    assert {Path(name).name for name in names if name.endswith(".ipynb")} == {
        path.name for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    for name in ("Makefile", "pyproject.toml", "coursework/cli.py"):
        text = student().files[name].decode()
        assert "STAFF" not in text
        assert "benchmarks" not in text
        assert "pytest" not in text


def test_notebooks_keep_their_cells_and_lose_what_a_run_left():
    for path, content in student().files.items():
        if path.endswith(".ipynb"):
            before, after = json.loads(source()[path])["cells"], json.loads(content)["cells"]
            assert [cell["id"] for cell in after] == [cell["id"] for cell in before]
            assert b"nbval" not in content
            for cell in after:
                assert not cell.get("outputs")
                assert cell.get("execution_count") is None


def test_the_zip_has_the_same_bytes_whenever_it_is_made(tmp_path, monkeypatch):
    content = zipped(student().files)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert zipped(dict(reversed(student().files.items()))) == content
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == student().files
        assert opened.getinfo("collect_submission.sh").external_attr >> 16 == 0o100755
        assert opened.getinfo("README.md").external_attr >> 16 == 0o100644


PASTED = {
    "into another module": lambda: appended("cs7643/fast/blocks.py", inside(LAYERS, "max_pool_backward_naive")),
    "into the docstring of its own": lambda: changed(
        LAYERS, "    Each filter of size HH x WW slides", inside(LAYERS, "conv_backward_naive") + "    Each filter"
    ),
    "renamed at the edges": lambda: appended(
        "cs7643/fast/blocks.py",
        inside(LAYERS, "conv_forward_naive").replace("np.pad(x", "np.pad(z").replace("return out", "return z"),
    ),
    "without its comments and lines": lambda: appended(
        "cs7643/fast/blocks.py", f"s = '{' '.join(inside('cs7643/optim.py', 'momentum').split())}'\n"
    ),
    "beside its blank": lambda: changed(
        "cs7643/descent.py",
        "    # END SOLUTION\n\n\ndef step_size",
        "    # END SOLUTION\n    # return w - grad / lam\n    x = w - grad / lam\n\n\ndef step_size",
    ),
    "into a cell of code": lambda: with_cell(NOTEBOOK, inside("cs7643/descent.py", "gradient_descent"), "code"),
    "into a cell of text": lambda: with_cell(NOTEBOOK, inside("cs7643/descent.py", "follow")),
    "into the README": lambda: changed(
        "staff/README.template.md", "## The map", inside(LAYERS, "affine_backward") + "## The map"
    ),
    "prose of a proof": lambda: with_cell(NOTEBOOK, inside(NOTEBOOK, "proof")[300:700]),
    "a formula of a proof": lambda: with_cell(
        "notebooks/2_autodiff.ipynb",
        "".join(line for line in inside(NOTEBOOK, "derivation").splitlines(True) if "$$" in line),
    ),
    "an answer, in another notebook": lambda: with_cell(
        "notebooks/4_layers.ipynb", " ".join(inside("notebooks/3_two_layer_net.ipynb", "templates").split()[10:40])
    ),
}


@pytest.fixture(autouse=True)
def _the_source_stays():
    """Nothing of one test is seen by another: the source is read once, and never changed."""
    before = {path: hash(content) for path, content in source().items()}
    yield
    assert before == {path: hash(content) for path, content in source().items()}


@pytest.mark.parametrize("name", PASTED)
def test_a_solution_beside_its_region_is_found(name):
    files = PASTED[name]()
    with pytest.raises(ReleaseError, match=r"(?m)^\S+:\d+: holds a part of"):
        leaks.no_shared_stretch(make_edition(files), files)


def test_where_a_pasted_solution_stands_is_said_exactly():
    files = PASTED["into another module"]()
    with pytest.raises(ReleaseError) as caught:
        leaks.no_shared_stretch(make_edition(files), files)
    place = caught.value.problems[0].partition(": holds")[0]
    path, _, line = place.partition(":")
    assert path == "cs7643/fast/blocks.py"
    assert files[path].decode().splitlines()[int(line) - 1].strip() in inside(LAYERS, "max_pool_backward_naive")


SLIPS = {
    "a misspelt pair": (
        "cs7643/descent.py",
        "    # BEGIN SOLUTION 1 step_size\n    return 1 / lam\n    # END SOLUTION",
        "    # BEGIN SOLUTOIN 1 step_size\n    return 1 / lam\n    # END SOLUTOIN",
        r"cs7643/descent\.py:\d+: this is nearly a marker",
    ),
    "another task": (
        LAYERS,
        "BEGIN SOLUTION 6.2 relu_forward",
        "BEGIN SOLUTION 6.1 relu_forward",
        r"cs7643/layers\.py:\d+: task 6\.1: this file belongs to 6\.2",
    ),
    "a name twice": (
        LAYERS,
        "BEGIN SOLUTION 6.2 relu_forward",
        "BEGIN SOLUTION 6.2 relu_backward",
        r"cs7643/layers\.py:\d+: two regions are called 6\.2 relu_backward",
    ),
    "a function without a region": (
        LAYERS,
        "    # BEGIN SOLUTION 6.2 relu_forward\n    return np.maximum(x, 0), x\n    # END SOLUTION\n",
        "    return np.maximum(x, 0), x\n",
        r"cs7643/layers\.py:1: relu_forward of task 6\.2 has no region of that task",
    ),
    "a region outside a function": (
        LAYERS,
        "def relu_forward(",
        "# BEGIN SOLUTION 6.2 constant\nX = 1\n# END SOLUTION\n\n\ndef relu_forward(",
        r"cs7643/layers\.py:\d+: the region must be inside a function",
    ),
    "a solution in a file of none": (
        "cs7643/losses.py",
        "def check_labels(",
        "# BEGIN SOLUTION 6.2 labels\nx = 1\n# END SOLUTION\n\n\ndef check_labels(",
        r"cs7643/losses\.py:\d+: task 6\.2: this file belongs to no task",
    ),
    "in a cell, with another letter case": (
        NOTEBOOK,
        "<!-- BEGIN SOLUTION 2 proof -->",
        "<!-- Begin Solution 2 proof -->",
        r"notebooks/1_gradient_descent\.ipynb:\d+: this is nearly a marker",
    ),
    "speaks of the solutions": (
        "cs7643/optim.py",
        "No state.",
        "No state. See the solution.",
        r"cs7643/optim\.py:\d+: speaks of what students do not have",
    ),
    "names a test": (
        "datasets/README.md",
        "# Data\n",
        "# Data\n\nTested in tests/data/test_shapes.py.\n",
        r"datasets/README\.md:3: names tests/data/test_shapes\.py, which students do not have",
    ),
    "a dead link": (
        "staff/README.template.md",
        "(LICENSE)",
        "(COPYING)",
        r"README\.md:1: names COPYING",
    ),
    "no word about a file": (
        CONTENTS,
        "student   LICENSE",
        "",
        r"LICENSE:1: contents\.txt does not say whether students get this file",
    ),
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_stops_the_release_with_file_and_line(name):
    path, right, wrong, message = SLIPS[name]
    with pytest.raises(ReleaseError, match=message):
        prove(changed(path, right, wrong))


def leaky(keep):
    """Return a release of notebooks that forgets to clear one thing."""

    def cut(content, path, tasks):
        new, cleared = cut_notebook(content, path, tasks)
        after = json.loads(new)
        for cell, before in zip(after["cells"], json.loads(content)["cells"], strict=True):
            if keep in before:
                cell[keep] = before[keep]
        return dump(after), cleared

    return cut


@pytest.mark.parametrize("keep", ["outputs", "attachments", "metadata", "source", "execution_count"])
def test_a_release_that_forgets_something_is_found_out_by_the_canaries(keep, monkeypatch):
    monkeypatch.setattr(edition, "cut_notebook", leaky(keep))
    broken = make_edition(source())
    with pytest.raises(ReleaseError, match=r"ipynb:1: a canary in a region, an output or"):
        leaks.no_canary(broken, source())


def test_a_release_that_leaves_a_region_is_found_out(monkeypatch):
    real = edition.cut
    monkeypatch.setattr(edition, "cut", lambda text, syntax, place, tasks: (text, real(text, syntax, place, tasks)[1]))
    broken = make_edition(source())
    for look in (leaks.equals_source, leaks.every_solution_has_a_blank, leaks.no_shared_stretch):
        with pytest.raises((ReleaseError, ValueError)):
            look(broken, source())


def test_there_is_a_canary_in_every_region_output_and_attachment():
    planted = {path: leaks.plant(path, source()[path]) for path in student().removed}
    other = make_edition({**source(), **planted})
    for (_, before), (_, after) in zip(student().solutions(), other.solutions(), strict=True):
        assert before.region.name == after.region.name
        assert leaks.CANARY in "".join(after.lines)
    cells = json.loads(planted[NOTEBOOK])["cells"]
    assert all(leaks.CANARY in json.dumps(cell.get("outputs") or cell["attachments"]) for cell in cells)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the student edition somewhere."""
    path = tmp_path_factory.mktemp("student edition")
    command.write(student().files, path)
    return path


def test_a_trial_finds_what_does_not_work(tmp_path):
    files = dict(student().files)
    files["cs7643/optim.py"] += b"import os\n"
    files["cs7643/descent.py"] = restore_file(files["cs7643/descent.py"], student().removed["cs7643/descent.py"])
    del files["cs7643/data/data_command.py"]
    command.write(files, tmp_path)
    with pytest.raises(ReleaseError) as caught:
        rehearsal.try_out(tmp_path)
    said = "\n".join(caught.value.problems)
    assert "cs7643/optim.py" in said
    assert "check proximal_step, " in said
    assert "cs7643 data cannot be used: ModuleNotFoundError" in said
    assert "cs7643 lab" not in said


def repository(path, files):
    """Make a repository of git with some files."""
    command.write(files, path)
    for arguments in (["init", "-q"], ["add", "-A", "-f"]):
        subprocess.run(["git", *arguments], cwd=path, check=True)
    return path


def test_a_build_tries_the_edition_and_swaps_all_of_it_or_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root, output = repository(tmp_path / "source", source()), Path("dist")  # relative, as a person types it
    old = output / "hw1-student"
    command.write({"old.txt": b"old"}, old)
    (root / LAYERS).write_bytes(
        changed(LAYERS, "# BEGIN SOLUTION 6.2 relu_forward", "# begin solution 6.2 relu")[LAYERS]
    )
    with pytest.raises(ReleaseError, match=r"cs7643/layers\.py:\d+"):
        command.build(root, output)
    assert [path.name for path in output.rglob("*")] == ["hw1-student", "old.txt"]
    (root / LAYERS).write_bytes(source()[LAYERS])
    report = command.build(root, output)
    found = {path.relative_to(old).as_posix(): path.read_bytes() for path in old.rglob("*") if path.is_file()}
    assert found == student().files
    assert sorted(path.name for path in output.iterdir()) == ["hw1-student", "hw1-student.zip"]
    assert (output / "hw1-student.zip").read_bytes() == zipped(
        {f"hw1-student/{path}": content for path, content in student().files.items()}
    )
    assert report[-1].count("sha256") == 1
    said = "\n".join(report)
    assert f"{len(homework().tasks)} tasks, each function not started" in said
    assert "commands doctor, run, lab, check, status, hint, quiz, verify, data, train" in said


def test_only_files_that_git_knows_are_released(tmp_path):
    files = {"cs7643/a.py": b"", "LICENSE": b"", CONTENTS: source()[CONTENTS]}
    root = repository(tmp_path, files)
    assert read_source(root) == files
    (root / "staff" / "notes.txt").write_text("not for students")
    assert read_source(root) == files
    (root / "cs7643" / "answers.py").write_text("x = 1")
    with pytest.raises(ReleaseError, match=r"cs7643/answers\.py:1: not known to git"):
        read_source(root)
    (root / "cs7643" / "answers.py").unlink()
    (root / "cs7643" / "a.py").unlink()
    with pytest.raises(ReleaseError, match=r"cs7643/a\.py:1: git knows it, but there is no file"):
        read_source(root)


def rewritten(folder, change):
    """Make a repository of this one's files, each rewritten but for pictures."""
    files = {path: content if b"\0" in content else change(path, content) for path, content in source().items()}
    return repository(folder, files)


WRITTEN = {
    "on Windows": lambda _, content: content.replace(b"\n", b"\r\n"),
    "by an editor that marks UTF-8": lambda _, content: b"\xef\xbb\xbf" + content,
    "by one that ends the lines in cells so": lambda path, content: (
        content.replace(rb'\n",', rb'\r\n",') if path.endswith(".ipynb") else content
    ),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_a_repository_that_was_rewritten_gives_the_same_edition(how, tmp_path):
    folder = rewritten(tmp_path, WRITTEN[how])
    assert (folder / LAYERS).read_bytes() != source()[LAYERS] or (folder / NOTEBOOK).read_bytes() != source()[NOTEBOOK]
    read = read_source(folder)
    assert read == source()
    assert make_edition(read) == student()
    assert not [path for path, content in student().files.items() if b"\r\n" in content and b"\0" not in content]


@pytest.mark.skipif(os.name == "nt", reason="Windows does not have such names")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cs7643/aux.py", "where aux.py is a device"),
        ("cs7643/Layers.py", "its name is that of"),
        ("cs7643/x\udcff.py", "its name is not UTF-8"),
        ("cs7643/a:b.py", "does not allow :"),
    ],
)
def test_a_name_that_not_every_system_can_hold_stops_the_release(name, reason, tmp_path):
    folder = rewritten(tmp_path, lambda _, content: content)
    (folder / name).write_bytes(b"")
    subprocess.run(["git", "add", "--force", name], cwd=folder, check=True)
    with pytest.raises(ReleaseError, match=reason):
        read_source(folder)


def test_what_a_system_leaves_beside_the_files_stops_no_release(tmp_path):
    folder = rewritten(tmp_path, lambda _, content: content)
    for name in ("notebooks/._1_gradient_descent.ipynb", "cs7643/._layers.py", "._README.md", ".#README.md"):
        (folder / name).write_bytes(b"\0\5\26\7")
    assert read_source(folder) == source()


def test_the_list_of_contents_is_read_strictly():
    with pytest.raises(ReleaseError, match=r"contents\.txt:2: expected one of staff, student") as caught:
        read_contents("student a 1 2  # fine\nstudents b\nshares a\n")
    assert len(caught.value.problems) == 2
    read = read_contents("staff a/b*\nstudent a/* 1\nstudent cs7643/*.py\nshares f* a/x.py\n")
    assert read.entry("a/bc").kind == "staff"
    assert read.entry("a/c/d").kind == "student"
    assert read.entry("b") is None
    assert read.tasks("a/c") == {"1"}
    assert read.tasks("cs7643/layers.py") == {"6.2"}
    assert read.may_share("follow", "a/x.py")
    assert not read.may_share("follow", "a/y.py")


def test_the_command_prints_what_is_wrong_and_fails(tmp_path, monkeypatch, capsys):
    def fail(root, output, policy, self_learner):
        raise ReleaseError(["a.py:1: wrong"])

    monkeypatch.setattr(command, "build", fail)
    result = subprocess.run([sys.executable, "-m", "staff", "release", "--help"], cwd=ROOT, capture_output=True)
    assert result.returncode == 0
    assert b"--output" in result.stdout
    args = type("Arguments", (), {"output": tmp_path, "assistants": "none", "self_learner": False})
    assert command.main(args) == 1
    assert capsys.readouterr().err == "a.py:1: wrong\nrelease: nothing was written\n"


def python_blanks():
    return [
        pytest.param(path, done, id=f"{done.region.task} {done.region.name}")
        for path, done in student().solutions()
        if done.blank[-1].lstrip().startswith("raise")
    ]


@pytest.mark.parametrize(("path", "done"), python_blanks())
def test_a_blank_raises_and_names_its_task(path, done):
    code = "\n".join(line.strip() for line in done.blank)
    with pytest.raises(NotImplementedError) as caught:
        exec(code, {})
    assert str(caught.value) == f"Task {done.region.task}: {done.region.name}"


def test_every_solution_is_code_prose_or_a_script():
    kinds = {"raise": 0, "**Task": 0, "exit": 0}
    for _, done in student().solutions():
        kinds[done.blank[-1].split()[0]] += 1
    assert kinds["raise"] >= 30
    assert kinds["**Task"] >= 9


@pytest.mark.slow
def test_each_blank_stops_its_own_part_when_all_others_are_filled(tmp_path):
    """With one blank left, the cases that need its part are not started, and none is wrong."""
    command.write({path: source()[path] for path in student().removed}, tmp_path)
    for path, done in student().solutions():
        task = next((task for task in homework().tasks if task.number == done.region.task), None)
        module = path.removesuffix(".py").replace("/", ".")
        names = [name for where, name in task.functions if where == module] if task else []
        if not names:
            continue
        lines = source()[path].decode().split("\n")
        lines[done.region.start : done.region.end] = done.blank
        (tmp_path / path).write_text("\n".join(lines), encoding="utf-8")
        own = [name for name in names if done.region.name.startswith(tuple(name.split(".")))]
        outcomes = run_apart(task, names, root=tmp_path)
        (tmp_path / path).write_bytes(source()[path])
        statuses = {name: {outcome.status for outcome in outcomes[name].outcomes} for name in names}
        assert own, done.region.name
        assert any("not started" in statuses[name] for name in own), done.region.name
        assert not any("wrong" in found for found in statuses.values()), (done.region.name, outcomes)


@pytest.mark.slow
def test_the_edition_with_the_solutions_passes_all_checks(folder, tmp_path):
    command.write(student().files, tmp_path)
    assert rehearsal.run(tmp_path, "-m", "cs7643", "check", "--all", "--json").returncode == 1
    command.write(restore(student()), tmp_path)
    result = rehearsal.run(tmp_path, "-m", "cs7643", "check", "--all", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    reports = json.loads(result.stdout)["checks"]
    assert [report["earned"] for report in reports] == [task.program_points for task in homework().tasks]


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in sorted(student().files) if path.endswith(".ipynb")])
def test_a_notebook_stops_at_its_first_blank_and_says_which(path, folder):
    result = rehearsal.run(folder, "-m", "cs7643", "run", Path(path).stem, "--cifar10-dir", "embedded")
    assert result.returncode == 1, result.stdout + result.stderr
    first = result.stderr.partition("\n")[0]
    assert "NotImplementedError: Task " in first
    assert os.path.basename(path) in first
    assert "Your code here, in place of" in result.stderr
