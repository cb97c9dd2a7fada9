"""What notebook 6 shows of PyTorch: unfolded programs, its graph, mistakes, two processes, and what speed costs."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from coursework.explorable import LIMIT
from coursework.homework import homework
from cs7643 import plots
from cs7643.autodiff.drawing import draw
from cs7643.plots.code import plain_source
from cs7643.pytorch import bugs, speed, unfolding
from cs7643.pytorch.graph import graph_of
from cs7643.pytorch.together import Seen, two_processes

PROGRAMS = unfolding.by_hand, unfolding.with_autograd, unfolding.with_module, unfolding.with_layers
STAGES = ((PROGRAMS[0],), (PROGRAMS[1],), (unfolding.Weights, PROGRAMS[2]), (unfolding.Layers, PROGRAMS[3]))
VALUES = {"w1": 2.0, "b1": -0.5, "w2": 1.5, "b2": 0.25}


@pytest.fixture(scope="module")
def blank():
    """Every task is a blank: what explains PyTorch does not need one."""

    def unwritten(*_, **__):
        raise NotImplementedError

    with pytest.MonkeyPatch.context() as patch:
        for task in homework().tasks:
            for module, name in task.functions:
                if "." not in name:
                    patch.setattr(importlib.import_module(module), name, unwritten)
        yield


def test_all_four_programs_compute_the_same_losses(blank):
    X, y, weights = unfolding.curve()
    kept = [w.copy() for w in weights]
    first, *others = (program(X, y, weights, rate=0.1, steps=50) for program in PROGRAMS)
    assert first[-1] < 0.8 * first[0]
    for losses in others:
        np.testing.assert_allclose(losses, first, rtol=0, atol=1e-12)
    assert all(np.array_equal(w, before) for w, before in zip(weights, kept, strict=True))


@pytest.mark.parametrize("stage", range(3))
def test_the_difference_makes_the_end_of_the_start(stage):
    before, after = ([line for it in group for line in plain_source(it)] for group in STAGES[stage : stage + 2])
    shown = plots.side_by_side(STAGES[stage], STAGES[stage + 1])
    signs = {sign: sorted(line[2:] for line in shown.difference.splitlines() if line[0] == sign) for sign in "-+"}
    gone, come = list(before), list(after)
    for line in signs["-"]:
        gone.remove(line)
    for line in signs["+"]:
        come.remove(line)
    assert gone == come
    assert '"""' not in shown.html
    assert "->" not in re.sub("<[^>]*>", "", shown.html)


def loss_of_one_point(w1, b1, w2, b2):
    return (w2 * torch.tanh(w1 * 0.5 + b1) + b2 - 1.0) ** 2


def test_the_graph_of_pytorch_has_the_values_and_the_adjoints(blank):
    graph, loss = graph_of(loss_of_one_point, VALUES)
    assert [node.operation for node in graph.nodes if node.operation not in ("input", "constant")] == [
        *("*", "+", "tanh", "*", "+", "-", "**")
    ]
    assert graph.nodes[graph.outputs[0]].value == pytest.approx(loss.item())
    for node in graph.nodes:
        if node.operation == "input":
            plus, minus = (
                loss_of_one_point(*(torch.tensor(x + h * (name == node.name)) for name, x in VALUES.items()))
                for h in (1e-3, -1e-3)
            )
            assert node.adjoint == pytest.approx((plus - minus).item() / 2e-3, abs=1e-3)
    by_name = {node.name: node for node in graph.nodes}
    assert by_name["b"].value == pytest.approx(2.0 * 0.5 - 0.5)
    assert [graph.nodes[k].name for k in by_name["d"].inputs] == ["w2", "c"]
    draw(graph)
    assert plt.get_fignums() == []
    with pytest.raises(ValueError, match="one number that depends on w"):
        graph_of(lambda w: torch.tensor(1.0), {"w": 1.0})


@pytest.fixture(scope="module")
def curves(dataset, blank):
    return {name: bugs.run(dataset, name) for name in ("", *bugs.MISTAKES)}


