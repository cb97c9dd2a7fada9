"""results.json is as the platform specifies it, and the rubric has 41 points."""

from __future__ import annotations

import importlib
import json
import operator
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursework.check.case import cases_of
from coursework.check.comparison import Comparison
from coursework.homework import homework
from coursework.staff.autograder import gradescope_results, intake, rubric, student_report
from coursework.staff.mutants.attempt import register_cases
from cs7643.data import shapes
from staff.judge import judge

GOOD = {
    "score": 3,
    "execution_time": 1.5,
    "output": "text",
    "output_format": "md",
    "visibility": "after_due_date",
    "stdout_visibility": "hidden",
    "extra_data": {"a": 1},
    "tests": [
        {
            "score": 1.0,
            "max_score": 2,
            "status": "failed",
            "name": "n",
            "number": "1.1",
            "output": "",
            "output_format": "ansi",
            "tags": ["t"],
            "visibility": "after_published",
            "extra_data": {},
        }
    ],
    "leaderboard": [{"name": "Accuracy", "value": 0.7, "order": "desc"}, {"name": "Model", "value": "ConvNet"}],
}


def test_a_document_with_every_field_is_valid():
    assert gradescope_results.problems(GOOD) == []
    assert gradescope_results.problems(student_report.zeros("not graded")) == []


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ((), "score", "3"),
        ((), "score", float("nan")),
        ((), "visibility", "secret"),
        ((), "output_format", "latex"),
        ((), "tests", {}),
        ((), "points", 3),
        (("tests", 0), "score", 2.5),
        (("tests", 0), "score", -1),
        (("tests", 0), "score", True),
        (("tests", 0), "number", 1.1),
        (("tests", 0), "tags", "t"),
        (("tests", 0), "status", "ok"),
        (("leaderboard", 0), "order", "down"),
        (("leaderboard", 0), "value", None),
    ],
)
def test_a_wrong_field_is_found_and_not_written(place, name, value, tmp_path):
    changed = json.loads(json.dumps(GOOD))
    inner = changed
    for step in place:
        inner = inner[step]
    inner[name] = value
    found = gradescope_results.problems(changed)
    assert any(name in problem for problem in found)
    gradescope_results.write(tmp_path / "results.json", GOOD)
    with pytest.raises(ValueError, match=name):
        gradescope_results.write(tmp_path / "results.json", changed)
    assert json.loads((tmp_path / "results.json").read_text()) == GOOD


@given(st.text())
def test_a_cleaned_text_has_no_control_characters_and_an_end(text):
    found = gradescope_results.clean(text * 50, 500)
    assert len(found) <= 510
    assert all(c == "\n" or c.isprintable() or c.isspace() for c in found)


def test_the_rubric_has_all_points_once():
    by_task = {task.number: task.points for task in homework().all_tasks}
    parts = {task.number: task.program_points for task in homework().all_tasks}
    for task, points, what in rubric.by_person():
        parts[task.number] += points
        assert what, task.number
    assert parts == by_task
    assert sum(parts.values()) == 41
    zeros = student_report.zeros("")
    assert sum(test.get("max_score", 0) for test in zeros["tests"]) == pytest.approx(rubric.by_program())
    assert student_report.points(zeros) == 0


@pytest.mark.parametrize("task", homework().tasks, ids=lambda task: task.number)
def test_the_share_of_a_task_grows_with_each_function(task):
    names = [name for _, name in task.functions]
    assert rubric.share(task, dict.fromkeys(names, 1.0)) == 1
    assert rubric.share(task, {}) == 0
    for name in names:
        assert 0 < rubric.share(task, {name: 1.0}) <= 1
        assert rubric.share(task, {name: 0.5}) == pytest.approx(rubric.share(task, {name: 1.0}) / 2)


def test_a_case_decides_exactly_if_it_uses_its_generator_and_does_not_lean():
    """The name of the parameter says so; see that it says the truth, on the solution."""
    register_cases()
    for module, name in (pair for task in homework().tasks for pair in task.functions):
        function = operator.attrgetter(name)(importlib.import_module(module))
        for case in cases_of(name):
            rng = case.random(0)
            before = str(rng.bit_generator.state)
            with np.errstate(all="ignore"):
                assert all(each.passed for each in case.body(function, rng) if isinstance(each, Comparison))
            drawn = str(rng.bit_generator.state) != before
            assert case.decides == (drawn and not case.leans), f"{name}: {case.title}"


def predictions(labels):
    return ("image_id,label\n" + "".join(f"{k},{label}\n" for k, label in enumerate(labels))).encode()


@pytest.mark.parametrize("known", [{}, {"labels": "".join(str(k * 7 % 10) for k in range(10_000))}])
def test_predictions_for_the_drawn_images_are_told_from_others(known):
    drawn = shapes.draw(0, 10_000)[3]
    for labels, said in ((drawn, True), (np.roll(drawn, 1), False), ([k * 7 % 10 for k in range(10_000)], False)):
        found = student_report.build(
            {}, {"6.7": judge("6.7", {"predictions.csv": predictions(labels)}, known)}, [], [], 1.0
        )
        (test,) = (test for test in found["tests"] if test.get("number") == "6.7")
        assert (
            "for the drawn images, not CIFAR-10: 100% of the drawn test images would be right" in test["output"]
        ) == said


