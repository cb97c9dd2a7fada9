"""Problem 6.7: predictions.csv against labels that the student does not have."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coursework.staff.autograder.package import Config
from staff.rubric import CHANCE, STAFF

CLASSES = 10
SIGMAS = 3.09  # guesses come so far above one in ten once in a thousand times
TOO_GOOD = 0.999


@dataclass(frozen=True)
class Challenge:
    """What came of it: the points, what the student reads, the accuracy if there is one, and a word for the staff.

    It counts where there are labels to compare with; elsewhere the staff gives its points later.
    """

    score: float
    text: str
    accuracy: float | None = None
    staff: str = ""
    counts: bool = True


def judge(predictions: bytes | None, config: Config) -> Challenge:
    """Compare predictions with the labels.

    Args:
        predictions: the content of predictions.csv, or None.
        config: has the labels, and the accuracy to beat.
    """
    counts = bool(config.labels)
    if predictions is None:
        return Challenge(0.0, "predictions.csv is not in the submission.", counts=counts)
    if not counts:
        return Challenge(
            0.0, "predictions.csv is there. It is compared with the labels later, by the staff.", counts=False
        )
    from cs7643.pytorch.predictions import read_predictions  # PyTorch comes with it, and takes its time

    labels = np.frombuffer(config.labels.encode(), np.uint8) - ord("0")
    with tempfile.TemporaryDirectory(prefix="cs7643-predictions-") as folder:
        path = Path(folder) / "predictions.csv"
        path.write_bytes(predictions)
        try:
            found = read_predictions(path, len(labels), CLASSES)
        except (ValueError, MemoryError) as error:
            return Challenge(0.0, str(error).replace(f"{folder}/", ""))
    accuracy = float(np.mean(found == labels))
    chance = 1 / CLASSES + SIGMAS * math.sqrt((1 - 1 / CLASSES) / CLASSES / len(labels))
    above, better = accuracy > chance, accuracy > config.staff_accuracy
    text = (
        f"Accuracy {accuracy:.4f} on {len(labels)} images.\n"
        f"More than chance ({chance:.4f}): {CHANCE if above else 0:g} of {CHANCE:g} points.\n"
        f"More than the staff's model ({config.staff_accuracy:.4f}): {STAFF if better else 0:g} of {STAFF:g} points."
    )
    staff = f"6.7: accuracy {accuracy:.4f}: nobody's model is so good; ask" if accuracy > TOO_GOOD else ""
    return Challenge(CHANCE * above + STAFF * better, text, accuracy, staff)
