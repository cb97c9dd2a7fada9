"""The pictures: what they show is where it should be, and each function leaves no open figure behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from coursework.root import ROOT
from cs7643 import plots
from cs7643.plots import style

RNG = np.random.default_rng(0)
NAMES = ("one", "two", "three")
IMAGES = RNG.integers(0, 256, (12, 3, 8, 8), np.uint8)
LABELS = np.arange(12) % 3

FIGURES = {
    "class_examples": lambda: plots.class_examples(IMAGES, LABELS, NAMES, "data", per_class=4),
    "compare_losses": lambda: plots.compare_losses({"a": [3.0, 2.0], "b": [3.0, 1.0]}, "title", top=3.0),
    "training_curves": lambda: plots.training_curves([2.0, 1.0, 0.5], [0.1, 0.5], [0.1, 0.4], "title"),
    "accuracy_map": lambda: plots.accuracy_map([[0.1, 0.2]], ("row", 1), ("column", 1, 2), "title"),
    "weight_images, filters": lambda: plots.weight_images(RNG.standard_normal((5, 3, 7, 7)), "title"),
    "weight_images, columns": lambda: plots.weight_images(RNG.standard_normal((3072, 4)), "title"),
    "weight_images, named": lambda: plots.weight_images(RNG.standard_normal((2, 3, 7, 7)), "title", ("a", "b")),
    "confusion_matrix": lambda: plots.confusion_matrix(LABELS, LABELS[::-1], NAMES, "title"),
    "captioned_images": lambda: plots.captioned_images(IMAGES[:4], ["cat\nis dog"] * 4, "title", columns=3),
    "filtered_picture": lambda: plots.filtered_picture(plots.draw_scene(), RNG.standard_normal((2, 9, 9)), ["a", "b"]),
    "roofline": lambda: plots.roofline(1e11, 1e10, {"slow": (1e9, 1e9, 1.0), "fast": (1e9, 1e7, 0.02)}, "title"),
    "rate_ramp": lambda: plots.rate_ramp(
        np.geomspace(1e-3, 1, 9), [2.3, 2.2, 2.0, 1.5, 1.4, 1.6, 3.0, np.inf], 3, "title"
    ),
    "speed_bars": lambda: plots.speed_bars({"slow": 1.0, "fast": 0.01}, "title"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_and_closed(name, tmp_path):
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == []  # an open one would be shown twice in a notebook
    assert 25 < len(figure.get_label()) < 1200  # its text alternative
    assert not re.search(r"[$\\]|\bnan\b|\binf\b|\.\.$", figure.get_label())
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_lines_stand_out_from_the_paper():
    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    assert all(1.05 / (luminance(colour) + 0.05) >= 3 for colour in style.PALETTE[:5])
    assert 1.05 / (luminance(style.GREY) + 0.05) >= 4.5  # also the colour of words


SAVED = """
import io, sys
from coursework.explorable import png, strip
from cs7643 import plots
from cs7643.pytorch.run_pictures import save_picture
from pathlib import Path
figure = plots.training_curves([2.0, 1.0, 0.5], [0.1, 0.5], [0.1, 0.4], "title")
save_picture(figure, Path(sys.argv[1]) / "figure.png")
(Path(sys.argv[1]) / "strip.png").write_bytes(png(strip([figure, figure])))
"""


def test_the_users_settings_of_matplotlib_change_no_picture(tmp_path):
    settings = "text.usetex: True\nfont.size: 30\nfigure.facecolor: black\nsavefig.dpi: 10\nbackend: TkAgg\n"
    there = {"MATPLOTLIBRC": str(tmp_path / "home" / "matplotlibrc"), "MPLBACKEND": "module://nowhere"}
    found = []
    for name, variables in (("none", {}), ("folder", {}), ("home", there)):
        folder = tmp_path / name
        folder.mkdir()
        if name != "none":
            (folder / "matplotlibrc").write_text(settings, encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MATPLOTLIB")}
        environment = {**kept, "PYTHONPATH": str(ROOT), **variables}
        where = tmp_path if name == "home" else folder
        subprocess.run([sys.executable, "-c", SAVED, str(folder)], cwd=where, env=environment, check=True)
        found.append([(folder / picture).read_bytes() for picture in ("figure.png", "strip.png")])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 10])
def test_visualize_grid_stretches_each_image_and_puts_it_in_its_place(count):
    images = RNG.standard_normal((count, 3, 4, 3))
    grid = plots.visualize_grid(images, ubound=100.0, padding=2)
    side = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / side))
    assert grid.shape == (rows * 5 - 2, side * 6 - 2, 3)
    for k, image in enumerate(images):
        row, column = divmod(k, side)
        place = grid[row * 5 : row * 5 + 3, column * 6 : column * 6 + 4]
        expected = 100 * (image - image.min()) / np.ptp(image)
        np.testing.assert_allclose(place, expected, atol=1e-12)


def test_visualize_grid_of_one_colour_is_grey_and_bad_input_is_refused():
    assert np.array_equal(plots.visualize_grid(np.full((1, 2, 2, 3), 7.0)), np.full((2, 2, 3), 127.5))
    for bad in (np.zeros((0, 2, 2, 3)), np.zeros((2, 2, 3))):
        with pytest.raises(ValueError, match=r"Xs must have shape \(N, H, W, C\) with N at least 1"):
            plots.visualize_grid(bad)


def test_each_class_stands_in_its_own_row():
    figure = plots.class_examples(IMAGES, LABELS, NAMES, "data", per_class=4)
    shown = figure.axes[0].images[0].get_array()
    for label in range(3):
        for k, image in enumerate(IMAGES[label::3]):
            place = shown[label * 10 : label * 10 + 8, k * 10 : k * 10 + 8]
            assert np.array_equal(place, image.transpose(1, 2, 0))
    with pytest.raises(ValueError, match="at least 5 images of each class"):
        plots.class_examples(IMAGES, LABELS, NAMES, "data", per_class=5)


def test_the_scene_is_grey():
    scene = plots.draw_scene(48)
    assert scene.shape == (48, 48)
    assert 0 <= scene.min() < scene.max() <= 1


def test_what_diverged_is_neither_the_best_nor_the_worst_of_a_map():
    figure = plots.accuracy_map([[0.1, np.nan], [0.2, 0.3]], ("reg", 1, 2), ("rate", 3, 4), "title")
    assert figure.get_label().endswith(
        "The best is 30.0 at reg 2 and rate 4; the worst is 10.0 at reg 1 and rate 3. 1 diverged."
    )


def test_accuracies_stand_at_the_iterations_after_which_they_were_measured():
    figure = plots.training_curves([2.0, 1.5, 1.0, 0.5], [0.1, 0.4, 0.5], [0.1, 0.3, 0.4], "title", at=[0, 2, 3])
    axis = figure.axes[1]
    assert axis.get_xlabel() == "iteration"
    assert [line.get_xdata().tolist() for line in axis.lines] == [[0, 2, 3], [0, 2, 3]]


def test_a_running_mean_stands_in_the_middle_of_what_it_is_of():
    assert plots.running_mean([1.0, 2.0, 6.0, 4.0], 3) == pytest.approx([np.nan, 3.0, 4.0, np.nan], nan_ok=True)
    assert np.isnan(plots.running_mean([1.0, 2.0], 3)).all()


def test_the_lowest_mean_of_a_ramp_and_a_tenth_of_it_are_marked():
    figure = plots.rate_ramp([0.01, 0.1, 1.0, 10.0, 100.0, 1000.0], [2.0, 2.0, 1.0, 0.5, 3.0], 3, "title")
    axis = figure.axes[0]
    assert [line.get_xdata()[0] for line in axis.lines[2:]] == pytest.approx([1.0, 0.1])
    assert "lowest at 1, with 1.17" in figure.get_label()


def test_a_logarithmic_axis_has_dots_and_a_bar_begins_at_zero():
    times = {"slow": 1.0, "fast": 0.01}
    axis = plots.speed_bars(times, "title").axes[0]
    assert not axis.patches
    assert axis.lines[0].get_xdata() == pytest.approx([1000, 10])
    axis = plots.speed_bars(times, "title", logarithmic=False).axes[0]
    assert [(bar.get_x(), bar.get_width()) for bar in axis.patches] == [(0, 1000), (0, 10)]


def test_a_dotted_line_goes_from_a_point_up_to_its_roof():
    points = {"waits": (1e9, 1e9, 1.0), "counts": (1e9, 1e7, 0.02)}  # of memory 1e10, and of arithmetic 1e11
    axis = plots.roofline(1e11, 1e10, points, "title").axes[0]
    dotted = [line.get_ydata().tolist() for line in axis.lines if line.get_linestyle() == ":"]
    assert dotted == [pytest.approx([1, 10]), pytest.approx([50, 100])]
    assert [text.get_text().split("\n")[-1] for text in axis.texts[2:]] == ["10% of the roof", "50% of the roof"]
