"""A class as it arrives: everybody is found and named or said to be missing, and what stops is gone on with."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.autograder import classrun, exports, student_report
from coursework.staff.autograder.judging import Judgement
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config
from coursework.staff.autograder.rubric import judged
from staff.hostile.answers import mutated_source
from staff.hostile.submission import folder, solved
from staff.mutants.catalogue import MUTANTS

CONFIG = Config("some seed", (101,), rounds=1)
DESCENT = "cs7643/descent.py"
RIGHT = solved(DESCENT)
STEP_SIZE = mutated_source(next(each for each in MUTANTS if each.function == "step_size"))
METADATA = """---
submission_7:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1'
  - :name: Bob
    :sid:
  :created_at: 2026-11-20 10:00:00.000000000 Z
  :results:
    tests:
    - name: "submission_8:"
submission_8:
  :submitters:
  - :name: Eve
"""


def zipped(files):
    """Return a zip of these files, some of which may be zips themselves."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return stream.getvalue()


ZIP = zipped({DESCENT: RIGHT})
OLD = zipped({DESCENT: "an earlier attempt"})
NESTED = zipped({"hw1.zip": ZIP, "hw1.pdf": "%PDF"})
JUNK = {".DS_Store": "x", "__MACOSX/ada/._hw1.zip": "x", "desktop.ini": "x"}
LAYOUTS = {
    "Moodle": {
        "Ada Lovelace_1_assignsubmission_file_/hw1.zip": ZIP,
        "Ada Lovelace_1_assignsubmission_onlinetext_/onlinetext.html": "see the zip",
        "Bob_2_assignsubmission_file_/HW1.ZIP": ZIP,
        "Eve_3_assignsubmission_file_/hw1/hw1 (1).zip": NESTED,
    },
    "Moodle, flat": {
        "Ada Lovelace_1_assignsubmission_file_hw1.zip": ZIP,
        "Bob_2_assignsubmission_file_hw1.zip": ZIP,
        "Bob_2_assignsubmission_file_hw1.pdf": "%PDF",
        "Eve_3_assignsubmission_file_my homework.zip": NESTED,
    },
    "Canvas": {
        "lovelaceada_1_90_hw1.zip": OLD,
        "lovelaceada_LATE_1_100_hw1-1.zip": ZIP,
        "bob_2_91_hw1.zip": ZIP,
        "bob_2_99_hw1.pdf": "%PDF",
        "eve_3_92_hw1-2.zip": NESTED,
    },
    "Gradescope": {
        f"assignment_5_export/submission_7/{DESCENT}": RIGHT,
        f"assignment_5_export/submission_8/homework/{DESCENT}": RIGHT,
        "assignment_5_export/submission_9/hw1.zip": ZIP,
        f"assignment_5_export/{exports.METADATA}": METADATA,
    },
    "folders": {
        f"ada/{DESCENT}": RIGHT,
        "bob/hw1.zip": OLD,
        "bob/hw1 (1).zip": ZIP,
        "eve/attempt 2/hw1.zip": ZIP,
        "eve/attempt 1/hw1.zip": OLD,
        "notes.txt": "x",
    },
    "zips": {"ada.zip": ZIP, "bob (1).zip": ZIP, "bob.zip": OLD, "EVE.ZIP": NESTED},
}


def written(files, place, as_zip):
    """Write a class into a folder, or a zip of that name."""
    if as_zip:
        place.with_suffix(".zip").write_bytes(zipped(files))
        return place.with_suffix(".zip")
    return folder(files)(place)


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_everybody_is_found_and_the_last_attempt_counts(layout, as_zip, tmp_path):
    found = exports.find(written({**LAYOUTS[layout], **JUNK}, tmp_path / "class", as_zip))
    taken, missing = classrun.take_all(found, jobs=2)
    assert (len(found.students), missing) == (3, {})
    assert [submission.files for submission in taken.values()] == [{DESCENT: RIGHT.encode()}] * 3
    assert found.strays == (("notes.txt",) if layout == "folders" else ())