@pytest.mark.parametrize("files", [{}, {"predictions.csv": b"image_id,label\n0,1\n"}])
def test_without_labels_predictions_have_no_points_to_win_or_lose(files):
    found = student_report.build({}, {"6.7": judge("6.7", files, {})}, [], [], 1.0)
    (test,) = (test for test in found["tests"] if test.get("number") == "6.7")
    assert not {"score", "max_score", "status"} & set(test)
    assert student_report.most(found) == 17.5
    assert "A program gives 17.5 of the 41 points" in found["output"]
    assert gradescope_results.problems(found) == []


def test_predictions_get_points_for_what_they_beat():
    labels = [k * 7 % 10 for k in range(10_000)]
    known = {"labels": "".join(map(str, labels)), "staff_accuracy": 0.6}

    def judged(content, known=known):
        return judge("6.7", {"predictions.csv": content}, known)

    assert judged(predictions(labels)).score == 10
    assert "ask" in judged(predictions(labels)).staff
    part = [label if k % 10 < 6 else (label + 1) % 10 for k, label in enumerate(labels)]
    found = judged(predictions(part))
    assert (found.score, found.board) == (5, ("Accuracy", 0.6))
    chance = [label if k % 10 < 1 else (label + 1) % 10 for k, label in enumerate(labels)]
    assert judged(predictions(chance)).score == 0
    broken = [b"", b"image_id,label\n0,1\n", b"\xff" * 100, predictions([11] * 10_000), predictions(labels[1:])]
    for found in (judge("6.7", {}, known), *map(judged, broken)):
        assert found.score == 0
        assert found.board is None
        assert "/" not in found.text
    later = judged(predictions(labels), {})
    assert (later.score, later.board) == (0, None)
    assert "later" in later.text


LOG = b"settings: lr 0.1\nepoch 1 of 1\nbest validation accuracy 0.61\ntest accuracy %s, test loss 1.1 (10000 images)\n"


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (LOG % b"0.6010", "mymodel.log says 0.6010, too."),
        (LOG % b"0.4000", "mymodel.log says 0.4000: ask which model the predictions come from."),
        (b"epoch 1 of 9\n\xff\x1b[31m", "mymodel.log has no test accuracy. Labels with noise look like this, too"),
        (b"", "mymodel.log has no test accuracy."),
        (None, "mymodel.log is not there. Labels with noise look like this, too: ask for the training."),
    ],
)
def test_the_staff_reads_the_log_of_the_training_beside_the_accuracy(log, said):
    labels = [k * 7 % 10 for k in range(10_000)]
    noisy = [label if k % 10 < 6 else (label + 1) % 10 for k, label in enumerate(labels)]
    files = {"predictions.csv": predictions(noisy)} | ({} if log is None else {"experiments/results/mymodel.log": log})
    found = judge("6.7", files, {"labels": "".join(map(str, labels)), "staff_accuracy": 0.5})
    assert found.score == 10, "the log changes no points"
    assert found.staff.startswith("6.7: accuracy 0.6000. experiments/results/")
    assert said in found.staff
    assert "\x1b" not in found.staff
    assert ("settings: lr 0.1" in found.staff) == (log is not None and b"settings" in log)


def test_the_log_of_the_judged_run_is_taken_from_a_submission(tmp_path):
    log = tmp_path / "hw1" / "experiments" / "results" / "mymodel.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(LOG % b"0.9")
    assert intake.take(tmp_path).loose == {"experiments/results/mymodel.log": LOG % b"0.9"}


def test_only_what_is_looked_for_is_read(tmp_path):
    path = tmp_path / "hw1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cs7643/layers.py", "coursework/check/case.py", "hw1/predictions.csv", "notebooks/1.ipynb"):
            archive.writestr(name, name)
        archive.writestr("hw1/collaborators.txt", "# who\nName: Ada \x1b[1mLovelace\nCollaborators: none\n")
    found = intake.take(path)
    assert found.files == {"cs7643/layers.py": b"cs7643/layers.py"}
    assert found.loose == {"predictions.csv": b"hw1/predictions.csv"}
    assert intake.name_of(found) == "Ada Lovelace"
    assert intake.take(tmp_path / "nothing").files == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_name_is_read_whatever_editor_wrote_it(encoding, end, tmp_path):
    (tmp_path / "collaborators.txt").write_bytes(f"Name: José Ñandú{end}Collaborators: none{end}".encode(encoding))
    assert intake.name_of(intake.take(tmp_path)) == "José Ñandú"


def test_the_name_that_submit_was_given_counts(tmp_path):
    """`submit --name` writes it into the manifest alone."""
    for name, content in {
        "collaborators.txt": "Name:\nCollaborators: none\n",
        "manifest.json": json.dumps({"name": "Ada", "collaborators": "none"}),
    }.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert intake.name_of(intake.take(tmp_path)) == "Ada"
    (tmp_path / "manifest.json").write_text("[" * 100_000, encoding="utf-8")
    assert intake.name_of(intake.take(tmp_path)) == ""


@pytest.mark.parametrize("name", ["layers (1).py", "layers-Copy1.py", "Layers.py", "layers.py.txt", "layer.py"])
def test_a_module_that_was_renamed_is_named(name, tmp_path):
    (tmp_path / name).write_text("x = 1", encoding="utf-8")
    assert f"{name} looks like layers.py: give it that name" in intake.take(tmp_path).notes


def test_a_pointer_of_git_lfs_is_no_module(tmp_path):
    (tmp_path / "layers.py").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", encoding="utf-8")
    found = intake.take(tmp_path)
    assert found.files == {}
    assert any("layers.py: it is a pointer of Git LFS" in note for note in found.notes)
