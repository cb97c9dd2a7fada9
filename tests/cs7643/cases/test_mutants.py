"""Every mutant fails the check of its task, no other task notices, and the diagnosis is nearly always the right one."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys

import pytest

from coursework.check.diagnosis import MISTAKES
from coursework.check.run import run_apart
from coursework.check.verdict import try_function
from coursework.homework import homework, path_of
from coursework.root import ROOT
from coursework.staff.mutants import automatic
from coursework.staff.mutants.attempt import Trial, attempt, register_cases, solution
from coursework.staff.mutants.mutant import (
    Mutant,
    edited,
    function_of,
    load,
    of,
    second_source,
    source_of,
    text_of,
)
from staff.mutants.catalogue import MUTANTS, SECOND, STYLES
from staff.second.pairs import PAIRS

register_cases()
SOLUTIONS = [(style, *pair) for style in STYLES for task in homework().tasks for pair in task.functions]
LISTED = (  # what the checks of the original assignment let through
    "pool backward assigns instead of adding",
    "pool backward gives every tied maximum the whole gradient",
    "pool uses pool_height for the width",
    "conv backward ignores the stride",
    "conv backward crops with [p:-p]",
    "conv forward uses the kernel's height for its width",
    "relu_backward changes dout in place",
    "softmax without subtracting the maximum",
)


def name_of(mutant: Mutant) -> str:
    return f"{mutant.task} {mutant.function}: {mutant.name}"


@functools.cache
def tried(mutant: Mutant) -> Trial:
    """Try a mutant; every other one on inputs that students do not see."""
    return attempt(mutant, seed=MUTANTS.index(mutant) % 2)


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_a_mutant_is_found(mutant):
    trial = tried(mutant)
    assert trial.found
    assert all(outcome.message for outcome in trial.verdict.outcomes if outcome.status == "wrong")


def test_the_diagnosis_is_right_nearly_always():
    trials = list(map(tried, MUTANTS))
    assert sum(trial.named for trial in trials) >= 0.8 * len(trials)
    for task in homework().tasks:
        own = [trial for trial in trials if trial.mutant.task == task.number]
        assert sum(trial.named for trial in own) >= 0.8 * len(own), task.number


@pytest.mark.parametrize(("style", "module", "name"), SOLUTIONS, ids=lambda part: part)
def test_a_second_solution_is_right(style, module, name):
    verdict = try_function(name, load(module, name, second_source(style, module)))
    assert verdict.status == "right", verdict.summary


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_mutants_of_a_second_solution_are_found_and_named(style):
    trials = [attempt(mutant) for mutant in SECOND if mutant.style == style]
    assert len(trials) >= 300
    assert not [name_of(trial.mutant) for trial in trials if not trial.found]
    assert sum(trial.named for trial in trials) >= 0.9 * len(trials)


@pytest.mark.slow
def test_of_two_mistakes_at_once_one_is_named():
    mutants = {(mutant.style, mutant.function, mutant.name): mutant for mutant in [*MUTANTS, *SECOND]}
    named = 0
    for function, style, names in PAIRS:
        both = [mutants[style, function, name] for name in names]
        verdict = try_function(function, function_of(*both))
        assert verdict.status == "wrong"
        named += verdict.diagnosis.mistake in {mutant.mistake for mutant in both}
    assert named >= 0.7 * len(PAIRS)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_files_of_another_year_replace_ours(style, tmp_path):
    for package in ("coursework", "cs7643"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for module in ("cs7643.layers", "cs7643.classifiers.two_layer_net", "cs7643.pytorch.models"):
        (tmp_path / path_of(module)).write_text(second_source(style, module), encoding="utf-8")
    for number in ("6.1", "6.2", "6.4", "6.5", "6.6"):
        task = homework().task(number)
        for verdict in run_apart(task, [name for _, name in task.functions], root=tmp_path).values():
            assert verdict.status == "right", (verdict.name, verdict.summary)
    program = (
        "from cs7643.classifiers import convnet, toy; from cs7643.pytorch import training; from cs7643 import trainer"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_the_catalogue_is_sound():
    assert len(MUTANTS) >= 80
    assert len({(mutant.function, mutant.name) for mutant in MUTANTS}) == len(MUTANTS)
    assert set(LISTED) <= {mutant.name for mutant in MUTANTS}
    known = {(function, each.name) for each in MISTAKES for function in each.functions}
    anywhere = {each.name for each in MISTAKES if not each.functions}
    for mutant in MUTANTS:
        assert (mutant.function, mutant.mistake) in known or mutant.mistake in anywhere, name_of(mutant)
    assert {(mutant.task, mutant.function) for mutant in MUTANTS} == {
        (task.number, name) for task in homework().tasks for _, name in task.functions
    }
    shown = {(mutant.function, mutant.mistake) for mutant in [*MUTANTS, *SECOND]}
    assert known <= shown, "a mistake that no mutant makes"


def test_an_edit_must_hit_one_place_of_the_solution():
    (mutant,) = of("6.2", "relu_forward", ("nothing", "np.minimum", "np.maximum", "negative kept"))
    source = source_of(mutant.module, "relu_forward")
    for text in ("np.minimum", "Args:", "x"):  # not there, outside the solution, in several places
        with pytest.raises(ValueError, match="must stand in the solution once"):
            edited(Mutant("6.2", "relu_forward", "nothing", text, "", ""), source)


@pytest.mark.slow
def test_no_task_depends_on_what_a_student_writes_for_another(tmp_path):
    """The solutions of all other tasks are taken out whole: whatever is wrong with them, a task cannot see it."""
    for package in ("coursework", "cs7643"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    names = {path_of(module) for task in homework().tasks for module, _ in task.functions}
    sources = {name: (tmp_path / name).read_text(encoding="utf-8") for name in names}
    for task in homework().tasks:
        regions = 0
        for name, source in sources.items():
            pattern = rf"^( *)# BEGIN SOLUTION (?!{re.escape(task.number)} ).*?^ *# END SOLUTION"
            spoilt, count = re.subn(pattern, r"\1raise RuntimeError('spoilt')", source, flags=re.S | re.M)
            (tmp_path / name).write_text(spoilt, encoding="utf-8")
            regions += count
        assert 0 < regions < sum(source.count("BEGIN SOLUTION") for source in sources.values())
        for verdict in run_apart(task, [name for _, name in task.functions], root=tmp_path).values():
            assert verdict.status == "right", (task.number, verdict.summary)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_solutions_are_right_on_other_inputs(seed):
    pairs = [pair for task in homework().tasks for pair in task.functions]
    assert all(solution(module, name, seed).status == "right" for module, name in pairs)


def test_the_lines_of_a_solution_are_those_between_its_marks():
    source = "a\n# BEGIN SOLUTION 2 x\nb\nc\n# END SOLUTION\n# BEGIN SOLUTION 2a y\nd\n# END SOLUTION\n"
    assert automatic.lines_of("2", source) == {3, 4}
    assert automatic.lines_of("2a", source) == {7}
    assert automatic.lines_of("1", source) == set()


def test_a_change_is_tried_in_a_process_of_its_own():
    source = text_of("cs7643.descent")
    texts = {
        "nothing": source + "# nothing\n",
        "a value": re.sub(r"^( *)# BEGIN SOLUTION 1 step_size\n", r"\1return 7.0\n", source, flags=re.M),
        "no Python": source + "def\n",
        "an import": source + "import no_such_module\n",
        "a crash": source + "import os\nos.kill(os.getpid(), 9)\n",
    }
    assert texts["a value"] != source
    several = [automatic.Change("1", "cs7643.descent", "", name, text) for name, text in texts.items()]
    survived = {change.after for change, alive in automatic.tried(several, patience=60.0) if alive}
    assert survived == {"nothing"}
    loop = automatic.Change("1", "cs7643.descent", "", "a loop", source + "while True:\n    pass\n")
    assert [alive for _, alive in automatic.tried([loop], patience=2.0)] == [False]
