"""The trainer: known losses, seeds, schedules, checkpoints that survive a kill, and clear errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch
from tolerances import apart, assert_within, stored

from cs7643 import optim, trainer
from cs7643.classifiers.toy import toy_data, toy_model
from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
from cs7643.trainer import BatchOrder, ClassifierTrainer, TrainingDivergedError, accuracy, predict

TOY_LOSSES = {"sgd": 0.940686, "momentum": 0.494394, "rmsprop": 0.439368}


def blobs(num_images=120, seed=0):
    """Three classes of points that a small network tells apart."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, num_images)
    return rng.standard_normal((num_images, 4)) + 2 * np.eye(3, 4)[y], y


def train(**options):
    X, y = blobs()
    settings = {"learning_rate": 0.1, "momentum": 0.9, "num_epochs": 4, "batch_size": 10, **options}
    model = init_two_layer_model(4, 6, 3, seed=1)
    model = {name: w * 1e4 for name, w in model.items()}
    return ClassifierTrainer().train(X[:90], y[:90], X[90:], y[90:], model, two_layer_net, **settings)


def assert_same_bits(a, b):
    for name in a[0]:
        assert np.array_equal(a[0][name], b[0][name])
    assert list(a[1:]) == list(b[1:])


@pytest.mark.parametrize("update", TOY_LOSSES)
def test_the_last_loss_on_the_toy_problem(update):
    X, y = toy_data()
    _, losses, _, _ = ClassifierTrainer().train(
        *(X, y, X, y, toy_model(), two_layer_net),
        reg=0.001,
        learning_rate=1e-1,
        momentum=0.9 if update == "momentum" else 0,
        learning_rate_decay=1,
        update=update,
        sample_batches=False,
        num_epochs=100,
    )
    assert len(losses) == 100
    assert losses[-1] == pytest.approx(TOY_LOSSES[update], rel=0, abs=stored(6))


@pytest.mark.parametrize(
    ("rule", "options", "oracle", "oracle_options"),
    [
        (optim.sgd, {}, torch.optim.SGD, {}),
        # PyTorch multiplies by the learning rate after the velocity: the same while the rate does not change
        (optim.momentum, {"momentum": 0.8}, torch.optim.SGD, {"momentum": 0.8}),
        # PyTorch adds eps outside the root: without eps the two rules are one
        (optim.rmsprop, {"decay": 0.9, "eps": 0}, torch.optim.RMSprop, {"alpha": 0.9, "eps": 0}),
    ],
)
def test_update_rules_equal_pytorch(rule, options, oracle, oracle_options):
    rng = np.random.default_rng(0)
    w, state = rng.standard_normal((3, 4)), np.zeros((3, 4))
    path = abs(w)  # and what is added to w, all with a positive sign
    parameter = torch.nn.Parameter(torch.tensor(w))
    optimiser = oracle([parameter], lr=0.05, **oracle_options)
    for grad in rng.standard_normal((20, 3, 4)):
        before = grad.copy(), state.copy()
        step, new_state = rule(grad, state, 0.05, **options)
        assert np.array_equal(grad, before[0])
        assert np.array_equal(state, before[1])
        w, state, path = w + step, new_state, path + abs(step)
        parameter.grad = torch.tensor(grad)
        optimiser.step()
    # A step is off by its last 10 roundings and by those of its velocity, a sum of 20 terms of either sign that may
    # be 100 times smaller than they are; w is a sum of 20 steps.
    assert_within(w, parameter.detach(), apart(20 + 100 * 30) * path)


def test_training_learns_and_returns_the_best_model():
    best_model, losses, train_history, val_history = train()
    X, y = blobs()
    assert max(val_history) >= 0.8
    assert accuracy(two_layer_net, best_model, X[90:], y[90:]) == max(val_history)
    assert len(losses) == 4 * 9
    assert len(train_history) == len(val_history) == 4 + 1  # after the first iteration and after every epoch
    assert np.mean(losses[-9:]) < 0.5 * losses[0]


def test_the_seed_decides():
    assert_same_bits(train(seed=3), train(seed=3))
    assert train(seed=3)[1] != train(seed=4)[1]


def test_float32_stays_float32():
    X, y = blobs()
    model = init_two_layer_model(4, 6, 3, dtype=np.float32)
    for update in trainer.UPDATE_RULES:
        best_model, *_ = ClassifierTrainer().train(
            *(X.astype(np.float32), y, X.astype(np.float32), y, model, two_layer_net),
            update=update,
            num_epochs=1,
            learning_rate=np.float64(0.1),  # which would make float64 of everything that it meets
        )
        assert {w.dtype for w in best_model.values()} == {np.dtype(np.float32)}