def test_each_mistake_does_what_notebook_6_says(curves):
    right = curves[""]
    ended = {name: np.mean(each.losses[-20:]) for name, each in curves.items()}
    assert ended["no zero_grad"] > 100
    assert ended["copied statistics"] > 100
    assert ended[""] < ended["softmax twice"]
    assert min(curves["softmax twice"].losses) > -np.log(np.e / (np.e + 9))
    stays = curves["stays in eval"]
    per_epoch = len(right.losses) // bugs.EPOCHS
    assert stays.losses[:per_epoch] == right.losses[:per_epoch]
    assert ended["stays in eval"] < ended[""]
    parts = curves["mean of parts"]
    assert parts.losses == right.losses
    assert 0 < max(abs(np.subtract(parts.accuracies, right.accuracies))) < 0.05


def test_the_mistakes_are_drawn_beside_the_right_program(curves):
    wrong = {name: curves[name] for name in bugs.MISTAKES}
    shown = plots.live_bugs(curves[""], wrong, bugs.MISTAKES)
    assert len(shown.html.encode()) < LIMIT
    for (name, each), text in zip(wrong.items(), shown.texts, strict=True):
        assert text.startswith(name)
        assert f"accuracy ≈ {curves[''].accuracies[-1]:.3f}; wrong:" in text
        assert text.endswith(f"accuracy ≈ {each.accuracies[-1]:.3f}.")
        assert ("the loss diverges" in text) == (np.mean(each.losses[-10:]) >= 100)
    with pytest.raises(ValueError, match="mistake must be one of"):
        bugs.run(None, "none of these")


@pytest.mark.slow
def test_two_processes_hold_the_gradient_of_the_whole_batch():
    rng = np.random.default_rng(0)
    X, y, weights = rng.standard_normal((6, 3)), rng.standard_normal(6), rng.standard_normal(3)
    seen = two_processes(X, y, weights, rate=0.1)
    whole = 2 * X.T @ (X @ weights - y) / 6
    for rank, each in enumerate(seen):
        half = slice(3 * rank, 3 * rank + 3)
        np.testing.assert_allclose(each.own, 2 * X[half].T @ (X[half] @ weights - y[half]) / 3)
        np.testing.assert_allclose(each.shared, whole)
        np.testing.assert_allclose(each.after, weights - 0.1 * whole)
    assert np.array_equal(seen[0].after, seen[1].after)


def test_a_batch_that_cannot_be_halved_is_refused():
    with pytest.raises(ValueError, match="the same even length, got 3 and 3"):
        two_processes(np.ones((3, 1)), np.ones(3), np.ones(1), 0.1)


def test_the_picture_of_two_processes_says_what_they_hold():
    first = Seen(*(np.array(pair) for pair in ([1.0, -1], [-1.0, 0], [-2.5, -1], [1.25, -0.9])))
    second = replace(first, own=np.array([-4.0, -2]))
    shown = plots.two_processes_step(4, (first, second))
    assert len(shown.html.encode()) < LIMIT
    assert "(-1, 0) and (-4, -2)" in shown.texts[1]
    assert "(1.25, -0.9)" in shown.texts[3]
    assert len(set(shown.texts)) == 4


def test_what_is_measured_is_said_as_it_is():
    assert "pays after 500 calls" in str(speed.Compiled(0.03, 0.01, 10.0))
    assert "It never pays" in str(speed.Compiled(0.01, 0.03, 10.0))
    assert "does not work on this machine: no g++" in str(speed.Compiled(0.01, float("nan"), float("nan"), "no g++"))
    assert "has no instructions" in str(speed.Rounded(0.01, 0.02, 0.003, False))
    measured = speed.compare_bfloat16()
    assert 1e-4 < measured.difference < 2**-7  # 8 bits of precision
    assert min(measured.float32, measured.bfloat16) > 0


def test_a_machine_without_a_compiler_is_told_so(monkeypatch):
    def refuse(function):
        raise RuntimeError("no compiler\nmore words")

    monkeypatch.setattr(torch, "compile", refuse)
    found = speed.compare_compiled()
    assert found.problem == "no compiler"
    assert found.eager > 0