def test_gradescope_says_who_is_who(tmp_path):
    found = exports.find(written(LAYOUTS["Gradescope"], tmp_path / "class", False))
    assert {each.name: each.person for each in found.students} == {
        "submission_7": "Ada Lovelace, Bob",
        "submission_8": "Eve",
        "submission_9": "",
    }


@pytest.mark.parametrize(
    ("files", "name", "said"),
    [
        ({"eve/hw1.pdf": "%PDF"}, "eve", "there is no zip, and none of the files that are graded, but eve/hw1.pdf"),
        ({"eve/": None}, "eve", "the folder is empty"),
        ({"eve.rar": "Rar!"}, "eve.rar", "there is no zip"),
        ({"eve.zip": "Rar!"}, "eve", "it is not a zip file"),
        ({"eve.zip": zipped({"essay.docx": "x"})}, "eve", "it holds essay.docx"),
        ({"eve/hw1.zip": ""}, "eve", "it is not a zip file"),
        ({"Eve_3_assignsubmission_onlinetext_/onlinetext.html": "x"}, "Eve_3", "there is no zip"),
        ({"eve": ...}, "eve", "it is a link"),
    ],
)
def test_who_has_nothing_to_grade_is_named(files, name, said, tmp_path):
    place = folder({"ada.zip": ZIP})(tmp_path)
    for path, content in files.items():
        if content is None:
            (place / path).mkdir()
        elif content is ...:
            (place / path).symlink_to("/etc")
        else:
            folder({path: content})(place)
    taken, missing = classrun.take_all(exports.find(place))
    assert list(taken) == ["ada"]
    assert list(missing) == [name]
    assert said in missing[name]


@pytest.mark.parametrize(
    ("files", "alone"),
    [
        ({DESCENT: RIGHT}, True),
        ({"hw1.zip": ZIP, "hw1.pdf": "%PDF"}, True),
        ({"HW1 (2).zip": ZIP, "hw1.zip": OLD}, True),
        ({f"ada/{DESCENT}": RIGHT}, False),
        ({"ada.zip": ZIP}, False),
        ({"class 2026/ada.zip": ZIP, "class 2026/bob.zip": ZIP}, False),
    ],
)
def test_one_submission_is_not_a_class_and_a_class_may_have_one_student(files, alone, tmp_path):
    found = exports.find(folder(files)(tmp_path))
    assert (found is None) == alone
    if found:
        assert {each.name for each in found.students} <= {"ada", "bob"}


WORDS = st.text(st.characters(blacklist_characters="/\\\0", blacklist_categories=["Cs"]), min_size=1, max_size=12)
PATHS = st.lists(st.sampled_from(["hw1.zip", "a.pdf", "descent.py", "attempt 1", "ada", "bob"]) | WORDS, max_size=3)


@given(st.lists(st.tuples(st.one_of(WORDS, st.sampled_from(["ada.zip", "ada", "ada (1).zip"])), PATHS), min_size=1))
def test_nobody_is_left_out(entries):
    """Each entry of a class is a student's, with something to grade or a problem, or it is named as a stray."""
    paths = {str(PurePosixPath(top, *rest)) for top, rest in entries}
    made = exports.layout((path, exports.FILE) for path in sorted(paths))
    if made is None:
        return
    _, students, strays = made
    tops = {path.split("/")[0] for path in paths if not any(map(exports.ignored, path.split("/")))}
    names = [student.name for student in students]
    assert len(set(names)) == len(names)
    assert all(bool(student.entry) != bool(student.problem) for student in students)
    said = " ".join([*names, *(f"{each.entry} {each.remark} {each.problem}" for each in students), *strays])
    assert students or strays or not tops
    zips = [top for top in tops if top.lower().endswith(".zip") and top.isalnum()]
    assert all(top in said for top in zips)