def test_what_the_trainer_is_given_stays_as_it_was():
    X, y = toy_data()
    model = toy_model()
    ClassifierTrainer().train(X, y, X, y, model, two_layer_net, batch_size=2, num_epochs=3)
    assert all(np.array_equal(model[name], w) for name, w in toy_model().items())
    assert np.array_equal(X, toy_data()[0])


def test_every_image_is_seen_once_in_an_epoch():
    order = BatchOrder(num_images=23, batch_size=5, seed=0)
    assert order.per_epoch == 4
    for epoch in range(3):
        seen = np.concatenate([order.indices(4 * epoch + k) for k in range(4)])
        assert len(set(seen)) == 20
    assert not np.array_equal(order.indices(0), order.indices(4))
    assert np.array_equal(order.indices(6), BatchOrder(23, 5, 0).indices(6))  # whatever was asked for before


def test_the_learning_rate_decays_after_every_epoch():
    steps = []

    def constant_gradient(X, model, y=None, reg=0.0):
        if y is None:
            return np.zeros((len(X), 2))
        steps.append(model["w"].copy())
        return 0.0, {"w": np.ones(1)}

    X, y = np.zeros((6, 1)), np.zeros(6, int)
    ClassifierTrainer().train(
        *(X, y, X, y, {"w": np.zeros(1)}, constant_gradient),
        **{"update": "sgd", "learning_rate": 1.0, "learning_rate_decay": 0.5, "batch_size": 2, "num_epochs": 3},
    )
    np.testing.assert_array_equal(-np.diff(np.ravel(steps)), [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25])


def test_acc_frequency_and_verbose(capsys):
    _, _, train_history, _ = train(acc_frequency=5, verbose=True)
    # iterations 0, 5, ..., 35 and the ends of epochs 8, 17, 26, 35
    assert len(train_history) == len({*range(0, 36, 5), 8, 17, 26, 35})
    assert len(capsys.readouterr().out.splitlines()) == len(train_history)


def test_scores_are_computed_for_all_images():
    X, y = blobs(1203)
    model = init_two_layer_model(4, 6, 3)
    assert np.array_equal(predict(two_layer_net, model, X), two_layer_net(X, model).argmax(axis=1))
    assert predict(two_layer_net, model, X[:0]).shape == (0,)


class InterruptionError(Exception):
    """Stands for anything that ends a run early."""


def interrupted_after(calls):
    """A two-layer network that fails at its ``calls``-th training step."""
    count = 0

    def two_layer(X, model, y=None, reg=0.0):
        nonlocal count
        count += y is not None
        if count > calls:
            raise InterruptionError
        return two_layer_net(X, model, y, reg)

    return two_layer


@pytest.mark.parametrize("update", trainer.UPDATE_RULES)
def test_a_run_that_was_interrupted_goes_on_to_the_same_bits(tmp_path, update):
    X, y = blobs()
    arguments = (X[:90], y[:90], X[90:], y[90:], toy_model())
    options = {"learning_rate": 0.01, "momentum": 0.9, "update": update, "num_epochs": 4, "batch_size": 10}
    options |= {"checkpoint_every": 7, "acc_frequency": 4}
    whole = ClassifierTrainer().train(*arguments, interrupted_after(10**9), **options)
    path = tmp_path / "run.npz"
    for _ in range(3):  # each try gets a little further
        with pytest.raises(InterruptionError):
            ClassifierTrainer().train(*arguments, interrupted_after(9), checkpoint=path, **options)
    resumed = ClassifierTrainer().train(*arguments, interrupted_after(10**9), checkpoint=path, **options)
    assert_same_bits(whole, resumed)
    assert_same_bits(whole, ClassifierTrainer().train(*arguments, interrupted_after(0), checkpoint=path, **options))


