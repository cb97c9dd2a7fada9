"""Problem 6.7: predictions.csv against labels that the student does not have."""

from __future__ import annotations

import argparse
import math
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coursework.homework import homework
from coursework.staff.autograder.gradescope_results import clean
from coursework.staff.autograder.judging import Judgement

CLASSES = 10
SIGMAS = 3.09  # guesses come so far above one in ten once in a thousand times
TOO_GOOD = 0.999
NEAR = 0.005  # between what a log says and what its predictions earn
CHANCE, STAFF = 5.0, 5.0  # points for more than chance, and for more than the staff's model
STAFF_ACCURACY = 0.905  # of the staff's model on the test images of CIFAR-10
FILE = "predictions.csv"
TEST_IMAGES = 10_000
DRAWN = (
    "These predictions are for the drawn images, not CIFAR-10: {:.0%} of the drawn test images would be right. Only "
    "accuracy on CIFAR-10 earns points: fetch it, train MyModel on it, call predict again, and hand in again."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what problem 6.7 needs."""
    parser.add_argument("--cifar10-dir", metavar="DIR", help="CIFAR-10, for the labels of problem 6.7")
    parser.add_argument(
        "--staff-accuracy",
        type=float,
        default=STAFF_ACCURACY,
        metavar="A",
        help=f"what problem 6.7 must beat (default: {STAFF_ACCURACY})",
    )


def facts(args: argparse.Namespace) -> dict[str, Any]:
    """Return the accuracy to beat, and the true labels as digits, if a folder is given.

    Raises:
        ValueError: if CIFAR-10 is not there, or the accuracy is none.
    """
    if not 0 < args.staff_accuracy < 1:
        raise ValueError(f"--staff-accuracy must be between 0 and 1, got {args.staff_accuracy}")
    if args.cifar10_dir is None:
        return {"staff_accuracy": args.staff_accuracy}
    from cs7643 import data

    labels = data.load(args.cifar10_dir, announce=False).y_test
    return {"staff_accuracy": args.staff_accuracy, "labels": "".join(map(str, labels.tolist()))}


def judge(number: str, files: Mapping[str, bytes], known: Mapping[str, Any]) -> Judgement:
    """Compare predictions with the labels, and what the log of the training says with both.

    Labels with noise cannot be told from the predictions of a good model. So the staff reads the end of the log beside
    the accuracy; the points do not depend on it, for a log can be written by hand, too.

    Args:
        number: 6.7.
        files: with the content of predictions.csv and of the log, if they were handed in.
        known: what :func:`facts` returned.
    """
    digits, counts = str(known.get("labels", "")), bool(known.get("labels"))
    if FILE not in files:
        return Judgement(0.0, f"{FILE} is not in the submission.", counts=counts)
    import numpy as np

    # PyTorch comes with it, and takes its time
    from cs7643.pytorch.predictions import ONLY_DRAWN, read_predictions, right_if_drawn

    labels = np.frombuffer(digits.encode(), np.uint8) - ord("0")
    with tempfile.TemporaryDirectory(prefix="predictions-") as folder:
        path = Path(folder) / FILE
        path.write_bytes(files[FILE])
        try:
            found = read_predictions(path, len(labels) or TEST_IMAGES, CLASSES)
        except (ValueError, MemoryError) as error:
            return Judgement(0.0, str(error).replace(f"{folder}/", ""), counts=counts)
    drawn = right_if_drawn(found)
    about = f"\n{DRAWN.format(drawn)}" if drawn > ONLY_DRAWN else ""
    if not counts:
        text = f"{FILE} is there. It is compared with the labels later, by the staff."
        return Judgement(0.0, text + about, counts=False)
    accuracy, best = float(np.mean(found == labels)), float(known.get("staff_accuracy", STAFF_ACCURACY))
    chance = 1 / CLASSES + SIGMAS * math.sqrt((1 - 1 / CLASSES) / CLASSES / len(labels))
    above, better = accuracy > chance, accuracy > best
    text = (
        f"Accuracy {accuracy:.4f} on {len(labels)} images.\n"
        f"More than chance ({chance:.4f}): {CHANCE if above else 0:g} of {CHANCE:g} points.\n"
        f"More than the staff's model ({best:.4f}): {STAFF if better else 0:g} of {STAFF:g} points."
    )
    text += about
    log = homework().log_of(homework().task(number).run)
    staff = f"{number}: accuracy {accuracy:.4f}. {trained(log, files.get(log), accuracy)}"
    return Judgement(CHANCE * above + STAFF * better, text, ("Accuracy", accuracy), staff)


def trained(path: str, log: bytes | None, accuracy: float) -> str:
    """Return what the staff should know about the training behind predictions of some accuracy.

    Args:
        path: of the log of the run.
        log: its content, None if it was not handed in.
        accuracy: of the predictions.
    """
    lines = (log or b"").decode(errors="replace").splitlines()
    shown = [*(line for line in lines if line.startswith("settings:")), *lines[-2:]]
    said = [float(found[1]) for line in lines if (found := re.match(r"test accuracy ([01]\.\d{1,9})", line))]
    if accuracy > TOO_GOOD:
        verdict = "Nobody's model is so good: ask how it was made."
    elif not said:
        reason = "is not there" if log is None else "has no test accuracy"
        verdict = f"{path} {reason}. Labels with noise look like this, too: ask for the training."
    elif abs(said[-1] - accuracy) > NEAR:
        verdict = f"{path} says {said[-1]:.4f}: ask which model the predictions come from."
    else:
        verdict = f"{path} says {said[-1]:.4f}, too."
    return "\n".join([verdict, *(f"    {clean(line, 300)}" for line in shown[:3])])