@given(st.sets(st.text(min_size=1) | st.sampled_from(["ada", "Ada", "con", "a.", "a", "ä", "a\u0308", ".."])))
def test_every_student_has_a_folder_of_their_own_on_every_system(names):
    slugs = [exports.slug(name.encode("utf-8", "replace").decode()) for name in names]
    assert all(count == 1 for count in Counter(each.casefold() for each in slugs).values()) or len(
        {name.encode("utf-8", "replace") for name in names}
    ) < len(names)
    assert not any(
        set(each) & set('/\\:*?"<>|\0') or each in (".", "..") or each.endswith((".", " ")) for each in slugs
    )


def test_an_odd_name_touches_nobody_else(tmp_path):
    names = ["grades.csv.zip", "seed.json.zip", "ada.zip", "submissions.zip", "=cmd().zip"]
    place = folder({f"ada/{DESCENT}": "pass\n", **dict.fromkeys(names, ZIP)})(tmp_path / "class")
    if sys.platform == "linux":
        (tmp_path / "class" / os.fsdecode(b"\xff\xfe.zip")).write_bytes(ZIP)
        names.append("\xff")
    out = tmp_path / "out"
    assert classrun.run(exports.find(place), out, CONFIG, Limits(), ["4"], jobs=2) == 0
    with (out / "grades.csv").open(encoding="utf-8") as stream:
        rows = {row["submission"]: float(row["points"]) for row in csv.DictReader(stream)}
    assert rows.pop("ada") == 0
    assert set(rows.values()) == {1.0}
    assert len(rows) == len(names)
    assert {"grades.csv", "seed.json", "ada.zip", "submissions", "'=cmd()"} <= set(rows)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", "\x1b=", "＝", "＋", "﹣", "＠", "\ufeff="])
def test_no_cell_is_computed(start):
    text = f"{start}1+1;=2\n=3"
    cell = classrun._cell(text)
    assert cell[0] == "'"
    assert not set("\t\r\n\x1b;") & set(cell)
    assert classrun._cell("Ada Lovelace") == "Ada Lovelace"


def test_a_class_is_graded_and_goes_on_where_it_stopped(tmp_path, capsys):
    place = tmp_path / "class"
    folder({DESCENT: RIGHT, "collaborators.txt": "Name: =cmd()\n"})(place / "ada")
    folder({DESCENT: STEP_SIZE})(place / "bob")
    folder({"hw1.pdf": "%PDF"})(place / "eve")
    out = tmp_path / "out"

    def run():
        code = classrun.run(exports.find(place), out, CONFIG, Limits(), ["1"])
        return code, *capsys.readouterr()

    code, said, complained = run()
    assert code == 1
    assert "eve: there is no zip" in complained
    assert "3 students, 2 of them graded now, 1 without results" in said
    with (out / "grades.csv").open(encoding="utf-8") as stream:
        rows = {row["submission"]: row for row in csv.DictReader(stream)}
    assert [rows[name]["points"] for name in ("ada", "bob", "eve")] == ["1.0", "0.5", ""]
    assert (rows["ada"]["name"], rows["eve"]["finished"]) == ("'=cmd()", "False")
    assert "eve/hw1.pdf" in rows["eve"]["remarks"]
    assert "step_size,lam multiplies,1" in (out / "mistakes.csv").read_text(encoding="utf-8")
    heard = (out / "lecture.html").read_text(encoding="utf-8")
    assert "<code>step_size</code> lam multiplies" in heard
    assert "bob" not in heard
    assert (out / "histogram.png").read_bytes().startswith(b"\x89PNG")
    results = {name: out / "submissions" / name / "results.json" for name in ("ada", "bob")}
    stamps = {name: path.stat().st_mtime_ns for name, path in results.items()}
    assert "0 of them graded now" in run()[1]
    results["bob"].write_text(json.dumps(student_report.zeros("not graded")))
    folder({DESCENT: RIGHT})(place / "eve")
    code, said, _ = run()
    assert code == 0
    assert "2 of them graded now, 0 without results" in said
    assert results["ada"].stat().st_mtime_ns == stamps["ada"]
    folder({DESCENT: STEP_SIZE})(place / "ada")
    assert "1 of them graded now" in run()[1]  # as it is another submission