KILLED = """
    import sys
    import numpy as np
    from cs7643.classifiers.two_layer_net import init_two_layer_model, two_layer_net
    from cs7643.trainer import ClassifierTrainer

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((600, 300)), rng.integers(0, 5, 600)
    model = init_two_layer_model(300, 200, 5)
    checkpoint = sys.argv[1] if len(sys.argv) > 1 else None
    best, *histories = ClassifierTrainer().train(
        X[:500], y[:500], X[500:], y[500:], model, two_layer_net, learning_rate=0.05, momentum=0.9, num_epochs=40,
        batch_size=20, checkpoint=checkpoint, checkpoint_every=3,
    )
    print(repr([w.tobytes().hex()[:64] for w in best.values()]), *histories)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_run_that_was_killed_again_and_again_ends_with_the_same_bits(tmp_path):
    program = tmp_path / "training.py"
    program.write_text(textwrap.dedent(KILLED), encoding="utf-8")
    path = tmp_path / "run.npz"
    expected = subprocess.run([sys.executable, program], capture_output=True, check=True).stdout

    rng = np.random.default_rng(0)
    kills = 0
    while kills < 4:
        process = subprocess.Popen([sys.executable, program, path], stdout=subprocess.PIPE)
        before = path.stat().st_mtime_ns if path.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))  # at any point: in a step, in an evaluation, in the writing of a checkpoint
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode != -signal.SIGKILL:
            break  # it was done before
        kills += 1
        with np.load(path, allow_pickle=False) as archive:  # always a whole one
            assert len(archive["loss_history"]) > 0
    assert kills >= 3
    resumed = subprocess.run([sys.executable, program, path], capture_output=True, check=True).stdout
    assert resumed == expected


@pytest.mark.parametrize(
    ("checkpoint", "steps", "said"),
    [
        (None, 3, "the same call starts over (`"),
        ("c", 3, "the same call starts over"),
        ("c", 7, "continues from {path}"),
    ],
)
def test_a_stop_says_from_where_the_same_call_goes_on(tmp_path, monkeypatch, checkpoint, steps, said):
    left = iter(range(steps))

    def rule(*args, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return optim.sgd(*args)

    monkeypatch.setitem(trainer.UPDATE_RULES, "sgd", rule)
    path = None if checkpoint is None else tmp_path / checkpoint
    with pytest.raises(KeyboardInterrupt) as caught:
        train(update="sgd", num_epochs=1, checkpoint=path, checkpoint_every=1)
    assert said.format(path=path) in str(caught.value)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    train(checkpoint=path)
    with pytest.raises(ValueError, match=r"belongs to another run \(learning_rate was 0.1, is 0.2; seed was 0, is 5\)"):
        train(checkpoint=path, learning_rate=0.2, seed=5)
    assert_same_bits(train(num_epochs=6), train(num_epochs=6, checkpoint=path))  # more epochs are no other run


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut off", None])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    path = tmp_path / "run.npz"
    train(checkpoint=path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.raises(ValueError, match=r"cannot be read.*delete it to start over"):
        train(checkpoint=path)


def test_a_checkpoint_leaves_nothing_else_behind(tmp_path):
    train(checkpoint=tmp_path / "folder" / "run.npz", checkpoint_every=1)
    assert os.listdir(tmp_path / "folder") == ["run.npz"]


def test_a_loss_that_is_not_a_number_stops_the_training():
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError) as caught:
        train(learning_rate=1e12)
    assert f"at iteration {caught.value.iteration}" in str(caught.value)
    assert "learning rate ten times smaller" in str(caught.value)
    assert len(caught.value.loss_history) == caught.value.iteration + 1

    X, y = blobs()
    X[3, 2] = np.nan
    with pytest.raises(TrainingDivergedError, match="this batch of images holds values that are not finite"):
        ClassifierTrainer().train(X, y, X, y, toy_model(), two_layer_net, sample_batches=False)

    def broken(X, model, y=None, reg=0.0):
        return np.zeros((len(X), 3)) if y is None else (np.inf, model)

    X, y = blobs()
    with pytest.raises(TrainingDivergedError, match="at iteration 0; no step has been taken yet"):
        ClassifierTrainer().train(X, y, X, y, toy_model(), broken)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"update": "adam"}, "update must be one of sgd, momentum, rmsprop, got 'adam'"),
        ({"num_epochs": 0}, "num_epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"batch_size": 91}, "batch_size must be at most the number of images, 90, got 91"),
        ({"checkpoint_every": 0}, "checkpoint_every must be at least 1, got 0"),
        ({"acc_frequency": 0}, "acc_frequency must be at least 1, got 0"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=f"train: {message}"):
        train(**options)


def test_bad_data_is_refused():
    X, y = blobs()
    trainer = ClassifierTrainer()
    with pytest.raises(ValueError, match="X and its labels must have the same length"):
        trainer.train(X, y[:-1], X, y, toy_model(), two_layer_net)
    with pytest.raises(ValueError, match="X_val must hold floating-point numbers, got int"):
        trainer.train(X, y, X.astype(int), y, toy_model(), two_layer_net)
    with pytest.raises(ValueError, match="X and X_val must hold images of one size"):
        trainer.train(X, y, X[:, :2], y, toy_model(), two_layer_net)
    with pytest.raises(ValueError, match="model must hold at least one array"):
        trainer.train(X, y, X, y, {}, two_layer_net)