def test_points_that_the_staff_gives_later_are_no_points_yet(tmp_path):
    later = {task.number: Judgement(0.0, "later", counts=False) for task in judged()}
    document = student_report.build({}, later, [], [], 1.0)
    classrun.write_grades([exports.Student("ada")], {"ada": document}, {}, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert [float(row[number]) for number in later] == [0.0] * len(later)


def test_a_process_that_is_ended_costs_nobody_else_anything():
    with classrun.Apart(2) as apart:
        before = apart.submit(pow, 2, 3)
        ended = apart.submit(os._exit, 9)
        after = [apart.submit(pow, 2, k) for k in range(4)]
        assert before.result() == 8
        assert [each.result() for each in after] == [1, 2, 4, 8]
        with pytest.raises(classrun.BrokenExecutor):
            ended.result()


def command(*arguments, **options):
    """Return a call of the staff's command line."""
    environment = {**os.environ, "COURSEWORK_NO_VENV": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "staff", *map(str, arguments)],
        **{"cwd": ROOT, "env": environment, "stdout": -1, "stderr": -1, "encoding": "utf-8", **options},
    )


def keep_seeds(out):
    """Put verified seeds where an earlier call would have left them."""
    out.mkdir()
    (out / "seed.json").write_text(json.dumps([CONFIG.secret, CONFIG.pool]), encoding="utf-8")


@pytest.mark.slow
def test_a_class_run_that_is_killed_goes_on(tmp_path):
    place, out = tmp_path / "class", tmp_path / "out"
    for k in range(6):
        folder({DESCENT: RIGHT})(place / f"s{k}")
    keep_seeds(out)
    arguments = ("grade", place, "--out", out, "--tasks", "4")
    first = command(*arguments)
    while len(list(out.glob("submissions/*/graded.json"))) < 2:
        assert first.poll() is None
        time.sleep(0.05)
    first.kill()
    first.wait()
    done = {path: path.stat().st_mtime_ns for path in out.glob("submissions/*/graded.json")}
    assert len(done) < 6
    said, complained = command(*arguments).communicate()
    assert "6 students" in said
    assert not complained
    assert {path: path.stat().st_mtime_ns for path in done} == done
    with (out / "grades.csv").open(encoding="utf-8") as stream:
        assert [float(row["points"]) for row in csv.DictReader(stream)] == [homework().task("4").program_points] * 6


@pytest.mark.parametrize("spoil", ["no git", "an untracked file"])
def test_without_a_student_edition_nothing_is_graded(spoil, tmp_path):
    copy = tmp_path / "copy"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for path in filter(None, files.split("\0")):
        if (ROOT / path).is_file() and not path.startswith(("notebooks/", "docs/", "benchmarks/", "tests/")):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, copy / path)
    if spoil == "an untracked file":
        for arguments in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *arguments], cwd=copy, check=True)
        (copy / "cs7643" / "mine.py").write_text("x = 1\n")
    submission = folder({DESCENT: RIGHT})(tmp_path / "in")
    call = command("grade", submission, "--out", tmp_path / "out", cwd=copy)
    said, complained = call.communicate()
    assert (call.returncode, said) == (1, "")
    expected = "git cannot list the files" if spoil == "no git" else "cs7643/mine.py:1: not known to git"
    assert expected in complained
    assert len(complained.splitlines()) == 1


def test_an_empty_submission_is_no_silent_zero(tmp_path):
    keep_seeds(tmp_path / "out")
    call = command(
        "grade", folder({"essay.pdf": "x"})(tmp_path / "in"), "--out", tmp_path / "out", "--tasks", "4", "--single"
    )
    _, complained = call.communicate()
    assert call.returncode == 1
    assert "none of the files that are graded was found; it holds essay.pdf" in complained
